"""A service under test: started again when it dies, its processes known by their part."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.faults import processes
from tests.faults.processes import SCRIPT, ZYGOTE, Process
from tests.server import PROJECT, START_SECONDS, Server, wait_for

JOB = Path(__file__).with_name("scripts") / "job.py"
#: Settings that shorten the service's own waits and spare our disk.
SHORT_WAITS = {
    "WEBAPI_STOP_GRACE": "1",
    "WEBAPI_LINGER": "2",
    "WEBAPI_SLOTS": "8",
    "WEBAPI_BALLAST": str(1 << 20),
}
#: Seconds between two looks whether the service is still there.
LOOK_SECONDS = 0.1
#: Seconds in which everything that was killed must be gone.
GONE_SECONDS = 15.0


class Service(Server):
    """One service and everything that descends from it.

    Args:
        folder: Its place; data are in ``data``, scripts in ``scripts``.
        workers: Web workers.
        settings: Further ``WEBAPI_`` variables.
        data_dir: Data folder elsewhere, such as on a small disk.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int = 2,
        settings: Mapping[str, str] | None = None,
        data_dir: Path | None = None,
        **options: Any,
    ) -> None:
        environment = {**SHORT_WAITS, **(settings or {})}
        super().__init__(folder, workers=workers, environment=environment, **options)
        if data_dir is not None:
            self.data_dir = data_dir
        self.root.mkdir(parents=True, exist_ok=True)
        #: Pids of all web parents that there ever were; they lead sessions.
        self.web_pids: set[int] = set()
        #: What the last start took; on a machine that others use it may be long.
        self.start_seconds = 0.0
        self._keeper: threading.Thread | None = None
        self._may_end = threading.Event()

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> "Service":
        """Start the web server; supervisor and scripts of an earlier one may live."""
        started = time.monotonic()
        try:
            super().start()
        finally:
            self.web_pids.add(self.pid)
        self.start_seconds = time.monotonic() - started
        return self

    def copy_job(self, name: str = "job.py", source: Path = JOB) -> Path:
        """Put a script of the tests below the allowed root and return its path."""
        return Path(shutil.copy(source, self.root / name))

    # A service manager of its own

    def keep_alive(self) -> None:
        """Start the web server again whenever it ends, until ``let_end``."""
        self._may_end.clear()
        self._keeper = threading.Thread(target=self._keep, name="service-manager")
        self._keeper.start()

    def _keep(self) -> None:
        while not self._may_end.wait(LOOK_SECONDS):
            if not self.is_running():
                with contextlib.suppress(AssertionError):
                    self.start()

    def let_end(self) -> None:
        """Stop starting the web server again."""
        self._may_end.set()
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None

    def close(self) -> None:
        """End the service and every process it ever started."""
        self.let_end()
        super().close()

    def start_beside(self, command: list[str], *, stdin: str) -> None:
        """Start a further process of the service; it ends with the service."""
        guardian = subprocess.Popen(
            [sys.executable, "-S", str(PROJECT / "tests" / "guardian.py"), *command],
            cwd=PROJECT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert guardian.stdin is not None
        guardian.stdin.write(stdin)
        guardian.stdin.close()
        self._guardians.append(guardian)

    # Its processes

    def list_family(self) -> list[Process]:
        """Return every living process that descends from the service."""
        return processes.list_below([each.pid for each in self._guardians])

    def by_role(self) -> dict[str, list[Process]]:
        """Return its processes by their part."""
        return processes.by_role(self.list_family(), web_pids=self.web_pids)

    def scripts(self) -> list[Process]:
        """Return the processes of scripts, daemons of scripts included."""
        return self.by_role().get(SCRIPT, [])

    def ours(self) -> list[Process]:
        """Return the processes of the service itself: no scripts, no helpers."""
        found = self.by_role()
        return [each for role in processes.ROLES for each in found.get(role, ())]

    def kill_role(self, role: str, number: int = signal.SIGKILL) -> int:
        """Signal all processes of one part; return how many."""
        return sum(each.kill(number) for each in self.by_role().get(role, ()))

    def kill_all(self) -> int:
        """SIGKILL everything at once, scripts too, as a power cut would."""
        killed = 0
        while family := self.list_family():
            killed += sum(each.kill() for each in family)
        return killed

    def wait_gone(self, *roles: str) -> None:
        """Wait until no process of these parts lives."""
        wait_for(
            lambda: not any(self.by_role().get(role) for role in roles),
            seconds=GONE_SECONDS,
            what=f"the end of {', '.join(roles)}",
        )

    def wait_supervised(self) -> None:
        """Wait until a supervisor is at work: its zygote is there."""
        wait_for(
            lambda: self.by_role().get(ZYGOTE), seconds=START_SECONDS, what="a zygote"
        )

    def wait_scripts(self, count: int) -> None:
        """Wait until so many processes of scripts live."""
        wait_for(
            lambda: len(self.scripts()) >= count,
            seconds=START_SECONDS,
            what=f"{count} scripts",
        )

    # What it keeps

    def run_dir(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return self.data_dir / "runs" / run_id

    def supervisor_note(self) -> dict[str, Any]:
        """Return what the supervisor says of itself, empty if it never did."""
        try:
            note: dict[str, Any] = json.loads(
                (self.data_dir / "supervisor.json").read_text()
            )
        except (OSError, ValueError):
            return {}
        return note


@contextlib.contextmanager
def running_service(folder: Path, **options: Any) -> Iterator[Service]:
    """Yield a started ``Service(folder, **options)`` and close it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with Service(folder, **options) as service:
        yield service.start()


def exists(pid: int) -> bool:
    """Return whether a process with this pid lives (a zombie does not)."""
    return processes.read_process(pid) is not None
