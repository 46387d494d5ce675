"""The audit trail: who asked for what, from where, and what came of it.

Rows are only added. What is guaranteed:

- ``record`` never waits for the database. Rows are gathered in memory, written in
  groups about every half second, and all written when the service ends normally.
- SIGKILL or a power cut loses at most the last group (about half a second); the runs
  table, committed before each answer, still tells who submitted what.
- A database that cannot be written to (locked, disk full) delays rows; beyond
  ``BUFFER_ROWS`` newer ones are counted instead, and the count becomes a row.
- Refusals are counted per minute, caller and reason, so that a flood makes at most
  ``REFUSAL_KINDS`` rows a minute and worker.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from scriptrunner.access.background import BackgroundWriter
from scriptrunner.access.models import AuditEntry, Caller
from scriptrunner.clock import Clock

#: Rows that may wait for the database, some 20 MB.
BUFFER_ROWS = 50_000
#: Rows written in one transaction, so that nobody waits long for the write lock.
GROUP_ROWS = 2_000
#: Seconds over which equal refusals become one row.
REFUSAL_SECONDS = 60.0
#: Different refusals told apart within a minute; the others share one row.
REFUSAL_KINDS = 50
#: Characters kept of each text: enough for any id or path worth naming.
TEXT_LENGTHS = {"principal": 128, "peer": 64, "action": 64, "object": 500}

logger = logging.getLogger(__name__)


class AuditStore(Protocol):
    """Where rows go."""

    def add_audit_entries(self, entries: Sequence[AuditEntry]) -> None:
        """Append rows in one transaction."""


class AuditLog:
    """Gathers rows for an ``AuditStore``; threads may share it."""

    def __init__(
        self, store: AuditStore, *, clock: Clock, writer: BackgroundWriter
    ) -> None:
        """Write to ``store`` whenever ``writer`` finds the time."""
        self._store = store
        self._clock = clock
        self._writer = writer
        self._lock = threading.Lock()
        self._entries: list[AuditEntry] = []
        self._dropped = 0
        self._refusals: dict[tuple[str, str, str, str], AuditEntry] = {}
        self._refusals_due = 0.0
        writer.add(self)

    def record(
        self,
        caller: Caller,
        action: str,
        subject: str,
        decision: str = "allowed",
        request_id: str = "",
    ) -> None:
        """Note one request that was carried out or failed.

        Args:
            caller: Who asked.
            action: What was asked, a permission such as ``run.start``, or ``login``.
            subject: What it was asked of, such as a run id; may be empty.
            decision: ``allowed``, ``refused`` or ``failed``.
            request_id: The answer's ``X-Request-ID``.
        """
        entry = self._make(caller, action, subject, decision, request_id)
        with self._lock:
            if len(self._entries) < BUFFER_ROWS:
                self._entries.append(entry)
            else:
                self._dropped += 1
        self._writer.wake()

    def count_refusal(
        self, caller: Caller, action: str, reason: str, request_id: str = ""
    ) -> None:
        """Count one refused request; equal ones of a minute become one row.

        Args:
            caller: Who asked, as far as known.
            action: The error code of the answer, such as ``bad_host``.
            reason: Short and from a fixed set, never text of the request.
            request_id: That of the first refusal is kept.
        """
        key = (caller.principal, caller.peer, action, reason)
        with self._lock:
            if not self._refusals:
                self._refusals_due = time.monotonic() + REFUSAL_SECONDS
            if key not in self._refusals and len(self._refusals) >= REFUSAL_KINDS:
                key = ("(others)", "(others)", action, "")
            known = self._refusals.get(key)
            if known is None:
                principal, peer, action, reason = key
                anybody = replace(caller, principal=principal, peer=peer)
                known = self._make(anybody, action, reason, "refused", request_id)
                self._refusals[key] = replace(known, count=0)
            self._refusals[key] = replace(known, count=self._refusals[key].count + 1)
        self._writer.wake()

    def flush(self, *, final: bool) -> float | None:
        """Write what is due; called by the writer's thread."""
        while True:
            with self._lock:
                self._settle_counts(final=final)
                group = self._entries[:GROUP_ROWS]
            if not group:
                break
            self._store.add_audit_entries(group)
            with self._lock:
                del self._entries[: len(group)]
        if not self._refusals:
            return None
        return max(0.0, self._refusals_due - time.monotonic())

    def _settle_counts(self, *, final: bool) -> None:
        """Turn counted refusals and dropped rows into rows once they are due."""
        if self._refusals and (final or time.monotonic() >= self._refusals_due):
            for entry in self._refusals.values():
                logger.warning(
                    "refused %d requests: %s",
                    entry.count,
                    entry.action,
                    extra={"action": "refused", "peer": entry.peer},
                )
            self._entries.extend(self._refusals.values())
            self._refusals.clear()
        if self._dropped and len(self._entries) < BUFFER_ROWS:
            self._entries.append(
                AuditEntry(
                    at=self._clock.utc_now(),
                    principal="service",
                    peer="",
                    action="audit.dropped",
                    object="",
                    decision="failed",
                    request_id="",
                    count=self._dropped,
                )
            )
            self._dropped = 0

    def _make(
        self, caller: Caller, action: str, subject: str, decision: str, request_id: str
    ) -> AuditEntry:
        return AuditEntry(
            at=self._clock.utc_now(),
            principal=_clean(caller.principal, "principal"),
            peer=_clean(caller.peer, "peer"),
            action=_clean(action, "action"),
            object=_clean(subject, "object"),
            decision=decision[:16],
            request_id=request_id[:36],
        )


def _clean(text: str, field: str) -> str:
    """Return ``text`` as any database can store it, cut to the field's length."""
    cut = text[: TEXT_LENGTHS[field]]
    if cut.isascii() and cut.isprintable():
        return cut
    return cut.encode("unicode_escape").decode()[: TEXT_LENGTHS[field]]
