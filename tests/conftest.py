"""What every test shares: no silent skips, and a clear word when packages are missing."""

from collections.abc import Generator
from importlib.util import find_spec

import pytest

pytest_plugins = (
    "tests.databases",
    "tests.library_world",
    "tests.network",
    "tests.run_world",
    "tests.task_world",
)

NEEDED = ("alembic", "fastapi", "httpx", "pytest_timeout", "sqlalchemy", "uvicorn")

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
