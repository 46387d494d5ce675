"""A reader of a log stream that checks every message as it comes."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(slots=True)
class Message:
    """One server-sent event."""

    name: str = "message"
    event_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def parse(lines: Iterable[str]) -> Iterator[Message]:
    """Yield the messages in lines of ``text/event-stream``; comments are left out."""
    message, is_empty = Message(), True
    for line in lines:
        if line == "":
            if not is_empty:
                yield message
            message, is_empty = Message(), True
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            message.name = value
        elif name == "id":
            message.event_id = value
        elif name == "data":
            message.data = json.loads(value)
            is_empty = False


class LogReader:
    """Follows the log of one run over as many connections as it takes.

    Attributes:
        texts: What has come, by stream.
        faults: What was wrong with what came: gaps and repetitions.
        is_over: Whether the message ``end`` has come.
    """

    def __init__(self, url: str, run_id: str) -> None:
        self._url = f"{url}/api/runs/{run_id}/logs/stream"
        self._last_id: str | None = None
        self._offsets = {"stdout": 0, "stderr": 0}
        self.texts = {"stdout": "", "stderr": ""}
        self.faults: list[str] = []
        self.is_over = False

    def read(self, *, most: int = sys.maxsize) -> None:
        """Read until the end, or leave after ``most`` messages.

        Raises:
            httpx.TransportError: If the connection breaks.
        """
        headers = {} if self._last_id is None else {"Last-Event-ID": self._last_id}
        with (
            httpx.Client(timeout=30, trust_env=False) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                self.faults.append(f"status {answer.status_code}")
                self.is_over = True
                return
            for count, message in enumerate(parse(answer.iter_lines()), start=1):
                self._take(message)
                if self.is_over or count >= most:
                    return

    def _take(self, message: Message) -> None:
        self._last_id = message.event_id or self._last_id
        if message.name == "end":
            self.is_over = True
        elif message.name == "output":
            stream, offset = message.data["stream"], message.data["offset"]
            if offset != self._offsets[stream]:
                due = self._offsets[stream]
                self.faults.append(f"{stream} at {offset} instead of {due}")
            text = message.data["text"]
            self._offsets[stream] = offset + len(text.encode())
            self.texts[stream] += text
