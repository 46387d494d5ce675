"""What is done with a run when its script is over: gates, baselines, JUnit, cost."""

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml

from scriptrunner.engine.destinations import InvalidOutputPathError
from scriptrunner.errors import StorageFullError
from scriptrunner.runs.after_run import AfterRun
from scriptrunner.runs.errors import OutputNotFoundError
from scriptrunner.runs.folders import RunFolders
from scriptrunner.settings import SettingsError
from tests.run_world import BOOT, RunWorld

#: 0.1 + 0.05 s of CPU in 0.25 s: the numbers of ``RunWorld.end_record``.
GOOD = {"metric": "cpu", "max_value": 80}
BAD = {"metric": "execution_time", "max_value": 0.1}


def end_one(world: RunWorld, exit_code: int | None = 0, **options: Any) -> Any:
    """Run to the end and return the record."""
    return world.get(world.run_to_end(exit_code=exit_code or 0, **options))


def read_output(world: RunWorld, run_id: str, name: str) -> bytes:
    with world.service.open_output(run_id, name) as file:
        return file.read()


def data_of(world: RunWorld, run_id: str, event_type: str) -> dict[str, Any]:
    (event,) = [e for e in world.events(run_id) if e.event_type == event_type]
    return dict(event.data)


def test_a_plain_run_has_no_trace_of_steps(world: RunWorld) -> None:
    run_id = world.run_to_end()
    assert world.event_types(run_id)[-2:] == ["success", "finished"]
    result = world.get(run_id).result
    assert result is not None
    assert result["performance_gates_passed"] is None
    assert result["metrics"]["cost_total"] is None
    names = {each.name for each in world.run_folder(run_id).iterdir()}
    assert not names & {"outputs", "written", "secret.json"}


def test_gates_that_hold_leave_the_run_completed(world: RunWorld) -> None:
    record = end_one(world, performance_gates=[GOOD])
    assert (record.item.status, record.item.reason) == ("completed", None)
    assert record.result["performance_gates_passed"] is True
    assert record.result["performance_gates_results"] == [
        {
            "metric": "cpu_max",
            "value": 60.0,  # 100 * (0.1 + 0.05) / 0.25
            "max_value": 80.0,
            "min_value": None,
            "passed": True,
            "message": "cpu_max = 60 is within max 80",
        }
    ]


def test_a_gate_that_fails_fails_the_run_and_not_the_script(world: RunWorld) -> None:
    run_id = world.run_to_end(performance_gates=[GOOD, BAD, BAD], retry_on_failure=True)
    record = world.get(run_id)
    item = record.item
    assert (item.status, item.run_status, item.reason) == ("failed", "success", "gates")
    assert item.error == "2 of 3 gates failed"
    assert item.exit_code == 0
    summary = record.error_summary
    assert summary is not None
    words = "execution_time_seconds = 0.25 exceeds max 0.1"
    assert summary["message"] == f"2 of 3 gates failed: {words}; {words}"
    assert (summary["status"], summary["reason"]) == ("success", "gates")
    assert record.result is not None
    assert record.result["success"] is True
    assert record.attempts[0].run_status == "success"
    assert world.event_types(run_id)[-3:] == ["success", "gates", "finished"]
    data = data_of(world, run_id, "gates")
    assert (data["passed"], data["failed"]) == (1, 2)
    assert data["failed_metrics"] == ["execution_time_seconds"] * 2
    assert data["duration_seconds"] >= 0


def test_gates_of_a_failed_script_are_told_and_change_nothing(world: RunWorld) -> None:
    record = end_one(world, 3, performance_gates=[BAD])
    assert (record.item.run_status, record.item.reason) == ("failed", "exit_code")
    assert record.result["performance_gates_passed"] is False


def test_an_end_by_a_signal_that_came_too_late_still_faces_its_gates(
    world: RunWorld,
) -> None:
    run_id = world.submit(performance_gates=[{"metric": "nonsense", "min_value": 0}])
    world.end(world.claim_one())
    record = world.get(run_id)
    assert record.item.reason == "gates"
    assert record.result is not None
    message = record.result["performance_gates_results"][0]["message"]
    assert message == "nonsense has no value, so the gate fails"


