"""One change of one run: the state machine's answer turned into rows.

A ``RunChange`` is made from a locked row, fed with what happened, and written with others
in one transaction by ``writing.write``. The supervisor's ledger and the service's stop orders both
go through it, so a run changes in one way only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from scriptrunner.clock import Clock, SystemClock, from_microseconds
from scriptrunner.engine import events as engine_events
from scriptrunner.engine import steps
from scriptrunner.engine.attempt import (
    AttemptEvent,
    Emit,
    Ended,
    Finish,
    Refuse,
    RunState,
    Wait,
)
from scriptrunner.engine.events import EventType
from scriptrunner.engine.metrics import RunFacts, metrics_from
from scriptrunner.engine.outcomes import Outcome, outcome_of
from scriptrunner.engine.result import Outputs, build_result, error_text
from scriptrunner.engine.scans import report as scan_report
from scriptrunner.engine.steps import scans as scan_step
from scriptrunner.engine.steps.deciding import decide
from scriptrunner.engine.steps.ending import MAYBE_STARTED, Ending, Findings
from scriptrunner.engine.visualizer import StageFacts
from scriptrunner.history.models import Finished
from scriptrunner.history.recording import HistoryWriteError, record_in_file
from scriptrunner.runs.after_run import AfterRun
from scriptrunner.runs.diary import Diary, Reports, seconds_between
from scriptrunner.runs.keeping import to_finished
from scriptrunner.runs.repository.state import Before, StoredRun
from scriptrunner.runs.step_reports import report_end
from scriptrunner.storage.database import Connection

#: Key of a result with the results of the gates.
_GATES = "performance_gates_results"
#: Characters of the one-line error of a run.
MAX_ERROR_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a change needs to know of this machine."""

    boot_id: str
    python_version: str | None = None
    platform: str | None = None
    clock: Clock = field(default_factory=SystemClock)
    #: Bytes kept per output stream.
    max_output_bytes: int = 1 << 30
    #: What the steps after a run need.
    after_run: AfterRun


