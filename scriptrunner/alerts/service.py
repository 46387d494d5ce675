"""The use cases of alerts for people: list, acknowledge, mute, see and try channels."""

from collections.abc import Sequence
from uuid import uuid4

from scriptrunner.alerts.channels import Channel, Channels
from scriptrunner.alerts.errors import AlertNotFoundError, DeliveryError
from scriptrunner.alerts.models import (
    MAX_ID,
    Alert,
    AlertFilter,
    AlertPage,
    DeliveryStatus,
    Notice,
)
from scriptrunner.alerts.mutes import MuteDesk
from scriptrunner.alerts.repository import triggered
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.storage.database import Database

#: Alerts of one answer of ``list_changed``.
CHANGES_AT_ONCE = 200
TEST_CONDITION = "true"


class AlertService:
    """Triggered alerts and the channels. Threads may share it.

    Args:
        database: The migrated database.
        channels: The service's channels.
        roots: Tell which file a path means.
        clock: Tests hand in one they can set.
    """

    def __init__(
        self,
        database: Database,
        channels: Channels,
        *,
        roots: AllowedRoots,
        clock: Clock | None = None,
    ) -> None:
        """Read nothing yet."""
        self._database = database
        self._channels = channels
        self._clock = clock or SystemClock()
        #: Of which scripts and rules nobody is told.
        self.mutes = MuteDesk(database, roots, clock=self._clock)

    def list_alerts(
        self, wanted: AlertFilter, *, limit: int = 50, offset: int = 0
    ) -> AlertPage:
        """Return triggered alerts, newest first, with their deliveries.

        Args:
            wanted: Which ones.
            limit: Most items, 1..200.
            offset: Items to skip, >= 0.
        """
        with self._database.read() as connection:
            return triggered.list_page(connection, wanted, limit=limit, offset=offset)

    def acknowledge(self, alert_id: int, *, principal: str) -> Alert:
        """Note that somebody has seen an alert; only the first one counts.

        Raises:
            AlertNotFoundError: If there is no such alert.
        """
        if not 1 <= alert_id <= MAX_ID:
            raise AlertNotFoundError
        now = self._clock.utc_now()
        alert = self._database.retrying(
            lambda each: triggered.acknowledge(
                each, alert_id, principal=principal, now=now
            )
        )
        if alert is None:
            raise AlertNotFoundError
        return alert

    def list_changed(self, after: int, up_to: int) -> Sequence[Alert]:
        """Return alerts whose last change lies between two numbers, in order.

        Args:
            after: Not this one itself.
            up_to: This one included.
        """
        with self._database.read() as connection:
            return triggered.list_changed(
                connection, after=after, up_to=up_to, limit=CHANGES_AT_ONCE
            )

    def list_channels(self) -> list[Channel]:
        """Return every channel that a run may name."""
        return [self._channels.describe(name) for name in self._channels.names]

    def send_test(self, name: str) -> tuple[Channel, DeliveryStatus, str | None]:
        """Send a test message by a channel, at once and once.

        Args:
            name: Of the channel, or one of its other names.

        Returns:
            The channel, what became of it, and why it failed or was skipped.

        Raises:
            ChannelNotFoundError: If there is no such channel.
        """
        channel = self._channels.describe(name)
        if channel.problem is not None:
            return channel, DeliveryStatus.SKIPPED, channel.problem
        try:
            self._channels.send(channel.name, self._make_test(), slack_webhook=None)
        except DeliveryError as error:
            return channel, DeliveryStatus.FAILED, error.message
        return channel, DeliveryStatus.SENT, None

    def _make_test(self) -> Notice:
        run = {
            "id": None,
            "script_path": "test message",
            "status": None,
            "run_status": None,
            "exit_code": None,
            "finished_at": None,
            "correlation_id": None,
        }
        return Notice(
            delivery_id=str(uuid4()),
            name="test",
            severity="INFO",
            condition=TEST_CONDITION,
            values={},
            triggered_at=self._clock.utc_now(),
            run=run,
            metrics={},
        )