def test_the_cost_of_all_attempts_is_summed_and_can_be_gated(world: RunWorld) -> None:
    run_id = world.submit(
        enable_cost_tracking=True,
        retry_on_failure=True,
        retry_initial_delay=0.0,
        performance_gates=[{"metric": "cost_total", "max_value": 1}],
    )
    world.end(world.claim_one(), 1)
    world.end(world.claim_one(), 0)
    record = world.get(run_id)
    assert record.result is not None
    cost = record.result["cost"]
    # Each attempt: 0.15 s of CPU, 20 MiB for 0.25 s.
    assert cost["usage"] == {
        "cpu_seconds": 0.3,
        "memory_gib_seconds": 0.009766,  # 2 * 20 / 1024 * 0.25
        "wall_seconds": 0.5,
    }
    assert cost["cost"]["cpu"] == 0.000003333  # 0.3 / 3600 * 0.04
    assert cost["cost"]["memory"] == 0.000000014  # 0.009766 / 3600 * 0.005
    assert cost["currency"] == "USD"
    assert cost["rates"]["source"] == "default"
    assert cost["rates"]["date"] == "2026-06-17"
    assert record.result["metrics"]["cost_total"] == cost["cost"]["total"]
    assert record.item.status == "completed"
    assert data_of(world, run_id, "cost")["total"] == cost["cost"]["total"]


def test_the_junit_report_is_an_output_of_the_run(world: RunWorld) -> None:
    run_id = world.submit(junit_output="ci/report.xml", performance_gates=[BAD])
    world.end(world.claim_one(), out=b"\x1b[31mred\x00 \xff & <tag>\n")
    record = world.get(run_id)
    content = read_output(world, run_id, "ci/report.xml")
    suite = next(iter(JUnitXml.fromstring(content)))
    assert [(case.classname, case.name) for case in suite] == [
        ("ok.py", "script exits with 0"),
        ("ok.py.gates", "execution_time_seconds <= 0.1"),
    ]
    assert (suite.tests, suite.failures, suite.errors) == (2, 1, 0)
    assert record.result is not None
    assert record.result["junit_output"] == "ci/report.xml"
    (entry,) = record.outputs
    assert (entry["name"], entry["size"]) == ("ci/report.xml", len(content))
    assert world.event_types(run_id)[-4:] == ["success", "gates", "junit", "finished"]
    assert record.item.reason == "gates"


@pytest.mark.parametrize(
    ("exit_code", "changes", "kind"),
    [
        (3, {}, "exit_code"),
        (-15, {"reason": "timeout"}, "timeout"),
        (None, {"reason": "spawn_error", "error": "no memory"}, "spawn_error"),
        (None, {"reason": "scan_blocked", "error": "Blocked"}, "scan_blocked"),
    ],
)
def test_every_kind_of_end_has_its_junit_report(
    world: RunWorld, exit_code: int | None, changes: dict[str, Any], kind: str
) -> None:
    run_id = world.submit(junit_output="r.xml")
    world.end(world.claim_one(), exit_code, **changes)
    record = world.get(run_id)
    assert record.item.reason == kind
    suite = next(iter(JUnitXml.fromstring(read_output(world, run_id, "r.xml"))))
    (case,) = suite
    (outcome,) = case.result
    assert outcome.type == kind
    assert outcome.message == record.item.error


def test_a_baseline_is_saved_found_by_a_later_run_and_compared(world: RunWorld) -> None:
    first = end_one(world, save_baseline="nightly.json")
    assert first.result["baseline_saved"] == "nightly.json"
    saved = json.loads(read_output(world, first.item.id, "nightly.json"))
    assert saved == first.result["metrics"]
    run_id = world.submit(load_baseline="nightly.json", save_baseline="nightly.json")
    world.end(world.claim_one(), duration_ns=500_000_000)
    record = world.get(run_id)
    assert record.result is not None
    assert record.result["baseline_comparison"]["execution_time_seconds"] == {
        "current": 0.5,
        "baseline": 0.25,
        "delta": 0.25,
        "percent_change": 100.0,
        "verdict": "worse",
    }
    third = end_one(world, load_baseline="nightly.json")
    compared = third.result["baseline_comparison"]["execution_time_seconds"]
    assert compared["baseline"] == 0.5, "the newest of a name wins"


def test_a_baseline_outlives_the_run_that_saved_it(world: RunWorld) -> None:
    world.service.delete(world.run_to_end(save_baseline="a.json"))
    record = end_one(world, load_baseline="a.json")
    assert record.result["baseline_load_error"] is None


