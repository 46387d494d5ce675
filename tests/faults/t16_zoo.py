"""T16: scripts that behave badly; each ends as it must, and nothing of it is left."""

import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.faults.client import Caller
from tests.faults.ledger import Ledger
from tests.faults.oracle import Oracle
from tests.faults.report import CUT_LOG, ORPHANS, STUCK, TWICE, WRONG_CODE, Report
from tests.faults.service import JOB, Service, exists, running_service
from tests.faults.transitions import TERMINAL
from tests.faults.trial import FaultTest, Trial
from tests.server import wait_for

ANIMALS = "animals"
CAP_BYTES = 64 << 20
SETTINGS = {"WEBAPI_MAX_OUTPUT": str(CAP_BYTES), "WEBAPI_STOP_GRACE": "0.5"}
#: Animals at once.
LANES = 4
#: Seconds for one of them.
LIFE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Animal:
    """A function of ``scripts/zoo.py`` and how a run of it must end."""

    name: str
    status: str = "completed"
    reason: str | None = None
    exit_code: int | None = 0
    #: Given when the script has said "ready".
    order: str | None = None
    timeout: int | None = None
    #: The whole log; None if it does not matter here.
    log: bytes | None = b""
    fields: Mapping[str, Any] = field(default_factory=dict)


def _failed(name: str, code: int, reason: str = "exit_code", **more: Any) -> Animal:
    return Animal(name, "failed", reason, code, **more)


def _ended(name: str, order: str, code: int | None, **more: Any) -> Animal:
    reason = {"stop": "stopped", "cancel": "cancelled", "kill": "killed"}[order]
    return Animal(name, "cancelled", reason, code, order=order, **more)


ZOO = (
    _failed("daemon", 3),
    _failed("fifty_daemons", 3),
    Animal("session_leader"),
    _failed("nameless_daemon", 5),
    Animal("shell_background"),
    Animal("held_stdout", log=b"the grandchild still has my standard output\n"),
    Animal("worker_pool"),
    Animal("own_subreaper"),
    Animal("deaf_daemon"),
    _ended("deaf", "stop", -9),
    _ended("deaf", "cancel", -9),
    _failed("deaf", -9, "timeout", timeout=1),
    _ended("frozen", "stop", -15),
    _failed("frozen", -15, "timeout", timeout=1),
    _ended("frozen", "kill", -9),
    _ended("last_words", "stop", 7, log=b"last words\n"),
    _failed("last_words", 7, "timeout", timeout=1, log=b"last words\n"),
    _ended("polite_parent", "stop", 0),
    _ended("fork_bomb", "kill", -9),
    _ended("fork_bomb", "stop", -15),
    _failed("shot_itself", -9, "signal"),
    _failed("segfault", -11, "signal"),
    _failed("loud_death", -10, "signal", log=b"0123456789abcdef" * 65536 * 50),
    _failed("exit_255", 255),
    Animal("killed_keeper", "failed", "lost", None),
    _ended("stopped_keeper", "kill", -9),
    _failed("closed_descriptors", 4),
    Animal("every_descriptor", log=b"[]\n"),
    Animal("rewritten_stdout", log=b"what was said after\n"),
    Animal("sparse_stdout", log=None),
    Animal("lost_folder", log=b"still here\n", fields={"working_dir": "doomed"}),
    Animal("lost_script", log=b"still here\n"),
    _failed("became_another", 6, log=b"another\n"),
    Animal("slow_thread", log=b"the thread is done\n"),
    Animal("many_threads", log=b"201\n"),
)


def run(trial: Trial) -> Report:
    """Let every animal live, several at once, and look for what is left of it."""
    rounds = trial.size["rounds"]
    report = trial.report(planned={ANIMALS: rounds * len(ZOO)})
    with running_service(trial.folder, workers=1, settings=SETTINGS) as service:
        service.copy_job()
        keepers = [
            Keeper(service, report, animal, f"{animal.name}-{number}-{round_number}")
            for round_number in range(rounds)
            for number, animal in enumerate(ZOO)
        ]
        with ThreadPoolExecutor(LANES) as lanes:
            list(lanes.map(Keeper.keep, keepers))
        oracle = Oracle(service, report)
        oracle.check_orphans(seconds=0)
        oracle.check_quiet()
    report.state("kinds", len({animal.name for animal in ZOO}))
    return report


