"""The rules of protected mode as they are set, and the judgement of one request."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scriptrunner.access import locality
from scriptrunner.access.facts import Facts
from scriptrunner.access.locality import TEST_CLIENT, Refusal
from scriptrunner.access.peer import Peer, PeerKind, PeerLookup
from scriptrunner.settings import Settings

#: Seconds between two warnings about what a rule in ``log`` would have refused.
WARN_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleState:
    """One rule for banners and status pages."""

    name: str
    #: ``on``, ``log``, ``off``, or ``unavailable`` where the system does not tell.
    state: str


class LocalRules:
    """Decides whether a request without credentials is local; one per application."""

    def __init__(
        self, settings: Settings, *, lookup: PeerLookup, own_uid: int | None = None
    ) -> None:
        """Judge by ``settings``; ``own_uid`` is this process's own unless given."""
        self._lookup = lookup
        self._own_uid = os.geteuid() if own_uid is None else own_uid
        self._hosts = frozenset(
            host.lower().removesuffix(".") for host in settings.hosts
        )
        self._local_uids = frozenset(settings.local_uids)
        self._has_local_role = settings.local_role == "admin"
        self._rule_uid = settings.rule_uid
        self._rule_http10 = settings.rule_http10
        self._would_refuse: dict[str, int] = {}
        self._warned_at = float("-inf")

    def check_host(self, facts: Facts) -> Refusal | None:
        """Return the refusal of a foreign Host, asked before anything else."""
        return locality.check_host(facts, hosts=tuple(self._hosts))

    def check_local(self, facts: Facts, *, in_process: bool) -> Refusal | None:
        """Return why a request without credentials is not local, or None if it is."""
        if not in_process:
            refusal = locality.check_peer(facts) or locality.check_forwarding(facts)
            if refusal is None:
                refusal = next(self._apply_switched(facts), None)
            if refusal is not None:
                return refusal
        return None if self._has_local_role else locality.refuse_all_local()

    def describe(self) -> list[RuleState]:
        """Return the switched rules as they are in force."""
        uid = self._rule_uid
        if uid != "off" and not self._lookup.is_available:
            uid = "unavailable"
        return [RuleState("peer user", uid), RuleState("HTTP/1.0", self._rule_http10)]

    def _apply_switched(self, facts: Facts) -> Iterator[Refusal]:
        rules: tuple[tuple[str, Callable[[Facts], Refusal | None]], ...] = (
            (self._rule_http10, locality.check_http_version),
            (self._rule_uid, self._check_user),
        )
        for switch, check in rules:
            refusal = check(facts) if switch != "off" else None
            if refusal is not None and switch == "on":
                yield refusal
            elif refusal is not None:
                self._count(refusal)

    def _check_user(self, facts: Facts) -> Refusal | None:
        if facts.client is None or facts.client[0] == TEST_CLIENT:
            return None
        if not self._lookup.is_available:
            return None
        return locality.check_user(
            facts,
            self._find_peer(facts, facts.client),
            own_uid=self._own_uid,
            local_uids=tuple(self._local_uids),
        )

    def _find_peer(self, facts: Facts, client: tuple[str, int]) -> Peer:
        if facts.server is None:
            return Peer(PeerKind.UNKNOWN)
        try:
            return self._lookup.find_peer(client, facts.server)
        except (OSError, ValueError):
            logger.warning("the kernel did not tell who is calling", exc_info=True)
            return Peer(PeerKind.UNKNOWN)

    def _count(self, refusal: Refusal) -> None:
        """Count what a rule in ``log`` would have refused; warn once a minute."""
        self._would_refuse[refusal.reason] = (
            self._would_refuse.get(refusal.reason, 0) + 1
        )
        now = time.monotonic()
        if now - self._warned_at >= WARN_SECONDS:
            self._warned_at = now
            logger.warning(
                "a rule in `log` would have refused requests: %s; %s",
                self._would_refuse,
                refusal.detail,
                extra={"action": "rule_log"},
            )
            self._would_refuse = {}
