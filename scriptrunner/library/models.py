"""The values of the library: roots, scans, scripts, versions, tags, groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Lifecycle(StrEnum):
    """How far a script has come in its life, as people say."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


#: Scripts that still run, but with a word of warning.
RETIRED = frozenset({Lifecycle.DEPRECATED, Lifecycle.ARCHIVED})


class ScanStatus(StrEnum):
    """Where a scan stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


class ScanReason(StrEnum):
    """Why a scan failed, or stopped early."""

    #: Somebody asked for it.
    CANCELLED = "cancelled"
    #: The folder is not there.
    ROOT_MISSING = "root_missing"
    #: The process that worked on it ended.
    INTERRUPTED = "interrupted"
    #: There are more entries than a scan looks at.
    TOO_MANY = "too_many"
    #: It took longer than a scan may.
    TOO_LONG = "too_long"
    #: The data disk is full.
    DISK_FULL = "disk_full"
    #: Something else went wrong.
    ERROR = "error"


class DuplicateRule(StrEnum):
    """What makes scripts duplicates."""

    #: Same name, size and number of lines.
    NAME = "name"
    #: Same bytes.
    EXACT = "exact"
    #: Mostly the same lines.
    NEAR = "near"


class SortKey(StrEnum):
    """By what a list of scripts is ordered."""

    NAME = "name"
    PATH = "path"
    MTIME = "mtime"
    SIZE = "size"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootOptions:
    """What a scan of a root looks at."""

    recursive: bool = True
    #: Globs separated by commas; empty means every file of a known language.
    include_patterns: str = ""
    exclude_patterns: str = ""
    #: Whether ``.gitignore`` files are respected.
    gitignore: bool = False
    #: Whether the folder is looked at again and again.
    watch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder whose scripts the library lists."""

    id: int
    #: Real path.
    path: str
    name: str
    options: RootOptions
    #: End of the last scan that was completed.
    last_scan_at: datetime | None
    created_at: datetime
    #: Files that are there now, and those that were.
    script_count: int = 0
    missing_count: int = 0
    #: The newest scan, whatever became of it.
    last_scan: "Scan | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCounts:
    """What a scan has found so far."""

    #: Files that were looked at: new, updated, unchanged, skipped and errors.
    seen_count: int = 0
    new_count: int = 0
    updated_count: int = 0
    deleted_count: int = 0
    unchanged_count: int = 0
    #: Too large, too deep, no regular file, or a name that is no text.
    skipped_count: int = 0
    error_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One look through a root."""

    id: int
    root_id: int
    change: int
    started_at: datetime
    ended_at: datetime | None
    status: str
    reason: str | None
    error_message: str | None
    counts: ScanCounts
    #: Scripts known before, None at the first scan.
    expected_count: int | None
    current_path: str | None
    worker: str | None
    resumed_from: int | None
    resume_count: int

    @property
    def is_running(self) -> bool:
        """Whether it is not over."""
        return self.status == ScanStatus.RUNNING

    @property
    def progress(self) -> float | None:
        """From 0 to 1; None while nobody can know."""
        if self.status == ScanStatus.COMPLETED:
            return 1.0
        if not self.expected_count:
            return None
        return round(min(0.99, self.counts.seen_count / self.expected_count), 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A coloured word."""

    id: int
    name: str
    #: ``#rrggbb``.
    color: str
    created_at: datetime
    #: Scripts that have it.
    script_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file below a root, as it was when it was read last."""

    id: int
    root_id: int
    #: Of the root, a real path.
    root_path: str
    #: Below the root, with a slash at its end; empty for the root itself.
    folder: str
    name: str
    path: str
    #: With its dot, in lower case; empty without one.
    extension: str
    language: str
    size: int
    mtime: datetime
    line_count: int
    sha256: str
    missing_flag: bool
    created_at: datetime
    updated_at: datetime
    lifecycle_status: str
    owner: str | None
    environment: str | None
    tags: Sequence[Tag] = ()
    #: Only where one script is asked for.
    notes: str | None = None

    @property
    def relative(self) -> str:
        """The path below the root."""
        return self.folder + self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFilter:
    """Which scripts a list shows; everything given must match."""

    root_id: int | None = None
    language: str | None = None
    extension: str | None = None
    status: str | None = None
    #: Exact name of a tag.
    tag: str | None = None
    owner: str | None = None
    environment: str | None = None
    #: Part of the path, in any case.
    search: str | None = None
    #: Part of the text, in any case.
    content: str | None = None
    #: Folder below a root, with a slash at its end; its own scripts only.
    folder: str | None = None
    #: Folder below a root, with a slash at its end; what is below it, too.
    below: str | None = None
    #: None for both, present and missing.
    missing: bool | None = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptPage:
    """A piece of a list."""

    items: Sequence[Script]
    total: int
    page: int
    page_size: int
    #: False if there are more matches than were counted.
    total_is_exact: bool = True

    @property
    def total_pages(self) -> int:
        """At least one."""
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder of the tree."""

    name: str
    #: Below the root, with a slash at its end.
    folder: str
    script_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A content that a script had."""

    sha256: str
    size: int | None
    first_seen_at: datetime
    #: None while it is the current one.
    last_seen_at: datetime | None
    is_current: bool
    #: Whether the bytes are kept.
    is_available: bool
    #: How many runs ran it.
    runs: int
    #: ``scan``, or ``run`` if no scan ever saw it.
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateGroup:
    """Scripts that are alike by one rule."""

    rule: DuplicateRule
    members: Sequence[Script]
    #: Least share of equal lines, 0 to 1; 1.0 for exact duplicates, None by name.
    similarity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryStats:
    """Figures over the whole library; missing scripts count only as missing."""

    total_scripts: int
    missing_scripts: int
    by_language: Mapping[str, int]
    by_lifecycle_status: Mapping[str, int]
    total_tags: int
    total_roots: int
    duplicate_groups: int
