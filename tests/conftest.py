"""What every test shares: no silent skips, and a clear word when packages are missing."""

import os
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest_plugins = (
    "tests.databases",
    "tests.library_world",
    "tests.network",
    "tests.run_world",
    "tests.task_world",
)

NEEDED = ("alembic", "fastapi", "httpx", "pytest_timeout", "sqlalchemy", "uvicorn")

#: Time limit from which a test file counts as long.
LONG_SECONDS = 100.0

missing = [name for name in NEEDED if find_spec(name) is None]
if missing:
    pytest.exit(
        f"These tests need {', '.join(missing)}: run them by ./scripts/test, "
        "which installs what is missing",
        returncode=4,
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        help="count a skipped test as failed (where everything can be installed)",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest when cores share the tests, so that all end at once.

    A file is long by the longest time limit in it; the others keep their order.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    lengths: dict[Path, float] = {}
    for item in items:
        limit = item.get_closest_marker("timeout")
        length = float(limit.args[0]) if limit and limit.args else 0.0
        lengths[item.path] = max(lengths.get(item.path, 0.0), length)
    long = {path: each for path, each in lengths.items() if each >= LONG_SECONDS}
    items.sort(key=lambda item: -long.get(item.path, 0.0))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        forbid_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    forbid_skip(report, collector.config)
    return report


def forbid_skip(
    report: pytest.TestReport | pytest.CollectReport, config: pytest.Config
) -> None:
    """Turn a skip into a failure that repeats its reason, if --no-skips was given."""
    if report.skipped and config.getoption("no_skips"):
        reason = report.longrepr
        words = reason[2] if isinstance(reason, tuple) else str(reason)
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped here. {words}"
