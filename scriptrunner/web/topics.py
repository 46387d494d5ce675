"""The topics of ``/api/stream``: their grammar, and where a reader stands in each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from scriptrunner.errors import MalformedInputError
from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.runs.folders import is_run_id
from scriptrunner.runs.logs import STREAMS
from scriptrunner.web.object_topics import OBJECT_TOPICS

#: Topics of one connection.
MAX_TOPICS = 100
OFFSET = re.compile(r"\d{1,18}")


@dataclass(slots=True)
class Topic:
    """One thing that a reader watches."""

    #: As the reader named it, without the offset; messages repeat it.
    name: str
    #: ``runs``, ``run``, ``log``, ``queue``, ``system``, or one of ``OBJECT_TOPICS``.
    kind: str
    #: Where to resume; None for now, and for the beginning of a log.
    offset: int | None
    run_id: str = ""
    stream: str = ""

    @property
    def is_about_runs(self) -> bool:
        """Whether its messages are changes of the record of runs."""
        return self.kind in ("runs", "run")

    @property
    def is_about_objects(self) -> bool:
        """Whether its messages are changes of objects that are no runs."""
        return self.kind in OBJECT_TOPICS


def parse_topics(texts: Iterable[str]) -> list[Topic]:
    """Return the topics that ``texts`` name, each once.

    Raises:
        MalformedInputError: With a fault per topic that is none, and if there are no
            topics or more than 100.
        RunNotFoundError: If one names a run by something that is no run id.
    """
    found: dict[str, Topic] = {}
    faults = []
    for text in texts:
        topic = _parse(text)
        if isinstance(topic, str):
            place = ["query", "topic"]
            faults.append({"type": "topic", "loc": place, "msg": topic, "input": text})
        else:
            found[topic.name] = topic
    if not 1 <= len(found) <= MAX_TOPICS and not faults:
        words = f"Name 1 to {MAX_TOPICS} topics"
        faults.append({"type": "topic", "loc": ["query", "topic"], "msg": words})
    if faults:
        raise MalformedInputError(faults)
    return list(found.values())


def _parse(text: str) -> Topic | str:
    """Return a topic, or what is wrong with it."""
    name, at, offset_text = text.partition("@")
    if at and not OFFSET.fullmatch(offset_text):
        return "The offset behind @ must be a whole number"
    offset = int(offset_text) if at else None
    kind, *rest = name.split(":")
    if name in ("runs", "queue", "system") or name in OBJECT_TOPICS:
        return Topic(name, name, offset)
    if kind == "run" and len(rest) == 1:
        return Topic(name, kind, offset, run_id=_checked(rest[0]))
    if kind == "log" and len(rest) == 2 and rest[1] in STREAMS:
        return Topic(name, kind, offset, run_id=_checked(rest[0]), stream=rest[1])
    others = ", ".join(["queue", "system", *sorted(OBJECT_TOPICS)])
    return f"A topic is runs, run:<id>, log:<id>:<stdout|stderr>, {others}"


def _checked(run_id: str) -> str:
    if not is_run_id(run_id):
        raise RunNotFoundError
    return run_id