def test_only_a_good_run_becomes_a_baseline(world: RunWorld) -> None:
    for options, code in (({"performance_gates": [BAD]}, 0), ({}, 1)):
        record = end_one(world, code, save_baseline="a.json", **options)
        assert record.result["baseline_saved"] is None
        assert "only a run that succeeds" in record.result["baseline_save_error"]
        assert record.outputs == []
    record = end_one(world, load_baseline="a.json")
    assert record.result["baseline_comparison"] is None
    assert record.result["baseline_load_error"] == "there is no baseline of this name"
    assert record.item.status == "completed"


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "x/y.json"])
def test_a_baseline_elsewhere_is_just_not_there(world: RunWorld, name: str) -> None:
    record = end_one(world, load_baseline=name)
    assert record.result["baseline_load_error"] == "there is no baseline of this name"
    assert record.item.status == "completed"


def test_what_the_script_has_put_in_the_way_is_not_overwritten(
    world: RunWorld, tmp_path: Path
) -> None:
    run_id = world.submit(junit_output="r.xml", save_baseline="link/b.json")
    launch = world.claim_one()
    outputs = Path(launch.run_dir) / "outputs"
    outputs.mkdir()
    (outputs / "r.xml").write_text("mine")
    (outputs / "link").symlink_to(tmp_path)
    world.end(launch)
    record = world.get(run_id)
    assert record.item.status == "completed"
    assert record.result is not None
    assert "did not create" in record.result["junit_error"]
    assert "symbolic link" in record.result["baseline_save_error"]
    assert (outputs / "r.xml").read_text() == "mine"
    assert not (tmp_path / "b.json").exists()
    assert record.outputs == []
    assert data_of(world, run_id, "junit")["error"] == record.result["junit_error"]


def test_an_end_that_is_recorded_again_replaces_its_own_files(world: RunWorld) -> None:
    """The supervisor died after the files and before the commit."""
    run_id = world.submit(junit_output="r.xml", save_baseline="b.json")
    launch = world.claim_one()
    end = world.make_end(launch, out=b"half\n")
    after_run = AfterRun(world.settings, RunFolders(world.settings.runs_dir))
    files = after_run.open_outputs(run_id)
    files.write("r.xml", b"<testsuites/>")
    files.write("b.json", b"{}")
    world.make_ledger().record_ends([end])
    record = world.get(run_id)
    assert record.result is not None
    assert record.result["junit_error"] is None
    assert len(record.outputs) == 2


