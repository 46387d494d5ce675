"""Which files and folders of a root a scan looks at: globs, ``.gitignore``, fixed rules."""

import fnmatch
import re
from collections.abc import Callable, Sequence

from scriptrunner.errors import MalformedInputError

#: Folders that never hold somebody's own scripts. Hidden ones are skipped besides.
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "virtualenv"})
#: Files that say that the folder they lie in is a virtual environment.
ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
#: Patterns of one kind, and characters of one pattern.
MAX_PATTERNS = 200
MAX_PATTERN_LENGTH = 500
#: Stars in one component of a rule of ``.gitignore``; rules with more are left out.
MAX_STARS = 3

_PLAIN_EXTENSION = re.compile(r"\.?[A-Za-z0-9_+]{1,16}")


def join_patterns(value: str | Sequence[str], *, field: str) -> str:
    """Return patterns, given as a list or a text with commas, as one text.

    Raises:
        MalformedInputError: If there are too many, or one is too long.
    """
    parts = value.split(",") if isinstance(value, str) else list(value)
    found = [part.strip() for part in parts if part.strip()]
    wrong = None
    if len(found) > MAX_PATTERNS:
        wrong = f"Give at most {MAX_PATTERNS} patterns"
    elif any(len(part) > MAX_PATTERN_LENGTH for part in found):
        wrong = f"A pattern has at most {MAX_PATTERN_LENGTH} characters"
    elif any("," in part or not part.isprintable() for part in found):
        wrong = "A pattern is printable text without commas"
    if wrong:
        raise MalformedInputError(
            [{"type": "pattern", "loc": ["body", field], "msg": wrong}]
        )
    return ",".join(dict.fromkeys(found))


def split_patterns(text: str) -> list[str]:
    """Return the patterns of a text that ``join_patterns`` made."""
    return [part for part in text.split(",") if part]


class Wanted:
    """Decides by names alone; nothing here touches the disk.

    Args:
        include: Globs of files; none means every file of a known language.
        exclude: Globs of files and folders. A plain name counts at any depth.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        """Prepare the patterns."""
        self.has_include = bool(include)
        self._includes = _matcher([_as_file_glob(each) for each in include])
        self._excludes = _matcher([_as_exclusion(each) for each in exclude])

    def is_included(self, relative: str) -> bool:
        """Return whether the include patterns name the file (only if there are any)."""
        return self._includes(relative)

    def is_excluded(self, relative: str) -> bool:
        """Return whether a file, or a folder with a slash at its end, is left out."""
        return self._excludes(relative)


def is_skipped_folder(name: str) -> bool:
    """Return whether folders of this name are never entered."""
    return name.startswith(".") or name in SKIPPED_FOLDERS


def _as_file_glob(pattern: str) -> str:
    """Return an include pattern as a glob: ``py``, ``.py`` and ``*.py`` are the same."""
    if _PLAIN_EXTENSION.fullmatch(pattern) and pattern not in (".", ".."):
        return f"*.{pattern.lstrip('.')}"
    return pattern


def _as_exclusion(pattern: str) -> str:
    """Return an exclude pattern as a glob; ``.py`` means the extension, names themselves."""
    if pattern.startswith(".") and _PLAIN_EXTENSION.fullmatch(pattern):
        return f"*{pattern}"
    return pattern


def _matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a test of paths below the root.

    A pattern with a slash (not at its end) is meant from the root on, one without
    matches the last component at any depth. Case does not matter.
    """
    if not patterns:
        return lambda _: False
    plain = [p.rstrip("/") for p in patterns if "/" not in p.rstrip("/")]
    by_name = _compile("|".join(f"(?:{fnmatch.translate(p)})" for p in plain) or "(?!)")
    by_path = [_PathGlob(p) for p in patterns if "/" in p.rstrip("/")]

    def is_match(relative: str) -> bool:
        parts = relative.rstrip("/").split("/")
        return bool(by_name(parts[-1])) or any(glob.is_match(parts) for glob in by_path)

    return is_match


def _compile(expression: str) -> Callable[[str], object]:
    return re.compile(expression, re.IGNORECASE).match


class _PathGlob:
    """A glob of several components; ``**`` stands for any number of them.

    Components are matched one by one and what was found is remembered, so that no
    pattern takes more than (components of pattern) x (components of path) steps.
    """

    __slots__ = ("_parts",)

    def __init__(self, pattern: str) -> None:
        self._parts = [
            None if part == "**" else _compile(fnmatch.translate(part))
            for part in pattern.strip("/").split("/")
        ]

    def is_match(self, names: Sequence[str]) -> bool:
        """Return whether the pattern names the path, or a folder that it lies in."""
        states = {0}
        for name in names:
            states = self._step(self._skip_any(states), name)
            if len(self._parts) in states:
                return True
        return len(self._parts) in self._skip_any(states)

    def _skip_any(self, states: set[int]) -> set[int]:
        """Return ``states`` and those that come when ``**`` stands for nothing."""
        found = set(states)
        for place in sorted(states):
            following = place
            while following < len(self._parts) and self._parts[following] is None:
                following += 1
                found.add(following)
        return found

    def _step(self, states: set[int], name: str) -> set[int]:
        found = set()
        for place in states:
            if place == len(self._parts):
                continue
            part = self._parts[place]
            if part is None:
                found.add(place)
            elif part(name):
                found.add(place + 1)
        return found


class GitIgnore:
    """The rules of the ``.gitignore`` files on the way to a folder.

    Each file's rules count from the folder that it lies in on; a deeper file has the
    last word.
    """

    __slots__ = ("_above", "_folder", "_spec")

    def __init__(self, folder: str, text: str, above: "GitIgnore | None") -> None:
        """Add the rules of ``text``, found in ``folder`` (``""`` or ending in a slash)."""
        self._folder = folder
        self._above = above
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only where it is asked for

        lines = [line for line in text.splitlines() if not _is_costly(line)]
        self._spec = GitIgnoreSpec.from_lines(lines)

    def is_ignored(self, relative: str) -> bool:
        """Return whether a file, or a folder with a slash at its end, is ignored."""
        rules: GitIgnore | None = self
        while rules is not None:
            found = rules._spec.check_file(relative[len(rules._folder) :]).include  # noqa: SLF001 - of our own kind
            if found is not None:
                return found
            rules = rules._above  # noqa: SLF001 - of our own kind
        return False


def _is_costly(line: str) -> bool:
    """Return whether matching a rule could take very long; nobody writes such rules."""
    parts = line.replace("**", "").split("/")
    return any(part.count("*") > MAX_STARS for part in parts)
