"""The events and warnings that one change adds to a run's record, as drafts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scriptrunner.clock import to_text
from scriptrunner.engine import events as engine_events
from scriptrunner.engine import sample_file
from scriptrunner.engine.environment import split_environment
from scriptrunner.engine.events import EventType, build_end_event, build_event
from scriptrunner.engine.scans import report as scan_report
from scriptrunner.runs.repository.events import EventDraft
from scriptrunner.runs.repository.state import StoredRun

#: What the scans of a script have found, by kind.
Reports = Mapping[str, Mapping[str, Any]]


class Diary:
    """What is to be told of a run by one change.

    Args:
        run: The row that is being changed; what it says at the time of telling counts.
        now: Time of the change.
        max_output_bytes: Bytes kept per output stream.
    """

    def __init__(self, run: StoredRun, now: datetime, *, max_output_bytes: int) -> None:
        """Begin without entries."""
        self._run = run
        self._now = now
        self._max_output_bytes = max_output_bytes
        self.events: list[EventDraft] = []
        self.warnings: list[str] = []

    def tell(
        self, event_type: EventType, at: datetime | None = None, **data: Any
    ) -> None:
        """Add an event.

        Args:
            event_type: Its type.
            at: When it happened; None for the time of the change.
            **data: A value for each of the type's keys.
        """
        event = build_event(
            event_type,
            correlation_id=self._run.correlation_id,
            attempt_number=self._run.attempt or None,
            **data,
        )
        self._add(event, at)

    def diagnose(self, event_type: EventType, **data: Any) -> None:
        """Add an event unless the run's log level leaves it out."""
        level = engine_events.level_of(event_type)
        log_level = self._run.request["log_level"]
        if engine_events.is_stored(event_type, level, log_level=log_level):
            self.tell(event_type, **data)

    def warn(self, warning: str, detail: str | None = None) -> None:
        """Add a warning to the record and an event that says so."""
        self.warnings.append(warning)
        self.diagnose(EventType.WARNING, warning=warning, detail=detail)

    def tell_transition(self, event_type: EventType) -> None:
        """Tell what the state machine asks for; the row has everything to say."""
        self.tell(event_type, **self._data_of(event_type))

    def tell_start(self, started_at: datetime | None) -> None:
        """Tell that the script is about to run."""
        run = self._run
        self.tell(
            EventType.START,
            started_at,
            script_path=run.script_path,
            script_args=run.request["args"],
            timeout=run.request["timeout"],
            working_dir=run.request["working_dir"],
            sha256=run.script_sha256,
        )

    def tell_end(self, end: Mapping[str, Any], ended_at: datetime) -> None:
        """Tell how an attempt ended, and what was wrong with its output before."""
        self._tell_output(end)
        event = build_end_event(
            end,
            correlation_id=self._run.correlation_id,
            attempt_number=self._run.attempt,
            timeout_seconds=self._run.request["timeout"],
        )
        self._add(event, ended_at)

    def tell_scans(self, reports: Reports | None) -> None:
        """Tell of the scans, which were made once, before the first attempt."""
        if reports is None or self._run.attempts_made:
            return
        for data in scan_report.list_events(reports):
            self.tell(EventType.SCAN, **data)
        for warning, detail in scan_report.list_warnings(reports):
            self.warn(warning, detail)

    def tell_environment(self, names: Iterable[str]) -> None:
        """Tell which variables the script of this attempt will see."""
        _, ignored = split_environment(self._run.request["env_vars"])
        self.diagnose(EventType.ENVIRONMENT, names=sorted(names), ignored_env=ignored)

    def tell_samples(
        self, points: Sequence[sample_file.Point], began_at: datetime | None
    ) -> None:
        """Tell some of the samples of an attempt, as long as there is room for them."""
        room = engine_events.MAX_EVENTS // 2 - self._run.event_count
        if room < sample_file.MAX_EVENTS:
            return
        for data in sample_file.list_event_data(points):
            seconds = timedelta(seconds=data["elapsed_seconds"])
            at = None if began_at is None else min(began_at + seconds, self._now)
            self.tell(EventType.SAMPLE, at, **data)

    def _tell_output(self, end: Mapping[str, Any]) -> None:
        for stream, short in (("stdout", "out"), ("stderr", "err")):
            if end.get(f"{short}_dropped"):
                limit = self._max_output_bytes
                self.diagnose(EventType.OUTPUT_TRUNCATED, stream=stream, limit=limit)
        if end.get("warning"):
            self.warn(str(end["warning"]))
        if end.get("shrank"):
            self.warn("output_overwritten", "The script truncated its own output file")

    def _data_of(self, event_type: EventType) -> dict[str, Any]:
        run = self._run
        if event_type == EventType.QUEUED:
            return {"trigger": run.trigger, "ignored_env": []}
        if event_type == EventType.DEQUEUED:
            return {"queue_time_seconds": seconds_between(run.queued_at, self._now)}
        if event_type == EventType.STOP_REQUESTED:
            grace = run.stop_grace_seconds
            by = run.stop_principal
            return {"kind": run.stop_kind, "principal": by, "grace": grace}
        if event_type == EventType.RETRY_SCHEDULED:
            return self._retry_data(run.next_attempt_at or self._now)
        return {
            "status": run.status,
            "run_status": run.run_status,
            "reason": run.reason,
        }

    def _retry_data(self, next_at: datetime) -> dict[str, Any]:
        return {
            "delay_seconds": seconds_between(self._now, next_at),
            "next_attempt_at": to_text(next_at),
            "strategy": self._run.request["retry_strategy"],
        }

    def _add(self, event: engine_events.Event, at: datetime | None) -> None:
        draft = EventDraft(
            timestamp=at or self._now,
            event_type=event.event_type,
            level=event.level,
            data=event.data,
        )
        self.events.append(draft)


def seconds_between(since: datetime, until: datetime) -> float:
    """Return the seconds from one time to another, 0 if the order is the other one."""
    return max(0.0, round((until - since).total_seconds(), 6))
