"""Recording what a run measured, with the end of the run.

The service's own history is written in the transaction that ends the runs, by one
statement for all of them. A history file is written just before that transaction commits:
an end that has to be repeated finds the row by its run and replaces it.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from scriptrunner.errors import ScriptRunnerError
from scriptrunner.history.locations import HistoryLocations
from scriptrunner.history.models import Finished
from scriptrunner.history.repository import recording
from scriptrunner.history.rows import to_row
from scriptrunner.storage.database import Connection
from scriptrunner.storage.history_file import HistoryFile

logger = logging.getLogger(__name__)


class HistoryWriteError(ScriptRunnerError):
    """The history database could not be written."""


def record(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of ``to_row`` to the service's own history, in its transaction."""
    recording.insert_rows(connection, rows)


def record_in_file(locations: HistoryLocations, name: str, finished: Finished) -> int:
    """Add an execution to a history file and return its number there.

    Raises:
        HistoryWriteError: If that cannot be done; the message says why.
    """
    try:
        return put(locations.open_to_record(name), finished)
    except (ScriptRunnerError, OSError) as error:
        logger.warning("history %s cannot be written: %r", name, error)
        raise HistoryWriteError(_explain(error)) from error


def put(file: HistoryFile, finished: Finished) -> int:
    """Add an execution to an open history file and return its number there.

    Raises:
        ScriptRunnerError: If the file is busy for too long, full or damaged.
    """
    with file.write() as connection:
        file.prepare(connection)
        return recording.put_row(connection, to_row(finished, None))


def _explain(error: Exception) -> str:
    if isinstance(error, ScriptRunnerError):
        return error.message
    return getattr(error, "strerror", None) or type(error).__name__
