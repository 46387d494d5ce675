"""Histories of a run as tables of events against the pure state machine."""

from dataclasses import replace

import pytest

from scriptrunner.engine import attempt as machine
from scriptrunner.engine.attempt import (
    Claimed,
    DryRunDone,
    Emit,
    Ended,
    Finish,
    Launch,
    Lost,
    Refuse,
    RetryDue,
    RunState,
    SendOrder,
    Started,
    StopAsked,
    Tombstoned,
    Unlaunched,
    Wait,
    transition,
)
from scriptrunner.engine.outcomes import (
    SUCCESS,
    StopKind,
    end_event_type,
    outcome_of,
)
from scriptrunner.engine.plan import RunOptions

ONCE = RunOptions()
#: Two attempts, one second apart.
TWICE = RunOptions(retry_on_failure=True, retry_max_attempts=2)


def end(attempt=1, reason="exit", code: int | None = 0, options=ONCE, elapsed=0.0):
    return Ended(
        attempt=attempt,
        reason=reason,
        exit_code=code,
        options=options,
        elapsed_seconds=elapsed,
    )


def play(*events) -> tuple[RunState, list]:
    """Return the state after a history, and all actions that were asked for."""
    state = RunState()
    actions: list[machine.Action] = []
    for event in events:
        state, more = transition(state, event)
        actions += more
    return state, actions


def words(state: RunState) -> tuple:
    """Status, run status and reason as plain text."""
    return tuple(state.outcome.to_json().values())


STOP = StopAsked(StopKind.STOP)
CANCEL = StopAsked(StopKind.CANCEL)
KILL = StopAsked(StopKind.KILL)
RESTART = StopAsked(StopKind.RESTART)
BEGUN = (Claimed(), Started(1))


