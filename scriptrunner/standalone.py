"""``ScriptRunner`` with all that belongs to it: histories in files, alerts that are sent.

The engine's own runner measures and judges. What needs a database or a network is added
here, and loaded only by runs that ask for it.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scriptrunner.clock import from_microseconds
from scriptrunner.engine import runner
from scriptrunner.engine.events import EventType
from scriptrunner.engine.steps.ending import Ending, EndingReceiver
from scriptrunner.engine.visualizer import StageFacts
from scriptrunner.errors import ScriptRunnerError

if TYPE_CHECKING:
    from scriptrunner.alerts.channels import Channels
    from scriptrunner.alerts.models import NewDelivery, Notice


class ScriptRunner(runner.ScriptRunner):
    """Runs one script as the service would, inside the calling program.

    ``run`` blocks until the script is over; ``stop``, ``kill`` and ``restart`` come from
    other threads meanwhile. The script gets the environment of the calling program with
    ``env_vars`` on top, an empty standard input, and ends with the calling program.

        runner = ScriptRunner("etl.py", args=["--fast"], timeout=60)
        result = runner.run()
        print(result["returncode"], result["metrics"]["cpu_time_seconds"])

    ``history_db`` is a file here; without one nothing is kept. Alerts are sent once, at
    the end, by the channels that the ``WEBAPI_*`` variables set up, as for a service.
    """

    def __init__(
        self,
        script_path: str | os.PathLike[str],
        *,
        on_ending: EndingReceiver | None = None,
        **options: Any,
    ) -> None:
        """Check script and options; nothing is started yet.

        Args:
            script_path: A ``.py`` or ``.pyw`` file, relative to the current folder.
            on_ending: Called with the end of each run when all else is done.
            **options: The other parameters of ``engine.runner.ScriptRunner``: ``args``,
                ``timeout``, ``grace_seconds`` ..., and every field of ``RunOptions``.

        Raises:
            TypeError: If there is no option of that name.
            InvalidInputError: If the script, a place or a value may not be used.
            MalformedInputError: If an option has the wrong type or range, or an alert
                names a channel that does not exist.
        """
        names = ("alerts", "history_db")
        has_more = on_ending is not None or any(options.get(name) for name in names)
        complete = partial(_complete, self) if has_more else None
        super().__init__(script_path, on_ending=complete, **options)
        wanted = self._plan.options
        self._then = on_ending
        self._channels: Channels | None = None
        if any(rule["channels"] for rule in wanted.alerts):
            self._channels = _set_up_channels(wanted.alerts, wanted.slack_webhook)
        if wanted.history_db is not None and wanted.enable_history:
            _open_history(wanted.history_db)

    def _complete(self, ending: Ending) -> None:
        """Send the alerts, keep the metrics, and hand the ending on."""
        if self._channels is not None:
            _send_alerts(ending, self._channels)
        if ending.request["history_db"] is not None:
            _keep(ending)
        if self._then is not None:
            self._then(ending)


def _complete(owner: ScriptRunner, ending: Ending) -> None:
    owner._complete(ending)  # noqa: SLF001 - bound late, as the plan is made first


def _set_up_channels(rules: Any, slack_webhook: str | None) -> "Channels":
    from scriptrunner.alerts.channels import Channels  # noqa: PLC0415 - only for alerts
    from scriptrunner.alerts.desk import AlertDesk  # noqa: PLC0415
    from scriptrunner.settings import load_settings  # noqa: PLC0415

    channels = Channels(load_settings())
    AlertDesk(channels).check(rules)
    if slack_webhook is not None:
        channels.check_webhook(slack_webhook)
    return channels


def _open_history(path: str) -> Any:
    from scriptrunner.history.manager import (  # noqa: PLC0415 - loads SQLAlchemy
        HistoryManager,
    )

    return HistoryManager(path)


def _send_alerts(ending: Ending, channels: "Channels") -> None:
    """Tell everybody who is to be told; each delivery is tried once."""
    own = ending.request["slack_webhook"]
    entries = ending.result.get("alerts") or ()
    # There are none if the script was never started.
    for rule, entry in zip(ending.request["alerts"], entries, strict=False):
        if not entry["triggered"]:
            continue
        for planned in channels.plan(rule, has_webhook=own is not None):
            notice = _notice_of(ending, entry, planned.id)
            send = partial(channels.send, planned.channel, notice, slack_webhook=own)
            delivery = _deliver(planned, send)
            entry["deliveries"].append(delivery)
            ending.note(EventType.ALERT_DELIVERY, name=rule["name"], **delivery)


def _deliver(planned: "NewDelivery", send: Callable[[], None]) -> dict[str, Any]:
    from scriptrunner.alerts.errors import DeliveryError  # noqa: PLC0415
    from scriptrunner.alerts.models import DeliveryStatus  # noqa: PLC0415

    delivery = planned.to_json()
    if planned.status is DeliveryStatus.SKIPPED:
        return delivery
    delivery["tries"] = 1
    try:
        send()
    except DeliveryError as error:
        return {
            **delivery,
            "status": str(DeliveryStatus.FAILED),
            "error": error.message,
        }
    return {**delivery, "status": str(DeliveryStatus.SENT)}


def _notice_of(ending: Ending, entry: Mapping[str, Any], delivery_id: str) -> "Notice":
    from scriptrunner.alerts.models import Notice  # noqa: PLC0415

    metrics, outcome = ending.metrics, ending.final_outcome.to_json()
    return Notice(
        delivery_id=delivery_id,
        name=entry["name"],
        severity=entry["severity"],
        condition=entry["condition"],
        values=entry["values"],
        triggered_at=from_microseconds(int(time.time() * 1e6)),
        run={
            "id": ending.run_id,
            "script_path": metrics["script_path"],
            "status": outcome["status"],
            "run_status": outcome["run_status"],
            "exit_code": metrics["exit_code"],
            "finished_at": metrics["end_time"],
            "correlation_id": metrics["correlation_id"],
        },
        metrics=metrics,
    )


def _keep(ending: Ending) -> None:
    """Keep the metrics in the history; trouble with it does not change the run."""
    name = ending.request["history_db"]
    if not ending.request["enable_history"] or not ending.is_started:
        return
    began = time.monotonic()
    execution_id, error = None, None
    result = {"metrics": ending.metrics, **ending.final_outcome.to_json()}
    try:
        execution_id = _open_history(name).save_execution(result, run_id=ending.run_id)
    except (ScriptRunnerError, OSError) as caught:
        error = getattr(caught, "message", None) or str(caught)
    took = time.monotonic() - began
    ending.result["execution_id"] = execution_id
    ending.stages["History"] = StageFacts(
        status="done" if error is None else "error",
        duration_seconds=took,
        details={"error": error} if error else {"execution_id": execution_id},
    )
    ending.note(
        EventType.HISTORY,
        execution_id=execution_id,
        history_db=name,
        duration_seconds=round(took, 6),
        error=error,
    )
