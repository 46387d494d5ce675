"""T15: two things happen to one run at the same instant; one of them wins."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.client import Caller
from tests.faults.ledger import Ledger
from tests.faults.model import REASONS
from tests.faults.oracle import Oracle
from tests.faults.report import ILLEGAL, STUCK, TWICE, Report
from tests.faults.service import JOB, Service, running_service
from tests.faults.transitions import TERMINAL, find_faults
from tests.faults.trial import FaultTest, Trial, derive
from tests.server import wait_for

ORDERS = ("cancel", "stop", "kill", "restart", "delete")
HAPPENINGS = ("exit", "timeout", "finalise")
PAIRS = list(combinations((*ORDERS, *HAPPENINGS), 2))
RACES = "races"
WRONG_ANSWER = "answers that do not fit"
NO_WINNER = "an end that nobody asked for"
SETTINGS = {"WEBAPI_SLOTS": "24"}
#: Races at once; more would only blur the instant.
LANES = 4
#: Seconds of a race with a timeout.
TIMEOUT_SECONDS = 1
#: Seconds by which both may miss the instant, at random.
JITTER_SECONDS = 0.02


def run(trial: Trial) -> Report:
    """Race every pair, several times."""
    rounds = trial.size["rounds"]
    report = trial.report(
        planned={RACES: len(PAIRS) * rounds}, criteria=(WRONG_ANSWER, NO_WINNER)
    )
    random = trial.random()
    with running_service(trial.folder, settings=SETTINGS) as service:
        service.copy_job()
        script = service.copy_job("gate.py", JOB.with_name("gate.py"))
        track = Track(service, report, script)
        races = [
            Race(track, pair, f"{'-'.join(pair)}-{number}", derive(random))
            for number in range(rounds)
            for pair in PAIRS
        ]
        with ThreadPoolExecutor(LANES) as lanes:
            list(lanes.map(Race.run, races))
        for run_id, attempt in track.ledger.repeated():
            report.fail(TWICE, f"{run_id} attempt {attempt}")
        Oracle(service, report).check_orphans()
    return report


@dataclass(frozen=True, slots=True)
class Track:
    """What all races share."""

    service: Service
    report: Report
    script: Path

    @property
    def ledger(self) -> Ledger:
        """The ledger of the scripts."""
        return Ledger(self.service.folder / "ledger.txt")


@dataclass
class Race:
    """One run and the two things that happen to it."""

    track: Track
    pair: tuple[str, str]
    tag: str
    random: Random
    run_id: str = ""
    #: Status of the answer to each order.
    answers: dict[str, int] = field(default_factory=dict)
    new_id: str | None = None

    @property
    def gate(self) -> Path:
        """The script waits for this file."""
        return self.track.service.folder / f"gate-{self.tag}"

    def run(self) -> None:
        """Start a script, let both happen at one instant, judge what came of it."""
        with Caller(self.track.service.url) as caller:
            started = self.start(caller)
            instant = self.choose_instant(started)
            threads = [
                threading.Thread(target=self.act, args=(what, instant))
                for what in self.pair
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.track.report.fault(RACES)
            self.judge(caller)

    def start(self, caller: Caller) -> float:
        """Submit the run, and return the moment at which its script was seen to run."""
        ledger = self.track.ledger
        args = [str(ledger.path), self.tag, str(self.gate), "3"]
        fields: dict[str, Any] = {"script_path": str(self.track.script), "args": args}
        if "timeout" in self.pair:
            fields["timeout"] = TIMEOUT_SECONDS
        self.run_id = caller.submit(fields).json()["run_id"]
        wait_for(lambda: self.tag in ledger.begins(), seconds=20, what=self.tag)
        return time.monotonic()

    def choose_instant(self, started: float) -> float:
        """Return when it is to happen; a timeout decides by itself."""
        wait = TIMEOUT_SECONDS - 0.03 if "timeout" in self.pair else 0.1
        return started + wait

    def act(self, what: str, instant: float) -> None:
        """Do one of the two at the instant, more or less."""
        moment = instant + self.random.uniform(-JITTER_SECONDS, JITTER_SECONDS)
        if what == "timeout":
            return
        if what == "finalise":
            moment -= 0.03  # the script exits before; what races is the recording
        time.sleep(max(0.0, moment - time.monotonic()))
        if what in HAPPENINGS:
            self.gate.touch()
        else:
            self.send(what)

    def send(self, what: str) -> None:
        """Give an order and keep what was answered."""
        with Caller(self.track.service.url, later=frozenset()) as caller:
            if what == "delete":
                answer = caller.ask("DELETE", f"/api/runs/{self.run_id}")
            else:
                answer = caller.ask("POST", f"/api/runs/{self.run_id}/{what}")
        self.answers[what] = answer.status_code
        if what == "restart" and answer.status_code == 202:
            self.new_id = answer.json()["run_id"]

    # What came of it

    def judge(self, caller: Caller) -> None:
        """Compare the answers with each other and with the end of the run."""
        self.gate.touch()
        if self.new_id is not None:
            self.finish(caller, self.new_id)
        record = self.finish(caller, self.run_id)
        if record is None:
            self.judge_deleted()
        else:
            self.judge_answers(record)
            self.judge_end(record)
            events = caller.get_json(f"/api/runs/{self.run_id}/events")
            for fault in find_faults(events, record["status"]):
                self.track.report.fail(ILLEGAL, f"{self}: {fault}")

    def finish(self, caller: Caller, run_id: str) -> Mapping[str, Any] | None:
        """Return the record of a run that is over; None if it is deleted."""
        deadline = time.monotonic() + 20
        while True:
            answer = caller.ask("GET", f"/api/runs/{run_id}", params={"wait": 10})
            if answer.status_code == 404:
                return None
            record: dict[str, Any] = answer.json()
            if record["status"] in TERMINAL:
                return record
            if time.monotonic() > deadline:
                self.track.report.fail(STUCK, f"{self}: {record['phase']}")
                return record

    def judge_deleted(self) -> None:
        """Only a delete removes a run; what came later finds nothing."""
        if self.answers.get("delete") != 200:
            self.track.report.fail(NO_WINNER, f"{self}: gone without a delete")
        self.expect(lambda _, status: status in {200, 202, 404, 409})

    def judge_answers(self, record: Mapping[str, Any]) -> None:
        """An order that was answered by 200 or 202 did something; one by 409 did not."""
        allowed = {"restart": {202, 409}, "delete": {400}}
        self.expect(lambda what, status: status in allowed.get(what, {200, 409}))
        accepted = [
            what
            for what, status in self.answers.items()
            if status == 200 and what != "delete"
        ]
        if accepted and record["status"] != "cancelled":
            text = f"{self}: {record['status']} {record['reason']}"
            self.track.report.fail(WRONG_ANSWER, text)

    def expect(self, fits: Callable[[str, int], bool]) -> None:
        """Count answers that do not fit."""
        for what, status in self.answers.items():
            if not fits(what, status):
                self.track.report.fail(WRONG_ANSWER, f"{self}: {what} was {status}")

    def judge_end(self, record: Mapping[str, Any]) -> None:
        """The run ended by its script, by its timeout, or by an accepted order."""
        possible: set[str | None] = {
            REASONS[what]
            for what, status in self.answers.items()
            if status in {200, 202} and what in REASONS
        }
        if {"exit", "finalise"} & set(self.pair):
            possible.add("exit_code")
        if "timeout" in self.pair:
            possible.add("timeout")
        if set(self.pair) == {"delete", "restart"}:
            possible.add("restart")
        if self.answers.keys() == {"delete"} and not possible:
            possible.add("exit_code")
        if record["reason"] not in possible:
            text = f"{self}: {record['reason']}, not {sorted(map(str, possible))}"
            self.track.report.fail(NO_WINNER, text)

    def __str__(self) -> str:
        return f"{' and '.join(self.pair)} {self.answers} {self.run_id}"


TEST = FaultTest(
    test_id="T15",
    title="two things happen to one run at the same instant",
    run=run,
    ci={"rounds": 2},
    long={"rounds": 200},
    seconds=150,
)
