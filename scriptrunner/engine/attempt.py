"""The life of a run as a pure state machine: (state, event) to (state, actions).

Whoever keeps runs (the ledger of the service, ``ScriptRunner``, the simulator of the
tests) feeds in what happened and carries out what is returned. Nothing here reads a
clock, a file or a random number.

| phase                      | event                                 | becomes                    |
|----------------------------|---------------------------------------|----------------------------|
| queued                     | Claimed                               | starting                   |
| queued                     | DryRunDone                            | completed, null            |
| queued                     | StopAsked                             | cancelled, null            |
| starting                   | Started                               | running                    |
| starting, stopping         | Tombstoned, nobody asked to stop      | queued; backoff in a retry |
| starting, stopping         | Tombstoned, somebody asked to stop    | cancelled, killed          |
| starting, stopping         | Unlaunched                            | as Tombstoned, but for the |
|                            |                                       | number, which comes again  |
| starting, running          | StopAsked                             | stopping                   |
| stopping                   | StopAsked kill, after a lighter order | stopping                   |
| starting, running,stopping | Ended, retry allowed                  | backoff                    |
| the same                   | Ended, a scanned dry run              | completed, null            |
| the same                   | Ended by itself with 0, gates failed  | failed, success            |
| the same                   | Ended, else                           | as ``outcome_of`` says     |
| the same                   | Lost, nobody asked to stop            | failed, killed             |
| the same                   | Lost, somebody asked to stop          | cancelled, killed          |
| backoff                    | RetryDue                              | starting                   |
| backoff                    | StopAsked                             | cancelled, killed          |
| final                      | anything                              | final, unchanged           |

The keeper of the script settles the precedence of one attempt (kill, then stop, cancel
and restart, then timeout, then the script's own exit; an exit that was already there
wins) and says it as the reason in its end record. An order that came too late for that
still ends the run: no further attempt starts.
"""

from dataclasses import dataclass, replace
from typing import Any

from scriptrunner.engine.outcomes import (
    DRY_RUN,
    GATES_FAILED,
    LIVE_PHASES,
    SUCCESS,
    Outcome,
    Phase,
    Reason,
    RunStatus,
    Status,
    StopKind,
    end_event_type,
    outcome_of,
)
from scriptrunner.engine.retry import RETRIED_REASONS, RetryOptions, plan_retry


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Where a run stands; ``RunState()`` is one that was just queued."""

    status: Status = Status.QUEUED
    run_status: RunStatus | None = None
    phase: Phase = Phase.QUEUED
    reason: Reason | None = None
    #: Number of the current or last attempt; each number is used once.
    attempt: int = 0
    #: Attempts whose script was started, or failed to start for good.
    attempts_made: int = 0
    #: Whether the current attempt is known to have started its script.
    is_started: bool = False
    #: The heaviest order that was accepted.
    stop_kind: StopKind | None = None
    exit_code: int | None = None
    #: Changes so far; it only grows.
    transition_count: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether nothing changes any more."""
        return self.phase is Phase.FINAL

    @property
    def has_live_attempt(self) -> bool:
        """Whether an attempt may have a process now."""
        return self.phase in LIVE_PHASES

    @property
    def outcome(self) -> Outcome:
        """Status, run status and reason together."""
        return Outcome(self.status, self.run_status, self.reason)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A queued run was taken up; its attempt number grows by one."""


@dataclass(frozen=True, slots=True)
class RetryDue:
    """The wait before the next attempt is over."""


@dataclass(frozen=True, slots=True)
class DryRunDone:
    """A dry run was described; nothing was started."""


@dataclass(frozen=True, slots=True)
class Started:
    """The spawn record is there: the script runs."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Tombstoned:
    """The attempt provably never started its script, and never will."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Unlaunched:
    """No keeper was ever told of the attempt: its number may be given once more."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The process tree is gone and the end record is there."""

    attempt: int
    #: The end record's own word, see ``outcome_of``.
    reason: str
    #: As the kernel reported it, -n for signal n; None if there is none.
    exit_code: int | None
    #: The run's options, for the retry.
    options: RetryOptions
    #: Seconds since the first attempt of the run started.
    elapsed_seconds: float
    #: A uniform random number in [0, 1) for the jitter of a delay.
    random_ratio: float = 0.0
    #: Whether the run breaks a performance gate; matters if the script succeeded.
    gates_failed: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """The keeper vanished after the spawn record, and the strays are gone."""

    attempt: int
    #: ``lost`` or ``host_restart``.
    reason: str = "lost"


@dataclass(frozen=True, slots=True)
class StopAsked:
    """A person asks for the end of the run."""

    kind: StopKind


AttemptEvent = (
    Claimed
    | RetryDue
    | DryRunDone
    | Started
    | Tombstoned
    | Unlaunched
    | Ended
    | Lost
    | StopAsked
)


@dataclass(frozen=True, slots=True)
class Launch:
    """Start attempt number ``attempt``."""

    attempt: int


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Tell the keeper of the attempt; the tree's end comes later."""

    kind: StopKind


