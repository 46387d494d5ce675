"""How a run gets into the queue: checked, its files laid down, committed with others.

Requests that come at once share one transaction: one of their threads writes for all,
each learns only its own outcome. That is what makes a commit per request cheap.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from scriptrunner.clock import Clock
from scriptrunner.engine.environment import is_secret_name, mask, split_environment
from scriptrunner.engine.events import EventType, build_event
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.plan import RunOptions, ScriptRef
from scriptrunner.errors import ScriptRunnerError, StorageFullError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import uploads
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
    QueueFullError,
)
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.models import (
    Accepted,
    IdempotencyKey,
    Phase,
    Status,
    Submission,
    Upload,
)
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import intake as repository
from scriptrunner.runs.repository.events import EventDraft
from scriptrunner.runs.repository.intake import NewRun
from scriptrunner.runs.representation import brief_request
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Connection, Database

logger = logging.getLogger(__name__)

#: How long a repeated request gets the answer of the first one.
KEY_LIFETIME = timedelta(hours=24)
#: Characters of a request that are searched.
MAX_SEARCH_CHARACTERS = 64 << 10
MAX_KEY_CHARACTERS = 255

#: Called with the new run's id in the transaction before the run is stored. It may refuse
#: by raising, and must not have written anything then. Returns columns of the new row.
BeforeInsert = Callable[[Connection, str], Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class Entry:
    """A run on its way into the queue."""

    new: NewRun
    principal: str
    idempotency: IdempotencyKey | None = None
    before_insert: BeforeInsert | None = None
    #: What came of it; set by the thread that writes.
    is_done: bool = False
    #: Id of the run that was made by an earlier request with the same key.
    replayed: str | None = None
    error: Exception | None = None

    @property
    def run_id(self) -> str:
        """The id the run gets unless the request is a repeated one."""
        run_id: str = self.new.run["id"]
        return run_id


@dataclass(slots=True)
class Origin:
    """Where a run comes from, beyond what it is to do."""

    principal: str
    trigger: str
    priority: int = 0
    task_id: str | None = None
    fire_time: datetime | None = None
    event: str | None = None
    restarted_from: str | None = None
    idempotency: IdempotencyKey | None = None
    #: Lays down the script of an upload or snapshot in the run's folder.
    lay_down_script: Callable[[str], None] | None = None
    before_insert: BeforeInsert | None = None
    warnings: list[str] = field(default_factory=list)


class Intake:
    """The way into the queue. Threads may share it.

    Args:
        database: The migrated database.
        settings: The service's settings.
        folders: The run folders.
        roots: The allowed roots.
        clock: Tells the queueing time.
        after_commit: Called when runs have been committed, by the thread that did it.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        folders: RunFolders,
        roots: AllowedRoots,
        clock: Clock,
        after_commit: Callable[[], None],
    ) -> None:
        """Start with nobody waiting."""
        self._database = database
        self._settings = settings
        self._folders = folders
        self._roots = roots
        self._clock = clock
        self._after_commit = after_commit
        self._pending: list[Entry] = []
        self._gathering = threading.Lock()
        self._writing = threading.Lock()

    def submit(self, submission: Submission) -> Accepted:
        """Check what is asked for and put it into the queue, durably.

        Raises:
            InvalidInputError: If a value may not be used.
            MalformedInputError: If a value has the wrong type or range.
            ConflictError: If the idempotency key belongs to another request.
            QueueFullError: If too many runs wait.
            StorageFullError: If the data disk is (almost) full.
            DatabaseBusyError: If the database stays locked.
        """
        replayed = self.find_replay(submission.principal, submission.idempotency)
        if replayed is not None:
            return replayed
        submission.options.check()
        if submission.upload is not None:
            script, lay_down = self._take_upload(submission.upload)
        else:
            script, lay_down = self._roots.locate(submission.script_path or ""), None
        origin = Origin(
            principal=submission.principal,
            trigger=submission.trigger,
            priority=submission.priority,
            task_id=submission.task_id,
            fire_time=submission.fire_time,
            event=submission.event,
            idempotency=submission.idempotency,
            lay_down_script=lay_down,
            warnings=self._roots.find_warnings(script),
        )
        return self.put(script, submission.options, origin)

    def _take_upload(self, upload: Upload) -> tuple[ScriptRef, Callable[[str], None]]:
        name = uploads.sanitize(upload.file_name)
        script = ScriptRef(
            kind="upload",
            shown_path=uploads.PREFIX + name,
            name=name,
            sha256=hashlib.sha256(upload.content).hexdigest(),
        )
        content = upload.content
        return script, lambda run_id: self._folders.write_script(run_id, content)

    def find_replay(
        self, principal: str, key: IdempotencyKey | None
    ) -> Accepted | None:
        """Return the answer to an earlier request with the same key, or None.

        Raises:
            InvalidIdempotencyKeyError: If the key is malformed.
            IdempotencyConflictError: If it was used for another request.
        """
        if key is None:
            return None
        if not is_key(key.key):
            raise InvalidIdempotencyKeyError
        with self._database.read() as connection:
            run_id = self._find_replayed(connection, principal, key)
        return None if run_id is None else Accepted(run_id=run_id, replayed=True)

    def _find_replayed(
        self, connection: Connection, principal: str, key: IdempotencyKey
    ) -> str | None:
        earlier = repository.find_earlier(connection, principal, key)
        if earlier is None:
            return None
        if earlier.created_at < self._clock.utc_now() - KEY_LIFETIME:
            return None
        if earlier.body_sha256 != key.body_sha256:
            raise IdempotencyConflictError
        return earlier.run_id

    def put(self, script: ScriptRef, options: RunOptions, origin: Origin) -> Accepted:
        """Put a run of a checked script into the queue.

        Args:
            script: The script, located.
            options: The options, checked.
            origin: Where it comes from.

        Raises:
            InvalidWorkingDirError: If the working folder is not allowed.
            QueueFullError: If too many runs wait.
            StorageFullError: If the data disk is (almost) full.
        """
        if options.working_dir is not None:
            self._roots.get_folder(options.working_dir)
        self._check_disk()
        run_id = str(uuid4())
        _, ignored = split_environment(options.env_vars)
        entry = Entry(
            new=self._make_rows(run_id, script, options, origin, ignored),
            principal=origin.principal,
            idempotency=origin.idempotency,
            before_insert=origin.before_insert,
        )
        self._lay_down(run_id, options, origin)
        pass_point("submit.after_files")
        try:
            self._commit(entry)
        except BaseException:
            self._clear(run_id, options, origin)
            raise
        if entry.replayed is not None:
            self._clear(run_id, options, origin)
            return Accepted(run_id=entry.replayed, replayed=True)
        return Accepted(
            run_id=run_id,
            ignored_env=tuple(ignored),
            warnings=tuple(origin.warnings),
            restarted_from=origin.restarted_from,
        )

    def _check_disk(self) -> None:
        """Refuse new runs while the disk has little room left."""
        try:
            found = os.statvfs(self._settings.data_dir)
        except FileNotFoundError:
            return
        if found.f_bavail * found.f_frsize < self._settings.disk_margin_bytes:
            raise StorageFullError

    # The files of a run that need to be there before its row

    def _lay_down(self, run_id: str, options: RunOptions, origin: Origin) -> None:
        secrets = _secrets_of(options)
        try:
            if origin.lay_down_script is not None:
                origin.lay_down_script(run_id)
            if secrets:
                self._folders.write_secrets(run_id, secrets)
        except BaseException:
            self._clear(run_id, options, origin)
            raise

    def _clear(self, run_id: str, options: RunOptions, origin: Origin) -> None:
        """Leave nothing of a run that was refused."""
        if origin.lay_down_script is not None or _secrets_of(options):
            with suppress(OSError):
                self._folders.remove(run_id)

    # Rows

    def _make_rows(
        self,
        run_id: str,
        script: ScriptRef,
        options: RunOptions,
        origin: Origin,
        ignored: Sequence[str],
    ) -> NewRun:
        now = self._clock.utc_now()
        request = {"script_path": script.shown_path, **options.to_json()}
        request["env_vars"] = mask(options.env_vars)
        run = {
            "id": run_id,
            "queued_at": now,
            "status": Status.QUEUED,
            "phase": Phase.QUEUED,
            "priority": origin.priority,
            "trigger": origin.trigger,
            "principal": origin.principal,
            "script_path": script.shown_path,
            "script_folded": script.shown_path.casefold(),
            "script_name": script.name,
            "script_kind": script.kind,
            "script_root": script.root,
            "script_relative": script.relative,
            "script_sha256": script.sha256,
            "restarted_from": origin.restarted_from,
            "waiting_for": None,
            "task_id": origin.task_id,
            "fire_time": origin.fire_time,
            "event": origin.event,
            "dry_run": options.dry_run,
            "request_brief": brief_request(script.shown_path, request),
            "event_count": 1,
        }
        details = {
            "run_id": run_id,
            "search_text": _search_text(script.shown_path, options.args),
            "request": request,
            "ignored_env": list(ignored),
            "warnings": list(origin.warnings),
        }
        event = build_event(
            EventType.QUEUED,
            correlation_id=None,
            attempt_number=None,
            trigger=origin.trigger,
            ignored_env=list(ignored),
        )
        draft = EventDraft(
            timestamp=now,
            event_type=event.event_type,
            level=event.level,
            data=event.data,
        )
        return NewRun(run=run, details=details, event=draft)

    # The shared commit

    def _commit(self, entry: Entry) -> None:
        """Return when ``entry`` is committed; raise what became of it otherwise."""
        with self._gathering:
            self._pending.append(entry)
        with self._writing:
            # Whoever held the lock before may have written this entry along.
            if not entry.is_done:
                with self._gathering:
                    batch, self._pending = self._pending, []
                self._write_batch(batch)
        if entry.error is not None:
            raise entry.error
        pass_point("submit.after_commit")

    def _write_batch(self, batch: Sequence[Entry]) -> None:
        try:
            self._write_together(batch)
        finally:
            for entry in batch:
                entry.is_done = True
        if any(entry.error is None and entry.replayed is None for entry in batch):
            self._after_commit()

    def _write_together(self, batch: Sequence[Entry]) -> None:
        """Write a batch in one transaction; if that fails, each in its own."""
        try:
            self._database.retrying(lambda each: self._insert(each, batch))
        except ScriptRunnerError as error:
            for entry in batch:
                entry.error = error
        except Exception as error:  # noqa: BLE001 - one bad row must not hurt the others
            if len(batch) == 1:
                batch[0].error = error
                return
            logger.warning("a shared commit failed: %r", error)
            for entry in batch:
                self._write_together([entry])

    def _insert(self, connection: Connection, batch: Sequence[Entry]) -> None:
        numbers = change_counter.reserve(connection, len(batch))
        room = self._settings.queue_limit - repository.count_queued(connection)
        accepted: dict[tuple[str, str, str], Entry] = {}
        new_runs: list[NewRun] = []
        for entry in batch:
            entry.error = entry.replayed = None
            try:
                if self._is_replay(connection, entry, accepted):
                    continue
                if len(new_runs) >= room:
                    raise QueueFullError
                new_runs.append(_complete(connection, entry))
            except ScriptRunnerError as error:
                entry.error = error
                continue
            if entry.idempotency is not None:
                accepted[_name_of(entry)] = entry
        repository.insert_runs(connection, new_runs, numbers)
        for entry in accepted.values():
            self._insert_key(connection, entry)
        pass_point("submit.before_commit")

    def _is_replay(
        self,
        connection: Connection,
        entry: Entry,
        accepted: Mapping[tuple[str, str, str], Entry],
    ) -> bool:
        """Note the earlier run if the request was made before, also in this batch."""
        key = entry.idempotency
        if key is None:
            return False
        twin = accepted.get(_name_of(entry))
        if twin is not None and twin.idempotency is not None:
            if twin.idempotency.body_sha256 != key.body_sha256:
                raise IdempotencyConflictError
            entry.replayed = twin.run_id
        else:
            entry.replayed = self._find_replayed(connection, entry.principal, key)
        return entry.replayed is not None

    def _insert_key(self, connection: Connection, entry: Entry) -> None:
        if entry.idempotency is not None:
            repository.insert_key(
                connection,
                entry.principal,
                entry.idempotency,
                run_id=entry.run_id,
                now=self._clock.utc_now(),
            )


def is_key(text: str) -> bool:
    """Return whether ``text`` can be an idempotency key."""
    visible = all("!" <= character <= "~" for character in text)
    return 1 <= len(text) <= MAX_KEY_CHARACTERS and visible


def _name_of(entry: Entry) -> tuple[str, str, str]:
    key = entry.idempotency
    return (entry.principal, key.route, key.key) if key else ("", "", "")


def _complete(connection: Connection, entry: Entry) -> NewRun:
    if entry.before_insert is None:
        return entry.new
    columns = entry.before_insert(connection, entry.run_id)
    new = entry.new
    return NewRun(run={**new.run, **columns}, details=new.details, event=new.event)


def _secrets_of(options: RunOptions) -> dict[str, str]:
    if not options.env_vars:
        return {}
    return {k: v for k, v in options.env_vars.items() if is_secret_name(k)}


def _search_text(script_path: str, args: Sequence[str]) -> str:
    text = f"{script_path}\n{' '.join(args)}".casefold()[:MAX_SEARCH_CHARACTERS]
    return text.encode("utf-8", "replace").decode()
