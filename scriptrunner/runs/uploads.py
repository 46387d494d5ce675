"""The names of uploaded scripts: shown to people, never used as a path."""

import unicodedata

from scriptrunner.engine.paths import NotPythonError, has_script_suffix

#: Characters of the longest name that is shown.
MAX_NAME_CHARACTERS = 100
#: Marks an upload where a script path is expected.
PREFIX = "upload:"
_ALLOWED = frozenset("._ -")


def sanitize(file_name: str) -> str:
    """Return the name under which an uploaded file is shown.

    The last component of ``file_name`` (of either kind of separator), normalised, at
    most 100 characters; all but letters, digits and ``._ -`` become ``_``.

    Raises:
        NotPythonError: If it does not end in ``.py`` or ``.pyw``.
    """
    last = file_name.replace("\\", "/").rpartition("/")[2]
    plain = unicodedata.normalize("NFC", last).strip()
    name = "".join(c if c.isalnum() or c in _ALLOWED else "_" for c in plain)
    if not has_script_suffix(name):
        raise NotPythonError
    stem, dot, suffix = name.rpartition(".")
    return stem[: MAX_NAME_CHARACTERS - len(dot) - len(suffix)] + dot + suffix
