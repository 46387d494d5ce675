"""A real service on a free port with a data folder of its own, and a lean client."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parent.parent


class Client:
    """One kept-alive connection; not for several threads."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(
        self, method: str, path: str, body: Any = None, *, range_header: str = ""
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of one request."""
        data = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        if range_header:
            headers["Range"] = range_header
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()

    def get(self, path: str) -> Any:
        """Return the JSON of a GET that must succeed."""
        status, _, body = self.request("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:200]!r}")
        return json.loads(body)

    def submit(self, script: str, **options: Any) -> str:
        """Submit a run and return its id."""
        body = {"script_path": script, **options}
        status, _, answer = self.request("POST", "/api/run", body)
        if status != 202:
            raise RuntimeError(f"POST /api/run: {status} {answer[:200]!r}")
        run_id: str = json.loads(answer)["run_id"]
        return run_id

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Service:
    """A running service with its folders."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[bytes]"):
        self.folder = folder
        self.port = port
        self.process = process

    @property
    def scripts(self) -> Path:
        """The allowed root."""
        return self.folder / "scripts"

    def add_script(self, name: str, text: str) -> str:
        """Write a script and return its name, which is also its path for the API."""
        (self.scripts / name).write_text(text)
        return name

    def connect(self) -> Client:
        """Return a new client."""
        return Client(self.port)

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the service: web, supervisor, zygote, shims."""
        marks = (str(self.folder), "zygote.py", "scriptrunner.supervise")
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if self._is_ours(process) and (
                    process.pid == self.process.pid or any(m in line for m in marks)
                ):
                    found.append(process)
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        environment = process.environ()
        return environment.get("WEBAPI_RUN_DB", "").startswith(str(self.folder))


@contextlib.contextmanager
def running(command: list[str] | None = None, **environment: str) -> Iterator[Service]:
    """Start a service and end it with everything it started.

    Args:
        command: How to start it; by default ``python WEBAPI/api.py``.
        environment: Further variables.
    """
    folder = Path(tempfile.mkdtemp(prefix="scriptrunner-bench-"))
    (folder / "scripts").mkdir()
    port = _free_port()
    process = subprocess.Popen(
        command
        or [sys.executable, str(PROJECT / "WEBAPI" / "api.py"), "--port", str(port)],
        env={
            **os.environ,
            "WEBAPI_RUN_DB": str(folder / "data" / "runs.db"),
            "WEBAPI_ALLOWED_ROOT": str(folder / "scripts"),
            "WEBAPI_LINGER": "1",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=(folder / "service.log").open("wb"),
    )
    service = Service(folder, port, process)
    try:
        try:
            wait_until_ready(port)
        except OSError:
            print((folder / "service.log").read_text())
            raise
        yield service
    finally:
        left = service.processes()
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        _, alive = psutil.wait_procs(left, timeout=10)
        for each in alive:
            each.kill()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_ready(port: int) -> None:
    """Return when the service answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            client = Client(port)
            client.get("/api/health")
            client.close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
