"""Where webhooks may go: addresses are judged before anything is connected to.

A name is resolved once, every address it has must be public, and the connection goes to
one of those very addresses. So a name that changes its mind in between leads nowhere.
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scriptrunner.alerts.errors import DeliveryError

#: Addresses of a name, as texts: ``resolve(host, port)``; raises OSError.
Resolve = Callable[[str, int], Sequence[str]]

_PORTS = {"https": 443, "http": 80}
#: Networks that lead to another address in disguise or through a tunnel, and what is
#: not of the open internet although it is not called private.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "::ffff:0:0/96",
        "fec0::/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that has passed the rules."""

    scheme: str
    host: str
    port: int
    #: Path and query, as given.
    resource: str
    #: Whether the administrator said that it may be on our own network.
    is_internal: bool

    @property
    def place(self) -> str:
        """Host, and the port if it is not the scheme's own: the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def to_target(url: str, *, internal: Sequence[str]) -> Target:
    """Return the target of a webhook's address.

    Args:
        url: Of the administrator, or of a run and then checked against the allowed hosts.
        internal: Places (``name:port``, or ``name`` for port 443) on our own network,
            where plain http and any address will do.

    Raises:
        DeliveryError: If it is no https address and not internal; final.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise DeliveryError("The webhook is no address", is_final=True) from None
    if parts.scheme not in _PORTS or not host or "@" in parts.netloc:
        raise DeliveryError("The webhook is no https address", is_final=True)
    number = port or _PORTS[parts.scheme]
    is_internal = is_listed(host, number, internal)
    if parts.scheme != "https" and not is_internal:
        raise DeliveryError("The webhook is no https address", is_final=True)
    query = f"?{parts.query}" if parts.query else ""
    resource = f"{parts.path or '/'}{query}"
    return Target(parts.scheme, host, number, resource, is_internal)


def is_listed(host: str, port: int, places: Sequence[str]) -> bool:
    """Return whether a host and port are among ``places``; no port there means 443."""
    return f"{host}:{port}" in places or (port == 443 and host in places)


def find_addresses(
    target: Target, *, seconds: float, resolve: Resolve | None = None
) -> list[str]:
    """Resolve the name of a target once and return its addresses.

    Args:
        target: Where to go.
        seconds: How long the name service may take.
        resolve: Asks it; tests hand in their own.

    Raises:
        DeliveryError: If there is none, or one is not public and the target is not
            internal (then it is final).
    """
    addresses = _resolve_in_time(target, seconds, resolve or _ask_system)
    if not addresses:
        raise DeliveryError("The name of the host has no address")
    if not target.is_internal:
        for text in addresses:
            if not is_public(text):
                raise DeliveryError(
                    "The host has an address that is not public", is_final=True
                )
    return addresses


def _ask_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _resolve_in_time(target: Target, seconds: float, resolve: Resolve) -> list[str]:
    """Ask in a thread, because the system's resolver cannot be interrupted."""
    answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answers.put(OSError(str(error)))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, seconds))
    except queue.Empty:
        raise DeliveryError("The name of the host was not found in time") from None
    if isinstance(answer, OSError):
        raise DeliveryError("The name of the host is not known")
    return list(answer)


def is_public(text: str) -> bool:
    """Return whether an address is one of the open internet, and nothing in disguise."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not any(address in network for network in _REFUSED)
    )
