"""A record of runs to try things on: folders, database, service, ledger, a clock.

No process is started. What a shim would have left behind is written by ``end`` and its
kin, in the very form of the control file.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.engine import control_file
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.plan import RunOptions
from scriptrunner.runs.ledger import Ledger
from scriptrunner.runs.models import Event, RunRecord, Submission
from scriptrunner.runs.service import RunService
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.ports import End, Start
from tests.clocks import FakeClock

BOOT = "this-boot"
SHA256 = "ab" * 32


class RunWorld:
    """One data folder with its services."""

    def __init__(self, folder: Path, database: Database, **settings: Any) -> None:
        self.scripts = folder / "scripts"
        self.scripts.mkdir()
        self.settings = Settings(
            database_url=str(database.url),
            data_dir=folder / "data",
            allowed_roots=(self.scripts,),
            **settings,
        )
        self.settings.data_dir.mkdir(mode=0o700)
        self.database = database
        self.clock = FakeClock()
        self.calls: list[str] = []
        self.roots = AllowedRoots(self.settings.allowed_roots)
        self.service = self.make_service()
        self.ledger = self.make_ledger()
        self.write_script("ok.py")

    def make_service(self, **changes: Any) -> RunService:
        return RunService(
            self.database,
            self.settings.with_changes(**changes),
            roots=self.roots,
            wake=lambda: self.calls.append("wake"),
            announce=lambda: self.calls.append("announce"),
            clock=self.clock,
            boot_id=BOOT,
        )

    def make_ledger(self, boot_id: str = BOOT, **given: Any) -> Ledger:
        return Ledger(
            self.database,
            self.settings,
            roots=self.roots,
            clock=self.clock,
            boot_id=boot_id,
            **given,
        )

    def write_script(self, name: str, text: str = "print('hello')\n") -> Path:
        path = self.scripts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    # What people do

    def submit(self, script: str = "ok.py", **changes: Any) -> str:
        """Queue a run; names of options go into the options."""
        self.clock.advance(0.001)
        return self.service.submit(self.submission(script, **changes)).run_id

    def submission(self, script: str | None = "ok.py", **changes: Any) -> Submission:
        known = RunOptions.__dataclass_fields__
        options = {name: changes.pop(name) for name in list(changes) if name in known}
        changes.setdefault("principal", "alice")
        return Submission(script_path=script, options=RunOptions(**options), **changes)

    def get(self, run_id: str) -> RunRecord:
        return self.service.get_run(run_id)

    def events(self, run_id: str) -> list[Event]:
        return self.service.list_events(run_id)

    def event_types(self, run_id: str) -> list[str]:
        return [event.event_type for event in self.events(run_id)]

    # What the supervisor and the shims do

    def claim(self, limit: int = 10, *, boot_id: str = BOOT) -> list[Launch]:
        return self.ledger.claim(limit, boot_id=boot_id)

    def claim_one(self) -> Launch:
        (launch,) = self.claim(1)
        return launch

    def start(self, launch: Launch) -> None:
        """Record the start as the supervisor does for scripts that take a while."""
        spawn = self.spawn()
        self.ledger.record_starts(
            [Start(run_id=launch.run_id, attempt=launch.attempt, spawn=spawn)]
        )

    def spawn(self) -> dict[str, Any]:
        at_us = int(self.clock.utc_now().timestamp() * 1_000_000)
        return {"at_us": at_us, "sha256": SHA256, "size": 15}

    def end_record(self, exit_code: int | None = 0, **changes: Any) -> dict[str, Any]:
        """An end record of a script that took 0.25 s until now."""
        now_us = int(self.clock.utc_now().timestamp() * 1_000_000)
        return {
            "reason": "exit",
            "exit_code": exit_code,
            "started_us": now_us - 250_000,
            "ended_us": now_us,
            "duration_ns": 250_000_000,
            "utime": 0.1,
            "stime": 0.05,
            "maxrss_kb": 20_480,
            "out_bytes": 0,
            "err_bytes": 0,
            "out_dropped": 0,
            "err_dropped": 0,
            "out_lines": 0,
            "err_lines": 0,
            "samples": 2,
            "samples_due": 2,
            **changes,
        }

    def end(
        self,
        launch: Launch,
        exit_code: int | None = 0,
        *,
        out: bytes = b"",
        err: bytes = b"",
        **changes: Any,
    ) -> None:
        """End an attempt, with its files, and record it."""
        self.ledger.record_ends([self.make_end(launch, exit_code, out, err, **changes)])

    def make_end(
        self,
        launch: Launch,
        exit_code: int | None = 0,
        out: bytes = b"",
        err: bytes = b"",
        **changes: Any,
    ) -> End:
        self.write_output(launch, out, err)
        sizes = {"out_bytes": len(out), "err_bytes": len(err)}
        record = self.end_record(exit_code, **{**sizes, **changes})
        spawn = self.spawn()
        self.write_control(launch, spawn, record)
        return End(
            run_id=launch.run_id, attempt=launch.attempt, spawn=spawn, end=record
        )

    def write_output(self, launch: Launch, out: bytes = b"", err: bytes = b"") -> None:
        prefix = f"{launch.run_dir}/a{launch.attempt}"
        Path(f"{prefix}.out").write_bytes(out)
        Path(f"{prefix}.err").write_bytes(err)

    def write_control(
        self,
        launch: Launch,
        spawn: dict[str, Any] | None = None,
        end: dict[str, Any] | None = None,
        sent: dict[str, Any] | None = None,
    ) -> None:
        """Write what is given into the control file, made if it is not there."""
        path = Path(control_file.path_of(launch.run_dir, launch.attempt))
        data = bytearray(path.read_bytes() if path.exists() else bytes(4096))
        slots = {control_file.SPAWN: spawn, control_file.END: end}
        for slot, record in {**slots, control_file.SIGNAL: sent}.items():
            if record is not None:
                text = control_file.encode(record)
                start = slot * control_file.SLOT_BYTES
                data[start : start + len(text)] = text
        path.write_bytes(data)

    def run_to_end(
        self, script: str = "ok.py", *, exit_code: int = 0, **more: Any
    ) -> str:
        """Queue a run, claim it, end it; return its id."""
        run_id = self.submit(script, **more)
        self.end(self.claim_one(), exit_code)
        return run_id

    def run_folder(self, run_id: str) -> Path:
        return self.settings.runs_dir / run_id


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    """Return as soon as ``condition()`` is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


@pytest.fixture
def world(tmp_path: Path, database: Database) -> RunWorld:
    """A record of runs, on each backend."""
    return RunWorld(tmp_path, database)
