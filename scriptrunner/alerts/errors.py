"""What can go wrong with alerts and their channels."""

from scriptrunner.errors import EngineError, NotFoundError


class AlertNotFoundError(NotFoundError):
    """There is no such alert."""

    code = "alert_not_found"


class MuteNotFoundError(NotFoundError):
    """There is no such mute, or it is over."""

    code = "mute_not_found"


class ChannelNotFoundError(NotFoundError):
    """There is no channel of this name."""

    code = "channel_not_found"


class DeliveryError(EngineError):
    """A try to deliver an alert failed; it never holds an address or a secret."""

    code = "delivery_failed"

    def __init__(
        self,
        message: str,
        *,
        is_final: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        """Keep what the outbox goes by.

        Args:
            message: One sentence for people.
            is_final: Whether another try would be refused, too.
            retry_after_seconds: What the receiver asked for, if it did.
        """
        super().__init__(message)
        self.is_final = is_final
        self.retry_after_seconds = retry_after_seconds
