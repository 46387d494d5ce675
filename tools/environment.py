"""Make a virtual environment hold what a lock file names.

    python3 tools/environment.py .venv requirements.lock

``scripts/environment`` calls this when the environment is missing or belongs to another
lock. Standard library only, because nothing else is installed yet. Several calls at once
wait for each other. The copy of the lock that marks an environment as complete is
written last, so an install that was cut short is done again.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Name of the copy of the lock inside the environment; scripts/environment compares it.
STAMP = ".installed.lock"

NO_VENV = """\
Python cannot make virtual environments here: its module ensurepip is missing.
On Debian and Ubuntu:  apt-get install python3-venv
Then start again."""

NO_INSTALL = """\
The packages could not be installed; the reason stands above. Nothing is half done:
start again when it is mended. If this machine has a package index of its own, name it in
pip's configuration (for example PIP_INDEX_URL)."""

OLD_PYTHON = """\
{folder} was made with an older Python than 3.11. Remove that folder and start again."""


class InstallError(Exception):
    """The environment cannot be made; the message says what helps."""


class Environment:
    """One virtual environment and the lock file it has to follow."""

    def __init__(self, folder: Path, lock: Path) -> None:
        """Take the folder of the environment and the path of the lock file."""
        self.folder = folder
        self.lock = lock
        self.python = folder / "bin" / "python"
        self._descriptor = -1

    def bring_up_to_date(self) -> None:
        """Make the environment and install the lock, unless another call just did.

        Raises:
            InstallError: If Python or the package index does not let us.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            # Children inherit this lock: should this process be killed, the next one
            # waits until a pip that is still busy has gone too.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            if not self._is_current():
                self._install()
        finally:
            os.close(self._descriptor)

    def _is_current(self) -> bool:
        stamp = self.folder / STAMP
        return (
            os.access(self.python, os.X_OK)
            and stamp.is_file()
            and stamp.read_bytes() == self.lock.read_bytes()
        )

    def _install(self) -> None:
        content = self.lock.read_bytes()
        count = content.count(b"==")
        say(f"Installing {count} packages into {self.folder} (only this once) ...")
        (self.folder / STAMP).unlink(missing_ok=True)
        self._make()
        if not (self._install_by_uv() or self._install_by_pip()):
            raise InstallError(NO_INSTALL)
        fresh = self.folder / f"{STAMP}.{os.getpid()}"
        fresh.write_bytes(content)
        fresh.replace(self.folder / STAMP)

    def _make(self) -> None:
        """Make the environment, or keep the one there is if its Python works."""
        if self._run(self.python, "-c", "pass", quiet=True):
            test = "import sys; sys.exit(sys.version_info < (3, 11))"
            if not self._run(self.python, "-c", test):
                raise InstallError(OLD_PYTHON.format(folder=self.folder))
            return
        # Without pip: uv needs none, and _install_by_pip adds it, which also mends an
        # environment that was cut short.
        made = self._run(
            sys.executable, "-m", "venv", "--clear", "--without-pip", self.folder
        )
        if not made:
            raise InstallError(NO_VENV)

    def _install_by_uv(self) -> bool:
        uv = shutil.which("uv")
        if uv is None:
            return False
        command = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
        target = ["--python", self.python, "--require-hashes", "-r", self.lock]
        if self._run(*command, *target):
            return True
        say("uv could not install the packages; trying pip ...")
        return False

    def _install_by_pip(self) -> bool:
        if not self._run(self.python, "-m", "pip", "--version", quiet=True):
            made = self._run(self.python, "-m", "ensurepip", "--upgrade", quiet=True)
            if not made:
                raise InstallError(NO_VENV)
        command = [self.python, "-m", "pip", "install", "-qq", "--no-input"]
        options = ["--disable-pip-version-check", "--require-hashes", "-r", self.lock]
        return self._run(*command, *options)

    def _run(self, *command: object, quiet: bool = False) -> bool:
        """Run a child process, its output on our stderr, and say whether it went well."""
        output = subprocess.DEVNULL if quiet else sys.stderr
        environment = os.environ | {"PIP_USER": "0", "UV_PYTHON_DOWNLOADS": "never"}
        try:
            done = subprocess.run(
                [str(part) for part in command],
                check=False,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[self._descriptor],
            )
        except OSError:
            return False
        return done.returncode == 0


def say(text: str) -> None:
    """Print a line for people; stdout stays free for the service."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Bring the environment up to date; 0 if it is, 1 with a sentence if not."""
    parser = argparse.ArgumentParser(
        description="Make an environment follow a lock file."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    options = parser.parse_args()
    try:
        Environment(
            options.folder.absolute(), options.lock.absolute()
        ).bring_up_to_date()
    except InstallError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error.strerror}: {error.filename}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
