"""What a request says of itself: the raw scope and headers, read once and never trusted."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

Scope = MutableMapping[str, Any]

#: Methods that change nothing.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Headers by which proxies and tunnels say that they are there; those that start with
#: ``x-forwarded`` count as well.
FORWARDING_HEADERS = frozenset(
    {
        b"forwarded",
        b"via",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-original-forwarded-for",
        b"x-envoy-external-address",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"cf-connecting-ipv6",
        b"fastly-client-ip",
        b"fly-client-ip",
    }
)
FORWARDING_PREFIX = b"x-forwarded"


@dataclass(frozen=True, slots=True)
class Facts:
    """One request as the server handed it over."""

    method: str
    #: Path below the mount point, decoded.
    path: str
    #: Scheme as the browser sees it, see ``find_scheme``.
    scheme: str
    http_version: str
    #: Address and port of the other end, or None (UNIX socket).
    client: tuple[str, int] | None
    #: Address or name, and port or None, of our end; None if the server does not tell.
    server: tuple[str, int | None] | None
    #: All values of each header, names in lower case.
    headers: dict[bytes, list[bytes]]

    def values(self, name: bytes) -> list[bytes]:
        """Return all values of a header, in order."""
        return self.headers.get(name, [])

    def single(self, name: bytes) -> str | None:
        """Return the value of a header that is there exactly once, else None."""
        found = self.headers.get(name, [])
        return found[0].decode("latin-1") if len(found) == 1 else None

    @property
    def forwarding_header(self) -> str | None:
        """The first header that a proxy or tunnel left, or None."""
        for name in self.headers:
            if name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIX):
                return name.decode("latin-1")
        return None

    @property
    def peer(self) -> str:
        """Address of the other end, for people and counters."""
        return self.client[0] if self.client else "unix-socket"

    @property
    def is_stream(self) -> bool:
        """Whether this asks for an event stream.

        All our streams end in ``/stream``, and paths are matched letter by letter, so no
        other spelling reaches one.
        """
        return self.path.endswith("/stream")

    @property
    def is_unsafe(self) -> bool:
        """Whether the method may change something."""
        return self.method not in SAFE_METHODS


def read_facts(scope: Scope) -> Facts:
    """Return the facts of an ASGI scope of type ``http``."""
    headers: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(bytes(name).lower(), []).append(bytes(value))
    client, server = scope.get("client"), scope.get("server")
    return Facts(
        method=scope["method"].upper(),
        path=strip_root(scope["path"], scope.get("root_path", "")),
        scheme=find_scheme(scope, headers),
        http_version=scope.get("http_version", "1.1"),
        client=(str(client[0]), _to_port(client[1]) or 0)
        if client and client[0]
        else None,
        server=(str(server[0]), _to_port(server[1])) if server and server[0] else None,
        headers=headers,
    )


def find_scheme(scope: Scope, headers: Mapping[bytes, Sequence[bytes]]) -> str:
    """Return the scheme of the address in the browser, ``http`` or ``https``.

    A proxy that ends TLS says so in ``X-Forwarded-Proto``. That header may be believed
    here, unlike elsewhere: whoever sends it is not local any more, and a foreign page
    cannot make a browser send it.
    """
    told = headers.get(b"x-forwarded-proto", [])
    if len(told) == 1 and told[0].lower() in (b"http", b"https"):
        return told[0].lower().decode("ascii")
    return "https" if scope.get("scheme") == "https" else "http"


def strip_root(path: str, root_path: str) -> str:
    """Return ``path`` below the mount point ``root_path``."""
    root = root_path.rstrip("/")
    if root and (path == root or path.startswith(root + "/")):
        return path[len(root) :] or "/"
    return path


def _to_port(value: object) -> int | None:
    """Return a port that some servers give as text."""
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=256)
def host_name(host: str) -> str | None:
    """Return the name of a Host header in lower case, without port and trailing dot.

    Returns:
        The name or address (without brackets), or None if the header is malformed.
    """
    if host.startswith("["):
        name, bracket, rest = host[1:].partition("]")
        if not bracket or not is_address(name):
            return None
    else:
        name, colon, port = host.partition(":")
        rest = colon + port
    if rest and not (rest[0] == ":" and rest[1:].isascii() and rest[1:].isdigit()):
        return None
    name = name.lower()
    return name.removesuffix(".") or None


def is_address(text: str) -> bool:
    """Return whether ``text`` is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def is_loopback(text: str) -> bool:
    """Return whether ``text`` is 127/8, ::1 or ::ffff:127.*."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


@lru_cache(maxsize=256)
def is_unspecified(text: str) -> bool:
    """Return whether ``text`` is 0.0.0.0 or ``::``."""
    try:
        return ip_address(text).is_unspecified
    except ValueError:
        return False
