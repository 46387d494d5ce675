"""The outbox: sends what is pending, tries again with growing pauses, and notes it all.

What is muted at that moment is not sent, then or later.

A delivery is counted and put off *before* it is sent, and marked as sent *after* that. So
whoever is killed in between costs one try and a pause, and the receiver may get the same
delivery twice, with the same ``delivery_id``: at least once, and told apart (ADR 0024).
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.models import Alert, Delivery, DeliveryStatus, Mute
from scriptrunner.alerts.repository import mutes, outbox, triggered
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: Seconds to wait after the first, second ... failed try; one try more than pauses.
PAUSES_SECONDS = (1.0, 10.0, 60.0, 600.0)
#: Seconds that a try may take before somebody else may believe that it was cut off.
TRY_SECONDS = 10.0
#: Deliveries at once, so that one slow receiver does not hold up the others.
SENDERS = 8
#: Deliveries looked up at once.
BATCH = 64
#: What becomes of the last try if nobody lived to tell.
CUT_OFF = "The service ended during the last try"
GONE = "The run was deleted, and its webhook with it"


class RunJournal(Protocol):
    """What the outbox needs of the record of runs; ``runs`` provides it."""

    def find_webhook(self, run_id: str) -> str | None:
        """Return the real ``slack_webhook`` of a run; None if it has none, or is gone."""

    def note_delivery(
        self, connection: Connection, run_id: str, data: Mapping[str, Any]
    ) -> None:
        """Add an ``alert_delivery`` event to a run; a run that is gone is ignored."""


class Outbox:
    """Implements ``supervisor.ports.BackgroundJob``.

    Args:
        database: The migrated database.
        channels: The service's channels.
        journal: Where deliveries are told of.
        announce: Tells all web workers that something has changed.
        clock: Tests hand in one they can set.
        pauses_seconds: After each try but the last.
    """

    name = "alert delivery"

    def __init__(
        self,
        database: Database,
        channels: Channels,
        journal: RunJournal,
        *,
        announce: Callable[[], None],
        clock: Clock | None = None,
        pauses_seconds: Sequence[float] = PAUSES_SECONDS,
    ) -> None:
        """Send nothing yet."""
        self._database = database
        self._channels = channels
        self._journal = journal
        self._announce = announce
        self._clock = clock or SystemClock()
        self._pauses = tuple(pauses_seconds)

    def is_due(self) -> bool:
        """Return whether a delivery is due: one look at an index of what is pending."""
        with self._database.read() as connection:
            next_try_at = outbox.find_next_try(connection)
        return next_try_at is not None and next_try_at <= self._clock.utc_now()

    def work(self, stop: threading.Event) -> None:
        """Make every try that is due; return when none is, or soon after ``stop``."""
        while not stop.is_set():
            with self._database.read() as connection:
                now = self._clock.utc_now()
                due = outbox.list_due(connection, now=now, limit=BATCH)
            if not due:
                return
            with ThreadPoolExecutor(max_workers=min(SENDERS, len(due))) as pool:
                for done in [pool.submit(self._try, each, stop) for each in due]:
                    done.result()

    def _try(self, delivery: Delivery, stop: threading.Event) -> None:
        if stop.is_set():
            return
        if delivery.tries > len(self._pauses):
            self._note(delivery, None, DeliveryStatus.FAILED, DeliveryError(CUT_OFF))
            return
        mute = self._find_mute(delivery)
        if mute is not None:
            words = DeliveryError(mute.to_words())
            self._note(delivery, None, DeliveryStatus.MUTED, words)
            return
        alert = self._begin(delivery)
        if alert is None:
            return
        failure = self._send(delivery, alert)
        if failure is None:
            status = DeliveryStatus.SENT
        elif failure.is_final or delivery.tries == len(self._pauses):
            status = DeliveryStatus.FAILED
        else:
            status = DeliveryStatus.PENDING
        self._note(delivery, alert, status, failure)

    def _find_mute(self, delivery: Delivery) -> Mute | None:
        with self._database.read() as connection:
            now = self._clock.utc_now()
            return mutes.find_for(connection, delivery.alert_id, now=now)

    def _begin(self, delivery: Delivery) -> Alert | None:
        pauses = (*self._pauses, 0.0)
        wait = timedelta(seconds=pauses[delivery.tries] + TRY_SECONDS)
        next_try_at = self._clock.utc_now() + wait
        return self._database.retrying(
            lambda each: outbox.begin_try(each, delivery, next_try_at=next_try_at)
        )

    def _send(self, delivery: Delivery, alert: Alert) -> DeliveryError | None:
        """Make one try; return why it failed, or None."""
        own = None
        if delivery.to_run_webhook:
            own = self._journal.find_webhook(alert.run_id)
            if own is None:
                return DeliveryError(GONE, is_final=True)
        try:
            self._channels.send(
                delivery.channel, alert.to_notice(delivery.id), slack_webhook=own
            )
        except DeliveryError as error:
            return error
        except Exception as error:  # a defect of one channel must not stop the others
            logger.exception("delivery %s failed", delivery.id)
            return DeliveryError(f"Internal error ({type(error).__name__})")
        return None

    def _note(
        self,
        delivery: Delivery,
        alert: Alert | None,
        status: DeliveryStatus,
        failure: DeliveryError | None,
    ) -> None:
        """Note what became of a delivery; without an alert it was not tried just now."""
        self._database.retrying(
            lambda each: self._write(each, delivery, alert, status, failure)
        )
        try:
            self._announce()
        except OSError as error:
            logger.warning("nobody could be told of a delivery: %s", error)

    def _write(
        self,
        connection: Connection,
        delivery: Delivery,
        alert: Alert | None,
        status: DeliveryStatus,
        failure: DeliveryError | None,
    ) -> None:
        now = self._clock.utc_now()
        is_pending = status is DeliveryStatus.PENDING
        wait = self._pause_after(delivery, failure) if is_pending else 0.0
        error = None if failure is None else failure.message
        was_pending = outbox.note_try(
            connection,
            delivery,
            status=status,
            error=error,
            next_try_at=now + timedelta(seconds=wait) if is_pending else None,
            now=now,
        )
        tries = delivery.tries + (1 if alert is not None else 0)
        alert = alert or triggered.find(connection, delivery.alert_id)
        if not was_pending or alert is None:
            return
        data = {
            "name": alert.name,
            "channel": delivery.channel,
            "status": "retrying" if is_pending else str(status),
            "tries": tries,
            "delivery_id": delivery.id,
            "error": error,
        }
        self._journal.note_delivery(connection, alert.run_id, data)

    def _pause_after(self, delivery: Delivery, failure: DeliveryError | None) -> float:
        asked = failure.retry_after_seconds if failure is not None else None
        return max(self._pauses[delivery.tries], asked or 0.0)
