"""Whether a request comes from this machine and from no foreign page: pure decisions.

The order of the checks, and why each is there, is in ``docs/explanation/security.md``; here each is
one small function that returns None, or the refusal it asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scriptrunner.access.facts import (
    Facts,
    host_name,
    is_address,
    is_loopback,
    is_unspecified,
)
from scriptrunner.access.models import BadHostError, CrossSiteError
from scriptrunner.access.peer import Peer, PeerKind

#: Name that Starlette's TestClient gives itself.
TEST_CLIENT = "testclient"
#: What to do without being local.
HOW_TO = (
    "On the machine of the service, make a token with `scriptrunner token create` (in a "
    "checkout `./scripts/scriptrunner token create`), and send it as "
    "`Authorization: Bearer <token>`, or log in with it at /login."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is turned away, and what its sender can do."""

    #: HTTP status 401 makes the sender known; 403 cannot be helped by a token.
    UNAUTHENTICATED: ClassVar[str] = "unauthenticated"

    #: Error code of the answer.
    code: str
    #: Short word for counters, from a fixed set.
    reason: str
    #: Sentence for people.
    detail: str
    #: What to do about it.
    hint: str | None = None

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return 401 if self.code == self.UNAUTHENTICATED else 403


def is_in_process(facts: Facts) -> bool:
    """Return whether a client in this very process asks, without any socket.

    TestClient and ``httpx.ASGITransport`` put the *name* of their base URL into
    ``scope["server"]``; servers always put an address or a socket path there. A client
    must be set and no proxy may have been on the way, since proxies can rewrite both.
    """
    if facts.server is None or facts.client is None or facts.forwarding_header:
        return False
    return _names_itself(facts)


def _names_itself(facts: Facts) -> bool:
    """Return whether the server is called by a name, and Host is that name."""
    name = facts.server[0].lower() if facts.server else ""
    if not name or "/" in name or is_address(name):
        return False
    host = facts.single(b"host")
    return host is not None and host_name(host) == name.removesuffix(".")


def is_local_peer(facts: Facts) -> bool:
    """Return whether the socket says loopback, or TestClient says its name."""
    return facts.client is not None and (
        facts.client[0] == TEST_CLIENT or is_loopback(facts.client[0])
    )


def check_host(facts: Facts, *, hosts: Sequence[str]) -> Refusal | None:
    """Refuse a loopback request whose Host names somebody else (DNS rebinding).

    The port is not compared: tunnels and port forwarding change it, and rebinding needs
    a foreign name.

    Args:
        facts: The request.
        hosts: Further names of this service, in lower case.
    """
    if not is_local_peer(facts) or _names_itself(facts):
        return None
    host = facts.single(b"host")
    name = host_name(host) if host is not None else None
    if name is not None and (
        name == "localhost"
        or name in hosts
        or is_loopback(name)
        or is_unspecified(name)
    ):
        return None
    return Refusal(
        code=BadHostError.code,
        reason="host",
        detail="The Host header does not name this service",
        hint="Use localhost or 127.0.0.1, or list the name in WEBAPI_HOSTS.",
    )


def check_origin(facts: Facts) -> Refusal | None:
    """Refuse an unsafe request or stream that a foreign page sends."""
    if not (facts.is_unsafe or facts.is_stream):
        return None
    for site in facts.values(b"sec-fetch-site"):
        if site.lower() not in (b"none", b"same-origin"):
            return _cross_site("its Sec-Fetch-Site says so")
    origins = facts.values(b"origin")
    host = facts.single(b"host") or ""
    own = f"{facts.scheme}://{host}".lower()
    for origin in origins:
        if len(origins) > 1 or origin.decode("latin-1").lower() != own:
            why = f"its Origin is not {own}" if own.isprintable() else "by its Origin"
            return _cross_site(why, has_proxy=facts.forwarding_header is not None)
    return None


def _cross_site(why: str, *, has_proxy: bool = False) -> Refusal:
    proxy = "Have the proxy pass on Host and X-Forwarded-Proto." if has_proxy else ""
    remedy = "Use the pages of this service, or a token in the Authorization header."
    return Refusal(
        code=CrossSiteError.code,
        reason="site",
        detail=f"This request comes from a page of another site: {why}",
        hint=f"{proxy} {remedy}".strip(),
    )


def check_peer(facts: Facts) -> Refusal | None:
    """Refuse whoever is not on this machine, as the socket says."""
    if facts.client is None:
        return _not_local(
            "unix", "it comes over a UNIX socket, which does not tell who asks"
        )
    if not is_local_peer(facts):
        return _not_local("peer", f"it comes from {facts.client[0]}, another address")
    return None


def check_forwarding(facts: Facts) -> Refusal | None:
    """Refuse what came through a proxy or tunnel that says so."""
    header = facts.forwarding_header
    if header is None:
        return None
    return _not_local(
        "forwarded", f"it came through a proxy or tunnel (header {header})"
    )


def check_http_version(facts: Facts) -> Refusal | None:
    """Refuse HTTP/1.0, which proxies use by default and local clients do not."""
    if facts.http_version not in ("1.0", "0.9"):
        return None
    return _not_local(
        "http10",
        "it uses HTTP/1.0, as proxies do that hide where a request comes from "
        "(rule WEBAPI_RULE_HTTP10)",
        remedy="Use HTTP/1.1.",
    )


def check_user(
    facts: Facts, peer: Peer, *, own_uid: int, local_uids: Sequence[int]
) -> Refusal | None:
    """Refuse a process of another user; an unknown one only where it could do harm.

    Args:
        facts: The request.
        peer: Who is on the other end.
        own_uid: User id of the service.
        local_uids: Further user ids that count as local.
    """
    if peer.kind is PeerKind.IN_PROCESS:
        return None
    if peer.kind is PeerKind.KNOWN:
        if peer.uid in (own_uid, 0) or peer.uid in local_uids:
            return None
        return _not_local(
            "user",
            f"it comes from a process of another user (uid {peer.uid}; rule "
            "WEBAPI_RULE_UID)",
            remedy="If that user may do everything here, list the uid in "
            "WEBAPI_LOCAL_UIDS.",
        )
    if not (facts.is_unsafe or facts.is_stream):
        return None
    return _not_local(
        "unknown",
        "the process that sent it is gone or cannot be found (rule WEBAPI_RULE_UID)",
        remedy="Keep the connection open until the answer has come.",
    )


def refuse_all_local() -> Refusal:
    """Refuse a local request because the administrator wants tokens from everybody."""
    return Refusal(
        code=Refusal.UNAUTHENTICATED,
        reason="role",
        detail="A token is needed, also on this machine (WEBAPI_LOCAL_ROLE=none)",
        hint=HOW_TO,
    )


def refuse_credentials(detail: str) -> Refusal:
    """Refuse credentials that prove nobody."""
    return Refusal(
        code=Refusal.UNAUTHENTICATED,
        reason="credentials",
        detail=detail,
        hint=HOW_TO,
    )


def _not_local(reason: str, why: str, *, remedy: str = "") -> Refusal:
    return Refusal(
        code=Refusal.UNAUTHENTICATED,
        reason=reason,
        detail=f"A token is needed, because this request is not local: {why}.",
        hint=f"{remedy} {HOW_TO}".strip(),
    )
