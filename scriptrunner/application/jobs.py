"""The long jobs, for the process that does them and the supervisor that starts it."""

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.outbox import Outbox
from scriptrunner.analytics.retention import RetentionJob
from scriptrunner.application.parts import make_retention_policy, open_database
from scriptrunner.clock import SystemClock
from scriptrunner.history.store import HistoryStore
from scriptrunner.library.scan_job import LibraryJob
from scriptrunner.runs.delivery_notes import DeliveryNotes
from scriptrunner.runs.folders import RunFolders
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database
from scriptrunner.supervisor.ports import BackgroundJob
from scriptrunner.supervisor.wakeup import announce


def build_background(settings: Settings) -> tuple[BackgroundJob, ...]:
    """Return the long jobs, for the process that does them."""
    return make_jobs(settings, open_database(settings))


def make_jobs(settings: Settings, database: Database) -> tuple[BackgroundJob, ...]:
    """Return all long jobs; the supervisor only asks them whether they are due."""
    outbox = Outbox(
        database,
        Channels(settings),
        DeliveryNotes(RunFolders.of(settings)),
        announce=lambda: announce(settings.data_dir),
    )
    retention = RetentionJob(
        HistoryStore(database, has_alerts=True),
        make_retention_policy(settings),
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
