"""T8: the scheduler under clock jumps, crashes and a rival; cron against a minute walker.

Everything is real but the clock: tasks, database, transactions. Two tickers of their own
race for each tick; some die just before a commit, some just after it.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from scriptrunner.scheduler.cron import parse_cron
from scriptrunner.scheduler.models import Fire, Task
from scriptrunner.scheduler.repository import fires as repository
from scriptrunner.scheduler.ticker import Ticker
from scriptrunner.scheduler.triggers import due_time, find_trigger
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from tests.faults.report import TWICE, Report
from tests.faults.trial import FaultTest, Trial
from tests.task_world import TaskWorld
from tests.unit.scheduler.test_cron import ZONES
from tests.unit.scheduler.walker import make_cases, walk

JUMPS, CRASHES, CASES = "clock jumps", "crashes in a tick", "zone and cron cases"
MISSED = "fires missed beyond the policy"
WRONG = "fires against the policy"
WALKER = "unlike the minute walker"
#: Where the clock goes at once, in hours.
JUMP_HOURS = (1, -1, 24, -24)
#: Schedules whose fires of a day and a jump fit into what is made up for at once.
TASKS: tuple[dict[str, Any], ...] = (
    {"schedule": "every 20 minutes", "misfire_policy": "run_all"},
    {"schedule": "every 35 minutes", "misfire_policy": "skip"},
    {"schedule": "hourly", "misfire_policy": "run_once"},
    {"cron_expr": "*/30 * * * *", "timezone": "Australia/Lord_Howe"},
    {"cron_expr": "30 1,2,3 * * *", "timezone": "Europe/Berlin"},
    {"schedule": "daily at 02:30", "timezone": "Antarctica/Troll"},
    {"schedule": "every 25 minutes", "jitter_seconds": 300, "delay_seconds": 5},
)


class CrashError(Exception):
    """A ticker dies here."""


def run(trial: Trial) -> Report:
    """Do the jumps, then the cases of the walker."""
    report = trial.report(
        planned={
            JUMPS: trial.size["jumps"],
            CRASHES: trial.size["crashes"],
            CASES: trial.size["cases"],
        },
        criteria=(MISSED, WRONG, WALKER),
    )
    trial.folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{trial.folder}/runs.db")
    migrate(database)
    kept, repository.KEPT = repository.KEPT, 10**9
    try:
        _Simulation(trial, report, database).run()
    finally:
        repository.KEPT = kept
        database.close()
    _check_walker(trial, report)
    return report


class _Simulation:
    """Moves the clock, lets two tickers race, and remembers how far time has come."""

    def __init__(self, trial: Trial, report: Report, database: Database) -> None:
        self._random = trial.random()
        self._report = report
        self._size = trial.size
        self.world = TaskWorld(trial.folder, database, queue_limit=10**9)
        for number, fields in enumerate(TASKS):
            self.world.add(f"t{number}", overlap_policy="allow", **fields)
        self._began_at = self._latest = self.world.now
        self._tickers = [self.world.make_ticker() for _ in range(2)]

    def run(self) -> None:
        """Do all jumps and crashes, in mixed order, with quiet time between."""
        todo = [*["jump"] * self._size["jumps"], *["crash"] * self._size["crashes"]]
        self._random.shuffle(todo)
        for kind in todo:
            for _ in range(self._random.randint(1, 3)):
                self._advance(self._random.uniform(1, 1500))
                self._race()
            if kind == "jump":
                self._advance(self._random.choice(JUMP_HOURS) * 3600)
                self._report.fault(JUMPS)
                self._race()
            else:
                self._advance(self._random.uniform(1200, 4000))
                self._crash()
        self._advance(90_000)
        self._race()
        self._check()

    def _advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self._latest = max(self._latest, self.world.now)

    def _race(self) -> None:
        """Let both tickers do what is due, at the same time."""
        threads = [threading.Thread(target=_drain, args=(t,)) for t in self._tickers]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _crash(self) -> None:
        """Let one ticker die at its next commit, before or after; another takes over."""
        before = self._random.random() < 0.5
        while not _dies(self._tickers[0], before=before):
            self._advance(3700)
        self._report.fault(CRASHES)
        self._tickers[0] = self.world.make_ticker()
        self._race()

    def _check(self) -> None:
        """Compare what was decided with what was planned, and with the runs."""
        total = 0
        runs: dict[str, list[Any]] = defaultdict(list)
        for run_ in _list_runs(self.world):
            runs[run_.task_id].append(run_)
        for number in range(len(TASKS)):
            task = self.world.task(f"t{number}")
            fires = _list_fires(self.world, task.task_id)
            total += len(fires)
            self._check_complete(task, fires)
            self._check_policy(task, fires)
            self._check_runs(fires, runs[task.task_id])
        self._report.state("fires decided", total)

    def _check_complete(self, task: Task, fires: Sequence[Fire]) -> None:
        trigger = find_trigger(task.definition, created_at=task.created_at)
        assert trigger is not None
        planned = takewhile(
            lambda each: due_time(task.definition, each) <= self._latest,
            trigger.iter_after(self._began_at),
        )
        decided = Counter(fire.fire_time for fire in fires)
        for each in planned:
            if not decided[each]:
                self._report.fail(MISSED, f"{task.task_id} {each}")
        for each, count in decided.items():
            if count > 1:
                self._report.fail(TWICE, f"{task.task_id} {each}")

    def _check_policy(self, task: Task, fires: Sequence[Fire]) -> None:
        """On time: a run. Late: what the policy says."""
        definition = task.definition
        grace = timedelta(seconds=definition.misfire_grace_seconds)
        batches: dict[datetime, list[Fire]] = defaultdict(list)
        for fire in fires:
            if fire.decided_at - due_time(definition, fire.fire_time) > grace:
                batches[fire.decided_at].append(fire)
            elif fire.state != "started":
                self._report.fail(WRONG, f"{task.task_id} {fire.fire_time} on time")
        wanted = {"run_once": 1, "skip": 0}
        for late in batches.values():
            started = sum(fire.state == "started" for fire in late)
            if started != wanted.get(definition.misfire_policy, len(late)):
                self._report.fail(WRONG, f"{task.task_id} {late[0].decided_at} late")

    def _check_runs(self, fires: Sequence[Fire], runs: Sequence[Any]) -> None:
        times = Counter(each.fire_time for each in runs)
        for at, count in times.items():
            if count > 1:
                self._report.fail(TWICE, f"{runs[0].task_id} {at}: {count} runs")
        started = {fire.fire_time: fire.run_id for fire in fires if fire.run_id}
        if started != {each.fire_time: each.id for each in runs}:
            self._report.fail(WRONG, "fires and runs are not the same")


def _drain(ticker: Ticker) -> None:
    ticker.poke()
    while ticker.seconds_left() == 0.0:
        ticker.tick()


def _dies(ticker: Ticker, *, before: bool) -> bool:
    """Have a ticker die just before or after its next commit; say if there was one."""
    runs: Any = ticker._firer._runs
    name = "store" if before else "follow_up"
    real = getattr(runs, name)

    def die(*arguments: Any) -> None:
        real(*arguments)
        raise CrashError

    setattr(runs, name, die)
    try:
        _drain(ticker)
    except CrashError:
        return True
    finally:
        setattr(runs, name, real)
    return False


def _list_fires(world: TaskWorld, task_id: str) -> list[Fire]:
    return [
        fire for fire in world.fires(task_id) if not fire.fire_time.microsecond % 10
    ]


def _list_runs(world: TaskWorld) -> list[Any]:
    found: list[Any] = []
    before = None
    while True:
        page = world.service.list_runs(limit=200, before=before)
        found += page.items
        if page.next_before is None:
            return found
        before = page.next_before


def _check_walker(trial: Trial, report: Report) -> None:
    """Compare cron expressions with a walker that tries every minute."""
    for zone, expression, since in make_cases(trial.seed, trial.size["cases"], ZONES):
        cron, end = parse_cron(expression), since + timedelta(days=2)
        found: list[datetime] = []
        moment = since - timedelta(microseconds=1)
        while (following := cron.next_after(moment, ZoneInfo(zone))) is not None:
            if following >= end:
                break
            found.append(following)
            moment = following
        if found != walk(expression, ZoneInfo(zone), since, 2 * 24 * 60):
            report.fail(WALKER, f"{expression} in {zone} from {since.astimezone(UTC)}")
        report.fault(CASES)


TEST = FaultTest(
    test_id="T8",
    title="schedules: clock jumps, crashes and a rival; cron against a minute walker",
    run=run,
    ci={"jumps": 12, "crashes": 8, "cases": 24},
    long={"jumps": 400, "crashes": 400, "cases": 2_400},
    seconds=120,
)
