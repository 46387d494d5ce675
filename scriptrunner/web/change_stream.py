"""The event stream of everything the dashboard watches, over one connection.

Each message names its topic and its offset. Offsets of all topics but logs are the number
of a change, one increasing count for the whole service, so a reader may resume at any
worker. Nothing about a reader outlives its connection.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from scriptrunner.runs.errors import RunNotFoundError
from scriptrunner.runs.models import Changes, RunListItem
from scriptrunner.runs.representation import item_to_json
from scriptrunner.web.figures import QUEUE_SECONDS, Figures
from scriptrunner.web.followed_log import FollowedLog
from scriptrunner.web.live import LOST_RING_SECONDS, Watcher, concerns
from scriptrunner.web.log_stream import look_seconds
from scriptrunner.web.runtime import Runtime
from scriptrunner.web.sse import EventWriter
from scriptrunner.web.topics import Topic


class ChangeStream:
    """Writes the messages of several topics to one reader.

    Args:
        runtime: The application's parts.
        figures: The queue and the system status.
        topics: What the reader watches.
        newest: Number of the newest change, known before the reader sees the first
            byte: whatever it looks up after that, no change falls between.
    """

    def __init__(
        self,
        runtime: Runtime,
        figures: Figures,
        topics: Sequence[Topic],
        *,
        newest: int,
    ) -> None:
        """Prepare; nothing is opened yet."""
        self._runtime = runtime
        self._newest = newest
        self._shared = {"queue": figures.queue, "system": figures.system}
        self._topics = [
            topic for topic in topics if topic.is_about_runs or topic.is_about_objects
        ]
        self._figures = [topic for topic in topics if topic.kind in self._shared]
        self._shown: dict[str, Mapping[str, Any]] = {}
        self._logs = [
            FollowedLog(runtime, each) for each in topics if each.kind == "log"
        ]

    async def produce(self, writer: EventWriter) -> None:
        """Write until nobody reads any more."""
        try:
            async with self._runtime.bell.listening() as ear:
                watcher = Watcher(ear, self._runtime.feed)
                await self._begin(writer, watcher)
                while True:
                    await self._write_round(writer, watcher)
        finally:
            for log in self._logs:
                log.close()

    async def _begin(self, writer: EventWriter, watcher: Watcher) -> None:
        """Stand where the topic that is furthest behind stands."""
        newest = self._newest
        for topic in self._topics:
            topic.offset = newest if topic.offset is None else topic.offset
        offsets = [topic.offset for topic in self._topics if topic.offset is not None]
        watcher.stand_at(min(offsets, default=newest), newest=newest)
        await self._refresh_logs(writer, self._logs)

    async def _write_round(self, writer: EventWriter, watcher: Watcher) -> None:
        """Write what there is, then wait for more."""
        changes = await watcher.find_changes()
        if changes is not None:
            await self._write_changes(writer, changes)
            await self._refresh_logs(
                writer,
                [log for log in self._logs if concerns(changes, log.topic.run_id)],
            )
        for topic in self._figures:
            await self._write_figures(writer, topic, watcher.change)
        has_more = [await log.write(writer) for log in self._logs]
        await writer.beat()
        if not any(has_more):
            is_live = any(log.is_live for log in self._logs)
            seconds = look_seconds(self._runtime) if is_live else LOST_RING_SECONDS
            if self._figures and changes is not None:
                # The figures shown may be older than this change, by so much.
                seconds = min(seconds, QUEUE_SECONDS)
            await watcher.wait(seconds)

    async def _write_changes(self, writer: EventWriter, changes: Changes) -> None:
        for topic in self._topics:
            if changes.reset:
                await writer.event(
                    "reset", {"topic": topic.name, "offset": changes.change}
                )
            elif topic.is_about_objects:
                await self._write_objects(writer, topic, changes.change)
            else:
                await self._write_runs(writer, topic, changes)
            topic.offset = changes.change

    async def _write_runs(
        self, writer: EventWriter, topic: Topic, changes: Changes
    ) -> None:
        """Write the runs of one topic, in order of change, then those that are gone."""
        stands_at = topic.offset or 0
        for item in changes.items:
            if item.change > stands_at and topic.run_id in ("", item.id):
                await writer.event("run", _describe(item, topic))
        gone = [
            run_id
            for change, run_id in changes.deleted
            if change > stands_at and topic.run_id in ("", run_id)
        ]
        if gone:
            data = {"topic": topic.name, "offset": changes.change, "ids": gone}
            await writer.event("deleted", data)

    async def _write_objects(
        self, writer: EventWriter, topic: Topic, change: int
    ) -> None:
        """Write what changed in a topic of objects, up to ``change``."""
        messages = await self._runtime.objects.between(
            topic.kind, topic.offset or 0, change
        )
        for offset, event, data in messages:
            await writer.event(event, {**data, "topic": topic.name, "offset": offset})

    async def _write_figures(
        self, writer: EventWriter, topic: Topic, change: int
    ) -> None:
        """Write the figures of a topic if they differ from those last shown."""
        found = await self._shared[topic.kind].get()
        if found is not self._shown.get(topic.kind) and found != self._shown.get(
            topic.kind
        ):
            self._shown[topic.kind] = found
            await writer.event(
                topic.kind, {**found, "topic": topic.name, "offset": change}
            )

    async def _refresh_logs(
        self, writer: EventWriter, logs: Sequence[FollowedLog]
    ) -> None:
        for log in logs:
            try:
                await log.refresh()
            except RunNotFoundError:
                log.close()
                self._logs.remove(log)
                data = {"topic": log.topic.name, "offset": 0, "ids": [log.topic.run_id]}
                await writer.event("deleted", data)


def _describe(item: RunListItem, topic: Topic) -> dict[str, Any]:
    return {**item_to_json(item), "topic": topic.name, "offset": item.change}
