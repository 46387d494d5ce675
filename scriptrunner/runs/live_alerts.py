"""Alert rules that are met while a script is still running: a duty of the supervisor.

Only what can never become untrue counts: of metrics that only grow, the least that the
final value can be is known from the files that the keeper writes. With retries ahead the
metrics of this attempt may not be those of the run, so only those of the whole run count.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.alerts.models import DeliveryStatus, NewAlert
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.condition_tree import Range
from scriptrunner.engine.events import EventType, build_event
from scriptrunner.engine.rules import Rule
from scriptrunner.engine.steps.alerts import can_be_decided_early, find_decided
from scriptrunner.runs.alerting import RunAlerts, describe_run, rules_of
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.repository import changes, events, queue, state
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.storage.database import Connection, Database

#: Metrics of an attempt that only grow while its script runs.
_OF_ATTEMPT = (
    "execution_time_seconds",
    "cpu_max",
    "memory_max_mb",
    "process_count_max",
    "stdout_bytes",
    "stderr_bytes",
)
#: Likewise of the whole run.
_OF_RUN = ("total_time_seconds", "attempts")
GROWING = frozenset({*_OF_ATTEMPT, *_OF_RUN})
#: Samples tell the load in percent with one decimal, rounded to the nearest.
_CPU_ERROR = 0.05


@dataclass(slots=True)
class _Watched:
    """What is known of the current attempt of a run with rules."""

    attempt: int
    #: Rules that were met before, by place.
    met: set[int] = field(default_factory=set)
    #: Bytes of the file of samples that were read.
    offset: int = 0
    seconds: float = 0.0
    cpu: float | None = None
    memory_mb: float | None = None
    processes: int | None = None

    def read(self, path: str) -> None:
        """Take in the samples that have come since the last time."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            if os.fstat(descriptor).st_size < self.offset:
                self.offset = 0  # it was written anew with fewer points
            data = os.pread(descriptor, 1 << 20, self.offset)
        finally:
            os.close(descriptor)
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            seconds, cpu, memory, processes = json.loads(line)
        except ValueError:
            return
        self.seconds = max(self.seconds, seconds)
        self.cpu = max(self.cpu or 0.0, cpu - _CPU_ERROR)
        self.memory_mb = max(self.memory_mb or 0.0, memory)
        self.processes = max(self.processes or 0, processes)