def broken(**more):
    """An end after which a gate does not hold."""
    return replace(end(**more), gates_failed=True)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        # queued
        ([CANCEL], ("cancelled", None, "cancelled")),
        ([STOP], ("cancelled", None, "stopped")),
        ([KILL], ("cancelled", None, "killed")),
        ([RESTART], ("cancelled", None, "restart")),
        ([DryRunDone()], ("completed", None, None)),
        # the script fared well, the gates did not: no retry either
        ([*BEGUN, broken()], ("failed", "success", "gates")),
        ([*BEGUN, broken(options=TWICE)], ("failed", "success", "gates")),
        ([Claimed(), broken()], ("failed", "success", "gates")),
        ([*BEGUN, STOP, broken()], ("failed", "success", "gates")),
        # the script's own end counts for more than its gates
        ([*BEGUN, broken(code=3)], ("failed", "failed", "exit_code")),
        ([*BEGUN, broken(reason="timeout")], ("failed", "timeout", "timeout")),
        ([*BEGUN, STOP, broken(reason="stop")], ("cancelled", "killed", "stopped")),
        # starting: never started for good
        (
            [Claimed(), end(reason="script_changed", code=None)],
            ("failed", "failed", "script_changed"),
        ),
        (
            [Claimed(), end(reason="spawn_error", code=None)],
            ("failed", "failed", "spawn_error"),
        ),
        (
            [Claimed(), end(reason="scan_blocked", code=None)],
            ("failed", "failed", "scan_blocked"),
        ),
        # starting: scanned, and never meant to start
        ([Claimed(), end(reason="dry_run", code=None)], ("completed", None, None)),
        # running: by itself
        ([*BEGUN, end(code=0)], ("completed", "success", None)),
        ([*BEGUN, end(code=3)], ("failed", "failed", "exit_code")),
        ([*BEGUN, end(code=-11)], ("failed", "failed", "signal")),
        ([*BEGUN, end(reason="timeout", code=-15)], ("failed", "timeout", "timeout")),
        ([*BEGUN, end(reason="timeout", code=0)], ("failed", "timeout", "timeout")),
        ([*BEGUN, end(reason="oom", code=-9)], ("failed", "killed", "oom")),
        (
            [*BEGUN, end(reason="output_limit", code=-9)],
            ("failed", "killed", "output_limit"),
        ),
        # running: the keeper or the machine vanished
        ([*BEGUN, Lost(1)], ("failed", "killed", "lost")),
        ([*BEGUN, Lost(1, "host_restart")], ("failed", "killed", "host_restart")),
        # stopped while running, before the start was seen, and before it happened
        (
            [*BEGUN, STOP, end(reason="stop", code=0)],
            ("cancelled", "killed", "stopped"),
        ),
        (
            [*BEGUN, CANCEL, end(reason="cancel", code=-15)],
            ("cancelled", "killed", "cancelled"),
        ),
        (
            [*BEGUN, KILL, end(reason="kill", code=-9)],
            ("cancelled", "killed", "killed"),
        ),
        (
            [*BEGUN, RESTART, end(reason="restart", code=-15)],
            ("cancelled", "killed", "restart"),
        ),
        (
            [Claimed(), STOP, Started(1), end(reason="stop", code=-15)],
            ("cancelled", "killed", "stopped"),
        ),
        (
            [Claimed(), STOP, end(reason="stop", code=None)],
            ("cancelled", "killed", "stopped"),
        ),
        ([Claimed(), STOP, Tombstoned(1)], ("cancelled", "killed", "stopped")),
        # an order that stood when the keeper vanished
        ([*BEGUN, KILL, Lost(1)], ("cancelled", "killed", "killed")),
        # kill goes before stop, a later stop changes nothing
        (
            [*BEGUN, STOP, KILL, end(reason="kill", code=-9)],
            ("cancelled", "killed", "killed"),
        ),
        (
            [*BEGUN, KILL, STOP, end(reason="kill", code=-9)],
            ("cancelled", "killed", "killed"),
        ),
        # an exit that was already there wins
        ([*BEGUN, STOP, end(code=0)], ("completed", "success", None)),
        ([*BEGUN, STOP, end(code=3)], ("failed", "failed", "exit_code")),
        (
            [*BEGUN, KILL, end(reason="timeout", code=-15)],
            ("failed", "timeout", "timeout"),
        ),
        # ... but then no further attempt starts
        (
            [*BEGUN, STOP, end(code=3, options=TWICE)],
            ("cancelled", "killed", "stopped"),
        ),
        # between two attempts
        ([*BEGUN, end(code=3, options=TWICE), KILL], ("cancelled", "killed", "killed")),
        (
            [*BEGUN, end(code=3, options=TWICE), RESTART],
            ("cancelled", "killed", "restart"),
        ),
        # retries
        (
            [
                *BEGUN,
                end(code=3, options=TWICE),
                RetryDue(),
                Started(2),
                end(2, code=0),
            ],
            ("completed", "success", None),
        ),
        (
            [
                *BEGUN,
                end(code=3, options=TWICE),
                RetryDue(),
                Started(2),
                end(2, code=4, options=TWICE),
            ],
            ("failed", "failed", "exit_code"),
        ),
    ],
)
def test_a_history_ends_as_the_contract_says(history, expected):
    state, actions = play(*history)
    assert state.is_terminal
    assert words(state) == expected
    assert actions[-2:] == [Finish(state.outcome), Emit("finished")]
    assert actions.count(Emit("finished")) == 1


@pytest.mark.parametrize(
    ("history", "phase"),
    [
        ([], "queued"),
        ([Claimed()], "starting"),
        ([*BEGUN], "running"),
        ([*BEGUN, STOP], "stopping"),
        ([Claimed(), STOP], "stopping"),
        ([Claimed(), STOP, Started(1)], "stopping"),
        ([*BEGUN, end(code=3, options=TWICE)], "backoff"),
        ([*BEGUN, end(code=3, options=TWICE), RetryDue()], "starting"),
        ([*BEGUN, end(code=0)], "final"),
    ],
)
def test_phases_follow_the_run(history, phase):
    assert play(*history)[0].phase == phase


