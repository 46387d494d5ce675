"""What services and supervisor are both made from: folders, database, roots, policy."""

import contextlib

from scriptrunner.analytics.retention import Policy
from scriptrunner.engine.paths import AllowedRoots, list_own_files
from scriptrunner.settings import PROJECT_FOLDER, Settings
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate


def make_folders(settings: Settings) -> None:
    """Make the data folder and those in it, for our user alone."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (settings.runs_dir, settings.scripts_dir, settings.scans_dir):
        folder.mkdir(mode=0o700, exist_ok=True)


def open_database(settings: Settings) -> Database:
    """Return the database, brought up to date."""
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


def find_roots(settings: Settings) -> AllowedRoots:
    """Return the roots below which scripts may run."""
    forbidden = list_own_files(
        PROJECT_FOLDER, data_dir=settings.data_dir, roots=settings.allowed_roots
    )
    return AllowedRoots(settings.allowed_roots, forbidden=forbidden)


def make_history_policy(settings: Settings) -> Policy:
    """Return what the settings say of how long the history is kept."""
    return Policy(
        days=settings.history_days,
        max_runs=settings.history_max_runs,
        max_mb=settings.history_max_mb,
    )


def make_run_policy(settings: Settings) -> Policy:
    """Return what the settings say of how long runs that are over are kept."""
    return Policy(
        days=settings.keep_days, max_runs=settings.keep_runs, max_mb=settings.keep_mb
    )