class RunChange:
    """A run's row with what is about to change.

    Args:
        run: The row, locked.
        before: What it was when it was read.
        host: The machine and its clocks.
        connection: Of the transaction in which the change is made.
        found: What the steps after the run need; looked up by ``connection`` if it is
            not given.
    """

    def __init__(
        self,
        run: StoredRun,
        before: Before,
        host: Host,
        *,
        connection: Connection | None = None,
        found: Findings | None = None,
    ) -> None:
        """Change nothing yet."""
        self.run = run
        self.before = before
        self._host = host
        self._now = host.clock.utc_now()
        #: End record of the attempt that ends by this change.
        self._end: Mapping[str, Any] | None = None
        #: End record that the result shows: that of the last attempt.
        self._shown_end: Mapping[str, Any] | None = None
        self._detail: str | None = None
        self._outputs: Outputs | None = None
        #: Events and warnings that the change adds.
        self.diary = Diary(run, self._now, max_output_bytes=host.max_output_bytes)
        self.new_attempt: dict[str, Any] | None = None
        self.ended_attempt: dict[str, Any] | None = None
        self.result: dict[str, Any] | None = None
        self._is_tied = False
        self._connection = connection
        self._found = found
        #: What the steps have made of the run's end; None if it has none.
        self.ending: Ending | None = None
        #: What goes into the service's own history with this change.
        self.finished: Finished | None = None
        #: Whether it is kept in any history; None as long as nobody has asked for that.
        self._is_kept: bool | None = None
        #: Seconds that a history file took.
        self._history_seconds = 0.0
        #: Code of the refusal, if an order came at the wrong moment.
        self.refusal: str | None = None

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to write."""
        moved = self.run.transition_count != self.before.transition_count
        return moved or self._is_tied

    def claim(self, event: AttemptEvent, *, correlation_id: str) -> None:
        """Begin the next attempt."""
        run = self.run
        if not run.dry_run:
            run.correlation_id = run.correlation_id or correlation_id
        if run.boot_id != self._host.boot_id:
            run.first_start_monotonic = None
        run.boot_id = self._host.boot_id
        run.claimed_at = self._now
        run.next_attempt_at = None
        run.waiting_for = None
        self._feed(event)

    def start(
        self,
        event: AttemptEvent,
        spawn: Mapping[str, Any],
        scans: Reports | None = None,
    ) -> None:
        """Note that the script of the attempt was started, after these scans."""
        if not self.run.is_started:
            self.diary.tell_scans(scans)
            self._note_spawn(spawn)
        self._feed(event)

    def end(
        self,
        event: AttemptEvent,
        *,
        spawn: Mapping[str, Any] | None,
        end: Mapping[str, Any],
        outputs: Outputs | None,
        detail: str | None = None,
    ) -> None:
        """End the attempt.

        Args:
            event: ``Ended`` or ``Lost``.
            spawn: Slot 1 of the control file, or None if the script never started.
            end: Slot 2; for a lost attempt a mapping with the ``reason`` of its end.
            outputs: Tails of the output.
            detail: Words for people about a loss.
        """
        at_us = (spawn or {}).get("at_us")
        if at_us is not None and (self.run.is_started or "started_us" not in end):
            # A recorded start stands; the keeper's own, counted back, is microseconds off.
            end = {**end, "started_us": at_us}
        self._end = self._shown_end = end
        self._outputs, self._detail = outputs, detail
        if not self.run.is_started:
            self.diary.tell_scans(self._look_up_scans())
            self._note_spawn(spawn or {}, end)
        self._feed(event)

    def show(self, end: Mapping[str, Any] | None, outputs: Outputs | None) -> None:
        """Have the result show an earlier attempt, because no other one will come."""
        self._shown_end, self._outputs = end, outputs

    def describe(self, event: AttemptEvent, result: Mapping[str, Any]) -> None:
        """End a dry run with its description, and with what its scans have found."""
        reports = self._look_up_scans()
        self.diary.tell_scans(reports)
        self._feed(event)
        if self.result is not None:
            self.result["result"] = {**result, **scan_report.describe(reports)}

    def put_back(self, event: AttemptEvent) -> None:
        """Take back a claim whose attempt never started its script."""
        self._feed(event)

    def stop(
        self, event: AttemptEvent, *, principal: str, grace_seconds: float | None
    ) -> None:
        """Take an order of a person; ``refusal`` says if it comes at the wrong moment."""
        run = self.run
        earlier = run.stop_principal, run.stop_grace_seconds
        run.stop_principal, run.stop_grace_seconds = principal, grace_seconds
        self._feed(event)
        if self.refusal is not None:
            run.stop_principal, run.stop_grace_seconds = earlier

    def tie(self, *, restarted_as: str) -> None:
        """Note the run that took this one's place."""
        self.run.restarted_as = restarted_as
        self._is_tied = True

    def give_up(self, error: str, event: Ended) -> None:
        """End an attempt that could not even be handed to a shim."""
        end = {
            "reason": event.reason,
            "exit_code": None,
            "error": error,
            "error_type": "LaunchError",
        }
        self.end(event, spawn=None, end=end, outputs=None)

    # What the state machine says

    def _feed(self, event: AttemptEvent) -> None:
        following, actions = decide(self.run.state, event, conclude=self._conclude)
        self.run.apply(following)
        for action in actions:
            if isinstance(action, Wait):
                delay = timedelta(seconds=action.delay_seconds)
                self.run.next_attempt_at = self._now + delay
        for action in actions:
            if isinstance(action, Emit):
                self._emit(action.event_type)
            elif isinstance(action, Finish):
                self._finish()
            elif isinstance(action, Refuse):
                self.refusal = action.code
        if self._end is not None and self.has_changed:
            self._end_attempt(self._end)

    def _conclude(self, state: RunState) -> Ending | None:
        """Let the steps work on the end of the run, if it has any and ever started."""
        run = self.run
        run.apply(state)
        run.finished_at = self._ended_at() if self._end else self._now
        run.next_attempt_at = None
        run.duration_seconds = self._duration()
        if state.run_status is None or not steps.is_any_wanted(run.request):
            return None
        facts = self._facts(state.outcome)
        self.ending = Ending(
            run_id=run.id,
            script_name=run.script_name,
            request=run.request,
            outcome=state.outcome,
            error=error_text(self._shown_end, facts=facts, detail=self._detail),
            metrics=metrics_from(self._shown_end, facts=facts),
            outputs=self._outputs or Outputs(),
            found=self._look_up(),
            files=self._host.after_run.open_outputs(run.id),
            is_started=run.started_at is not None or state.reason in MAYBE_STARTED,
        )
        steps.work_through(self.ending)
        self._host.after_run.plan_alerts(self.ending)
        return self.ending

    def store_alerts(self, connection: Connection) -> None:
        """Store the alerts that the end of the run has triggered."""
        if self.ending is not None:
            self._host.after_run.alerts.store(connection, self.run, self.ending)

    def _look_up(self) -> Findings:
        if self._found is not None:
            return self._found
        if self._connection is None:
            return Findings()
        return self._host.after_run.look_up(self._connection, self.run)

    def _note_spawn(
        self, spawn: Mapping[str, Any], end: Mapping[str, Any] | None = None
    ) -> None:
        """Note when the attempt began, and what ran."""
        run, end = self.run, end or {}
        run.script_sha256 = spawn.get("sha256") or run.script_sha256
        size = spawn.get("size")
        run.script_size = run.script_size if size is None else size
        at_us = end.get("started_us") or spawn.get("at_us")
        started_at = None if at_us is None else from_microseconds(at_us)
        self.new_attempt = {
            "run_id": run.id,
            "n": run.attempt,
            "started_at": started_at,
        }
        if run.started_at is None and started_at is not None:
            run.started_at = started_at
            ago = max(0.0, (self._now - started_at).total_seconds())
            run.first_start_monotonic = self._host.clock.monotonic() - ago

    def _look_up_scans(self) -> Reports | None:
        if not scan_step.is_wanted(self.run.request):
            return None
        if self._found is None and self._connection is not None:
            self._found = self._look_up()
        return None if self._found is None else self._found.scans

    # Events

    def note_environment(self, names: Iterable[str]) -> None:
        """Tell which variables the script of this attempt will see."""
        self.diary.tell_environment(names)

    def _emit(self, event_type: str) -> None:
        if event_type in engine_events.END_EVENTS:
            self._tell_end()
        elif event_type == EventType.START:
            self.diary.tell_start((self.new_attempt or {}).get("started_at"))
        else:
            self.diary.tell_transition(EventType(event_type))

    def _tell_end(self) -> None:
        end = self._end or {"reason": "lost"}
        if self.run.request["log_level"] == "DEBUG":
            began_at = (self.new_attempt or {}).get("started_at")
            began_at = began_at or self.run.started_at
            self.diary.tell_samples(self._look_up().samples, began_at)
        self.diary.tell_end({"error": self._detail, **end}, self._ended_at())

    # The end of an attempt, and of the run

    def _ended_at(self) -> datetime:
        """Return when the attempt was over, never before it began, never after now."""
        ended_us = (self._end or {}).get("ended_us")
        ended_at = self._now if ended_us is None else from_microseconds(ended_us)
        started_at = (self.new_attempt or {}).get("started_at") or self.run.started_at
        return min(max(ended_at, started_at or ended_at), self._now)

    def _end_attempt(self, end: Mapping[str, Any]) -> None:
        """Complete the attempt's own row."""
        run = self.run
        outcome = outcome_of(end["reason"], end.get("exit_code"))
        values = outcome.to_json()
        row = {
            "run_id": run.id,
            "n": run.attempt,
            "finished_at": self._ended_at(),
            "exit_code": end.get("exit_code"),
            "run_status": values["run_status"],
            "reason": values["reason"],
            "stdout_bytes": end.get("out_bytes"),
            "stderr_bytes": end.get("err_bytes"),
            "stdout_dropped_bytes": end.get("out_dropped"),
            "stderr_dropped_bytes": end.get("err_dropped"),
            "metrics": self._metrics_of(end, outcome),
            "visualization": self._report(),
        }
        if self.new_attempt is None:
            self.ended_attempt = row
        else:
            self.new_attempt.update(row)

    def _metrics_of(self, end: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
        """Return the attempt's metrics; those of the result, if it shows the same."""
        if self.result is not None and outcome == self.run.state.outcome:
            metrics: dict[str, Any] = self.result["result"]["metrics"]
            return metrics
        return metrics_from(end, facts=self._facts(outcome))

    def _finish(self) -> None:
        """Write the result; ``_conclude`` has settled the times and asked the steps."""
        run, ending = self.run, self.ending
        facts = self._facts(run.state.outcome)
        options: dict[str, Any] = {}
        if ending is not None:
            facts = replace(facts, gates=ending.result.get(_GATES) or ())
            options = ending.result
            for step_event in ending.events:
                kind = EventType(step_event.event_type)
                self.diary.tell(kind, **step_event.data)
        if ending is None:
            metrics = metrics_from(self._shown_end, facts=facts)
        else:
            metrics = ending.metrics
        execution_id = self._keep(metrics, options.get("alerts") or ())
        result = build_result(
            self._shown_end,
            facts=facts,
            outputs=self._outputs,
            report=self._report(),
            detail=self._detail,
            metrics=metrics,
            options={**options, "execution_id": execution_id},
        )
        text = error_text(self._shown_end, facts=facts, detail=self._detail)
        run.error = None if text is None else text[:MAX_ERROR_CHARACTERS]
        run.execution_time_seconds = metrics["execution_time_seconds"]
        run.cpu_max = metrics["cpu_max"]
        run.memory_max_mb = metrics["memory_max_mb"]
        self.result = {
            "run_id": run.id,
            "result": result,
            "error_summary": result["error_summary"],
            "outputs": [] if ending is None else ending.files.written,
        }

    def _keep(
        self, metrics: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]]
    ) -> int | None:
        """Note what the history keeps; a file of its own is written here and now.

        Returns:
            The number of the row in such a file; that in the service's own history is
            known when the change is written.
        """
        finished = to_finished(self.run, metrics, alerts, now=self._now)
        if finished is None:
            return None
        self._is_kept = True
        name = self.run.request.get("history_db")
        if name is None:
            self.finished = finished
            return None
        number, error = None, None
        began = self._host.clock.monotonic()
        try:
            number = record_in_file(self._host.after_run.histories, name, finished)
        except HistoryWriteError as caught:
            self._is_kept, error = False, caught.message
            self.diary.warn("history_failed", f"{name}: {error}")
        took = round(self._host.clock.monotonic() - began, 6)
        self._history_seconds = took
        self.diary.diagnose(
            EventType.HISTORY,
            execution_id=number,
            history_db=name,
            duration_seconds=took,
            error=error,
        )
        return number

    def _duration(self) -> float | None:
        """Return the seconds from the first start to the end of the run."""
        run, end = self.run, self._end or {}
        if run.started_at is None:
            return None
        duration_ns = end.get("duration_ns")
        if run.attempts_made == 1 and duration_ns is not None:
            return float(round(duration_ns / 1e9, 6))
        behind = (self._now - (run.finished_at or self._now)).total_seconds()
        return round(max(0.0, self.elapsed_seconds() - behind), 6)

    def elapsed_seconds(self) -> float:
        """Return the seconds since the first attempt started; 0 if none did.

        Monotonic within a boot, wall clock across boots.
        """
        run = self.run
        if run.started_at is None:
            return 0.0
        if run.first_start_monotonic is not None and run.boot_id == self._host.boot_id:
            return max(0.0, self._host.clock.monotonic() - run.first_start_monotonic)
        return max(0.0, (self._now - run.started_at).total_seconds())

    def _facts(self, outcome: Outcome) -> RunFacts:
        run = self.run
        queue_time = None
        if run.started_at is not None:
            queue_time = seconds_between(run.queued_at, run.started_at)
        return RunFacts(
            script_path=run.script_path,
            script_args=run.request["args"],
            correlation_id=run.correlation_id,
            attempt_number=run.attempt or None,
            attempts=run.attempts_made,
            timeout_seconds=run.request["timeout"],
            total_time_seconds=run.duration_seconds,
            queue_time_seconds=queue_time,
            python_version=self._host.python_version,
            platform=self._host.platform,
            outcome=outcome,
        )

    def _report(self) -> dict[str, Any] | None:
        return self._build_report() if self.run.request["enable_visualizer"] else None

    def _build_report(self) -> dict[str, Any]:
        attempt = self.new_attempt or {}
        return report_end(
            self.run,
            self._end or {},
            started_at=attempt.get("started_at"),
            ended_at=self._ended_at(),
            recorded_at=self._now,
            stages=self._stages(),
            scans=self._look_up_scans(),
        )

    def _stages(self) -> dict[str, StageFacts]:
        """Return how the optional stages went, the history among them."""
        stages = {} if self.ending is None else dict(self.ending.stages)
        if self._is_kept is not None:
            name = self.run.request.get("history_db") or "default"
            status = "done" if self._is_kept else "error"
            stages["History"] = StageFacts(
                status=status,
                duration_seconds=self._history_seconds,
                details={"history": name},
            )
        return stages
