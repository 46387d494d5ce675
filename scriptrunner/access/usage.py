"""When tokens and logins were last used, kept to the minute without slowing a request."""

import threading
from datetime import datetime, timedelta
from typing import Protocol

from scriptrunner.access.background import BackgroundWriter

#: A use is written only if the last one written is older than this.
USE_RESOLUTION = timedelta(minutes=1)


class UsageStore(Protocol):
    """Where uses go."""

    def mark_used(self, token_id: str, used_at: datetime) -> None:
        """Note when a token was used last."""

    def mark_session_used(self, cookie_sha256: str, used_at: datetime) -> None:
        """Note when a login was used last."""


class UsageLog:
    """Gathers uses for a ``UsageStore``; threads may share it."""

    def __init__(self, store: UsageStore, *, writer: BackgroundWriter) -> None:
        """Write to ``store`` whenever ``writer`` finds the time."""
        self._store = store
        self._writer = writer
        self._lock = threading.Lock()
        self._tokens: dict[str, datetime] = {}
        self._sessions: dict[str, datetime] = {}
        writer.add(self)

    def note_token(
        self, token_id: str, *, now: datetime, last: datetime | None
    ) -> None:
        """Note a use at ``now``; ``last`` is the use known to the database, or None."""
        if last is None or now - last >= USE_RESOLUTION:
            with self._lock:
                self._tokens[token_id] = now
            self._writer.wake()

    def note_session(
        self, cookie_sha256: str, *, now: datetime, last: datetime
    ) -> None:
        """Note a use at ``now``; ``last`` is the use known to the database."""
        if now - last >= USE_RESOLUTION:
            with self._lock:
                self._sessions[cookie_sha256] = now
            self._writer.wake()

    def flush(self, *, final: bool) -> float | None:  # noqa: ARG002 - all is due at once
        """Write all noted uses; called by the writer's thread.

        A use that cannot be written is forgotten: the next request notes it again.
        """
        with self._lock:
            tokens, self._tokens = self._tokens, {}
            sessions, self._sessions = self._sessions, {}
        for token_id, used_at in tokens.items():
            self._store.mark_used(token_id, used_at)
        for cookie_sha256, used_at in sessions.items():
            self._store.mark_session_used(cookie_sha256, used_at)
        return None
