"""Topics of ``/api/stream`` about objects that are no runs: alerts, scans, tasks.

A feature joins in by a row of ``OBJECT_TOPICS`` and one of ``_READERS``: a function that
reads what changed between two numbers of the counter of changes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

from scriptrunner.alerts.representation import alert_to_json
from scriptrunner.application.services import Services
from scriptrunner.library.representation import scan_to_json

#: Offset, event and data of a message.
Message = tuple[int, str, Mapping[str, Any]]
#: Returns the messages of all changes after one number, up to another, in order.
Read = Callable[[Services, int, int], Sequence[Message]]


def _read_alerts(services: Services, after: int, up_to: int) -> Sequence[Message]:
    messages: list[Message] = []
    while found := services.alerts.list_changed(after, up_to):
        messages += [(each.change, "alert", alert_to_json(each)) for each in found]
        after = found[-1].change
    return messages


def _read_tasks(services: Services, after: int, up_to: int) -> Sequence[Message]:
    messages: list[Message] = []
    while True:
        changed, deleted, more = services.tasks.views.list_changes(after)
        messages += [(change, "task", task) for change, task in changed]
        messages += [(change, "deleted", {"ids": [name]}) for change, name in deleted]
        if more is None:
            break
        after = more
    return sorted((m for m in messages if m[0] <= up_to), key=lambda m: m[0])


def _read_scans(services: Services, after: int, up_to: int) -> Sequence[Message]:
    messages: list[Message] = []
    while found := services.library.roots.list_changed(after, up_to):
        messages += [(each.change, "scan", scan_to_json(each)) for each in found]
        after = found[-1].change
    return messages


_READERS: Mapping[str, Read] = {
    "tasks": _read_tasks,
    "alerts": _read_alerts,
    "scans": _read_scans,
}
OBJECT_TOPICS = frozenset(_READERS)


class ObjectFeed:
    """Reads the changes of objects once for all streams that stand at the same place."""

    def __init__(self, services: Callable[[], Services]) -> None:
        """Read from what ``services`` returns."""
        self._services = services
        self._tasks: dict[str, tuple[Any, asyncio.Task[Sequence[Message]]]] = {}

    async def between(self, topic: str, after: int, up_to: int) -> Sequence[Message]:
        """Return the messages of a topic for the changes ``after`` < n <= ``up_to``."""
        if after >= up_to:
            return ()
        place = (asyncio.get_running_loop(), after, up_to)
        known = self._tasks.get(topic)
        if known is None or known[0] != place or _has_failed(known[1]):
            known = place, asyncio.ensure_future(self._read(topic, after, up_to))
            self._tasks[topic] = known
        return await asyncio.shield(known[1])

    async def _read(self, topic: str, after: int, up_to: int) -> Sequence[Message]:
        read, services = _READERS[topic], self._services()
        return await run_in_threadpool(read, services, after, up_to)


def _has_failed(task: "asyncio.Task[Sequence[Message]]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
