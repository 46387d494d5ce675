"""One run without a service: its attempts, its orders, its events, its result.

The same parts as under a supervisor, put together in one process: the pure state machine
decides, a shim per attempt acts, and this module carries facts between the two.
"""

import platform
import random
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from scriptrunner.clock import from_microseconds, to_text
from scriptrunner.engine import attempt as machine
from scriptrunner.engine import control_file, intent, sample_file
from scriptrunner.engine.attempt import RunState
from scriptrunner.engine.events import (
    DATA_KEYS,
    END_EVENTS,
    EventReceiver,
    EventType,
    StructuredLogger,
    build_end_event,
)
from scriptrunner.engine.live_output import AttemptWatch, OutputReceiver
from scriptrunner.engine.local_attempt import LocalAttempt
from scriptrunner.engine.local_ending import conclude
from scriptrunner.engine.local_plan import LocalPlan
from scriptrunner.engine.metrics import RunFacts
from scriptrunner.engine.outcomes import Phase, StopKind, outcome_of
from scriptrunner.engine.result import (
    Outputs,
    build_result,
    error_text,
    read_outputs,
)
from scriptrunner.engine.scans import report as scan_report
from scriptrunner.engine.scans.session import read_reports
from scriptrunner.engine.shim_process import ShimProcess
from scriptrunner.engine.steps.deciding import decide
from scriptrunner.engine.steps.ending import Ending
from scriptrunner.engine.strays import end_strays, leader_of
from scriptrunner.engine.visualizer import StepFacts, build_report

#: Who gives the orders of a run without a service.
PRINCIPAL = "local"
#: Seconds an order may take to arrive.
DELIVERY_SECONDS = 5.0


