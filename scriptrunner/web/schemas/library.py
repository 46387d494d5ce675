"""Shapes of the library: what is asked, and what is answered."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from scriptrunner.library.models import RootOptions
from scriptrunner.library.patterns import join_patterns
from scriptrunner.library.tag_desk import DEFAULT_COLOR
from scriptrunner.web.schemas.answers import Answer, Count
from scriptrunner.web.schemas.run import RunListItem
from scriptrunner.web.schemas.run_request import Text, Whole
from scriptrunner.web.schemas.run_views import Source
from scriptrunner.web.schemas.texts import Storable

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
#: Scripts, and tags, of one bulk call.
MAX_BULK = 1_000
MAX_BULK_TAGS = 50


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "Input should be printable text")
    return text


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Name = Annotated[
    str,
    BeforeValidator(_stripped),
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(_printable),
]
TagName = Annotated[
    str,
    BeforeValidator(_stripped),
    StringConstraints(min_length=1, max_length=50),
    AfterValidator(_printable),
]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Words = Annotated[Storable, StringConstraints(max_length=200)]
Notes = Annotated[Storable, StringConstraints(max_length=20_000)]
Patterns = Annotated[
    str | list[str],
    Field(description="Globs: a list, or a text with commas; `py` means `*.py`"),
]
Id = Annotated[Whole, Field(ge=1)]


class FolderRootChange(BaseModel):
    """What can be changed of a root; it counts from the next scan on."""

    model_config = _STRICT

    name: Name = ""
    recursive: Annotated[bool, Field(description="Folders inside, too")] = True
    include_patterns: Patterns = ""
    exclude_patterns: Patterns = ""
    gitignore: Annotated[bool, Field(description="Respect `.gitignore` files")] = False
    watch: Annotated[bool, Field(description="Scan whenever something changes")] = False

    def to_options(self) -> RootOptions:
        """Return what a scan looks at.

        Raises:
            MalformedInputError: If a pattern is none.
        """
        return RootOptions(
            recursive=self.recursive,
            include_patterns=join_patterns(
                self.include_patterns, field="include_patterns"
            ),
            exclude_patterns=join_patterns(
                self.exclude_patterns, field="exclude_patterns"
            ),
            gitignore=self.gitignore,
            watch=self.watch,
        )

    def to_changes(self) -> dict[str, object]:
        """Return the fields that were given; errors as ``to_options``."""
        options = self.to_options()
        return {
            name: self.name if name == "name" else getattr(options, name)
            for name in FolderRootChange.model_fields
            if name in self.model_fields_set
        }


class FolderRootRequest(FolderRootChange):
    """A folder whose scripts are to be listed."""

    path: Annotated[Text, Field(description="Absolute path of an existing folder")]
    name: Name


class StatusRequest(BaseModel):
    """What people say about a script. Absent is unchanged; null clears all but status."""

    model_config = _STRICT

    status: Annotated[
        str, Field(description="draft, active, deprecated or archived")
    ] = ""
    owner: Words | None = None
    environment: Words | None = None
    notes: Notes | None = None


class TagRequest(BaseModel):
    """A new tag."""

    model_config = _STRICT

    name: TagName
    color: Color = DEFAULT_COLOR


class TagChange(BaseModel):
    """What can be changed of a tag."""

    model_config = _STRICT

    name: TagName = ""
    color: Color = DEFAULT_COLOR


class BulkTagRequest(BaseModel):
    """Tags to put on scripts, or to take off."""

    model_config = _STRICT

    script_ids: Annotated[list[Id], Field(max_length=MAX_BULK)]
    tag_ids: Annotated[list[Id], Field(max_length=MAX_BULK_TAGS)]
    action: Literal["attach", "detach"] = "attach"


# Answers

ScanWord = Literal["running", "completed", "failed"]
LifecycleWord = Literal["draft", "active", "deprecated", "archived"]


class FolderRootScan(Answer):
    """One look through a root."""

    id: int
    root_id: int
    started_at: datetime
    ended_at: datetime | None
    status: ScanWord
    reason: str | None = Field(description="Why it failed or stopped early, as a word")
    error_message: str | None
    seen_count: Count
    new_count: Count
    updated_count: Count
    deleted_count: Count
    unchanged_count: Count
    skipped_count: Count
    error_count: Count
    progress: float | None = Field(description="0 to 1; null at a first scan")
    current_path: str | None = Field(description="The folder it is in")
    resumed_from: int | None = Field(description="The cut-off scan that it continues")


class FolderRoot(Answer):
    """A folder whose scripts are listed."""

    id: int
    path: str
    name: str
    recursive: bool
    include_patterns: str
    exclude_patterns: str
    gitignore: bool
    watch: bool
    last_scan_at: datetime | None
    created_at: datetime
    script_count: Count
    missing_count: Count
    last_scan: FolderRootScan | None


class FolderRootDeleted(Answer):
    """The root and its scripts are gone."""

    success: bool
    scripts_deleted: Count


class ScanAccepted(Answer):
    """A scan that is under way."""

    scan_id: int
    status: ScanWord


class LibraryTagBrief(Answer):
    """A tag on a script."""

    id: int
    name: str
    color: str


class LibraryTag(LibraryTagBrief):
    """A coloured word."""

    created_at: datetime
    script_count: Count


class LibraryScriptCommon(Answer):
    """What lists and details share."""

    id: int
    root_id: int
    path: str
    relative_path: str
    name: str
    extension: str
    language: str
    size: Count
    mtime: datetime
    line_count: Count
    missing_flag: bool
    created_at: datetime
    updated_at: datetime
    lifecycle_status: LifecycleWord
    owner: str | None
    environment: str | None
    sha256: str


class LibraryScriptItem(LibraryScriptCommon):
    """A script in a list."""

    tags: list[str]


class LibraryScript(LibraryScriptCommon):
    """All about one script."""

    script_id: int
    status: LifecycleWord
    notes: str | None
    tags: list[LibraryTagBrief]
    last_run: RunListItem | None


class LibraryScriptPage(Answer):
    """A piece of a list."""

    items: list[LibraryScriptItem]
    total: Count
    page: int
    page_size: int
    total_pages: int
    total_is_exact: bool = Field(
        description="False if a search in texts has more hits than were counted"
    )


class LibraryContent(Answer):
    """The text of a script as it is now."""

    script_id: int
    path: str
    content: str
    size: Count
    truncated: bool
    sha256: str


class LibrarySource(Source):
    """The text of a script in coloured pieces."""

    script_id: int
    path: str
    truncated: bool
    plain: bool
    line_count: Count


class ScriptUpdated(Answer):
    """The script as it is now."""

    message: str
    script: LibraryScript


class ScriptNotes(Answer):
    """The notes of a script."""

    script_id: int
    notes: str | None


class LibraryMessage(Answer):
    """What was done."""

    message: str


class LibraryDone(Answer):
    """It is done."""

    success: bool


class SkippedScript(Answer):
    """A script that was not changed."""

    id: int
    reason: Literal["not_found"]


class BulkTagged(Answer):
    """What came of putting tags on many scripts."""

    changed: Count
    skipped: list[SkippedScript]


class DuplicateGroupShape(Answer):
    """Scripts that are alike by one rule."""

    rule: Literal["name", "exact", "near"]
    name: str
    size: Count
    line_count: Count
    count: Count
    paths: list[str]
    ids: list[int]
    identical: bool
    sha256: list[str]
    similarity: float | None


class LibraryStatsShape(Answer):
    """Figures over the library."""

    total_scripts: Count
    missing_scripts: Count
    by_language: dict[str, Count]
    by_lifecycle_status: dict[LifecycleWord, Count]
    total_tags: Count
    total_roots: Count
    duplicate_groups: Count


class LibraryFolder(Answer):
    """A folder of the tree."""

    name: str
    path: str
    script_count: Count


class LibraryTree(Answer):
    """What lies right below a folder of a root."""

    root_id: int
    path: str
    folders: list[LibraryFolder]
    scripts: list[LibraryScriptItem]
    total: Count
    truncated: bool


class ScriptVersion(Answer):
    """A content that a script had."""

    sha256: str
    size: Count | None
    first_seen_at: datetime
    last_seen_at: datetime | None = Field(
        description="Null while it is the present one"
    )
    current: bool
    available: bool
    runs: Count
    source: Literal["scan", "run"]


class ScriptVersions(Answer):
    """The versions of a script, newest first."""

    script_id: int
    versions: list[ScriptVersion]


class ScriptDiff(Answer):
    """How one version became another."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_serialization_defaults_required=True,
        populate_by_name=True,
        serialize_by_alias=True,
    )

    script_id: int
    from_: str = Field(alias="from")
    to: str
    diff: str = Field(description="In unified form; empty if nothing differs")
    added: Count
    removed: Count
    truncated: bool


class ScriptsDiff(Answer):
    """How one script differs from another."""

    script_id: int
    other_id: int
    diff: str
    added: Count
    removed: Count
    truncated: bool


class ScriptRunsShape(Answer):
    """The runs of a script, newest first, and figures over all of them."""

    items: list[RunListItem]
    total: Count
    success_rate: float | None
    median_duration_seconds: float | None
    last_success_at: datetime | None


class PickedFolder(Answer):
    """A folder in a picker."""

    name: str
    path: str


class PickedFile(PickedFolder):
    """A Python file in a picker."""

    size: Count


class PickedPlace(Answer):
    """A folder where a picker begins."""

    path: str
    kind: Literal["run", "library"]


class FolderListing(Answer):
    """What a picker shows: beginnings, or folders and Python files."""

    roots: list[PickedPlace]
    root: str | None
    path: str | None
    parent: str | None
    folders: list[PickedFolder]
    files: list[PickedFile]
    truncated: bool
