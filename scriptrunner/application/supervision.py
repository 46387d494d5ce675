"""Everything that the supervisor works with."""

from collections.abc import Callable
from dataclasses import dataclass

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.desk import AlertDesk
from scriptrunner.application.jobs import make_jobs
from scriptrunner.application.parts import find_roots, make_folders, open_database
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.runs.alerting import RunAlerts
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.housekeeping import Housekeeper
from scriptrunner.runs.ledger import Ledger
from scriptrunner.runs.live_alerts import LiveAlerts
from scriptrunner.runs.service import MAX_CHANGES_BEHIND
from scriptrunner.scheduler.service import TaskService
from scriptrunner.scheduler.ticker import Ticker
from scriptrunner.scheduler.tidying import TaskTidier
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.background import Background
from scriptrunner.supervisor.wakeup import announce


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What the supervisor works with."""

    ledger: Ledger
    #: Further small jobs, called about once a second; they return quickly.
    duties: tuple[Callable[[], None], ...]
    #: Starts the process for long jobs; closed when the supervisor ends.
    background: Background
    #: Fires the tasks.
    ticker: Ticker


def build_supervision(settings: Settings) -> Supervision:
    """Return the record of runs as the supervisor writes it, and its further duties."""
    make_folders(settings)
    database = open_database(settings)
    clock, roots = SystemClock(), find_roots(settings)
    live_alerts = _make_live_alerts(settings, database)
    ledger = Ledger(database, settings, roots=roots, on_launch=live_alerts.expect)
    housekeeper = Housekeeper(database, settings, keep_changes=MAX_CHANGES_BEHIND)
    background = Background(settings, make_jobs(settings, database))
    return Supervision(
        ledger=ledger,
        duties=(
            ledger.repeat_orders,
            live_alerts.tick,
            housekeeper.tick,
            TaskTidier(database, settings, clock).tick,
            background.tend,
        ),
        background=background,
        ticker=_make_ticker(settings, database, roots, clock),
    )


def _make_live_alerts(settings: Settings, database: Database) -> LiveAlerts:
    """Return what looks after alert rules while scripts run."""
    return LiveAlerts(
        database,
        RunFolders.of(settings),
        RunAlerts(AlertDesk(Channels(settings))),
        announce=lambda: announce(settings.data_dir),
    )


def _make_ticker(
    settings: Settings, database: Database, roots: AllowedRoots, clock: Clock
) -> Ticker:
    """Return the ticker; whoever calls it tells the others and claims by itself."""
    tasks = TaskService(
        database,
        settings,
        roots=roots,
        wake=lambda: None,
        announce=lambda: None,
        clock=clock,
    )
    return Ticker(database, tasks.firer, clock)
