"""Muting: for a time nobody is told of the alerts of a script, or of one of its rules.

Rules are judged and recorded as ever. It is the outbox that looks at mutes, right before
it sends, so they hold for what was met early, for what was met at the end, and for tries
that were still to come when somebody muted.
"""

from datetime import timedelta

from scriptrunner.alerts.errors import MuteNotFoundError
from scriptrunner.alerts.models import MAX_ID, Mute, MutePage
from scriptrunner.alerts.repository import mutes
from scriptrunner.clock import Clock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.errors import InvalidInputError
from scriptrunner.storage.database import Database

#: Seconds of the shortest and of the longest mute that ends by itself.
SHORTEST_SECONDS = 60
LONGEST_SECONDS = 366 * 86_400
#: Characters of the reason.
NOTE_LENGTH = 500
#: What the paths of uploads begin with.
_UPLOAD = "upload:"


class MuteDesk:
    """What is muted, by whom and until when; the same for everybody. Threads may share it.

    Args:
        database: The migrated database.
        roots: Tell which file a path means.
        clock: Tests hand in one they can set.
    """

    def __init__(
        self, database: Database, roots: AllowedRoots, *, clock: Clock
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._roots = roots
        self._clock = clock

    def list_mutes(self, *, limit: int = 50, offset: int = 0) -> MutePage:
        """Return the mutes that are in force, those that end first at the top.

        Args:
            limit: Most items, 1..200.
            offset: Items to skip, >= 0.
        """
        with self._database.read() as connection:
            return mutes.list_page(
                connection, now=self._clock.utc_now(), limit=limit, offset=offset
            )

    def mute(
        self,
        script_path: str,
        *,
        rule: str | None = None,
        condition: str | None = None,
        duration_seconds: int | None,
        note: str | None = None,
        principal: str,
    ) -> Mute:
        """Mute a script or a rule of it, from now on; what was muted before is replaced.

        Args:
            script_path: As runs name it, or absolute; it may be gone by now.
            rule: Name of the rule; None: every rule.
            condition: The condition as runs have it; None: every condition.
            duration_seconds: 60 .. 366 days; None: until somebody unmutes it.
            note: Why, for people, up to 500 characters.
            principal: Who asks.
        """
        now = self._clock.utc_now()
        until = None
        if duration_seconds is not None:
            until = now + timedelta(seconds=duration_seconds)
        values = {
            "script_path": self._find_file(script_path),
            "rule": rule,
            "condition": condition,
            "muted_at": now,
            "muted_by": principal,
            "until": until,
            "note": note or None,
        }
        return self._database.retrying(lambda each: mutes.put(each, values, now=now))

    def unmute(self, mute_id: int) -> Mute:
        """End a mute and return what it was.

        Raises:
            MuteNotFoundError: If there is none, or it is over.
        """
        if not 1 <= mute_id <= MAX_ID:
            raise MuteNotFoundError
        now = self._clock.utc_now()
        found = self._database.retrying(
            lambda each: mutes.remove(each, mute_id, now=now)
        )
        if found is None:
            raise MuteNotFoundError
        return found

    def _find_file(self, text: str) -> str:
        """Return the absolute path that ``text`` means; other texts stay as they are."""
        if text.startswith(_UPLOAD):
            return text
        try:
            return self._roots.locate(text).path or text
        except InvalidInputError:
            return next(iter(self._roots.list_spellings(text)), text)