class LiveAlerts:
    """Looks at running scripts that have rules; without any it does nothing at all.

    Args:
        database: The migrated database.
        folders: The run folders.
        alerts: Stores what was met.
        announce: Tells all web workers that something has changed.
        clock: Tests hand in one they can set.
    """

    def __init__(
        self,
        database: Database,
        folders: RunFolders,
        alerts: RunAlerts,
        *,
        announce: Callable[[], None],
        clock: Clock | None = None,
    ) -> None:
        """Know of no run; the first tick asks which run already."""
        self._database = database
        self._folders = folders
        self._alerts = alerts
        self._announce = announce
        self._clock = clock or SystemClock()
        self._runs: dict[str, _Watched] = {}
        self._is_first = True

    def expect(self, run: StoredRun) -> None:
        """Watch a run that is about to be launched, if it has such rules."""
        if can_be_decided_early(rules_of(run), GROWING):
            self._runs.setdefault(run.id, _Watched(0))

    def tick(self) -> None:
        """Look once. A duty: about once a second."""
        if self._is_first:
            self._learn()
            self._is_first = False
        if not self._runs:
            return
        with self._database.read() as connection:
            found = queue.list_by_id(connection, list(self._runs))
        known = {run.id for run in found if not run.state.is_terminal}
        self._runs = {id_: each for id_, each in self._runs.items() if id_ in known}
        for run in found:
            if run.is_started and run.state.has_live_attempt:
                self._look(run)

    def _learn(self) -> None:
        """Find the runs that an earlier supervisor has launched."""
        with self._database.read() as connection:
            running = queue.list_running(connection)
            for run in running:
                self.expect(run)
            for run in running:
                if run.id in self._runs:
                    met = self._alerts.find_early(connection, run)
                    self._runs[run.id].met.update(met)

    def _look(self, run: StoredRun) -> None:
        watched = self._runs[run.id]
        if watched.attempt != run.attempt:
            watched = self._runs[run.id] = _Watched(run.attempt, watched.met)
        prefix = f"{self._folders.path(run.id)}/a{run.attempt}"
        watched.read(f"{prefix}.samples")
        ranges = find_ranges(run, watched_facts(watched, prefix))
        found = find_decided(rules_of(run), ranges, besides=watched.met)
        if not found:
            return
        known = {name: low for name, (low, _) in ranges.items()}
        self._database.retrying(lambda each: self._store(each, run, found, known))
        watched.met.update(found)
        self._announce()

    def _store(
        self,
        connection: Connection,
        seen: StoredRun,
        found: Mapping[int, Mapping[str, float]],
        metrics: Mapping[str, float],
    ) -> None:
        changes.reserve(connection, 1)
        loaded = state.load_for_change(connection, [seen.id]).get(seen.id)
        if loaded is None or loaded[0].attempt != seen.attempt:
            return
        run = loaded[0]
        if not run.state.has_live_attempt:
            return
        new = [
            self._make(run, place, values, metrics) for place, values in found.items()
        ]
        added = self._alerts.add(connection, new)
        for alert in new:
            if alert.rule in added:
                self._note(connection, run, alert)

    def _make(
        self,
        run: StoredRun,
        place: int,
        values: Mapping[str, float],
        metrics: Mapping[str, float],
    ) -> NewAlert:
        rule: Rule = rules_of(run)[place]
        return NewAlert(
            run_id=run.id,
            rule=place,
            name=rule["name"],
            severity=rule["severity"],
            condition=rule["condition"],
            measured=values,
            triggered_at=self._clock.utc_now(),
            is_early=True,
            script_path=run.script_path,
            run=describe_run(run),
            metrics=metrics,
            deliveries=self._alerts.plan_rule(run.request, rule),
        )

    def _note(self, connection: Connection, run: StoredRun, alert: NewAlert) -> None:
        """Add the events of one alert to its run."""
        facts: dict[str, Any] = {"name": alert.name, "condition": alert.condition}
        met = {"severity": alert.severity, "values": dict(alert.measured)}
        noted = [
            (
                EventType.ALERT_TRIGGERED,
                {**facts, **met, "early": True, "duration_seconds": None},
            )
        ]
        noted += [
            (EventType.ALERT_DELIVERY, {"name": alert.name, **each.to_json()})
            for each in alert.deliveries
            if each.status is DeliveryStatus.SKIPPED
        ]
        for kind, data in noted:
            event = build_event(
                kind,
                correlation_id=run.correlation_id,
                attempt_number=run.attempt,
                **data,
            )
            draft = events.EventDraft(
                timestamp=alert.triggered_at,
                event_type=event.event_type,
                level=event.level,
                data=event.data,
            )
            events.append(connection, run.id, run.event_count, draft)
            run.event_count += 1


def watched_facts(watched: _Watched, prefix: str) -> dict[str, float]:
    """Return the least that each metric of an attempt will be, by name.

    Args:
        watched: What its samples have told.
        prefix: Of the attempt's files.
    """
    facts = {
        "execution_time_seconds": watched.seconds,
        "cpu_max": watched.cpu,
        "memory_max_mb": watched.memory_mb,
        "process_count_max": watched.processes,
        "stdout_bytes": _size_of(f"{prefix}.out"),
        "stderr_bytes": _size_of(f"{prefix}.err"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _size_of(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return None


def find_ranges(run: StoredRun, facts: Mapping[str, float]) -> dict[str, Range]:
    """Return where metrics of a running run will lie in the end.

    Args:
        run: With a script that runs.
        facts: The least that each metric of this attempt will be.
    """
    request = run.request
    tries = request["retry_max_attempts"] if request["retry_on_failure"] else 1
    ranges: dict[str, Range] = {
        "total_time_seconds": (facts["execution_time_seconds"], math.inf),
        "attempts": (run.attempts_made, max(tries, run.attempts_made)),
    }
    if run.started_at is not None:
        waited = max(0.0, round((run.started_at - run.queued_at).total_seconds(), 6))
        ranges["queue_time_seconds"] = (waited, waited)
    if run.attempts_made >= tries:
        ranges |= {name: (value, math.inf) for name, value in facts.items()}
    return ranges
