"""What can be wrong with a history that is asked for."""

from scriptrunner.engine.destinations import InvalidHistoryDbError
from scriptrunner.errors import NotFoundError

__all__ = ["HistoryDbNotFoundError", "InvalidHistoryDbError"]


class HistoryDbNotFoundError(NotFoundError):
    """There is no history database of this name (yet); a run with it makes one."""

    code = "history_db_not_found"
