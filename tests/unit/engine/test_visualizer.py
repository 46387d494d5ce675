from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.engine.visualizer import (
    STAGES,
    ExecutionVisualizer,
    StepFacts,
    build_report,
    render_text,
)

CLAIMED = datetime(2026, 11, 23, 10, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return CLAIMED + timedelta(seconds=seconds)


QUEUED = StepFacts(script_path="etl.py", script_args=("x",))
STARTING = replace(QUEUED, attempt=1, claimed_at=CLAIMED)
RUNNING = replace(STARTING, started_at=later(0.25), pid=42, sha256="ab")
ENDED = replace(
    RUNNING,
    ended_at=later(2.25),
    recorded_at=later(2.5),
    execution_time_seconds=2.0,
    end_reason="exit",
    exit_code=0,
    sample_count=19,
    monitor_interval_seconds=0.1,
    environment_count=12,
)


def statuses(facts: StepFacts) -> list[str]:
    return [step["status"] for step in build_report(facts)["steps"]]


def test_a_queued_run_has_no_steps_yet():
    report = build_report(QUEUED, visualizer_format="json")
    assert report == {
        "header": {
            "script_path": "etl.py",
            "script_args": ["x"],
            "attempt": 0,
            "started": None,
        },
        "steps": [],
        "footer": {},
    }


def test_open_steps_are_running_and_have_no_duration():
    (first,) = build_report(STARTING)["steps"]
    assert (first["stage"], first["status"]) == ("Validation", "running")
    assert "duration_s" not in first
    report = build_report(RUNNING)
    assert report["footer"] == {}
    assert [step["status"] for step in report["steps"]] == [
        "done",
        "done",
        "skip",
        "running",
        "running",
    ]
    assert ["duration_s" in step for step in report["steps"]] == [True] * 3 + [
        False
    ] * 2


def test_a_finished_attempt_has_all_stages_in_their_order():
    report = build_report(ENDED, visualizer_format="json")
    assert [step["stage"] for step in report["steps"]] == [name for name, _ in STAGES]
    assert [step["step"] for step in report["steps"]] == list(range(1, 13))
    assert statuses(ENDED) == ["done", "done", "skip", *["done"] * 3, *["skip"] * 6]
    assert report["footer"] == {
        "execution_time_s": 2.0,
        "success": True,
        "returncode": 0,
        "steps_completed": 12,
        "ended": "2026-11-23T10:00:02.500000Z",
    }


def test_times_count_from_the_attempts_start():
    steps = {step["stage"]: step for step in build_report(ENDED)["steps"]}
    assert steps["Validation"]["duration_s"] == 0.25
    assert steps["Execution"] == {
        "step": 4,
        "stage": "Execution",
        "description": "Script running",
        "status": "done",
        "elapsed_s": 0.25,
        "duration_s": 2.0,
        "details": {"pid": 42, "exit_code": 0},
    }
    assert steps["Monitoring"]["details"] == {"interval_s": 0.1, "samples": 19}
    assert (steps["Metrics"]["elapsed_s"], steps["Metrics"]["duration_s"]) == (
        2.25,
        0.25,
    )
    assert steps["History"]["elapsed_s"] == 2.5


@pytest.mark.parametrize(
    ("changes", "execution"),
    [
        ({"exit_code": 3}, {"exit_code": 3}),
        ({"end_reason": "timeout", "exit_code": -9}, {"reason": "timeout"}),
        ({"end_reason": "kill", "exit_code": -9}, {"reason": "kill"}),
        ({"end_reason": "lost", "exit_code": None}, {"reason": "lost"}),
    ],
)
def test_a_script_that_does_not_succeed_is_an_error_of_its_step(changes, execution):
    report = build_report(replace(ENDED, **changes))
    step = report["steps"][3]
    assert step["status"] == "error"
    assert execution.items() <= step["details"].items()
    assert report["footer"]["success"] is False
    assert report["footer"]["steps_completed"] == 11


def test_a_script_that_changed_fails_its_validation():
    facts = replace(
        STARTING, ended_at=later(0.5), end_reason="script_changed", error="other bytes"
    )
    assert statuses(facts) == ["error", *["skip"] * 11]
    assert build_report(facts)["steps"][0]["details"] == {"error": "other bytes"}


def test_a_script_that_cannot_be_started_fails_its_execution():
    facts = replace(STARTING, ended_at=later(0.5), end_reason="spawn_error")
    assert statuses(facts)[3:6] == ["error", "skip", "skip"]


def test_a_script_that_was_stopped_before_its_start_skips_the_rest():
    facts = replace(STARTING, ended_at=later(0.5), end_reason="stop")
    assert "error" not in statuses(facts)
    assert statuses(facts)[3:] == ["skip"] * 9


def test_a_dry_run_reports_validation_and_skips_the_rest():
    facts = replace(QUEUED, is_dry_run=True)
    assert statuses(facts) == ["done", *["skip"] * 11]
    assert build_report(facts)["footer"]["success"] is None


def test_a_clock_that_jumps_back_never_gives_negative_times():
    facts = replace(
        ENDED, started_at=later(-5), ended_at=later(-3), recorded_at=later(-4)
    )
    for step in build_report(facts)["steps"]:
        assert step["elapsed_s"] >= 0
        assert step["duration_s"] >= 0


def test_both_formats_are_the_same_report():
    text = build_report(ENDED, visualizer_format="text")
    rendered = text.pop("text")
    assert text == build_report(ENDED, visualizer_format="json")
    assert rendered == render_text(text)


def test_the_rendering_is_a_line_per_step():
    lines = render_text(build_report(ENDED)).splitlines()
    assert lines[0] == "etl.py x"
    assert lines[1] == "attempt 1, started 2026-11-23T10:00:00.000000Z"
    assert lines[5] == "  ✓  4 Execution    done          2.000 s  pid=42, exit_code=0"
    assert lines[-1] == "succeeded, exit code 0, 2.000 s, 12 of 12 steps completed"
    assert len(lines) == 2 + 12 + 1


def test_the_rendering_steers_no_terminal_and_breaks_no_line():
    facts = replace(ENDED, script_args=("\x1b]0;title\x07", "a\nb"))
    text = render_text(build_report(facts))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 15


@pytest.mark.parametrize(
    ("facts", "word"),
    [(QUEUED, "waiting in the queue"), (RUNNING, "running"), (STARTING, "...")],
)
def test_the_rendering_shows_what_is_open(facts, word):
    assert word in render_text(build_report(facts))


def test_the_visualizer_gives_text_and_json_of_a_report():
    visualizer = ExecutionVisualizer(build_report(ENDED))
    assert visualizer.to_text() == render_text(build_report(ENDED))
    assert "text" not in visualizer.to_json()
    assert len(visualizer.steps) == 12
