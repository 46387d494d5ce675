"""Events: fired by name, they start every task that listens."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from scriptrunner.clock import Clock
from scriptrunner.engine.plan import MAX_TEXT_BYTES
from scriptrunner.errors import MalformedInputError, StorageFullError
from scriptrunner.runs.errors import InvalidIdempotencyKeyError, QueueFullError
from scriptrunner.runs.intake import is_key
from scriptrunner.runs.models import IdempotencyKey, Trigger
from scriptrunner.runs.task_runs import Batch, TaskRun, TaskRuns
from scriptrunner.scheduler.checking import NAME_WORDS, is_name
from scriptrunner.scheduler.errors import malformed
from scriptrunner.scheduler.firing import Firer
from scriptrunner.scheduler.models import EventAnswer, EventState, Task
from scriptrunner.scheduler.repository import events, tasks
from scriptrunner.scheduler.steps import BROKEN, Intent, Preparer, Step
from scriptrunner.storage.database import Connection, Database

#: How long the answer to a fired event is kept for the same request.
ANSWER_LIFETIME = timedelta(days=2)


class EventDesk:
    """Fires events and knows who listens. Threads may share it.

    Args:
        database: The migrated database.
        runs: The way into the record of runs.
        preparer: Prepares runs.
        firer: Decides about fires.
        clock: Tells when.
    """

    def __init__(
        self,
        database: Database,
        runs: TaskRuns,
        preparer: Preparer,
        firer: Firer,
        clock: Clock,
    ) -> None:
        """Hold nothing."""
        self._database = database
        self._runs = runs
        self._preparer = preparer
        self._firer = firer
        self._clock = clock

    def list_events(self) -> list[EventState]:
        """Return every event that somebody listens to or has fired, by name."""
        with self._database.read() as connection:
            return events.list_events(connection)

    def list_listeners(self, event: str) -> list[Task]:
        """Return the tasks that listen to an event."""
        with self._database.read() as connection:
            ids = tasks.list_subscribers(connection, event)
            return tasks.list_by_ids(connection, ids) if ids else []

    def fire(
        self,
        event: str,
        *,
        payload: Any = None,
        principal: str,
        idempotency: IdempotencyKey | None = None,
    ) -> EventAnswer:
        """Fire an event: every enabled task that listens to it starts, or waits.

        Args:
            event: Its name.
            payload: Any JSON value for the scripts; None for none. At most 32 KiB.
            principal: Who fires it; the runs are theirs.
            idempotency: Makes a repeated request one event.

        Raises:
            MalformedInputError: If the name is none, or the payload too large.
            QueueFullError: If the queue has no room for all of the runs; none is made.
            StorageFullError: If the data disk is (almost) full.
            ConflictError: If the idempotency key belongs to another request.
        """
        _check(event, payload)
        if idempotency is not None and not is_key(idempotency.key):
            raise InvalidIdempotencyKeyError
        listeners = self.list_listeners(event)
        if listeners:
            self._runs.check_disk()
        steps = [self._prepare(each, event, payload, principal) for each in listeners]
        firing = _Firing(event, payload, principal, idempotency)
        prepared = [run for step in steps for run in step.runs]
        return self._runs.commit(
            prepared, lambda each: self._apply(each, firing, steps)
        )

    def _prepare(self, task: Task, event: str, payload: Any, principal: str) -> Step:
        now = self._clock.utc_now()
        run: TaskRun | None = None
        problem = None
        if task.definition.enabled:
            try:
                run = self._preparer.prepare_run(
                    task,
                    Trigger.EVENT,
                    now,
                    event=event,
                    payload=payload,
                    principal=principal,
                )
            except StorageFullError:
                raise
            except BROKEN as error:  # one listener never stops the others
                problem = f"its run cannot be made: {error}"
        intent = Intent(
            fire_time=now,
            trigger=Trigger.EVENT,
            reason=f"the event {event} was fired by {principal}",
            principal=principal,
            skip_reason=problem,
            event=event,
            payload=payload,
            run=run,
        )
        return Step(task=task, intents=[intent], next_fire_at=task.next_fire_at)

    def _apply(
        self, connection: Connection, firing: "_Firing", steps: Sequence[Step]
    ) -> tuple[EventAnswer, Batch]:
        self._runs.reserve(connection, 1)
        replayed = self._find_replayed(connection, firing)
        if replayed is not None:
            return replayed, Batch()
        now = self._clock.utc_now()
        batch, answer = (
            Batch(),
            EventAnswer(event=firing.event, runs=(), waiting=(), skipped=()),
        )
        fresh = self._refresh(connection, firing, steps) if steps else []
        if fresh:
            outcome, batch = self._firer.apply(connection, fresh)
            if outcome.is_full:
                raise QueueFullError
            answer = EventAnswer(
                event=firing.event,
                runs=outcome.started,
                waiting=outcome.waiting,
                skipped=outcome.skipped,
            )
            events.note_fired(
                connection, firing.event, now=now, principal=firing.principal
            )
        if firing.idempotency is not None:
            made = str(uuid4())
            events.insert_firing(
                connection, made, event=firing.event, now=now, answer=answer.to_json()
            )
            events.forget_firings(connection, before=now - ANSWER_LIFETIME)
            self._runs.keep_key(connection, firing.principal, firing.idempotency, made)
        return answer, batch

    def _refresh(
        self, connection: Connection, firing: "_Firing", steps: Sequence[Step]
    ) -> list[Step]:
        """Return the steps of those who still listen, as their tasks are now."""
        listening = tasks.list_subscribers(connection, firing.event)
        loaded = tasks.load_for_change(connection, listening) if listening else {}
        fresh = []
        for step in steps:
            task = loaded.get(step.task.task_id)
            if task is not None:
                following = task.next_fire_at
                fresh.append(
                    Step(task=task, intents=step.intents, next_fire_at=following)
                )
        return fresh

    def _find_replayed(
        self, connection: Connection, firing: "_Firing"
    ) -> EventAnswer | None:
        """Return the answer that the same request got before, or None."""
        if firing.idempotency is None:
            return None
        made = self._runs.find_replayed(
            connection, firing.principal, firing.idempotency
        )
        stored = None if made is None else events.find_answer(connection, made)
        if stored is None:
            return None
        return EventAnswer(
            event=stored["event"],
            runs=[(each["task_id"], each["run_id"]) for each in stored["runs"]],
            waiting=stored["waiting"],
            skipped=[(each["task_id"], each["reason"]) for each in stored["skipped"]],
            replayed=True,
        )


@dataclass(frozen=True, slots=True)
class _Firing:
    """What was asked for."""

    event: str
    payload: Any
    principal: str
    idempotency: IdempotencyKey | None


def _check(event: str, payload: Any) -> None:
    if not is_name(event):
        words = f"This is no name of an event; {NAME_WORDS}"
        raise MalformedInputError(
            [{"type": "value_error", "loc": ["path", "event_name"], "msg": words}]
        )
    if payload is None:
        return
    text = json.dumps(payload, ensure_ascii=False)
    if "\\u0000" in text or "\0" in text:
        raise malformed("payload", "The payload must not contain a NUL character")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise malformed(
            "payload", "The payload holds half of a surrogate pair"
        ) from None
    if size > MAX_TEXT_BYTES:
        raise malformed("payload", f"The payload has more than {MAX_TEXT_BYTES} bytes")
