"""The dashboard's files, read once and answered from memory.

All files of ``static/`` together have one version, a hash of their names and contents.
It is part of their address, so that browsers may keep them for ever and a new release
is fetched as a whole. No request reads the disk, except in development.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

STATIC_FOLDER = Path(__file__).resolve().parent / "static"

#: Content types by suffix; a file of another kind is an error at start.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

#: Suffixes that are compressed already.
_COMPRESSED = frozenset({".woff2"})

_COMMENTS = re.compile(r"/\*.*?\*/|^\s*//[^\n]*|(?<=[\s;{},])//[^\n]*", re.S | re.M)
_STATIC_IMPORT = re.compile(
    r"""\b(?:import|export)\b(?:[^"'();]*?\bfrom)?\s*["'](\.[^"'\n]+)["']"""
)
_DYNAMIC_IMPORT = re.compile(r"""\bimport\(\s*["'](\.[^"'\n]+)["']\s*\)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One static file, ready to be sent."""

    content: bytes
    #: The same by gzip, or None where that saves nothing.
    compressed: bytes | None
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSet:
    """All static files at one moment."""

    #: Twelve hexadecimal digits that change with any name or content.
    version: str
    #: By path below ``static/``, such as ``js/main.js``.
    files: dict[str, Asset]
    #: The relative imports of each module, resolved, in order of appearance.
    imports: dict[str, tuple[str, ...]]

    def modules_of(self, *entries: str) -> list[str]:
        """Return the modules that ``entries`` load, themselves included.

        Args:
            entries: Paths such as ``js/main.js``.

        Returns:
            Each module once, breadth first, so that the first are needed first.
        """
        found = dict.fromkeys(entries)
        queue = list(entries)
        for module in queue:
            for each in self.imports.get(module, ()):
                if each not in found:
                    found[each] = None
                    queue.append(each)
        return list(found)


class Assets:
    """The current ``AssetSet``; in development read again when a file changed.

    Threads and requests may share it.
    """

    def __init__(
        self, folder: Path = STATIC_FOLDER, *, development: bool = False
    ) -> None:
        """Read ``folder`` now."""
        self.folder = folder
        self.development = development
        self._stamp = _stamp(folder) if development else ()
        self._current = read_assets(folder)

    def current(self) -> AssetSet:
        """Return the files to serve."""
        if self.development and (stamp := _stamp(self.folder)) != self._stamp:
            self._current, self._stamp = read_assets(self.folder), stamp
        return self._current


def read_assets(folder: Path) -> AssetSet:
    """Read every file below ``folder``.

    Raises:
        ValueError: If a file has an unknown suffix, or a module imports another that
            is not there.
    """
    files: dict[str, Asset] = {}
    imports: dict[str, tuple[str, ...]] = {}
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        files[name] = _asset(name, content)
        if path.suffix == ".js":
            imports[name] = static_imports(name, content.decode("utf-8"))
    for name, targets in imports.items():
        missing = [target for target in targets if target not in files]
        if missing:
            raise ValueError(f"{name} imports {missing[0]}, which is not there")
    return AssetSet(version=digest.hexdigest()[:12], files=files, imports=imports)


def static_imports(name: str, source: str) -> tuple[str, ...]:
    """Return what the module ``name`` imports when it is loaded, as paths."""
    return _targets(name, _STATIC_IMPORT.findall(_COMMENTS.sub("", source)))


def dynamic_imports(name: str, source: str) -> tuple[str, ...]:
    """Return what the module ``name`` imports later by ``import()``, as paths."""
    return _targets(name, _DYNAMIC_IMPORT.findall(_COMMENTS.sub("", source)))


def _targets(name: str, specifiers: list[str]) -> tuple[str, ...]:
    """Return specifiers, relative to the module ``name``, as paths below the folder."""
    base = PurePosixPath(name).parent
    return tuple(dict.fromkeys(_normal(base / each) for each in specifiers))


def _normal(path: PurePosixPath) -> str:
    """Return ``path`` without ``.`` and ``..``."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _asset(name: str, content: bytes) -> Asset:
    suffix = PurePosixPath(name).suffix
    if suffix not in CONTENT_TYPES:
        raise ValueError(f"static/{name}: no content type is known for {suffix!r}")
    packed = None if suffix in _COMPRESSED else gzip.compress(content, 9, mtime=0)
    return Asset(
        content=content,
        compressed=packed if packed and len(packed) < len(content) else None,
        content_type=CONTENT_TYPES[suffix],
    )


def _stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    """Return what changes when a file below ``folder`` changes."""
    return tuple(
        sorted((str(each), each.stat().st_mtime_ns) for each in folder.rglob("*"))
    )