@dataclass(frozen=True, slots=True)
class Wait:
    """Give ``RetryDue`` after so many seconds."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Emit:
    """Add an event to the run's list; its data are the caller's to fill in."""

    event_type: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the end: status, run status, reason, exit code and time together, once."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Refuse:
    """An order comes at the wrong moment; ``code`` is that of the API."""

    code: str


Action = Launch | SendOrder | Wait | Emit | Finish | Refuse
Transition = tuple[RunState, tuple[Action, ...]]


def transition(state: RunState, event: AttemptEvent) -> Transition:
    """Return the state after ``event`` and what is to be done, in this order.

    An event that does not fit (another attempt's, a second one, one after the end)
    changes nothing and asks for nothing; an order that does not fit is refused.
    """
    if isinstance(event, StopAsked):
        return _on_stop(state, event.kind)
    if isinstance(event, Claimed):
        return _begin_attempt(state, Phase.QUEUED, Emit("dequeued"))
    if isinstance(event, RetryDue):
        return _begin_attempt(state, Phase.BACKOFF)
    if isinstance(event, DryRunDone):
        if state.phase is not Phase.QUEUED:
            return state, ()
        return _finish(state, DRY_RUN)
    if not state.has_live_attempt or event.attempt != state.attempt:
        return state, ()
    if isinstance(event, Started):
        return _on_started(state)
    if isinstance(event, Tombstoned):
        return _on_tombstone(state, state.attempt)
    if isinstance(event, Unlaunched):
        return _on_tombstone(state, state.attempt - 1)
    if isinstance(event, Lost):
        return _on_lost(state, event)
    return _on_end(state, event)


def _change(state: RunState, **changes: Any) -> RunState:
    return replace(state, transition_count=state.transition_count + 1, **changes)


def _begin_attempt(state: RunState, expected: Phase, *first: Emit) -> Transition:
    if state.phase is not expected:
        return state, ()
    number = state.attempt + 1
    following = _change(
        state,
        status=Status.RUNNING,
        phase=Phase.STARTING,
        attempt=number,
        is_started=False,
    )
    return following, (*first, Launch(number))


def _on_started(state: RunState) -> Transition:
    if state.is_started:
        return state, ()
    phase = Phase.RUNNING if state.phase is Phase.STARTING else state.phase
    made = state.attempts_made + 1
    following = _change(state, phase=phase, is_started=True, attempts_made=made)
    return following, (Emit("start"),)


def _on_tombstone(state: RunState, last: int) -> Transition:
    """Put the run back; ``last`` is the last number that counts as given."""
    if state.is_started:
        return state, ()
    if state.stop_kind is not None:
        return _finish(state, outcome_of(state.stop_kind))
    if state.attempts_made:
        return _change(state, phase=Phase.BACKOFF, attempt=last), (Wait(0.0),)
    following = _change(state, status=Status.QUEUED, phase=Phase.QUEUED, attempt=last)
    return following, (Emit("queued"),)


def _on_lost(state: RunState, event: Lost) -> Transition:
    """End a run nobody watched; an order that stood was carried out on the strays."""
    state, actions = _note_start(state)
    outcome = outcome_of(state.stop_kind or event.reason)
    end = Emit("forced_termination" if state.stop_kind else "failure")
    following, last = _finish(state, outcome)
    return following, (*actions, end, *last)


def _on_end(state: RunState, event: Ended) -> Transition:
    if event.reason == "dry_run":  # scanned and not started: no attempt of the script
        return _finish(state, outcome_of(event.reason))
    outcome = outcome_of(event.reason, event.exit_code)
    if outcome is SUCCESS and event.gates_failed:
        outcome = GATES_FAILED
    state, actions = _note_start(state)
    actions = (*actions, Emit(end_event_type(event.reason, event.exit_code)))
    delay = None
    if outcome.reason in RETRIED_REASONS:
        delay = plan_retry(
            event.options,
            reason=outcome.reason,
            attempts_made=state.attempts_made,
            elapsed_seconds=event.elapsed_seconds,
            random=lambda: event.random_ratio,
        )
    if delay is None:
        following, last = _finish(state, outcome, exit_code=event.exit_code)
    elif state.stop_kind is not None:
        # The order came too late for this attempt and in time for the next one.
        stopped = outcome_of(state.stop_kind)
        following, last = _finish(state, stopped, exit_code=event.exit_code)
    else:
        following = _change(state, phase=Phase.BACKOFF, exit_code=event.exit_code)
        last = (Emit("retry_scheduled"), Wait(delay))
    return following, (*actions, *last)


def _note_start(state: RunState) -> Transition:
    """Count an attempt whose end is the first that is heard of it."""
    if state.is_started:
        return state, ()
    made = state.attempts_made + 1
    return replace(state, is_started=True, attempts_made=made), (Emit("start"),)


def _on_stop(state: RunState, kind: StopKind) -> Transition:
    asked = Emit("stop_requested")
    if state.is_terminal:
        return state, (Refuse("run_finished"),)
    if state.phase is Phase.QUEUED:
        outcome = Outcome(Status.CANCELLED, None, kind.reason)
        following, last = _finish(replace(state, stop_kind=kind), outcome)
        return following, (asked, *last)
    if state.phase is Phase.BACKOFF:
        following, last = _finish(replace(state, stop_kind=kind), outcome_of(kind))
        return following, (asked, *last)
    escalates = kind is StopKind.KILL and state.stop_kind is not StopKind.KILL
    if state.phase is Phase.STOPPING and not escalates:
        return state, (Refuse("already_stopping"),)
    following = _change(state, phase=Phase.STOPPING, stop_kind=kind)
    return following, (asked, SendOrder(kind))


def _finish(
    state: RunState, outcome: Outcome, *, exit_code: int | None = None
) -> Transition:
    following = _change(
        state,
        status=outcome.status,
        run_status=outcome.run_status,
        reason=outcome.reason,
        phase=Phase.FINAL,
        exit_code=state.exit_code if exit_code is None else exit_code,
    )
    return following, (Finish(outcome), Emit("finished"))
