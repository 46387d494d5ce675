"""The long jobs, for the process that does them and the supervisor that starts it."""

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.outbox import Outbox
from scriptrunner.analytics.retention import RetentionJob
from scriptrunner.application.parts import (
    make_history_policy,
    make_run_policy,
    open_database,
)
from scriptrunner.clock import SystemClock
from scriptrunner.history.store import HistoryStore
from scriptrunner.library.scan_job import LibraryJob
from scriptrunner.runs.deleting import Remover
from scriptrunner.runs.delivery_notes import DeliveryNotes
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.retention import RunRetention
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.ports import BackgroundJob
from scriptrunner.supervisor.wakeup import announce


def build_background(settings: Settings) -> tuple[BackgroundJob, ...]:
    """Return the long jobs, for the process that does them."""
    return make_jobs(settings, open_database(settings))


def make_jobs(settings: Settings, database: Database) -> tuple[BackgroundJob, ...]:
    """Return all long jobs; the supervisor only asks them whether they are due."""
    clock, folders = SystemClock(), RunFolders.of(settings)

    def tell_all() -> None:
        announce(settings.data_dir)

    outbox = Outbox(
        database, Channels(settings), DeliveryNotes(folders), announce=tell_all
    )
    runs = RunRetention(
        database,
        folders,
        Remover.of(database, settings, clock=clock),
        make_run_policy(settings),
        stamp=settings.run_rounds_path,
        clock=clock,
        announce=tell_all,
    )
    history = RetentionJob(
        HistoryStore(database, has_alerts=True),
        make_history_policy(settings),
        stamp=settings.history_rounds_path,
        clock=clock,
    )
    library = LibraryJob(
        database, data_dir=settings.data_dir, clock=clock, announce=tell_all
    )
    return (outbox, runs, history, library)