def test_status_is_running_from_the_claim_to_the_end():
    history = [*BEGUN, end(code=3, options=TWICE), RetryDue(), Started(2)]
    for length in range(1, len(history) + 1):
        assert play(*history[:length])[0].status == "running"


def test_a_run_that_succeeds_tells_its_story_once():
    _, actions = play(Claimed(), Started(1), end(code=0))
    assert actions == [
        Emit("dequeued"),
        Launch(1),
        Emit("start"),
        Emit("success"),
        Finish(SUCCESS),
        Emit("finished"),
    ]


def test_a_failed_attempt_is_followed_by_a_wait_and_a_launch():
    _, actions = play(*BEGUN, end(code=3, options=TWICE), RetryDue())
    assert actions[3:] == [
        Emit("failed"),
        Emit("retry_scheduled"),
        Wait(1.0),
        Launch(2),
    ]


def test_an_end_that_is_the_first_news_of_an_attempt_counts_as_its_start():
    state, actions = play(Claimed(), end(code=3))
    assert actions[2:4] == [Emit("start"), Emit("failed")]
    assert state.attempts_made == 1


def test_jitter_uses_the_number_that_is_handed_in():
    options = RunOptions(retry_on_failure=True, retry_strategy="exponential_jitter")
    event = Ended(
        attempt=1,
        reason="exit",
        exit_code=1,
        options=options,
        elapsed_seconds=0,
        random_ratio=0.25,
    )
    _, actions = play(*BEGUN, event)
    assert actions[-1] == Wait(1.25)  # 1 s times 1 + 0.25


def test_a_retry_that_would_start_too_late_ends_the_run_at_once():
    options = RunOptions(retry_on_failure=True, retry_max_time=10)
    state, _ = play(*BEGUN, end(code=3, options=options, elapsed=9.5))
    assert words(state) == ("failed", "failed", "exit_code")


@pytest.mark.parametrize(
    "reason",
    ["spawn_error", "script_changed", "scan_blocked", "stop", "kill", "oom"],
)
def test_nothing_else_is_retried(reason):
    assert play(*BEGUN, end(reason=reason, code=None, options=TWICE))[0].is_terminal


def test_a_tombstoned_attempt_goes_back_into_the_queue_and_is_no_retry():
    state, actions = play(Claimed(), Tombstoned(1))
    assert (state.status, state.phase, state.attempts_made) == ("queued", "queued", 0)
    assert actions[-1] == Emit("queued")
    state, _ = transition(state, Claimed())
    assert state.attempt == 2
    state, _ = play(Claimed(), Tombstoned(1), Claimed(), end(2, code=3, options=TWICE))
    assert state.phase == "backoff"


def test_a_tombstoned_retry_is_due_again_at_once():
    history = [*BEGUN, end(code=3, options=TWICE), RetryDue(), Tombstoned(2)]
    state, actions = play(*history)
    assert (state.status, state.phase, state.attempts_made) == ("running", "backoff", 1)
    assert actions[-1] == Wait(0.0)
    assert play(*history, RetryDue())[0].attempt == 3


def test_a_number_of_which_no_keeper_has_heard_comes_again():
    state, actions = play(Claimed(), Unlaunched(1))
    assert (state.status, state.phase, state.attempt) == ("queued", "queued", 0)
    assert actions[-1] == Emit("queued")
    assert transition(state, Claimed())[0].attempt == 1
    history = [*BEGUN, end(code=3, options=TWICE), RetryDue(), Unlaunched(2)]
    assert play(*history)[0].phase == "backoff"
    assert play(*history, RetryDue())[0].attempt == 2
    assert play(Claimed(), STOP, Unlaunched(1))[0].is_terminal


@pytest.mark.parametrize("event", [Tombstoned(1), Unlaunched(1)])
def test_an_attempt_that_started_cannot_be_tombstoned(event):
    state, _ = play(*BEGUN)
    assert transition(state, event) == (state, ())


