"""Alerts that were triggered, and the channels they are told by."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from scriptrunner.alerts.checking import check_condition
from scriptrunner.alerts.errors import AlertNotFoundError, ChannelNotFoundError
from scriptrunner.alerts.models import AlertFilter, DeliveryStatus
from scriptrunner.alerts.representation import (
    alert_to_json,
    channel_to_json,
    check_to_json,
)
from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, array_of
from scriptrunner.web.routes.runs import MAX_LIMIT, MAX_OFFSET, Text
from scriptrunner.web.times import Since

router = APIRouter(tags=["alerts"])


async def read_alert_filter(
    since: Since = None,
    script: Annotated[Text, Query(description="Part of the script path")] = None,
    seen: Annotated[
        bool | None, Query(description="Whether somebody has acknowledged it")
    ] = None,
    delivery: Annotated[
        DeliveryStatus | None, Query(description="How far a delivery has come")
    ] = None,
    channel: Annotated[
        Text, Query(description="By which it was to be told; with `delivery`, both")
    ] = None,
) -> AlertFilter:
    """Return which alerts the query asks for."""
    return AlertFilter(
        since=since,
        script=script or None,
        is_seen=seen,
        delivery=delivery,
        channel=channel or None,
    )


@router.get(
    "/api/alerts",
    name="list_alerts",
    responses=answers(
        array_of("TriggeredAlert"),
        headers={"X-Total-Count": "How many alerts match, whatever limit and offset"},
    ),
)
def list_alerts(
    services: ServicesDep,
    wanted: Annotated[AlertFilter, Depends(read_alert_filter)],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
) -> Response:
    """Return triggered alerts, newest first, with their deliveries."""
    page = services.alerts.list_alerts(wanted, limit=limit, offset=offset)
    items = [alert_to_json(each) for each in page.items]
    return json_answer(items, headers={"X-Total-Count": str(page.total)})


@router.get(
    "/api/alerts/channels",
    name="list_alert_channels",
    responses=answers(array_of("AlertChannel")),
)
def list_alert_channels(services: ServicesDep) -> Response:
    """Return every channel that a run may name, and whether it is configured."""
    channels = services.alerts.list_channels()
    return json_answer([channel_to_json(each) for each in channels])


@router.get(
    "/api/alerts/check",
    name="check_condition",
    responses=answers("ConditionCheck", RunNotFoundError),
)
def check_alert_condition(
    services: ServicesDep,
    condition: Annotated[str, Query(description="As in a rule", max_length=2_000)],
    run_id: Annotated[
        str | None, Query(description="A run that is over, to judge it by")
    ] = None,
) -> Response:
    """Say whether a condition can be read, and whether a run would have met it."""
    metrics = None
    if run_id:
        result = services.runs.get_run(run_id).result or {}
        metrics = result.get("metrics")
    return json_answer(check_to_json(check_condition(condition, metrics)))


@router.post(
    "/api/alerts/channels/{name}/test",
    name="test_alert_channel",
    responses=answers("ChannelTest", ChannelNotFoundError),
)
def test_alert_channel(name: str, actor: ActorDep) -> Response:
    """Send a test message by a channel, once, and say what became of it."""
    channel, status, error = actor.services.alerts.send_test(name)
    actor.note(channel.name)
    return json_answer({"channel": channel.name, "status": status, "error": error})


@router.post(
    "/api/alerts/{alert_id}/acknowledge",
    name="acknowledge_alert",
    responses=answers("TriggeredAlert", AlertNotFoundError),
)
def acknowledge_alert(
    alert_id: Annotated[int, Path(description="Number of the alert")], actor: ActorDep
) -> Response:
    """Note that somebody has seen an alert; it stays with the first who did."""
    alert = actor.services.alerts.acknowledge(alert_id, principal=actor.principal)
    actor.note(str(alert_id))
    return json_answer(alert_to_json(alert))
