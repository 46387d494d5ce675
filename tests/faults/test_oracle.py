"""The oracle finds what it is there to find: each kind of failure, planted on purpose."""

from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults import report as names
from tests.faults.catalogue import TESTS
from tests.faults.client import Caller
from tests.faults.jobs import Job
from tests.faults.ledger import Ledger
from tests.faults.oracle import Oracle
from tests.faults.report import Report
from tests.faults.service import JOB, running_service
from tests.faults.transitions import find_faults
from tests.faults.trial import FaultTest


def make_report(**planned: int) -> Report:
    return Report("T0", 1, planned=planned)


def make_event(seq: int, kind: str, attempt: int | None = 1) -> dict[str, object]:
    return {"seq": seq, "event_type": kind, "data": {"attempt_number": attempt}}


def make_events(*kinds: str) -> list[dict[str, object]]:
    return [make_event(seq, kind) for seq, kind in enumerate(kinds, start=1)]


def test_a_whole_life_has_no_faults():
    life = ("queued", "dequeued", "start", "success", "finished")
    assert find_faults(make_events(*life), "completed") == []


def test_notes_in_between_do_no_harm():
    life = ("queued", "dequeued", "start", "warning", "failed", "finished")
    assert find_faults(make_events(*life), "failed") == []


@pytest.mark.parametrize(
    ("life", "status"),
    [
        (("queued", "start", "success", "finished"), "completed"),
        (("queued", "dequeued", "start", "success", "finished"), "running"),
        (("queued", "dequeued", "start", "success"), "completed"),
        (("queued", "dequeued", "start", "success", "finished", "start"), "completed"),
        (("dequeued", "start", "success", "finished"), "completed"),
        (
            ("queued", "dequeued", "start", "failed", "retry_scheduled", "start"),
            "running",  # the same attempt twice
        ),
    ],
)
def test_an_impossible_life_is_found(life: tuple[str, ...], status: str):
    assert find_faults(make_events(*life), status) != []


def test_a_gap_in_the_numbers_is_found():
    events = [make_event(1, "queued"), make_event(3, "stop_requested")]
    events.append(make_event(4, "finished"))
    assert find_faults(events, "cancelled") == ["the numbers of the events have gaps"]


def test_a_report_passes_only_with_zeros_and_all_faults():
    report = make_report(kill=2)
    verdicts = [report.lines()[-1]]
    for _ in range(2):
        report.fault("kill")
        verdicts.append(report.lines()[-1])
    report.fail(names.TWICE, "a run")
    verdicts.append(report.lines()[-1])
    assert verdicts == ["T0 FAIL", "T0 FAIL", "T0 PASS", "T0 FAIL"]


def test_a_counter_must_be_announced():
    with pytest.raises(KeyError):
        make_report().fail("no such counter", "")


@pytest.mark.timeout(60)
def test_planted_failures_are_counted(tmp_path: Path):
    """One service; every counter of the oracle gets exactly what was planted."""
    report = make_report()
    with running_service(tmp_path, workers=1) as service, Caller(service.url) as caller:
        oracle = Oracle(service, report)
        job, waits = Job("good"), Job("waits")
        script, gate = (
            service.copy_job(),
            service.copy_job("gate.py", JOB.parent / "gate.py"),
        )
        ledger = str(oracle.ledger.path)
        good = caller.submit(job.request(script, oracle.ledger.path)).json()["run_id"]
        args = [ledger, "waits", str(tmp_path / "gate"), "0"]
        submitted = caller.submit({"script_path": str(gate), "args": args})
        oracle.acknowledge("00000000-0000-4000-8000-000000000000", Job("missing"))
        oracle.acknowledge(good, Job("good", exit_code=1, lines=7))
        oracle.acknowledge(submitted.json()["run_id"], waits)
        oracle.wait_over(caller, good)
        service.wait_scripts(1)
        with oracle.ledger.path.open("a") as file:
            file.write(f"begin {good} 1 good 1\n")
        oracle.check(settle_seconds=0.5)
    assert report.counters == {
        names.MISSING: 1,
        names.TWICE: 2,  # by its tag and by its attempt
        names.WRONG_CODE: 1,
        names.CUT_LOG: 1,
        names.ORPHANS: 1,
        names.STUCK: 1,
        names.ILLEGAL: 0,
    }


def test_a_ledger_with_half_a_line_is_read(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.txt")
    ledger.path.write_text("begin run 1 tag 7\nend run 1 tag 7\nbegin ru")
    assert [note.mark for note in ledger.read()] == ["begin", "end"]


def test_the_command_lists_all_tests(capsys):
    assert command.main(["--list"]) == 0
    text = capsys.readouterr().out
    assert all(f"{test_id} " in text for test_id in TESTS)
    assert "--runs 1000 --kills 300" in text


@pytest.mark.parametrize(
    "words", [["--runs", "many"], ["--runs"], ["--nothing", "3"], ["runs", "3"]]
)
def test_the_command_refuses_sizes_it_does_not_know(words: list[str]):
    with pytest.raises(SystemExit):
        command.parse_sizes(words)


def test_the_command_fails_when_a_counter_is_not_zero(monkeypatch, capsys, tmp_path):
    report = make_report()
    report.fail(names.STUCK, "a run")
    broken = FaultTest(
        test_id="T0", title="", run=lambda _: report, ci={}, long={}, seconds=1
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(TESTS, "T0", broken)
    assert command.main(["T0", "--seed", "5"]) == 1
    assert "T0 FAIL" in capsys.readouterr().out
