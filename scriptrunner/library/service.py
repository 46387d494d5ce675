"""The use cases of the library; no front end goes around this door, and it knows no HTTP.

Roots with their scans and tags have desks of their own (``root_desk``, ``tag_desk``); what
is about scripts is here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scriptrunner.clock import Clock
from scriptrunner.engine.plan import RunOptions
from scriptrunner.library import duplicates, places
from scriptrunner.library.content import Content, read_content
from scriptrunner.library.errors import (
    FolderRootNotFoundError,
    RunnableNotFoundError,
    ScriptNotFoundError,
)
from scriptrunner.library.models import (
    RETIRED,
    DuplicateGroup,
    DuplicateRule,
    LibraryStats,
    Place,
    Root,
    Script,
    ScriptFilter,
    ScriptPage,
    SortKey,
    Version,
)
from scriptrunner.library.places import RootPolicy
from scriptrunner.library.repository import figures, lists, roots
from scriptrunner.library.root_desk import MAX_ID, RootDesk
from scriptrunner.library.tag_desk import TagDesk
from scriptrunner.library.versions import Difference, VersionShelf, compare_texts
from scriptrunner.runs.models import (
    Accepted,
    IdempotencyKey,
    RunListItem,
    Submission,
    Trigger,
)
from scriptrunner.runs.script_runs import ScriptRuns, ScriptRunViews
from scriptrunner.runs.service import RunService
from scriptrunner.storage.database import Connection, Database

#: Scripts of one folder that the tree shows.
TREE_SCRIPTS = 500


class LibraryService:
    """Everything that can be done with the library. Threads may share it.

    Args:
        database: The migrated database; whoever made it closes it.
        runs: Runs scripts.
        script_runs: Looks up the runs of scripts.
        policy: Which folders may be roots.
        runnable_folders: Real paths of the folders below which scripts may be run.
        clock: Tells the times.
        wake: Tells the supervisor that there is something to do.
        announce: Tells all web workers that something has changed.
    """

    def __init__(
        self,
        database: Database,
        *,
        runs: RunService,
        script_runs: ScriptRunViews,
        policy: RootPolicy,
        runnable_folders: Sequence[str],
        clock: Clock,
        wake: Callable[[], None],
        announce: Callable[[], None],
    ) -> None:
        """Connect the parts; nothing is opened or written yet."""
        self._database = database
        self._runs = runs
        self._script_runs = script_runs
        #: Real paths of the folders below which scripts may be run.
        self.runnable_folders = tuple(runnable_folders)
        self._folders = tuple(
            dict.fromkeys((*runnable_folders, *policy.allowed_folders))
        )
        self._clock = clock
        self._versions = VersionShelf(database, script_runs)
        #: Folder roots and scans.
        self.roots = RootDesk(
            database, policy=policy, clock=clock, wake=wake, announce=announce
        )
        #: Tags.
        self.tags = TagDesk(database, clock=clock)

    # Scripts

    def list_scripts(
        self,
        wanted: ScriptFilter,
        *,
        sort: SortKey = SortKey.NAME,
        descending: bool = False,
        page: int = 1,
        page_size: int = 50,
    ) -> ScriptPage:
        """Return a page of the scripts that match.

        Args:
            wanted: The filter.
            sort: By what; paths decide between equals.
            descending: Whether the largest come first.
            page: From 1.
            page_size: 1 to 200.
        """
        with self._database.read() as connection:
            return lists.list_page(
                connection,
                wanted,
                sort=sort,
                descending=descending,
                page=page,
                page_size=page_size,
            )

    def get_script(self, script_id: int) -> Script:
        """Return one script with its notes.

        Raises:
            ScriptNotFoundError: If there is none.
        """
        if not 0 < script_id <= MAX_ID:
            raise ScriptNotFoundError
        with self._database.read() as connection:
            script = lists.find(connection, script_id)
        if script is None:
            raise ScriptNotFoundError
        return script

    def find_last_run(self, script: Script) -> RunListItem | None:
        """Return the newest run of a script, or None."""
        return self._script_runs.find_last(script.path)

    def change_meta(self, script_id: int, values: Mapping[str, Any]) -> Script:
        """Set status, owner, environment or notes of a script; return what it is now.

        Raises:
            ScriptNotFoundError: If there is none.
        """
        self.get_script(script_id)
        if values:

            def change(connection: Connection) -> None:
                now = self._clock.utc_now()
                if not figures.change_meta(connection, script_id, values, now=now):
                    raise ScriptNotFoundError

            self._database.retrying(change)
        return self.get_script(script_id)

    def read_content(self, script_id: int) -> tuple[Script, Content]:
        """Return a script and what is in its file now.

        Raises:
            ScriptNotFoundError: If there is no such script.
            FileMissingError: If there is no such file (any more).
        """
        script = self.get_script(script_id)
        return script, read_content(script)

    def list_tree(
        self, root_id: int, folder: str
    ) -> tuple[Root, Sequence[Place], ScriptPage]:
        """Return the folders and scripts right below a folder of a root.

        Args:
            root_id: The root.
            folder: Below it, with a slash at its end; empty for the root itself.

        Raises:
            FolderRootNotFoundError: If there is no such root.
        """
        if not 0 < root_id <= MAX_ID:
            raise FolderRootNotFoundError
        with self._database.read() as connection:
            root = roots.find(connection, root_id)
            if root is None:
                raise FolderRootNotFoundError
            found = lists.list_folders(connection, root_id, folder)
            page = lists.list_page(
                connection,
                ScriptFilter(root_id=root_id, folder=folder),
                sort=SortKey.NAME,
                descending=False,
                page=1,
                page_size=TREE_SCRIPTS,
            )
        return root, found, page

    # Versions

    def list_versions(self, script_id: int) -> list[Version]:
        """Return the versions of a script, newest first.

        Raises:
            ScriptNotFoundError: If there is no such script.
        """
        return self._versions.list_versions(self.get_script(script_id))

    def get_version(self, script_id: int, sha256: str) -> bytes:
        """Return the bytes of a version of a script.

        Raises:
            ScriptNotFoundError: If there is no such script.
            VersionNotFoundError: If it never had it, or the bytes are not kept.
        """
        return self._versions.get_bytes(self.get_script(script_id), sha256)

    def compare(self, script_id: int, old: str, new: str) -> Difference:
        """Return how one version of a script became another; errors as above."""
        return self._versions.compare(self.get_script(script_id), old, new)

    def compare_scripts(self, script_id: int, other_id: int) -> Difference:
        """Return how the text of a script differs from that of another, as they are now.

        Raises:
            ScriptNotFoundError: If there is no such script.
            FileMissingError: If one of the files is gone.
        """
        _, old = self.read_content(script_id)
        _, new = self.read_content(other_id)
        return compare_texts(old.data, new.data)

    # Runs

    def run(
        self,
        script_id: int,
        options: RunOptions,
        *,
        principal: str,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Put a run of a script into the queue.

        Raises:
            RunnableNotFoundError: If there is no such script.
            ScriptRunnerError: Whatever ``RunService.submit`` raises: being listed gives
                a script no right to run.
        """
        try:
            script = self.get_script(script_id)
        except ScriptNotFoundError:
            raise RunnableNotFoundError from None
        warnings: tuple[str, ...] = ()
        if script.lifecycle_status in RETIRED:
            warnings = (f"This script is {script.lifecycle_status}",)
        return self._runs.submit(
            Submission(
                script_path=script.path,
                options=options,
                principal=principal,
                trigger=Trigger.LIBRARY,
                idempotency=idempotency,
                library_id=script.id,
                warnings=warnings,
            )
        )

    def list_runs(self, script_id: int, *, limit: int, offset: int) -> ScriptRuns:
        """Return the runs of a script, whoever made them, and figures over all of them.

        Raises:
            ScriptNotFoundError: If there is no such script.
        """
        script = self.get_script(script_id)
        return self._script_runs.list_runs(script.path, limit=limit, offset=offset)

    # The whole

    def find_duplicates(
        self, rule: DuplicateRule, *, limit: int
    ) -> tuple[int, list[DuplicateGroup]]:
        """Return how many groups of duplicates there are, and the largest of them."""
        return duplicates.find_groups(self._database, rule, limit=limit)

    def get_stats(self) -> LibraryStats:
        """Return figures over the library."""
        with self._database.read() as connection:
            return figures.get_stats(connection)

    def list_folder(self, root: str, path: str) -> places.Listing:
        """Return what a folder holds that a picker may show.

        Raises:
            FolderNotFoundError: If it may show no such folder.
        """
        return places.list_folder(self._folders, root, path)

    def list_pickable(self) -> Sequence[str]:
        """Return the folders where a picker begins."""
        return self._folders
