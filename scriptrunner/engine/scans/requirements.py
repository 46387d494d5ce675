"""What a script depends on: the lines of a requirements file, and its inline metadata."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

#: A block of metadata in comments, as PEP 723 has it.
_BLOCK = re.compile(
    r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
)
_HASH = re.compile(r"\s--(hash|config-settings?|global-option)[=\s].*$", re.DOTALL)
_COMMENT = re.compile(r"(^|\s)#.*$")
#: A user or a password in an address: never repeated.
_LOGIN = re.compile(r"//[^/\s]*@")
#: Options that name further packages, which are not looked at.
_INCLUDING = ("-r", "--requirement", "-c", "--constraint", "-e", "--editable")


class Dependency(NamedTuple):
    """One package that is asked for, or a line that cannot be checked."""

    #: ``requirements`` or ``script``.
    file: str
    #: From 1.
    line: int
    text: str
    #: Normalised name; None if the line cannot be read.
    package: str | None = None
    specifier: str = ""
    #: The one version that may be installed; None if there is no such pin.
    version: Version | None = None
    #: Why the line cannot be checked, else None.
    problem: str | None = None


def parse_file(text: str) -> list[Dependency]:
    """Return what a requirements file asks for, in order."""
    return [
        each
        for number, line in _iter_lines(text)
        if (each := _parse_line("requirements", number, line)) is not None
    ]


def parse_script(text: str) -> list[Dependency]:
    """Return what the inline metadata of a script ask for (PEP 723)."""
    blocks = [each for each in _BLOCK.finditer(text) if each["type"] == "script"]
    if not blocks:
        return []
    first = text.count("\n", 0, blocks[0].start()) + 1
    if len(blocks) > 1:
        return [_unreadable(first, "more than one block of metadata")]
    lines = [line[2:] for line in blocks[0]["content"].splitlines()]
    try:
        wanted = tomllib.loads("\n".join(lines)).get("dependencies", [])
    except tomllib.TOMLDecodeError:
        return [_unreadable(first, "the metadata are no valid TOML")]
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        return [_unreadable(first, "dependencies must be a list of texts")]
    found = []
    for one in wanted:
        places = (n for n, line in enumerate(lines, first + 1) if one in line)
        each = _parse_line("script", next(places, first), one)
        if each is not None:
            found.append(each)
    return found


def _unreadable(line: int, problem: str) -> Dependency:
    return Dependency("script", line, "", problem=problem)


def _iter_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each logical line: comments gone, continuations joined."""
    first, collected = 0, ""
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        first = first or number
        is_continued = raw.endswith("\\")
        collected += raw[:-1] if is_continued else raw
        if is_continued:
            continue
        line = _COMMENT.sub("", collected).strip()
        if line:
            yield first, line
        first, collected = 0, ""
    if collected.strip():
        yield first, collected.strip()


def _parse_line(file: str, number: int, line: str) -> Dependency | None:
    """Return what a line asks for; None for options that ask for nothing."""
    shown = _LOGIN.sub("//*****@", line)[:200]
    if line.startswith("-"):
        option = re.split(r"[\s=]", line, maxsplit=1)[0]
        if option not in _INCLUDING and not line.startswith(("-r", "-c", "-e")):
            return None
        problem = "what it includes is not looked at"
        return Dependency(file, number, shown, problem=problem)
    try:
        requirement = Requirement(_HASH.sub("", line))
    except InvalidRequirement:
        return Dependency(file, number, shown, problem="it cannot be read")
    if requirement.url is not None:
        problem = "a package from an address cannot be checked"
        return Dependency(file, number, shown, problem=problem)
    return Dependency(
        file,
        number,
        shown,
        package=canonicalize_name(requirement.name),
        specifier=str(requirement.specifier),
        version=_find_pin(requirement.specifier),
    )


def _find_pin(specifiers: SpecifierSet) -> Version | None:
    """Return the version of a ``==`` without wildcard, or of a ``===``."""
    for each in specifiers:
        if each.operator in ("==", "===") and not each.version.endswith(".*"):
            try:
                return Version(each.version)
            except InvalidVersion:
                return None
    return None
