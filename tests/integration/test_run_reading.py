"""What can be read of a run: record, events, logs, steps, samples, script."""

import json
import threading

import pytest

from scriptrunner.runs.errors import (
    OutputNotFoundError,
    RunFileNotFoundError,
    RunNotFoundError,
    VisualizerNotEnabledError,
)
from scriptrunner.runs.models import Upload
from scriptrunner.runs.representation import to_json
from tests.run_world import SHA256, RunWorld

RECORD_KEYS = {
    *("id", "status", "run_status", "phase", "reason", "error", "error_summary"),
    *("queued_at", "started_at", "finished_at", "next_attempt_at", "fire_time"),
    *("correlation_id", "request", "result", "exit_code", "duration_seconds"),
    *("trigger", "task_id", "event", "principal", "queue_position", "waiting_for"),
    *("restarted_from", "restarted_as", "attempts", "script", "ignored_env"),
    *("warnings", "outputs", "live"),
}


@pytest.mark.parametrize("stage", ["queued", "starting", "running", "final"])
def test_a_record_has_all_its_keys_at_all_times(world: RunWorld, stage: str) -> None:
    run_id = world.submit()
    launch = world.claim_one() if stage != "queued" else None
    if launch and stage != "starting":
        world.start(launch)
    if launch and stage == "final":
        world.end(launch)
    shown = to_json(world.get(run_id))
    assert set(shown) == RECORD_KEYS
    assert shown["phase"] == stage
    assert shown["started_at"] is not None
    assert json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize("run_id", ["", "x", "00000000-0000-4000-8000-000000000000"])
def test_unknown_runs(world: RunWorld, run_id: str) -> None:
    service = world.service
    for read in (
        service.get_run,
        service.list_events,
        service.get_log_state,
        service.get_visualization,
        service.get_samples,
        service.get_script_bytes,
        service.list_outputs,
        service.get_outcome,
    ):
        with pytest.raises(RunNotFoundError):
            read(run_id)


def test_figures_of_a_running_attempt(world: RunWorld) -> None:
    run_id = world.submit()
    assert world.get(run_id).live is None
    launch = world.claim_one()
    world.start(launch)
    world.write_output(launch, b"12345", b"12")
    samples = world.run_folder(run_id) / "a1.samples"
    samples.write_text("[0.1, 50.0, 20.5, 1]\n[0.2, 99.5, 30.25, 3]\n[0.3, 1")
    world.clock.advance(4.5)
    assert world.get(run_id).live == {
        "elapsed_seconds": 4.5,
        "cpu_percent": 99.5,
        "memory_mb": 30.25,
        "processes": 3,
        "stdout_bytes": 5,
        "stderr_bytes": 2,
    }
    world.end(launch)
    assert world.get(run_id).live is None


def test_samples_come_as_columns(world: RunWorld) -> None:
    run_id = world.submit(monitor_interval=0.5)
    launch = world.claim_one()
    empty = {"interval": 0.5, "t": [], "cpu": [], "rss_mb": [], "processes": []}
    assert world.service.get_samples(run_id) == empty
    samples = world.run_folder(run_id) / "a1.samples"
    samples.write_text("[0.5, 50.0, 20.5, 1]\n[1.0, 99.5, 30.25, 3]\n")
    world.end(launch)
    assert world.service.get_samples(run_id) == {
        "interval": 0.5,
        "t": [0.5, 1.0],
        "cpu": [50.0, 99.5],
        "rss_mb": [20.5, 30.25],
        "processes": [1, 3],
    }


class TestLogs:
    def read(self, world: RunWorld, run_id: str, attempt: int | None = None) -> bytes:
        state = world.service.get_log_state(run_id, attempt)
        return b"".join(world.service.logs.iter_text(state))

    def test_of_a_queued_run_is_empty(self, world: RunWorld) -> None:
        run_id = world.submit()
        assert self.read(world, run_id) == b""
        assert not world.service.get_log_state(run_id).is_complete

    def test_grows_while_the_script_runs(self, world: RunWorld) -> None:
        run_id = world.submit()
        launch = world.claim_one()
        world.write_output(launch, b"one\n")
        assert self.read(world, run_id) == b"one\n"
        assert not world.service.get_log_state(run_id).is_complete
        world.end(launch, out=b"one\ntwo\n")
        assert self.read(world, run_id) == b"one\ntwo\n"
        assert world.service.get_log_state(run_id).is_complete

    def test_shows_errors_below(self, world: RunWorld) -> None:
        run_id = world.submit()
        world.end(world.claim_one(), 1, out=b"out", err=b"err")
        assert self.read(world, run_id) == b"out\n--- STDERR ---\nerr"

    def test_shows_invalid_bytes_as_marks(self, world: RunWorld) -> None:
        run_id = world.submit()
        world.end(world.claim_one(), out=b"a\xffb\xc3", err=b"\xe2\x82")
        text = self.read(world, run_id).decode()
        assert text == "a\ufffdb\ufffd\n--- STDERR ---\n\ufffd"

    def test_is_of_the_last_attempt_or_a_named_one(self, world: RunWorld) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=0.0)
        world.end(world.claim_one(), 1, out=b"first")
        world.end(world.claim_one(), 0, out=b"second")
        assert self.read(world, run_id) == b"second"
        assert self.read(world, run_id, 1) == b"first"
        for attempt in (0, 3):
            with pytest.raises(RunFileNotFoundError):
                self.read(world, run_id, attempt)

    def test_skips_attempts_that_were_put_back(self, world: RunWorld) -> None:
        run_id = world.submit(retry_on_failure=True, retry_initial_delay=60.0)
        world.end(world.claim_one(), 1, out=b"first")
        world.clock.advance(60)
        world.ledger.requeue(run_id, world.claim_one().attempt)
        assert self.read(world, run_id) == b"first"

    def test_ends_at_the_cap(self, world: RunWorld) -> None:
        world.service.logs._cap = 4
        run_id = world.submit()
        launch = world.claim_one()
        world.write_output(launch, b"123456")
        assert self.read(world, run_id) == b"1234"
        assert world.service.get_log_state(run_id).is_truncated
        world.end(launch, out=b"123456", out_dropped=2)
        assert self.read(world, run_id) == b"1234"
        assert world.service.get_log_state(run_id).is_truncated

    def test_hides_secrets_but_keeps_offsets(self, world: RunWorld) -> None:
        run_id = world.submit(env_vars={"A_TOKEN": "abcdef", "B_TOKEN": "abcdefghij"})
        data = b"x abcdefghij y abcdef z abcde"
        world.end(world.claim_one(), out=data)
        state = world.service.get_log_state(run_id)
        whole = b"".join(world.service.logs.iter_stream(state, "stdout"))
        assert whole == b"x ********** y ****** z abcde"
        for start in range(len(data)):
            part = world.service.logs.iter_stream(state, "stdout", start=start, end=20)
            assert b"".join(part) == whole[start:20]

    def test_holds_back_what_may_become_a_secret(self, world: RunWorld) -> None:
        run_id = world.submit(env_vars={"A_TOKEN": "abcdef"})
        launch = world.claim_one()
        world.write_output(launch, b"x abcd")
        state = world.service.get_log_state(run_id)
        assert b"".join(world.service.logs.iter_stream(state, "stdout")) == b"x "
        world.write_output(launch, b"x abcdef!")
        assert b"".join(world.service.logs.iter_stream(state, "stdout")) == b"x ******!"
        world.end(launch, out=b"x abcd")
        state = world.service.get_log_state(run_id)
        assert b"".join(world.service.logs.iter_stream(state, "stdout")) == b"x abcd"