def test_a_note_that_comes_in_between_is_not_lost(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.submit(junit_output="r.xml")
    launch = world.claim_one()
    world.start(launch)
    look_up = AfterRun.look_up

    def look_up_and_note(self: AfterRun, *args: Any) -> Any:
        monkeypatch.setattr(AfterRun, "look_up", look_up)
        found = look_up(self, *args)
        world.ledger.note(run_id, "warning", "WARNING", {"warning": "x"})
        return found

    monkeypatch.setattr(AfterRun, "look_up", look_up_and_note)
    world.end(launch)
    types = world.event_types(run_id)
    assert types[-4:] == ["warning", "success", "junit", "finished"]
    assert [event.seq for event in world.events(run_id)] == list(
        range(1, len(types) + 1)
    )


def test_claims_are_kept_when_an_end_with_files_is_refused(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are committed already; the end comes with the next turn."""
    run_id = world.submit(junit_output="r.xml")
    end = world.make_end(world.claim_one())
    waiting = world.submit()

    def refuse(*_args: Any) -> Any:
        monkeypatch.undo()
        raise StorageFullError

    monkeypatch.setattr(AfterRun, "look_up", refuse)
    (launch,) = world.ledger.turn_over([end], 1, boot_id=BOOT)
    assert launch.run_id == waiting
    assert world.get(run_id).item.status == "running"
    assert world.ledger.turn_over([], 1, boot_id=BOOT) == []
    record = world.get(run_id)
    assert record.item.status == "completed"
    assert len(record.outputs) == 1


def test_a_defect_in_what_is_looked_up_does_not_keep_a_run_from_ending(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing: dict[str, object] = {}
    monkeypatch.setattr(AfterRun, "_load", lambda *_: nothing["x"])
    record = end_one(world, load_baseline="b.json", junit_output="r.xml")
    assert record.item.status == "completed"
    assert record.result["baseline_load_error"] == "internal error"
    assert record.result["junit_output"] == "r.xml"


def test_an_output_that_was_swapped_for_a_link_is_not_served(
    world: RunWorld, tmp_path: Path
) -> None:
    run_id = world.run_to_end(junit_output="a/r.xml")
    folder = world.run_folder(run_id) / "outputs" / "a"
    (tmp_path / "r.xml").write_text("elsewhere")
    (folder / "r.xml").unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(OutputNotFoundError):
        world.service.open_output(run_id, "a/r.xml")


def test_the_step_report_tells_of_the_steps(world: RunWorld) -> None:
    run_id = world.run_to_end(
        enable_visualizer=True,
        performance_gates=[BAD],
        enable_cost_tracking=True,
        junit_output="r.xml",
    )
    report = world.service.get_visualization(run_id)
    stages = {step["stage"]: step for step in report["steps"]}
    assert list(stages)[6:] == [
        "Gates", "Baseline", "JUnit", "Cost", "Alerts", "History",
    ]  # fmt: skip
    assert stages["Gates"]["status"] == "error"
    assert stages["Gates"]["details"]["error"] == "1 of 1 gates failed"
    assert stages["Baseline"]["status"] == "skip"
    assert stages["JUnit"]["status"] == "done"
    assert stages["JUnit"]["duration_s"] > 0
    assert stages["Cost"]["details"]["source"] == "default"
    record = world.get(run_id)
    assert record.result is not None
    assert record.result["visualization_report"] == report


def test_the_step_report_of_a_script_that_took_a_while_knows_its_start(
    world: RunWorld,
) -> None:
    run_id = world.submit(enable_visualizer=True)
    launch = world.claim_one()
    world.start(launch)
    world.end(launch, -15, reason="stop")
    stages = {
        step["stage"]: step for step in world.service.get_visualization(run_id)["steps"]
    }
    assert stages["Execution"]["status"] == "error"
    assert stages["Execution"]["duration_s"] == 0.25
    assert stages["Metrics"]["status"] == "done"


def test_at_level_debug_events_tell_of_environment_and_samples(
    world: RunWorld,
) -> None:
    run_id = world.submit(log_level="debug", env_vars={"A": "1", "LD_PRELOAD": "x"})
    launch = world.claim_one()
    lines = [f"[{n / 10}, {n}.0, 20.5, 1]\n" for n in range(1, 251)]
    Path(launch.run_dir, "a1.samples").write_text("".join(lines))
    world.end(launch)
    types = world.event_types(run_id)
    assert types[:4] == ["queued", "dequeued", "environment", "start"]
    assert types[-2:] == ["success", "finished"]
    environment = data_of(world, run_id, "environment")
    assert {"A", "PATH", "RUN_ID"} <= set(environment["names"])
    assert environment["ignored_env"] == ["LD_PRELOAD"]
    samples = [e for e in world.events(run_id) if e.event_type == "sample"]
    assert len(samples) == 84  # every third of 250, the last one among them
    assert samples[-1].data["elapsed_seconds"] == 25.0
    assert samples[-1].data["memory_mb"] == 20.5
    times = [event.timestamp for event in samples]
    assert times == sorted(times)


def test_a_run_that_never_started_has_no_steps(world: RunWorld) -> None:
    run_id = world.submit(junit_output="r.xml", performance_gates=[GOOD])
    world.service.kill(run_id, principal="alice")
    record = world.get(run_id)
    assert record.item.status == "cancelled"
    assert record.outputs == []
    assert "junit" not in world.event_types(run_id)


def test_a_run_that_is_stopped_before_its_next_attempt_has_its_report(
    world: RunWorld,
) -> None:
    run_id = world.submit(
        junit_output="r.xml", retry_on_failure=True, enable_cost_tracking=True
    )
    world.end(world.claim_one(), 1, out=b"first\n")
    world.service.stop(run_id, principal="alice")
    record = world.get(run_id)
    assert record.item.status == "cancelled"
    assert record.result is not None
    assert record.result["junit_output"] == "r.xml"
    assert record.result["cost"]["usage"]["cpu_seconds"] == 0.15
    suite = next(iter(JUnitXml.fromstring(read_output(world, run_id, "r.xml"))))
    assert next(iter(suite)).result[0].type == "stopped"


class TestPublishing:
    """With ``WEBAPI_OUTPUT_ROOT``."""

    @pytest.fixture
    def shared(self, world: RunWorld, tmp_path: Path) -> Path:
        folder = tmp_path / "shared"
        folder.mkdir()
        world.settings = world.settings.with_changes(output_root=folder)
        world.service, world.ledger = world.make_service(), world.make_ledger()
        return folder

    def test_outputs_are_published_and_published_again(
        self, world: RunWorld, shared: Path
    ) -> None:
        for _ in range(2):
            record = end_one(world, junit_output="ci/r.xml")
            assert record.result["junit_error"] is None
        assert (shared / "ci" / "r.xml").read_bytes() == read_output(
            world, record.item.id, "ci/r.xml"
        )
        assert [each.name for each in (shared / "ci").iterdir()] == ["r.xml"]

    def test_an_absolute_path_below_the_root_is_the_same(
        self, world: RunWorld, shared: Path
    ) -> None:
        record = end_one(world, save_baseline=f"{shared}/b.json")
        assert record.result["baseline_saved"] == "b.json"
        assert (shared / "b.json").exists()
        record = end_one(world, load_baseline=f"{shared}/b.json")
        assert record.result["baseline_comparison"]

    @pytest.mark.parametrize("what", ["file", "folder", "link", "way"])
    def test_what_is_there_is_refused_at_once(
        self, world: RunWorld, shared: Path, tmp_path: Path, what: str
    ) -> None:
        target = shared / "r.xml"
        if what == "file":
            target.write_text("x")
        elif what == "folder":
            target.mkdir()
        elif what == "link":
            target.symlink_to(tmp_path / "elsewhere")
        else:
            (shared / "sub").symlink_to(tmp_path)
            target = shared / "sub" / "r.xml"
        name = str(target.relative_to(shared))
        with pytest.raises(InvalidOutputPathError):
            world.submit(junit_output=name)

    def test_a_file_that_appears_later_is_left_alone(
        self, world: RunWorld, shared: Path
    ) -> None:
        run_id = world.submit(junit_output="r.xml")
        (shared / "r.xml").write_text("theirs")
        world.end(world.claim_one())
        record = world.get(run_id)
        assert record.item.status == "completed"
        assert record.result is not None
        assert "did not create" in record.result["junit_error"]
        assert (shared / "r.xml").read_text() == "theirs"

    def test_a_file_that_was_changed_is_theirs_now(
        self, world: RunWorld, shared: Path
    ) -> None:
        end_one(world, save_baseline="b.json")
        (shared / "b.json").write_text('{"execution_time_seconds": 1}')
        with pytest.raises(InvalidOutputPathError):
            world.submit(save_baseline="b.json")

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b'{"execution_time_seconds": 0.5, "note": "x", "ok": true}', None),
            (b"root:x:0:0:secret", "this file is no baseline"),
            (b'["secret"]', "this file is no baseline"),
            (b'{"a": "secret"}', "this file is no baseline"),
            (b'{"a": ' * 40 + b"1" + b"}" * 40, "this file is no baseline"),
            (b"[" * 900_000, "this file is no baseline"),
            (b'{"a": 1, "b": "' + b"x" * (1 << 20) + b'"}', "this file is no baseline"),
        ],
    )
    def test_a_published_file_can_be_compared_with_if_it_is_a_baseline(
        self, world: RunWorld, shared: Path, content: bytes, error: str | None
    ) -> None:
        (shared / "own.json").write_bytes(content)
        record = end_one(world, load_baseline="own.json")
        assert record.result["baseline_load_error"] == error
        assert "secret" not in json.dumps(record.result)
        if error is None:
            compared = record.result["baseline_comparison"]
            assert list(compared) == ["execution_time_seconds"]
            assert compared["execution_time_seconds"]["verdict"] == "better"


def test_prices_come_from_the_settings(world: RunWorld) -> None:
    world.settings = world.settings.with_changes(
        cost_cpu_hour=3.6, cost_memory_gib_hour=0.0, cost_currency="EUR"
    )
    world.ledger = world.make_ledger()
    record = end_one(world, enable_cost_tracking=True)
    cost = record.result["cost"]
    assert cost["currency"] == "EUR"
    assert cost["rates"]["source"] == "settings"
    assert cost["cost"]["total"] == 0.00015  # 0.15 / 3600 * 3.6


def test_a_price_that_is_not_in_the_table_keeps_the_service_from_starting(
    world: RunWorld,
) -> None:
    settings = world.settings.with_changes(cost_instance="aws/mars/x")
    with pytest.raises(SettingsError, match="has no aws/mars/x"):
        AfterRun(settings, RunFolders(settings.runs_dir))
