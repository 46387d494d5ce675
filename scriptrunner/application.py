"""The composition root: settings in, services out. Only here are things constructed.

Nothing happens at import. ``build_services`` is for web workers and the command line,
``build_supervision`` for the supervisor, ``build_background`` for the process that the
supervisor starts for long jobs.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from scriptrunner.access.first_token import adopt_token_file
from scriptrunner.access.service import AccessService, open_access
from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.desk import AlertDesk
from scriptrunner.alerts.outbox import Outbox
from scriptrunner.alerts.service import AlertService
from scriptrunner.analytics.retention import Policy, RetentionJob
from scriptrunner.analytics.service import AnalyticsService
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots, list_own_files
from scriptrunner.history.locations import make_locations
from scriptrunner.history.store import HistoryStore
from scriptrunner.library.places import RootPolicy
from scriptrunner.library.scan_job import LibraryJob
from scriptrunner.library.service import LibraryService
from scriptrunner.runs.alerting import RunAlerts
from scriptrunner.runs.delivery_notes import DeliveryNotes
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.housekeeping import Housekeeper
from scriptrunner.runs.ledger import Ledger
from scriptrunner.runs.live_alerts import LiveAlerts
from scriptrunner.runs.script_runs import ScriptRunViews
from scriptrunner.runs.service import MAX_CHANGES_BEHIND, RunService
from scriptrunner.runs.views import RunViews
from scriptrunner.scheduler.service import TaskService
from scriptrunner.scheduler.ticker import Ticker
from scriptrunner.scheduler.tidying import TaskTidier
from scriptrunner.settings import PROJECT_FOLDER, Settings
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from scriptrunner.supervisor.background import Background
from scriptrunner.supervisor.election import Election, election_for
from scriptrunner.supervisor.ports import BackgroundJob
from scriptrunner.supervisor.wakeup import announce, wake_supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that front ends use. Threads may share it; ``close`` ends it."""

    settings: Settings
    clock: Clock
    database: Database
    runs: RunService
    run_views: RunViews
    alerts: AlertService
    tasks: TaskService
    library: LibraryService
    analytics: AnalyticsService
    access: AccessService
    #: Sees to it that a supervisor runs; started by the web, or by the first run.
    election: Election

    def close(self) -> None:
        """Close what is open; running scripts go on."""
        self.election.stop()
        self.access.close()
        self.database.close()


def build_services(settings: Settings) -> Services:
    """Make the data folder, bring the database up to date, and connect the services.

    Raises:
        UnknownSchemaError: If the database belongs to a newer version.
        DatabaseBusyError: If it stays locked.
        AccessSetupError: If the file of the first token cannot be used.
    """
    _make_folders(settings)
    database = _open_database(settings)
    clock = SystemClock()
    election = election_for(settings)
    access = open_access(database, clock=clock)
    adopt_token_file(access, settings)

    def wake() -> None:
        # Without a lifespan nobody has looked after the supervisor so far.
        election.start()
        wake_supervisor(settings.data_dir)

    roots = _allowed_roots(settings)
    runs = RunService(
        database,
        settings,
        roots=roots,
        wake=wake,
        announce=lambda: announce(settings.data_dir),
        clock=clock,
    )
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        runs=runs,
        run_views=RunViews(runs, database, clock=clock),
        alerts=AlertService(database, Channels(settings), clock=clock),
        tasks=TaskService(
            database,
            settings,
            roots=roots,
            wake=wake,
            announce=lambda: announce(settings.data_dir),
            clock=clock,
        ),
        library=_make_library(settings, database, runs, roots, wake),
        analytics=AnalyticsService(
            database,
            make_locations(settings),
            roots=roots,
            clock=clock,
            policy=_retention_policy(settings),
        ),
        access=access,
        election=election,
    )


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
    _make_folders(settings)
    database = _open_database(settings)
    clock, roots = SystemClock(), _allowed_roots(settings)
    live_alerts = _make_live_alerts(settings, database)
    ledger = Ledger(database, settings, roots=roots, on_launch=live_alerts.expect)
    housekeeper = Housekeeper(database, settings, keep_changes=MAX_CHANGES_BEHIND)
    background = Background(settings, _make_jobs(settings, database))
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
        RunFolders(settings.runs_dir),
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


def build_background(settings: Settings) -> tuple[BackgroundJob, ...]:
    """Return the long jobs, for the process that does them."""
    return _make_jobs(settings, _open_database(settings))


def _make_jobs(settings: Settings, database: Database) -> tuple[BackgroundJob, ...]:
    """Return all long jobs; the supervisor only asks them whether they are due."""
    outbox = Outbox(
        database,
        Channels(settings),
        DeliveryNotes(RunFolders(settings.runs_dir)),
        announce=lambda: announce(settings.data_dir),
    )
    retention = RetentionJob(
        HistoryStore(database, has_alerts=True),
        _retention_policy(settings),
        stamp=settings.data_dir / "retention.stamp",
        clock=SystemClock(),
    )
    library = LibraryJob(
        database,
        data_dir=settings.data_dir,
        clock=SystemClock(),
        announce=lambda: announce(settings.data_dir),
    )
    return (outbox, retention, library)


def _make_library(
    settings: Settings,
    database: Database,
    runs: RunService,
    roots: AllowedRoots,
    wake: Callable[[], None],
) -> LibraryService:
    return LibraryService(
        database,
        runs=runs,
        script_runs=ScriptRunViews(
            database, scripts_dir=settings.scripts_dir, roots=roots.roots
        ),
        policy=RootPolicy(settings.library_roots, data_dir=settings.data_dir),
        runnable_folders=roots.roots,
        clock=SystemClock(),
        wake=wake,
        announce=lambda: announce(settings.data_dir),
    )


def _retention_policy(settings: Settings) -> Policy:
    return Policy(
        days=settings.history_days,
        max_runs=settings.history_max_runs,
        max_mb=settings.history_max_mb,
    )


def _make_folders(settings: Settings) -> None:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (settings.runs_dir, settings.scripts_dir, settings.scans_dir):
        folder.mkdir(mode=0o700, exist_ok=True)


def _open_database(settings: Settings) -> Database:
    database = Database(
        settings.database_url,
        wait_seconds=settings.database_wait_seconds,
        durable=settings.durability == "power",
    )
    _keep_private(database)
    migrate(database)
    return database


def _keep_private(database: Database) -> None:
    """Make a new database file for our user alone; SQLite's own files take after it.

    A file that is there is not even opened: closing it would drop SQLite's locks.
    """
    if database.file is not None:
        with contextlib.suppress(FileExistsError):
            database.file.touch(mode=0o600, exist_ok=False)


def _allowed_roots(settings: Settings) -> AllowedRoots:
    forbidden = list_own_files(
        PROJECT_FOLDER, data_dir=settings.data_dir, roots=settings.allowed_roots
    )
    return AllowedRoots(settings.allowed_roots, forbidden=forbidden)
