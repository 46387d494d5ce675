"""Ending runs: cancel, stop, kill."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from scriptrunner.runs.errors import (
    AlreadyStoppingError,
    RunFinishedError,
    RunNotFoundError,
    SignalNotConfirmedError,
)
from scriptrunner.runs.models import Status, StopOutcome
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep, RuntimeDep
from scriptrunner.web.describe import Responses, answers
from scriptrunner.web.waiting import wait_finished

router = APIRouter(tags=["runs"])

#: Seconds that the end of a process tree may take after the grace.
MARGIN_SECONDS = 2.0

Grace = Annotated[
    float | None,
    Query(
        ge=0,
        le=300,
        allow_inf_nan=False,
        description="Seconds between SIGTERM and SIGKILL; default WEBAPI_STOP_GRACE",
    ),
]
Wait = Annotated[
    float | None,
    Query(
        ge=0,
        le=60,
        allow_inf_nan=False,
        description="Seconds to wait until the tree is gone; default: the grace and 2 s",
    ),
]


def _responses(shape: str) -> Responses:
    return answers(
        shape,
        RunNotFoundError,
        RunFinishedError,
        AlreadyStoppingError,
        SignalNotConfirmedError,
    )


@router.post(
    "/api/runs/{run_id}/cancel",
    name="cancel_run",
    responses={
        **_responses("RunCancelled"),
        **answers("RunStillStopping", status=202, words="Ordered, but not yet over"),
    },
)
async def cancel_run(
    run_id: str,
    actor: ActorDep,
    runtime: RuntimeDep,
    grace: Grace = None,
    wait: Wait = None,
) -> Response:
    """End a run: SIGTERM, the grace, SIGKILL; answered when its processes are gone."""
    runs = runtime.services.runs

    def order() -> StopOutcome:
        outcome = runs.cancel(
            run_id, principal=actor.principal, grace_seconds=grace, wait_seconds=0
        )
        actor.note(run_id)
        return outcome

    outcome = await run_in_threadpool(order)
    if outcome.status != Status.CANCELLED:
        # Nobody holds a thread while a script takes its time.
        own = runtime.settings.stop_grace_seconds if grace is None else grace
        seconds = own + MARGIN_SECONDS if wait is None else wait
        await wait_finished(runtime, run_id, seconds=seconds)
        outcome = await run_in_threadpool(runs.get_outcome, run_id)
    if outcome.status == Status.CANCELLED:
        return json_answer({"run_id": run_id, "status": Status.CANCELLED})
    body = {"run_id": run_id, "status": outcome.status, "phase": outcome.phase}
    return json_answer(body, status=202)


@router.post(
    "/api/runs/{run_id}/stop",
    name="stop_run",
    responses=_responses("RunStopped"),
)
def stop_run(run_id: str, actor: ActorDep, grace: Grace = None) -> Response:
    """Ask a run to end: SIGTERM, the grace, SIGKILL; answered when the signal arrived."""
    actor.services.runs.stop(run_id, principal=actor.principal, grace_seconds=grace)
    actor.note(run_id)
    return json_answer({"run_id": run_id, "stopped": True})


@router.post(
    "/api/runs/{run_id}/kill",
    name="kill_run",
    responses=_responses("RunKilled"),
)
def kill_run(run_id: str, actor: ActorDep) -> Response:
    """End all processes of a run at once; answered when the signal arrived."""
    actor.services.runs.kill(run_id, principal=actor.principal)
    actor.note(run_id)
    return json_answer({"run_id": run_id, "killed": True})
