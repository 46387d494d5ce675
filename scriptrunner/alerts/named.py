"""Channels that the administrator configures by name, over the notification library.

The library is an extra. Its addresses come from the administrator alone, never from a run.
"""

import importlib.util
import logging
from collections.abc import Sequence

from scriptrunner.alerts import messages
from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.models import Notice

#: What to say where the library is missing.
MISSING = "Named channels need the extra notify: pip install 'scriptrunner[notify]'"
_KINDS = {
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "failure",
    "CRITICAL": "failure",
}


def is_available() -> bool:
    """Return whether the notification library is installed, without loading it."""
    return importlib.util.find_spec("apprise") is not None


def send_named(addresses: Sequence[str], notice: Notice) -> None:
    """Hand an alert to every address of a channel.

    Raises:
        DeliveryError: If the library is missing, an address is none, or one of them did
            not take it.
    """
    if not is_available():
        raise DeliveryError(MISSING, is_final=True)
    import apprise  # noqa: PLC0415 - an extra, and slow to load

    # It would log addresses.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    receivers = apprise.Apprise()
    for place, address in enumerate(addresses, 1):
        if not receivers.add(address):
            words = f"Address {place} of the channel is none that can be used"
            raise DeliveryError(words, is_final=True)
    taken = receivers.notify(
        title=messages.title_of(notice),
        body=messages.to_plain_text(notice),
        notify_type=_KINDS[notice.severity],
        body_format="text",
    )
    if not taken:
        raise DeliveryError("The receiver did not take it")