@pytest.mark.parametrize(
    ("history", "order", "code"),
    [
        ([*BEGUN, STOP], STOP, "already_stopping"),
        ([*BEGUN, STOP], CANCEL, "already_stopping"),
        ([*BEGUN, CANCEL], RESTART, "already_stopping"),
        ([*BEGUN, KILL], KILL, "already_stopping"),
        ([*BEGUN, STOP, KILL], KILL, "already_stopping"),
        ([*BEGUN, KILL], STOP, "already_stopping"),
        ([*BEGUN, end(code=0)], STOP, "run_finished"),
        ([CANCEL], KILL, "run_finished"),
    ],
)
def test_an_order_at_the_wrong_moment_is_refused(history, order, code):
    state, _ = play(*history)
    assert transition(state, order) == (state, (Refuse(code),))


@pytest.mark.parametrize("begun", [[Claimed()], [*BEGUN]])
@pytest.mark.parametrize("kind", list(StopKind))
def test_an_order_to_a_live_attempt_is_passed_on(begun, kind):
    state, _ = play(*begun)
    _, actions = transition(state, StopAsked(kind))
    assert actions == (Emit("stop_requested"), SendOrder(kind))


def test_a_kill_escalates_a_stop():
    state, actions = play(*BEGUN, STOP, KILL)
    assert state.stop_kind is StopKind.KILL
    assert actions[-1] == SendOrder(StopKind.KILL)


def test_without_a_live_attempt_an_order_is_final_at_once_and_sent_to_nobody():
    for history in ([STOP], [*BEGUN, end(code=3, options=TWICE), STOP]):
        state, actions = play(*history)
        assert state.is_terminal
        assert not [each for each in actions if isinstance(each, SendOrder)]


@pytest.mark.parametrize(
    "late",
    [Claimed(), RetryDue(), DryRunDone(), Started(1), Tombstoned(1), Lost(1), end()],
)
def test_terminal_states_absorb(late):
    for history in ([CANCEL], [*BEGUN, end(code=0)], [*BEGUN, Lost(1)]):
        state, _ = play(*history)
        assert transition(state, late) == (state, ())


def test_events_of_another_attempt_change_nothing():
    state, _ = play(*BEGUN, end(code=3, options=TWICE), RetryDue())
    for late in (Started(1), end(1, code=0), Lost(1), Tombstoned(1), Started(3)):
        assert transition(state, late) == (state, ())


def test_a_second_claim_or_start_changes_nothing():
    for history, again in (([Claimed()], Claimed()), ([*BEGUN], Started(1))):
        state, _ = play(*history)
        assert transition(state, again) == (state, ())


def test_the_exit_code_of_the_last_attempt_is_kept_when_a_wait_is_stopped():
    state, _ = play(*BEGUN, end(code=3, options=TWICE), STOP)
    assert state.exit_code == 3


@pytest.mark.parametrize(
    ("reason", "code", "event_type"),
    [
        ("exit", 0, "success"),
        ("exit", 3, "failed"),
        ("exit", -9, "failed"),
        ("timeout", -15, "timeout"),
        ("stop", 0, "forced_termination"),
        ("cancel", -15, "forced_termination"),
        ("kill", -9, "forced_termination"),
        ("restart", -15, "forced_termination"),
        ("oom", -9, "forced_termination"),
        ("spawn_error", None, "failure"),
        ("script_changed", None, "failure"),
        ("scan_blocked", None, "failure"),
        ("lost", None, "failure"),
        ("host_restart", None, "failure"),
    ],
)
def test_each_end_has_its_event(reason, code, event_type):
    assert end_event_type(reason, code) == event_type


def test_a_scanned_dry_run_has_no_start_and_no_end_of_a_script():
    state, actions = play(Claimed(), end(reason="dry_run", code=None))
    assert state.attempts_made == 0
    emitted = [each.event_type for each in actions if isinstance(each, Emit)]
    assert emitted[-1] == "finished"
    assert not {"start", "failure", "success"} & set(emitted)


def test_an_unknown_reason_is_an_error():
    with pytest.raises(ValueError, match="unknown reason"):
        outcome_of("whatever")
