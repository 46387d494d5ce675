"""What can be wrong with a request about the library."""

from scriptrunner.errors import ConflictError, InvalidInputError, NotFoundError
from scriptrunner.library.models import Lifecycle


class FolderRootNotFoundError(NotFoundError):
    """Folder root not found."""

    code = "folder_root_not_found"


class ScanNotFoundError(NotFoundError):
    """Scan not found."""

    code = "scan_not_found"


class ScriptNotFoundError(NotFoundError):
    """Script not found."""

    code = "library_script_not_found"


class RunnableNotFoundError(ScriptNotFoundError):
    """Library script not found."""


class FileMissingError(NotFoundError):
    """File not found on disk."""

    code = "file_missing"


class TagNotFoundError(NotFoundError):
    """Tag not found."""

    code = "tag_not_found"


class VersionNotFoundError(NotFoundError):
    """The script never had this version, or its bytes are not kept."""

    code = "not_found"


class FolderNotFoundError(NotFoundError):
    """There is no such folder below the allowed roots."""

    code = "not_found"


class FolderMissingError(InvalidInputError):
    """Path does not exist or is not a directory."""

    code = "folder_missing"


class RootNotAllowedError(InvalidInputError):
    """This folder cannot be a folder root."""

    code = "root_not_allowed"


class RootExistsError(InvalidInputError):
    """Folder root with this path already exists."""

    code = "root_exists"


class TagExistsError(InvalidInputError):
    """Tag with this name already exists."""

    code = "tag_exists"


class InvalidLifecycleError(InvalidInputError):
    """The lifecycle status is none of those there are."""

    code = "invalid_lifecycle_status"

    def __init__(self) -> None:
        """Name those there are."""
        super().__init__(f"status must be one of {[each.value for each in Lifecycle]}")


class ScanFinishedError(ConflictError):
    """The scan is over."""

    code = "scan_finished"
