"""What `pip install .` gives: everything the service needs, and nothing else."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.server import Server

ROOT = Path(__file__).parent.parent.parent

BUILD = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    junk = shutil.ignore_patterns(".*", "__pycache__", "data", "build", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=junk, symlinks=True)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, str(folder)],
        cwd=source,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (built,) = folder.glob("*.whl")
    return built


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.timeout(120)
def test_wheel_holds_the_whole_package(wheel: Path) -> None:
    """Static files and migrations have been forgotten by many a package."""
    expected = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "scriptrunner").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = names_in(wheel)
    assert expected - names == set()
    assert any("/static/vendor/" in name for name in names)
    assert any("/migrations/versions/0001" in name for name in names)
    assert "runner.py" in names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "runner.py",
        "scriptrunner",
    }


def test_wheel_carries_the_licences(wheel: Path) -> None:
    names = names_in(wheel)
    for name in ("LICENSE", "THIRD_PARTY.md"):
        assert any(each.endswith(f".dist-info/licenses/{name}") for each in names)


def test_installed_wheel_has_the_command(wheel: Path, tmp_path: Path) -> None:
    """Installed beside nothing but its dependencies, from a folder without a checkout."""
    python = install(wheel, tmp_path / "env")
    command = [str(python.parent / "scriptrunner"), "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert wheel.name.split("-")[1] in done.stdout
    code = "import runner, scriptrunner; print(runner.__file__); print(scriptrunner.__file__)"
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert str(ROOT) not in done.stdout


class Installed(Server):
    """The service of the installed wheel."""

    @property
    def command(self) -> list[str]:
        program = self.folder / "env" / "bin" / "scriptrunner"
        return [str(program), "serve", "--port", str(self.port)]


@pytest.mark.timeout(90)
def test_installed_wheel_serves_page_and_runs(wheel: Path, tmp_path: Path) -> None:
    install(wheel, tmp_path / "env")
    service = Installed(tmp_path)
    try:
        service.start()
        page = service.client.get("/").text
        names = re.findall(r'(?:src|href)="(/[^"]+)"', page)
        assert names
        for name in names:
            assert service.client.get(name).status_code == 200, name
        assert service.run("print('hello')")["result"]["stdout"] == "hello\n"
    finally:
        service.close()


def install(wheel: Path, folder: Path) -> Path:
    """Return the Python of a new environment with the wheel and our own packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    command = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet"]
    options = ["--offline", "--no-deps", "--python", str(python), str(wheel)]
    subprocess.run([*command, *options], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "dependencies.pth").write_text(f"{ours}\n")
    return python
