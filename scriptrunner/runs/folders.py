"""The folder of each run: where it is, what the service puts there, how it goes away."""

import contextlib
import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from scriptrunner.errors import StorageFullError
from scriptrunner.fault_points import pass_point
from scriptrunner.settings import Settings

#: Name of an uploaded script, and of the bytes of a snapshot that is run again.
SCRIPT_NAME = "upload.py"
SECRETS_NAME = "secret.json"
OUTPUTS_NAME = "outputs"
#: What the service itself has written among the outputs.
WRITTEN_NAME = "written"
TEMPORARY_NAME = "tmp"
#: Beginning of the name of a folder that is about to vanish.
DELETED_PREFIX = ".deleted-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_run_id(text: str) -> bool:
    """Return whether ``text`` has the form of a run id: UUID4 in lower case."""
    if len(text) != 36:
        return False
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        return False
    return parsed.version == 4 and str(parsed) == text


class RunFolders:
    """The folders below ``runs/`` of one data folder. Threads may share it.

    Args:
        root: The folder that holds the run folders; made when it is needed.
        durable: Whether files written here are forced to the disk.
    """

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        """Touch nothing yet."""
        self.root = root
        self._root = str(root)
        self._durable = durable

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the run folders of a service."""
        return cls(settings.runs_dir, durable=settings.durability == "power")

    def path(self, run_id: str) -> str:
        """Return where the folder of a run is, whether it exists or not."""
        return f"{self._root}/{run_id}"

    def prepare(self, run_id: str) -> str:
        """Make the folder of a run (0700) and the one for its temporary files.

        Raises:
            StorageFullError: If there is no room for them.
        """
        folder = self.make(run_id)
        _make_folder(f"{folder}/{TEMPORARY_NAME}")
        return folder

    def make(self, run_id: str) -> str:
        """Make the folder of a run (0700) unless it is there, and return its path."""
        folder = self.path(run_id)
        try:
            _make_folder(folder)
        except FileNotFoundError:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_folder(folder)
        return folder

    def write_script(self, run_id: str, content: bytes) -> None:
        """Keep a script that came with the request (0400)."""
        self._write_new(f"{self.make(run_id)}/{SCRIPT_NAME}", content, 0o400)

    def write_secrets(
        self,
        run_id: str,
        env_vars: Mapping[str, str],
        *,
        slack_webhook: str | None = None,
    ) -> None:
        """Keep values that must not be in the database (0600)."""
        values: dict[str, Any] = {"env_vars": dict(env_vars)}
        if slack_webhook is not None:
            values["slack_webhook"] = slack_webhook
        path = f"{self.make(run_id)}/{SECRETS_NAME}"
        self._write_new(path, json.dumps(values).encode("ascii"), 0o600)

    def read_secrets(self, run_id: str) -> dict[str, str]:
        """Return the secret environment values of a run, empty if it has none."""
        values: dict[str, str] = self._read_secrets(run_id).get("env_vars", {})
        return values

    def read_webhook(self, run_id: str) -> str | None:
        """Return the real address of a run's ``slack_webhook``, or None."""
        address: str | None = self._read_secrets(run_id).get("slack_webhook")
        return address

    def _read_secrets(self, run_id: str) -> dict[str, Any]:
        try:
            descriptor = os.open(
                f"{self.path(run_id)}/{SECRETS_NAME}",
                os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW,
            )
        except FileNotFoundError:
            return {}
        with os.fdopen(descriptor, "rb") as file:
            found: dict[str, Any] = json.load(file)
        return found

    def _write_new(self, path: str, content: bytes, mode: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        with _translated():
            descriptor = os.open(path, flags, mode)
            with os.fdopen(descriptor, "wb") as file:
                pass_point("folders.write")
                file.write(content)
                if self._durable:
                    file.flush()
                    os.fsync(descriptor)

    def copy_script(self, source: str, run_id: str) -> None:
        """Give a run the very bytes of another place, which are never changed."""
        target = f"{self.make(run_id)}/{SCRIPT_NAME}"
        with _translated():
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM):
                    raise
                self._write_new(target, Path(source).read_bytes(), 0o400)

    def end_temporary(self, run_id: str) -> None:
        """Remove what a run that is over has left among its temporary files."""
        folder = f"{self.path(run_id)}/{TEMPORARY_NAME}"
        try:
            with os.scandir(folder) as entries:
                is_empty = next(entries, None) is None
        except FileNotFoundError:
            return
        if not is_empty:
            shutil.rmtree(folder, ignore_errors=True)

    def remove(self, run_id: str) -> None:
        """Remove the folder of a run: renamed at once, emptied afterwards."""
        doomed = f"{self._root}/{DELETED_PREFIX}{run_id}"
        try:
            Path(self.path(run_id)).rename(doomed)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            doomed = self.path(run_id)
        shutil.rmtree(doomed, ignore_errors=True)

    def measure(self, run_id: str) -> int:
        """Return the bytes that a run's folder takes on the disk; 0 if it is gone."""
        size = 0
        for folder, _, names in os.walk(self.path(run_id)):
            for name in names:
                with contextlib.suppress(OSError):
                    # Blocks, not the length: an output may have a hole.
                    size += 512 * os.lstat(f"{folder}/{name}").st_blocks
        return size

    def iter_names(self) -> Iterator[tuple[str, float]]:
        """Yield name and modification time (seconds since 1970) of each folder."""
        try:
            entries = os.scandir(self._root)
        except FileNotFoundError:
            return
        with entries:
            for entry in entries:
                try:
                    yield entry.name, entry.stat(follow_symlinks=False).st_mtime
                except FileNotFoundError:
                    continue

    def remove_leftover(self, name: str) -> None:
        """Remove a folder below the root by its name."""
        shutil.rmtree(self.root / name, ignore_errors=True)


def _make_folder(path: str) -> None:
    with _translated():
        pass_point("folders.make")
        try:
            Path(path).mkdir(0o700)
        except FileExistsError:
            return


class _translated:  # noqa: N801 - used like a function
    """Turn "no space left" into ``StorageFullError``."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if isinstance(error, OSError) and error.errno in _FULL:
            raise StorageFullError from error
