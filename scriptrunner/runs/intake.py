"""How a run gets into the queue: checked, its files laid down, committed."""

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from scriptrunner.clock import Clock
from scriptrunner.engine import destinations
from scriptrunner.engine.environment import is_secret_name, mask, split_environment
from scriptrunner.engine.events import EventType, build_event
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.engine.plan import RunOptions, ScriptRef
from scriptrunner.errors import StorageFullError
from scriptrunner.fault_points import pass_point
from scriptrunner.runs import uploads
from scriptrunner.runs.after_run import AfterRun
from scriptrunner.runs.errors import InvalidIdempotencyKeyError
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.models import (
    Accepted,
    IdempotencyKey,
    Phase,
    Status,
    Submission,
    Upload,
)
from scriptrunner.runs.repository.events import EventDraft
from scriptrunner.runs.repository.intake import NewRun
from scriptrunner.runs.representation import brief_request
from scriptrunner.runs.shared_commit import (
    BeforeInsert,
    Entry,
    SharedCommit,
    find_replayed,
)
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database, DatabaseGoneError

#: Characters of a request that are searched.
MAX_SEARCH_CHARACTERS = 64 << 10
MAX_KEY_CHARACTERS = 255


@dataclass(slots=True)
class Origin:
    """Where a run comes from, beyond what it is to do."""

    principal: str
    trigger: str
    priority: int = 0
    task_id: str | None = None
    fire_time: datetime | None = None
    event: str | None = None
    #: What came with the event: any JSON value, None without one.
    event_payload: Any = None
    library_id: int | None = None
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
        after_run: Knows what the steps of a run need.
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
        after_run: AfterRun,
        after_commit: Callable[[], None],
    ) -> None:
        """Start with nobody waiting."""
        self._database = database
        self._settings = settings
        self._folders = folders
        self._roots = roots
        self._clock = clock
        self._after_run = after_run
        self._commit = SharedCommit(
            database,
            queue_limit=settings.queue_limit,
            clock=clock,
            after_commit=after_commit,
        )

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
            library_id=submission.library_id,
            idempotency=submission.idempotency,
            lay_down_script=lay_down,
            warnings=[*submission.warnings, *self._roots.find_warnings(script)],
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
            run_id = find_replayed(
                connection, principal, key, now=self._clock.utc_now()
            )
        return None if run_id is None else Accepted(run_id=run_id, replayed=True)

    def put(self, script: ScriptRef, options: RunOptions, origin: Origin) -> Accepted:
        """Put a run of a checked script into the queue.

        Args:
            script: The script, located.
            options: The options, checked.
            origin: Where it comes from.

        Raises:
            InvalidWorkingDirError: If the working folder is not allowed.
            InvalidOutputPathError: If an output may not be written there.
            WebhookNotAllowedError: If the webhook's host is not allowed.
            MalformedInputError: If an alert names a channel that does not exist.
            QueueFullError: If too many runs wait.
            StorageFullError: If the data disk is (almost) full.
        """
        self.check_places(options)
        self.check_disk()
        origin.warnings += self.find_warnings(options)
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
            self._commit.put(entry)
        except DatabaseGoneError:
            raise  # nobody knows whether it is queued; housekeeping finds what has no row
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

    def find_warnings(self, options: RunOptions) -> list[str]:
        """Return what may be meant otherwise in well-formed options, in words.

        Raises:
            MalformedInputError: If an alert names a channel that does not exist.
        """
        return list(self._after_run.alerts.find_warnings(options))

    def check_places(self, options: RunOptions) -> None:
        """Refuse folders, outputs and addresses that this service does not allow.

        Raises:
            InvalidWorkingDirError: If the working folder is not allowed.
            InvalidOutputPathError: If an output may not be written there.
            WebhookNotAllowedError: If the webhook's host is not allowed.
        """
        if options.working_dir is not None:
            self._roots.get_folder(options.working_dir)
        self._check_destinations(options)

    def prepare(self, script: ScriptRef, options: RunOptions, origin: Origin) -> NewRun:
        """Lay down the files of a run and return its rows, for a caller's transaction.

        Whoever does not store the rows calls ``discard``.
        """
        origin.warnings += self.find_warnings(options)
        run_id = str(uuid4())
        _, ignored = split_environment(options.env_vars)
        new = self._make_rows(run_id, script, options, origin, ignored)
        self._lay_down(run_id, options, origin)
        return new

    def discard(self, new: NewRun) -> None:
        """Leave nothing of a run that was prepared and is not stored."""
        with suppress(OSError):
            self._folders.remove(new.run["id"])

    def _check_destinations(self, options: RunOptions) -> None:
        """Refuse places outside that this service does not allow."""
        if options.slack_webhook is not None:
            destinations.check_webhook(
                options.slack_webhook,
                hosts=self._settings.webhook_hosts,
                internal=self._settings.webhook_internal_hosts,
            )
        self._after_run.check(options)

    def check_disk(self) -> None:
        """Refuse new runs while the disk has little room left.

        Raises:
            StorageFullError: If it has.
        """
        try:
            found = os.statvfs(self._settings.data_dir)
        except FileNotFoundError:
            return
        if found.f_bavail * found.f_frsize < self._settings.disk_margin_bytes:
            raise StorageFullError

    # The files of a run that need to be there before its row

    def _lay_down(self, run_id: str, options: RunOptions, origin: Origin) -> None:
        secrets, webhook = _secrets_of(options), options.slack_webhook
        try:
            if origin.lay_down_script is not None:
                origin.lay_down_script(run_id)
            if secrets or webhook is not None:
                self._folders.write_secrets(run_id, secrets, slack_webhook=webhook)
        except BaseException:
            self._clear(run_id, options, origin)
            raise

    def _clear(self, run_id: str, options: RunOptions, origin: Origin) -> None:
        """Leave nothing of a run that was refused."""
        has_secrets = _secrets_of(options) or options.slack_webhook is not None
        if origin.lay_down_script is not None or has_secrets:
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
        if options.slack_webhook is not None:
            request["slack_webhook"] = destinations.mask_webhook(options.slack_webhook)
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
            "library_id": origin.library_id,
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
            "event_payload": origin.event_payload,
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


def is_key(text: str) -> bool:
    """Return whether ``text`` can be an idempotency key."""
    visible = all("!" <= character <= "~" for character in text)
    return 1 <= len(text) <= MAX_KEY_CHARACTERS and visible


def _secrets_of(options: RunOptions) -> dict[str, str]:
    if not options.env_vars:
        return {}
    return {k: v for k, v in options.env_vars.items() if is_secret_name(k)}


def _search_text(script_path: str, args: Sequence[str]) -> str:
    text = f"{script_path}\n{' '.join(args)}".casefold()[:MAX_SEARCH_CHARACTERS]
    return text.encode("utf-8", "replace").decode()
