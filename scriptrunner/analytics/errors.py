"""What can be wrong with a request to the analytics."""

from scriptrunner.errors import ConflictError, NotFoundError


class BenchmarkNotFoundError(NotFoundError):
    """There is no benchmark of this name."""

    code = "benchmark_not_found"


class NotEnoughDataError(ConflictError):
    """There are no successful executions of this script to make a benchmark from."""

    code = "not_enough_data"


class VersionExistsError(ConflictError):
    """The benchmark has this version already; versions are never changed."""

    code = "version_exists"


class BenchmarkScriptMismatchError(ConflictError):
    """The benchmark is one of another script; use another name."""

    code = "benchmark_script_mismatch"
