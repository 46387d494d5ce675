"""The state machine under random histories: any events, and a plausible world."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scriptrunner.engine import attempt as machine
from scriptrunner.engine.attempt import RunState
from scriptrunner.engine.outcomes import TERMINAL_STATUSES, Phase, StopKind
from scriptrunner.engine.plan import RunOptions
from tests.unit.engine.simulation import Simulation

REASONS = (*("exit",) * 6, "timeout", "spawn_error", "script_changed", "oom")
CODES = (0, 0, 1, 3, -11)

any_event = st.one_of(
    st.just(machine.Claimed()),
    st.just(machine.RetryDue()),
    st.just(machine.DryRunDone()),
    st.builds(machine.Started, st.integers(1, 4)),
    st.builds(machine.Tombstoned, st.integers(1, 4)),
    st.builds(machine.Unlaunched, st.integers(1, 4)),
    st.builds(
        machine.Lost, st.integers(1, 4), st.sampled_from(["lost", "host_restart"])
    ),
    st.builds(machine.StopAsked, st.sampled_from(StopKind)),
    st.builds(
        machine.Ended,
        attempt=st.integers(1, 4),
        reason=st.sampled_from([*REASONS, *StopKind]),
        exit_code=st.sampled_from(CODES),
        options=st.builds(
            RunOptions,
            retry_on_failure=st.booleans(),
            retry_max_attempts=st.integers(1, 4),
        ),
        elapsed_seconds=st.floats(0, 400),
    ),
)


@given(st.lists(any_event, max_size=30))
@settings(max_examples=300)
def test_whatever_happens_the_machine_keeps_its_promises(events):
    state = RunState()
    for event in events:
        following, actions = machine.transition(state, event)
        if state.is_terminal:
            assert following == state
        if following == state:
            assert all(isinstance(each, machine.Refuse) for each in actions)
        else:
            assert following.transition_count == state.transition_count + 1
        gives_back = isinstance(event, machine.Unlaunched)
        assert following.attempt - state.attempt in ((-1, 0) if gives_back else (0, 1))
        assert following.attempts_made <= following.attempt
        assert following.is_terminal == (following.status in TERMINAL_STATUSES)
        assert (following.status == "queued") == (following.phase is Phase.QUEUED)
        finished = [each for each in actions if isinstance(each, machine.Finish)]
        assert len(finished) == (following.is_terminal and not state.is_terminal)
        state = following


@given(st.lists(any_event, max_size=30))
@settings(max_examples=300)
def test_the_machine_is_a_function(events):
    first = second = RunState()
    for event in events:
        first, actions = machine.transition(first, event)
        second, same = machine.transition(second, event)
        assert (first, actions) == (second, same)


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_ten_thousand_steps_break_no_invariant(seed):
    simulation = Simulation(seed)
    for _ in range(10_000):
        simulation.step()
    # A simulation that never gets anywhere proves nothing.
    assert sum(simulation.finished.values()) > 300
    assert len(simulation.finished) >= 10
