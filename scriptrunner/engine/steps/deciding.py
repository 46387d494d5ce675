"""How an event ends a run that has steps: the script's end first, then what gates say."""

from collections.abc import Callable
from dataclasses import replace

from scriptrunner.engine.attempt import (
    AttemptEvent,
    Ended,
    Finish,
    RunState,
    Transition,
    transition,
)
from scriptrunner.engine.outcomes import GATES_FAILED
from scriptrunner.engine.steps.ending import Ending


def decide(
    state: RunState,
    event: AttemptEvent,
    *,
    conclude: Callable[[RunState], Ending | None],
) -> Transition:
    """Return what the state machine says to ``event``, failed gates included.

    Args:
        state: The run before.
        event: What happened.
        conclude: Called once if the run ends, with the state it would end in by its
            script alone; lets the steps work and returns the ending, None without any.
    """
    following, actions = transition(state, event)
    if not any(isinstance(each, Finish) for each in actions):
        return following, actions
    ending = conclude(following)
    is_broken = ending is not None and ending.final_outcome is GATES_FAILED
    if is_broken and isinstance(event, Ended):
        return transition(state, replace(event, gates_failed=True))
    return following, actions
