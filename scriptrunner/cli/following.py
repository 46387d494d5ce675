"""Following the output of a run over its event stream, across restarts of the service."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scriptrunner.cli.connection import Connection, UnreachableError

#: Seconds for which a service that went away is tried again.
PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.5
#: Exit codes of runs that have no code of their own.
TIMED_OUT = 124
ENDED_BY_SIGNAL = 128
NO_CODE = 1


@dataclass(slots=True)
class Message:
    """One server-sent event."""

    event: str = "message"
    data: str = ""
    id: str | None = None


def iter_messages(lines: Iterator[str]) -> Iterator[Message]:
    """Yield the messages that ``lines`` hold; comments are passed over."""
    message = Message()
    for line in lines:
        if not line:
            if message.data:
                yield message
            message = Message()
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            message.event = value
        elif name == "data":
            message.data = value
        elif name == "id":
            message.id = value


class Follower:
    """Prints what a run writes until it is over.

    Args:
        connection: To the service.
        run_id: The run.
        stream: ``stdout``, ``stderr`` or ``both``.
    """

    def __init__(
        self, connection: Connection, run_id: str, *, stream: str = "both"
    ) -> None:
        """Begin with the first byte."""
        self._connection = connection
        self._path = f"/api/runs/{run_id}/logs/stream?stream={stream}"
        self._last_id: str | None = None

    def follow(self) -> dict[str, Any]:
        """Print everything from where it stopped; return the data of the ``end`` event.

        A service that goes away is tried again for 30 s: the run goes on without it.

        Raises:
            UnreachableError: If it does not come back.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._connection.stream(
                    self._path, last_event_id=self._last_id
                ) as lines:
                    for message in iter_messages(lines):
                        deadline = time.monotonic() + PATIENCE_SECONDS
                        end = self._take(message)
                        if end is not None:
                            return end
            except UnreachableError:
                if time.monotonic() > deadline or self._last_id is None:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _take(self, message: Message) -> dict[str, Any] | None:
        data: dict[str, Any] = json.loads(message.data)
        self._last_id = message.id or self._last_id
        if message.event == "output":
            target = sys.stderr if data["stream"] == "stderr" else sys.stdout
            target.write(data["text"])
            target.flush()
        return data if message.event == "end" else None


def exit_code_of(end: dict[str, Any]) -> int:
    """Return the exit code that tells a shell how a run ended.

    The script's own code where it has one; 128 + n for signal n; 124 for a timeout; 1 for
    a run that failed without a code of its own, by its gates for example.
    """
    if end.get("run_status") == "timeout":
        return TIMED_OUT
    code = end.get("exit_code")
    if code == 0 and end.get("status") == "failed":
        return NO_CODE
    if isinstance(code, int):
        return code if code >= 0 else ENDED_BY_SIGNAL - code
    return 0 if end.get("status") == "completed" else NO_CODE
