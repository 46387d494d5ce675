"""T21: the PostgreSQL server crashes while runs go through, and parts of ours die too."""

import signal
import threading
from random import Random

from tests.embedded import EmbeddedPostgres
from tests.faults.jobs import make_jobs
from tests.faults.killer import Killer
from tests.faults.load import BAD_ANSWERS, Submitters
from tests.faults.oracle import Oracle
from tests.faults.processes import SUPERVISOR, WORKER, ZYGOTE
from tests.faults.report import Report
from tests.faults.service import running_service
from tests.faults.trial import FaultTest, Trial, derive

CRASHES, KILLS = "crashes of the database", "SIGKILL"
WEIGHTS = {ZYGOTE: 0.4, SUPERVISOR: 0.4, WORKER: 0.2}
#: Seconds that the server is up between two crashes, and down, least and most.
UP_SECONDS, DOWN_SECONDS = (1.0, 4.0), (0.0, 1.0)
#: Seconds the kills may take beyond the submissions.
LATE_SECONDS = 60.0


def run(trial: Trial) -> Report:
    """Submit jobs while the database comes and goes, then check everything."""
    crashes, kills = trial.size["crashes"], trial.size["kills"]
    report = trial.report(
        planned={CRASHES: crashes, KILLS: kills}, criteria=(BAD_ANSWERS,)
    )
    random = trial.random()
    jobs = make_jobs(random, trial.size["runs"], milliseconds=(0, 300), lines=(1, 50))
    database = EmbeddedPostgres()
    settings = {
        "WEBAPI_RUN_DB": database.url,
        "WEBAPI_DATA_DIR": str(trial.folder / "data"),
        "WEBAPI_SLOTS": "16",
    }
    with running_service(trial.folder, workers=2, settings=settings) as service:
        oracle = Oracle(service, report)
        breaker = Breaker(database, report, derive(random), crashes)
        killer = Killer(
            service,
            report,
            derive(random),
            weights=WEIGHTS,
            kills=kills,
            counted=WEIGHTS,
        )
        service.keep_alive()
        with breaker, killer:
            Submitters(
                oracle,
                service.copy_job(),
                jobs,
                progress=lambda: min(breaker.progress, killer.progress),
            ).run()
            killer.join(LATE_SECONDS)
        report.fault(KILLS, len(killer.killed))
        report.state("runs", len(oracle.jobs))
        oracle.check()
        oracle.check_quiet()
    return report


class Breaker:
    """A thread that crashes a database server and starts it again, ``count`` times."""

    def __init__(
        self, database: EmbeddedPostgres, report: Report, random: Random, count: int
    ) -> None:
        self._database = database
        self._report = report
        self._random = random
        self._count = count
        self._done = 0
        self._thread = threading.Thread(target=self._crash_on, name="breaker")

    @property
    def progress(self) -> float:
        """How much of the work is done, 0..1."""
        return self._done / max(1, self._count)

    def __enter__(self) -> "Breaker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _crash_on(self) -> None:
        pause = threading.Event()
        for _ in range(self._count):
            pause.wait(self._random.uniform(*UP_SECONDS))
            self._database.crash(self._random.choice([signal.SIGQUIT, signal.SIGKILL]))
            self._report.fault(CRASHES)
            pause.wait(self._random.uniform(*DOWN_SECONDS))
            self._database.restart()
            self._done += 1


TEST = FaultTest(
    test_id="T21",
    title="the PostgreSQL server crashes again and again, and parts of ours with it",
    run=run,
    ci={"runs": 80, "crashes": 3, "kills": 12},
    long={"runs": 3000, "crashes": 200, "kills": 600},
    seconds=120,
)
