"""Rules of this project that no tool knows: what has to agree, and what must not be used."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import scriptrunner

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = sorted(
    path
    for path in [
        *(ROOT / "scriptrunner").rglob("*.py"),
        *(ROOT / "WEBAPI").rglob("*.py"),
        *ROOT.glob("*.py"),
    ]
    if "static" not in path.parts
)


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[._-]+", "-", found[0]).lower()


def pins_of(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().splitlines()
    pins = [line.split("==", 1) for line in lines if re.match(r"[a-z0-9]", line)]
    return {name: rest.split()[0] for name, rest in pins}


def calls_in(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of a file with the dotted text of what is called."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## \[(\d\S*)\]", changelog, re.MULTILINE)
    assert newest, "CHANGELOG.md names no version"
    assert newest[1] == PROJECT["version"] == scriptrunner.__version__


def test_requirements_are_the_dependencies() -> None:
    """`pip install -r WEBAPI/requirements.txt` is a published command."""
    lines = (ROOT / "WEBAPI/requirements.txt").read_text().splitlines()
    plain = [line for line in lines if line and not line.startswith("#")]
    assert plain == PROJECT["dependencies"]


def test_runtime_lock_holds_no_development_tools() -> None:
    pins = pins_of("requirements.lock")
    assert {name_of(each) for each in PROJECT["dependencies"]} <= set(pins)
    assert not {"pytest", "ruff", "mypy", "playwright", "numpy", "scipy"} & set(pins)


def test_development_lock_agrees_with_the_runtime_lock() -> None:
    development = pins_of("requirements-dev.lock")
    assert pins_of("requirements.lock").items() <= development.items()
    extras = [
        each for extra in PROJECT["optional-dependencies"].values() for each in extra
    ]
    assert {name_of(each) for each in extras} <= set(development)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_lock_holds_no_address(lock: str) -> None:
    """An address would tie the project to one machine's package index."""
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_uses_nothing_dangerous(path: Path) -> None:
    """Text from outside must never become code, also not by a detour (SECURITY.md)."""
    forbidden = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
    forbidden |= {"pickle.load", "pickle.loads", "marshal.loads", "yaml.load"}
    for called, call in calls_in(path):
        where = f"{path.relative_to(ROOT)}:{call.lineno}"
        assert called not in forbidden, f"{where} calls {called}"
        shell = [word for word in call.keywords if word.arg == "shell"]
        assert not shell, f"{where} passes shell="


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_never_judges_a_path_by_its_text(path: Path) -> None:
    """Resolve and compare lost 4,696 of 33,078 races against a flipping symlink.

    Whether a file lies below a root is decided by the walk in ``engine/beneath.py``.
    """
    shortcut = re.compile(r"(resolve|realpath)\(.*\.(startswith|is_relative_to)$")
    for called, call in calls_in(path):
        where = f"{path.relative_to(ROOT)}:{call.lineno}"
        assert not shortcut.search(called), f"{where}: use open_beneath"
        assert not called.endswith("commonpath"), f"{where}: use open_beneath"


def test_every_decision_is_listed() -> None:
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    page = (ROOT / "docs/adr/README.md").read_text()
    assert re.findall(r"\]\(([0-9]\S+)\)", page) == records
    assert [name[:4] for name in records] == [
        f"{number:04}" for number in range(1, len(records) + 1)
    ]


def test_nothing_points_outside_the_project() -> None:
    """A clone must work alone."""
    suffixes = {".py", ".md", ".toml", ".sh", ".yaml", ".js", ".txt", ""}
    folders = [
        "scriptrunner",
        "WEBAPI",
        "scripts",
        "docs",
        "tools",
        "benchmarks",
        ".ci",
    ]
    files = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*files, *ROOT.glob("*.md"), *ROOT.glob("*.py")]:
        if path.is_file() and path.suffix in suffixes and "static" not in path.parts:
            assert "../shared" not in path.read_text(), path.relative_to(ROOT)