class TestSteps:
    def test_need_the_visualizer(self, world: RunWorld) -> None:
        run_id = world.submit()
        with pytest.raises(VisualizerNotEnabledError, match="enable_visualizer"):
            world.service.get_visualization(run_id)

    def test_are_live_and_kept(self, world: RunWorld) -> None:
        run_id = world.submit(enable_visualizer=True)
        report = world.service.get_visualization(run_id)
        assert (report["steps"], report["footer"]) == ([], {})
        launch = world.claim_one()
        assert (
            world.service.get_visualization(run_id)["steps"][0]["status"] == "running"
        )
        world.start(launch)
        steps = world.service.get_visualization(run_id)["steps"]
        assert steps[-2]["stage"] == "Execution"
        assert steps[-2]["status"] == "running"
        world.clock.advance(0.25)
        world.end(launch, 3)
        report = world.service.get_visualization(run_id)
        assert len(report["steps"]) == 12
        assert report["footer"]["returncode"] == 3
        assert "text" in report
        record = world.get(run_id)
        assert record.result is not None
        assert record.result["visualization_report"] == report

    def test_are_kept_per_attempt(self, world: RunWorld) -> None:
        run_id = world.submit(
            enable_visualizer=True,
            visualizer_format="json",
            retry_on_failure=True,
            retry_initial_delay=0.0,
        )
        world.end(world.claim_one(), 7)
        world.end(world.claim_one(), 0)
        first = world.service.get_visualization(run_id, 1)
        assert first["footer"]["returncode"] == 7
        assert "text" not in first
        assert world.service.get_visualization(run_id)["footer"]["returncode"] == 0
        with pytest.raises(RunFileNotFoundError):
            world.service.get_visualization(run_id, 3)


class TestScript:
    def test_is_known_by_hash(self, world: RunWorld) -> None:
        run_id = world.submit()
        with pytest.raises(RunFileNotFoundError, match="not started"):
            world.service.get_script_bytes(run_id)
        world.end(world.claim_one())
        with pytest.raises(RunFileNotFoundError, match="not kept"):
            world.service.get_script_bytes(run_id)
        world.settings.scripts_dir.mkdir()
        (world.settings.scripts_dir / SHA256).write_bytes(b"bytes")
        assert world.service.get_script_bytes(run_id) == (b"bytes", SHA256)

    def test_of_an_upload_is_there_at_once(self, world: RunWorld) -> None:
        upload = Upload(file_name="a.py", content=b"print(1)")
        run_id = world.service.submit(world.submission(None, upload=upload)).run_id
        assert world.service.get_script_bytes(run_id)[0] == b"print(1)"


def test_there_are_no_outputs_without_declaring_any(world: RunWorld) -> None:
    run_id = world.run_to_end()
    assert world.service.list_outputs(run_id) == []
    with pytest.raises(OutputNotFoundError):
        world.service.open_output(run_id, "../secret.json")


def test_events_after_a_place(world: RunWorld) -> None:
    run_id = world.run_to_end()
    later = world.service.list_events(run_id, after=3)
    assert [event.seq for event in later] == [4, 5]


class TestWaiting:
    def test_returns_when_the_run_is_over(self, world: RunWorld) -> None:
        run_id = world.submit()
        launch = world.claim_one()
        timer = threading.Timer(0.05, lambda: world.end(launch))
        timer.start()
        record = world.service.wait_finished(run_id, 10)
        timer.join()
        assert record.is_terminal

    def test_returns_the_record_as_it_is_when_time_is_over(
        self, world: RunWorld
    ) -> None:
        run_id = world.submit()
        assert world.service.wait_finished(run_id, 0.05).status == "queued"
        assert world.service.wait_finished(run_id, 0).status == "queued"