@dataclass(frozen=True, slots=True)
class Keeper:
    """Lets one animal live and judges what came of it."""

    service: Service
    report: Report
    animal: Animal
    tag: str

    @property
    def ledger(self) -> Ledger:
        """The ledger of the scripts."""
        return Ledger(self.service.folder / "ledger.txt")

    def keep(self) -> None:
        """Submit it, give the order, wait for its end, look around."""
        with Caller(self.service.url) as caller:
            run_id = caller.submit(self.request()).json()["run_id"]
            if self.animal.order is not None:
                self.give_order(caller, run_id)
            record = self.wait_over(caller, run_id)
            self.look_around()
            self.report.fault(ANIMALS)
            self.judge(caller, record)

    def request(self) -> dict[str, Any]:
        """Return the submission; each animal has a copy of the script of its own."""
        folder = self.service.root / self.tag
        folder.mkdir()
        for name in ("zoo.py", "job.py"):
            shutil.copy(JOB.with_name(name), folder / name)
        fields = dict(self.animal.fields)
        if "working_dir" in fields:
            fields["working_dir"] = str(folder / fields["working_dir"])
            (folder / "doomed").mkdir()
        return {
            "script_path": str(folder / "zoo.py"),
            "args": [str(self.ledger.path), self.tag, self.animal.name],
            "timeout": self.animal.timeout,
            **fields,
        }

    def give_order(self, caller: Caller, run_id: str) -> None:
        """Wait until the script is ready, and give the order."""
        wait_for(lambda: self.notes("ready"), seconds=20, what=f"{self.tag} ready")
        if self.animal.name == "fork_bomb":
            wait_for(lambda: len(self.notes("child")) > 100, seconds=20, what=self.tag)
        answer = caller.ask("POST", f"/api/runs/{run_id}/{self.animal.order}")
        if answer.status_code != 200:
            self.report.fail(STUCK, f"{self.tag}: {answer.status_code} {answer.text}")

    def wait_over(self, caller: Caller, run_id: str) -> Mapping[str, Any]:
        """Return the record once the run is terminal."""
        deadline = time.monotonic() + LIFE_SECONDS
        while True:
            path = f"/api/runs/{run_id}"
            record: dict[str, Any] = caller.get_json(path, params={"wait": 10})
            if record["status"] in TERMINAL:
                return record
            if time.monotonic() > deadline:
                self.report.fail(STUCK, f"{self.tag}: {record['phase']}")
                return record

    def look_around(self) -> None:
        """At the very moment a run is terminal, no process of it may live."""
        for pid in {note.pid for note in self.ledger.read() if note.tag == self.tag}:
            if exists(pid):
                self.report.fail(ORPHANS, f"{self.tag}: process {pid}")

    def judge(self, caller: Caller, record: Mapping[str, Any]) -> None:
        """Compare the end and the log with what they must be."""
        animal = self.animal
        due = (animal.status, animal.reason, animal.exit_code)
        found = tuple(record[key] for key in ("status", "reason", "exit_code"))
        if found != due:
            self.report.fail(WRONG_CODE, f"{self.tag}: {found}, not {due}")
        if len(self.notes("begin")) != 1:
            self.report.fail(
                TWICE, f"{self.tag}: {len(self.notes('begin'))} beginnings"
            )
        path = f"/api/runs/{record['id']}/logs"
        answer = caller.ask("GET", path, params={"stream": "stdout"})
        if animal.log is not None and answer.content != animal.log:
            text = f"{self.tag}: {answer.content[:80]!r} ({len(answer.content)} bytes)"
            self.report.fail(CUT_LOG, text)
        if len(answer.content) > CAP_BYTES:
            self.report.fail(CUT_LOG, f"{self.tag}: {len(answer.content)} bytes")

    def notes(self, mark: str) -> list[int]:
        """Return the pids that noted themselves with ``mark``."""
        return [
            note.pid
            for note in self.ledger.read()
            if note.tag == self.tag and note.mark == mark
        ]


TEST = FaultTest(
    test_id="T16",
    title="the process zoo: scripts that behave badly",
    run=run,
    ci={"rounds": 1},
    long={"rounds": 20},
    seconds=120,
)
