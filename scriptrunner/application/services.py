"""Everything that front ends use: web workers and the command line."""

from collections.abc import Callable
from dataclasses import dataclass

from scriptrunner.access.first_token import adopt_token_file
from scriptrunner.access.service import AccessService, open_access
from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.service import AlertService
from scriptrunner.analytics.service import AnalyticsService
from scriptrunner.application.parts import (
    find_roots,
    make_folders,
    make_history_policy,
    open_database,
)
from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.history.locations import make_locations
from scriptrunner.library.places import RootPolicy
from scriptrunner.library.service import LibraryService
from scriptrunner.runs.script_runs import ScriptRunViews
from scriptrunner.runs.service import RunService
from scriptrunner.runs.views import RunViews
from scriptrunner.scheduler.service import TaskService
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.election import Election, election_for
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
    make_folders(settings)
    database = open_database(settings)
    clock = SystemClock()
    election = election_for(settings)
    access = open_access(database, clock=clock)
    adopt_token_file(access, settings)

    def wake() -> None:
        # Without a lifespan nobody has looked after the supervisor so far.
        election.start()
        wake_supervisor(settings.data_dir)

    roots = find_roots(settings)
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
        alerts=AlertService(database, Channels(settings), roots=roots, clock=clock),
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
            policy=make_history_policy(settings),
        ),
        access=access,
        election=election,
    )


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
