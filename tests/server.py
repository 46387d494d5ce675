"""A real service for tests: its own port, data folder and script folder.

>>> with running_server(tmp_path, workers=2) as server:
...     server.client.get("/api/runs")

``close()`` (or the end of the ``with``) ends the service and everything it started:
workers, supervisor, zygote, shims and scripts.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

PROJECT = Path(__file__).resolve().parent.parent
#: Seconds a service may take until it answers; generous, since tests share the machine.
START_SECONDS = 30.0
#: Seconds a service may take to end after SIGTERM.
STOP_SECONDS = 15.0
#: Seconds between two looks at a condition.
POLL_SECONDS = 0.02

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T], *, seconds: float = 30.0, what: str = "the condition"
) -> T:
    """Return the first true value of ``condition()``; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s: {value!r}")
        time.sleep(POLL_SECONDS)


def find_free_port(host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens right now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One service; ``start`` it, look at it over ``client``, ``close`` it.

    Args:
        folder: Where ``data/``, ``scripts/`` and ``server.log`` are made.
        workers: Web workers; more than one is started by plain uvicorn.
        host: Address to listen on.
        port: Port to listen on, 0 for a free one.
        launcher: ``api`` (``python WEBAPI/api.py``) or ``uvicorn``; None chooses by
            ``workers``.
        environment: Further variables of the service; None removes one.
        prefix: Command put before the launcher, such as ``["setpriv", "--reuid", "1"]``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        launcher: str | None = None,
        environment: Mapping[str, str | None] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.host = host
        self.port = port or find_free_port(host)
        self.launcher = launcher or ("api" if workers == 1 else "uvicorn")
        self.prefix = list(prefix)
        self.data_dir = folder / "data"
        self.root = folder / "scripts"
        self.log_file = folder / "server.log"
        self.pid = 0
        self._changes = dict(environment or {})
        self._guardians: list[subprocess.Popen[str]] = []
        self._client: httpx.Client | None = None

    @property
    def url(self) -> str:
        """The address as a local caller writes it."""
        name = "[::1]" if ":" in self.host else "127.0.0.1"
        return f"http://{name}:{self.port}"

    @property
    def client(self) -> httpx.Client:
        """A local client without credentials, kept for the life of this object."""
        if self._client is None:
            self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        return self._client

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the service."""
        own = {
            "WEBAPI_RUN_DB": str(self.data_dir / "runs.db"),
            "WEBAPI_ALLOWED_ROOT": str(self.root),
            "PYTHONUNBUFFERED": "1",
        }
        kept = {k: v for k, v in os.environ.items() if not k.startswith("WEBAPI_")}
        return {
            k: v for k, v in {**kept, **own, **self._changes}.items() if v is not None
        }

    @property
    def command(self) -> list[str]:
        """The command line of the service."""
        address = ["--host", self.host, "--port", str(self.port)]
        if self.launcher == "api":
            return [
                *self.prefix,
                sys.executable,
                str(PROJECT / "WEBAPI" / "api.py"),
                *address,
            ]
        uvicorn = [sys.executable, "-m", "uvicorn", "WEBAPI.api:app"]
        workers = ["--workers", str(self.workers), "--log-level", "info"]
        return [*self.prefix, *uvicorn, *address, *workers]

    def start(self) -> "Server":
        """Start the service and wait until it answers; after an end, start it again."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("a") as log:
            guardian = subprocess.Popen(
                [
                    sys.executable,
                    "-S",
                    str(PROJECT / "tests" / "guardian.py"),
                    *self.command,
                ],
                cwd=PROJECT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._guardians.append(guardian)
        assert guardian.stdout is not None
        self.pid = int(guardian.stdout.readline())
        guardian.stdout.close()
        wait_for(self._is_ready, seconds=START_SECONDS, what="a healthy service")
        return self

    def _is_ready(self) -> bool:
        if not self.is_running():
            raise AssertionError(
                f"the service ended at once:\n{self.read_log()[-4000:]}"
            )
        try:
            return httpx.get(
                self.url + "/api/health", timeout=5, trust_env=False
            ).is_success
        except httpx.TransportError:
            return False

    def is_running(self) -> bool:
        """Return whether the process of the service itself still runs."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"

    def read_log(self) -> str:
        """Return all that the service wrote to its standard output and error."""
        return self.log_file.read_text(errors="replace")

    def signal(self, number: int) -> None:
        """Send a signal to the process of the service (with workers: their parent)."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM the service and wait; supervisor and scripts may go on."""
        self.signal(signal.SIGTERM)
        wait_for(lambda: not self.is_running(), seconds=STOP_SECONDS, what="the end")

    def kill(self) -> None:
        """SIGKILL the service and wait; supervisor and scripts may go on."""
        self.signal(signal.SIGKILL)
        wait_for(lambda: not self.is_running(), seconds=STOP_SECONDS, what="the end")

    def close(self) -> None:
        """End the service and every process it ever started."""
        if self._client is not None:
            self._client.close()
            self._client = None
        for guardian in self._guardians:
            guardian.terminate()
        for guardian in self._guardians:
            guardian.wait(timeout=30)
        self._guardians.clear()

    def write_script(self, name: str, text: str) -> Path:
        """Write a script below the allowed root and return its path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def submit(self, script: Path | str, **fields: Any) -> str:
        """Submit a run as the local caller and return its id."""
        answer = self.client.post(
            "/api/run", json={"script_path": str(script), **fields}
        )
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def wait_finished(self, run_id: str, *, seconds: float = 15.0) -> dict[str, Any]:
        """Return the record of a run once it has a terminal status."""

        def look() -> dict[str, Any] | None:
            record: dict[str, Any] = self.client.get(f"/api/runs/{run_id}").json()
            return record if record["status"] not in {"queued", "running"} else None

        found = wait_for(look, seconds=seconds, what=f"the end of run {run_id}")
        assert found is not None
        return found

    def run(
        self, text: str, *, name: str = "script.py", **fields: Any
    ) -> dict[str, Any]:
        """Write a script, run it, and return its finished record."""
        return self.wait_finished(self.submit(self.write_script(name, text), **fields))


@contextlib.contextmanager
def running_server(folder: Path, **options: Any) -> Iterator[Server]:
    """Yield a started ``Server(folder, **options)`` and close it at the end."""
    server = Server(folder, **options)
    try:
        yield server.start()
    finally:
        server.close()
