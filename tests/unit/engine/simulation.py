"""A simulator of many runs with a virtual clock, for the pure state machine.

It plays service, shims and people, keeps its own books of what really happened, and
compares them with what the machine says after every step. ``Simulation(seed)`` replays.
"""

from dataclasses import dataclass, field
from random import Random

from scriptrunner.engine import attempt as machine
from scriptrunner.engine.attempt import RunState
from scriptrunner.engine.events import END_EVENTS
from scriptrunner.engine.outcomes import Outcome, Phase, StopKind
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.retry import RETRY_STRATEGIES

CODES = (0, 0, 1, 3, -11)


@dataclass
class SimulatedRun:
    """One run with the books of what really happened to it."""

    options: RunOptions
    state: RunState = field(default_factory=RunState)
    #: Attempt numbers with a shim now; what the keeper of each knows.
    live: set[int] = field(default_factory=set)
    scripts: set[int] = field(default_factory=set)
    orders: list[StopKind] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    due_at: float | None = None
    first_at: float | None = None
    final: Outcome | None = None


class Simulation:
    """Many runs, a virtual clock, and a random choice of what happens next."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.runs: list[SimulatedRun] = []
        self.finished: dict[str, int] = {}

    def step(self) -> None:
        self.now += self.random.expovariate(1.0)
        if len(self.runs) < 8:
            self.runs.append(SimulatedRun(self.make_options()))
        run = self.random.choice(self.runs)
        self.random.choice(
            [
                self.claim,
                self.claim,
                self.spawn,
                self.end,
                self.end,
                self.lose,
                self.tombstone,
                self.order,
                self.repeat,
            ]
        )(run)
        self.check(run)
        if run.final is not None and self.random.random() < 0.5:
            self.finished[str(run.final.to_json())] = (
                self.finished.get(str(run.final.to_json()), 0) + 1
            )
            self.runs.remove(run)

    def make_options(self) -> RunOptions:
        return RunOptions(
            retry_on_failure=self.random.random() < 0.7,
            retry_max_attempts=self.random.randint(1, 5),
            retry_strategy=self.random.choice(RETRY_STRATEGIES),
            retry_max_time=self.random.choice([0.0, 5.0, 300.0]),
        )

    def feed(self, run: SimulatedRun, event: machine.AttemptEvent) -> None:
        run.state, actions = machine.transition(run.state, event)
        for action in actions:
            if isinstance(action, machine.Launch):
                assert not run.live, "two attempts at once"
                assert run.state.stop_kind is None, "an attempt after an order"
                run.live.add(action.attempt)
                if run.first_at is None:
                    run.first_at = self.now
            elif isinstance(action, machine.Wait):
                run.due_at = self.now + action.delay_seconds
            elif isinstance(action, machine.SendOrder):
                run.orders.append(action.kind)
            elif isinstance(action, machine.Emit):
                run.events.append(action.event_type)
            elif isinstance(action, machine.Finish):
                assert run.final is None, "ended twice"
                run.final = action.outcome

    def claim(self, run: SimulatedRun) -> None:
        if run.state.phase is Phase.QUEUED:
            self.feed(run, machine.Claimed())
        elif run.state.phase is Phase.BACKOFF:
            assert run.due_at is not None
            self.now = max(self.now, run.due_at)
            self.feed(run, machine.RetryDue())

    def spawn(self, run: SimulatedRun) -> None:
        """The shim starts the script; the news may come now or never."""
        for number in run.live - run.scripts:
            if not run.orders:
                run.scripts.add(number)
                run.started.append(number)
                if self.random.random() < 0.7:
                    self.feed(run, machine.Started(number))

    def end(self, run: SimulatedRun) -> None:
        for number in list(run.live):
            reason, code = self.choose_end(run, number)
            self.remove(run, number)
            first_at = self.now if run.first_at is None else run.first_at
            event = machine.Ended(
                attempt=number,
                reason=reason,
                exit_code=code,
                options=run.options,
                elapsed_seconds=self.now - first_at,
                random_ratio=self.random.random(),
                gates_failed=self.random.random() < 0.3,
            )
            self.feed(run, event)

    def choose_end(self, run: SimulatedRun, number: int) -> tuple[str, int | None]:
        if run.orders and self.random.random() < 0.8:
            return max(run.orders, key=lambda kind: kind is StopKind.KILL).value, None
        if number in run.scripts:
            reason = self.random.choice(["exit", "exit", "exit", "timeout", "oom"])
            return reason, self.random.choice(CODES)
        return self.random.choice(["spawn_error", "script_changed"]), None

    def lose(self, run: SimulatedRun) -> None:
        """A shim is killed after its script was started; recovery ends the strays."""
        for number in run.live & run.scripts:
            if self.random.random() < 0.2:
                self.remove(run, number)
                reason = self.random.choice(["lost", "host_restart"])
                self.feed(run, machine.Lost(number, reason))

    def tombstone(self, run: SimulatedRun) -> None:
        """A shim is killed before it started the script."""
        for number in run.live - run.scripts:
            self.remove(run, number)
            self.feed(run, machine.Tombstoned(number))

    def remove(self, run: SimulatedRun, number: int) -> None:
        run.live.discard(number)
        run.scripts.discard(number)

    def order(self, run: SimulatedRun) -> None:
        if self.random.random() < 0.4:
            kind = self.random.choice(list(StopKind))
            self.feed(run, machine.StopAsked(kind))

    def repeat(self, run: SimulatedRun) -> None:
        """News that comes late or twice."""
        number = self.random.randint(1, max(1, run.state.attempt))
        if number not in run.live:
            before = run.state
            self.feed(run, machine.Started(number))
            self.feed(run, machine.Lost(number))
            assert run.state == before

    def check(self, run: SimulatedRun) -> None:
        state = run.state
        assert len(run.live) <= 1
        assert bool(run.live) == state.has_live_attempt
        assert state.is_terminal == (run.final is not None)
        if run.final is not None:
            assert state.outcome == run.final
            assert not run.live, "a terminal run has a live attempt"
            assert run.events[-1] == "finished"
        # No number is started twice, and numbers only grow.
        assert run.started == sorted(set(run.started))
        assert state.attempts_made <= run.options.retry_max_attempts
        if not run.options.retry_on_failure:
            assert state.attempts_made <= 1
        ends = sum(event in END_EVENTS for event in run.events)
        starts = run.events.count("start")
        assert starts - ends in (0, 1)
        if state.is_terminal:
            assert starts == ends