class LocalRun:
    """One run from its first attempt to its result.

    ``perform`` belongs to one thread; ``ask``, ``report`` and ``logger`` to any.
    """

    def __init__(
        self,
        plan: LocalPlan,
        *,
        on_output: OutputReceiver | None = None,
        on_event: EventReceiver | None = None,
        restarted_from: str | None = None,
    ) -> None:
        """Prepare a run of ``plan``; nothing is started yet.

        Args:
            plan: What is to be done.
            on_output: Called with all output while the script runs.
            on_event: Called with each event, in the form of the API.
            restarted_from: Id of the run that this one replaces.
        """
        self.run_id = str(uuid.uuid4())
        self.correlation_id = str(uuid.uuid4())
        self.restarted_from = restarted_from
        self.logger = StructuredLogger(
            log_level=plan.options.log_level,
            correlation_id=self.correlation_id,
            on_event=on_event,
        )
        self._plan = plan
        self._on_output = on_output
        self._changed = threading.Condition()
        self._state = RunState()
        self._run_dir = ""
        self._attempts: list[LocalAttempt] = []
        #: Monotonic seconds at which the run and its first attempt began.
        self._queued_at = time.monotonic()
        self._first_at = self._queued_at
        self._delay_seconds = 0.0
        #: What the steps have made of the run's end; None if it has none.
        self._ending: Ending | None = None
        self._stop_data: dict[str, Any] = {}
        #: What the scans have found, by kind; None before, and without any.
        self._scans: dict[str, dict[str, Any]] | None = None
        #: Threads that wait for the delivery of an order and need the run's folder.
        self._waiting_count = 0

    @property
    def state(self) -> RunState:
        """Where the run stands."""
        return self._state

    def perform(self) -> dict[str, Any]:
        """Run the script, retries included, and return the result."""
        with tempfile.TemporaryDirectory(
            prefix="scriptrunner-", ignore_cleanup_errors=True
        ) as run_dir:
            self._run_dir = run_dir
            try:
                self._log(EventType.QUEUED)
                self._apply(machine.Claimed())
                while not self._state.is_terminal:
                    self._perform_attempt()
                    self._await_next()
                return self._build_result()
            finally:
                self._await_orders()

    def ask(self, kind: StopKind, *, grace_seconds: float | None = None) -> bool:
        """Ask for the end of the run and return whether that arrived.

        Args:
            kind: What is asked for.
            grace_seconds: From SIGTERM to SIGKILL; None for the run's own.
        """
        with self._changed:
            grace = self._plan.grace_seconds if grace_seconds is None else grace_seconds
            self._stop_data = {
                "kind": str(kind),
                "principal": PRINCIPAL,
                "grace": 0 if kind is StopKind.KILL else grace,
            }
            actions = self._apply(machine.StopAsked(kind))
            if any(isinstance(each, machine.Refuse) for each in actions):
                return False
            self._changed.notify_all()
            if not any(isinstance(each, machine.SendOrder) for each in actions):
                return True  # nothing was running: it is over at once
            self._waiting_count += 1
        try:
            return self._deliver(kind, grace)
        finally:
            with self._changed:
                self._waiting_count -= 1
                self._changed.notify_all()

    def _deliver(self, kind: StopKind, grace_seconds: float) -> bool:
        number = self._state.attempt
        intent.order(
            self._run_dir,
            number,
            kind=str(kind),
            principal=PRINCIPAL,
            grace_seconds=grace_seconds,
        )
        delivery = intent.await_delivery(
            self._run_dir, number, str(kind), DELIVERY_SECONDS
        )
        if delivery.delivered or not delivery.ended:
            return delivery.delivered
        # It came before the script was started, or after its own end.
        record = self._read_control(number)
        end = record.end if record else None
        return end is not None and end.get("reason") == str(kind)

    def _await_orders(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting_count, DELIVERY_SECONDS)

    def report(self) -> dict[str, Any]:
        """Return the step report of the current or last attempt."""
        plan, options = self._plan, self._plan.options
        last = self._attempts[-1] if self._attempts else None
        facts = StepFacts(
            script_path=plan.script.shown_path,
            script_args=options.args,
            ignored_env=plan.ignored_env,
            monitor_interval_seconds=options.monitor_interval,
            scans=self._scans,
        )
        if last is not None:
            facts = replace(facts, **last.to_step_facts())
        if self._ending is not None:
            facts = replace(facts, stages=self._ending.stages)
        return build_report(facts, visualizer_format=options.visualizer_format)

    def _apply(self, event: machine.AttemptEvent) -> tuple[machine.Action, ...]:
        """Let the machine decide, and carry out what belongs to this process."""
        with self._changed:
            self._state, actions = decide(self._state, event, conclude=self._conclude)
            for action in actions:
                if isinstance(action, machine.Launch):
                    self._open_attempt(action.attempt)
                elif isinstance(action, machine.Wait):
                    self._delay_seconds = action.delay_seconds
            for action in actions:
                if isinstance(action, machine.Emit):
                    self._log(EventType(action.event_type))
                elif isinstance(action, machine.Finish):
                    self._log_steps()
            return actions

    def _conclude(self, state: RunState) -> Ending | None:
        """Let the steps work on the end of the run, if it has any."""
        if not self._plan.has_steps:
            return None
        last = self._attempts[-1] if self._attempts else None
        self._ending = conclude(
            self._plan,
            state,
            run_id=self.run_id,
            facts=self._facts(last, state),
            ends=[each.end for each in self._attempts if each.end is not None],
            outputs=self._read_outputs(last) or Outputs(),
            scans=self._scans,
        )
        return self._ending

    def _log_steps(self) -> None:
        for event in () if self._ending is None else self._ending.events:
            self.logger.log_event(event.event_type, event.data)

    def _read_outputs(self, last: LocalAttempt | None) -> Outputs | None:
        if last is None:
            return None
        cap = self._plan.max_output_bytes
        return read_outputs(self._run_dir, last.number, cap_bytes=cap)

    def _open_attempt(self, number: int) -> None:
        if number == 1:
            self._first_at = time.monotonic()
        self.logger.attempt_number = number
        self._attempts.append(LocalAttempt(number=number, claimed_at=datetime.now(UTC)))

    def _perform_attempt(self) -> None:
        """Start the shim of the current attempt, wait for its end, and tell the machine."""
        number = self._state.attempt
        launch = self._plan.build_launch(
            run_id=self.run_id,
            correlation_id=self.correlation_id,
            run_dir=self._run_dir,
            attempt=number,
        )
        self._log_environment(launch.environment)
        try:
            shim = ShimProcess(launch)
        except OSError as error:
            self._close_attempt(f"could not be started: {error.strerror}")
            return
        watch = AttemptWatch(
            f"{self._run_dir}/a{number}",
            cap_bytes=self._plan.max_output_bytes,
            look_for_start=self._look_for_start,
            receive=self._on_output,
        )
        try:
            code = shim.watch(watch.tick)
            watch.hand_on()
        except BaseException as error:
            self._give_up(shim, gently=isinstance(error, KeyboardInterrupt))
            raise
        finally:
            watch.close()
        self._close_attempt(f"ended with {code}")

    def _give_up(self, shim: ShimProcess, *, gently: bool) -> None:
        """End the script because nobody waits for its result any more."""
        kind = StopKind.STOP if gently else StopKind.KILL
        try:
            self._order_end(kind)
            shim.wait()
        except KeyboardInterrupt:
            self._order_end(StopKind.KILL)
            shim.wait()

    def _order_end(self, kind: StopKind) -> None:
        intent.order(
            self._run_dir,
            self._state.attempt,
            kind=str(kind),
            principal=PRINCIPAL,
            grace_seconds=self._plan.grace_seconds,
        )

    def _look_for_start(self) -> bool:
        """Notice the start of the current attempt's script; return whether it is there."""
        last = self._attempts[-1]
        is_started = last.take(self._read_control(last.number))
        if is_started:
            self._take_scans()
            self._apply(machine.Started(last.number))
        return is_started

    def _take_scans(self) -> None:
        """Note what the scans of the first attempt have found."""
        if self._scans is not None or not self._plan.scan_kinds:
            return
        self._scans = read_reports(self._run_dir)
        for data in scan_report.list_events(self._scans or {}):
            self.logger.log_event(EventType.SCAN, data)
        for warning, detail in scan_report.list_warnings(self._scans or {}):
            data = {"warning": warning, "detail": detail}
            self.logger.log_event(EventType.WARNING, data)

    def _read_control(self, number: int) -> control_file.ControlFile | None:
        return control_file.read(control_file.path_of(self._run_dir, number))

    def _close_attempt(self, shim_fate: str) -> None:
        last = self._attempts[-1]
        reason = last.close(self._read_control(last.number), shim_fate)
        if reason == "lost":
            end_strays(self.run_id, leader_of(last.spawn or {}))
        last.recorded_at = datetime.now(UTC)
        end = last.end or {}
        self._take_scans()
        self._log_troubles(end)
        if reason == "lost":
            self._apply(machine.Lost(last.number))
            return
        self._apply(
            machine.Ended(
                attempt=last.number,
                reason=reason,
                exit_code=end.get("exit_code"),
                options=self._plan.options,
                elapsed_seconds=time.monotonic() - self._first_at,
                random_ratio=random.random(),  # noqa: S311  jitter is no secret
            )
        )

    def _await_next(self) -> None:
        """Wait for the time of the next attempt; an order ends the wait."""
        with self._changed:
            if self._state.phase is not Phase.BACKOFF:
                return
            self._changed.wait_for(
                lambda: self._state.phase is not Phase.BACKOFF, self._delay_seconds
            )
            self._apply(machine.RetryDue())

    def _log(self, event_type: EventType) -> None:
        if event_type in END_EVENTS and self._plan.options.log_level == "DEBUG":
            path = f"{self._run_dir}/a{self._state.attempt}.samples"
            for data in sample_file.list_event_data(sample_file.read_all(path)):
                self.logger.log_event(EventType.SAMPLE, data)
        self.logger.log_event(event_type, self._data_of(event_type))

    def _log_environment(self, environment: Mapping[str, str]) -> None:
        names = {"names": sorted(environment), "ignored_env": self._plan.ignored_env}
        self.logger.log_event(EventType.ENVIRONMENT, names)

    def _log_troubles(self, end: Mapping[str, Any]) -> None:
        for stream, dropped in (("stdout", "out_dropped"), ("stderr", "err_dropped")):
            if end.get(dropped):
                data = {"stream": stream, "limit": self._plan.max_output_bytes}
                self.logger.log_event(EventType.OUTPUT_TRUNCATED, data)
        if end.get("warning"):
            data = {"warning": end["warning"], "detail": None}
            self.logger.log_event(EventType.WARNING, data)

    def _data_of(self, event_type: EventType) -> dict[str, Any]:
        """Return the data of an event that the machine asks for."""
        if event_type in END_EVENTS:
            return self._end_data()
        if event_type is EventType.STOP_REQUESTED:
            return dict(self._stop_data)
        plan, options = self._plan, self._plan.options
        values: dict[str, Any] = {
            "trigger": PRINCIPAL,
            "ignored_env": list(plan.ignored_env),
            "queue_time_seconds": 0.0,
            "script_path": plan.script.shown_path,
            "script_args": list(options.args),
            "timeout": options.timeout,
            "working_dir": plan.working_dir,
            "sha256": self._sha256(),
            "delay_seconds": self._delay_seconds,
            "next_attempt_at": self._next_attempt_at(),
            "strategy": options.retry_strategy,
            **self._state.outcome.to_json(),
        }
        return {key: values[key] for key in DATA_KEYS[event_type]}

    def _next_attempt_at(self) -> str:
        seconds = time.time() + self._delay_seconds
        return to_text(from_microseconds(int(seconds * 1_000_000)))

    def _sha256(self) -> str | None:
        spawn = self._attempts[-1].spawn if self._attempts else None
        return (spawn or {}).get("sha256")

    def _end_data(self) -> dict[str, Any]:
        last = self._attempts[-1]
        event = build_end_event(
            last.end or {"reason": "lost"},
            correlation_id=self.correlation_id,
            attempt_number=last.number,
            timeout_seconds=self._plan.options.timeout,
        )
        return dict(event.data)

    def _build_result(self) -> dict[str, Any]:
        """Return the result: that of the service, and what only a caller here needs."""
        options = self._plan.options
        last = self._attempts[-1] if self._attempts else None
        end = None if last is None else last.end
        if options.dry_run and self._state.outcome == outcome_of("dry_run"):
            return {**self._plan.describe(), **scan_report.describe(self._scans)}
        facts, ending = self._facts(last, self._state), self._ending
        if ending is not None:
            gates = ending.result.get("performance_gates_results") or ()
            facts = replace(facts, gates=gates)
        result = build_result(
            end,
            facts=facts,
            outputs=self._read_outputs(last),
            report=self.report() if options.enable_visualizer else None,
            metrics=None if ending is None else ending.metrics,
            options=None if ending is None else ending.result,
        )
        return {
            **result,
            "scans": self._scans,
            "run_id": self.run_id,
            "restarted_from": self.restarted_from,
            "reason": self._state.outcome.to_json()["reason"],
            "error": error_text(end, facts=facts),
            "ignored_env": list(self._plan.ignored_env),
            "attempts": [each.to_json() for each in self._attempts],
            "outputs": [] if ending is None else ending.files.written,
        }

    def _facts(self, last: LocalAttempt | None, state: RunState) -> RunFacts:
        options = self._plan.options
        return RunFacts(
            script_path=self._plan.script.shown_path,
            script_args=options.args,
            correlation_id=self.correlation_id,
            attempt_number=None if last is None else last.number,
            attempts=state.attempts_made,
            timeout_seconds=options.timeout,
            total_time_seconds=round(time.monotonic() - self._first_at, 6),
            queue_time_seconds=round(self._first_at - self._queued_at, 6),
            python_version=platform.python_version(),
            platform=platform.platform(),
            outcome=state.outcome,
        )
