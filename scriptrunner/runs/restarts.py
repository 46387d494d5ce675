"""Restart: the stored request as a new run, which waits for the old one to be gone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from scriptrunner.engine.outcomes import ACTIVE_STATUSES, Phase, Status, StopKind
from scriptrunner.engine.paths import AllowedRoots, ScriptMissingError
from scriptrunner.engine.plan import ScriptRef
from scriptrunner.fault_points import pass_point
from scriptrunner.runs.errors import RestartPendingError, RunNotFoundError
from scriptrunner.runs.folders import SCRIPT_NAME, RunFolders
from scriptrunner.runs.intake import Intake, Origin
from scriptrunner.runs.launching import LaunchBuilder
from scriptrunner.runs.models import Accepted, IdempotencyKey, Trigger
from scriptrunner.runs.repository import changes as change_counter
from scriptrunner.runs.repository import state
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.runs.stopping import Order, StopDesk, order_of
from scriptrunner.runs.transitions import Host, RunChange
from scriptrunner.runs.writing import write
from scriptrunner.storage.database import Connection, Database


class Restarter:
    """Restarts runs. Threads may share it.

    Args:
        database: The migrated database.
        folders: The run folders.
        scripts_dir: Folder that keeps script bytes by sha256.
        roots: The allowed roots.
        builder: Reads stored requests.
        intake: The way into the queue.
        desk: Stops the old run.
        host: This machine.
    """

    def __init__(
        self,
        database: Database,
        *,
        folders: RunFolders,
        scripts_dir: Path,
        roots: AllowedRoots,
        builder: LaunchBuilder,
        intake: Intake,
        desk: StopDesk,
        host: Host,
    ) -> None:
        """Hold nothing yet."""
        self._database = database
        self._folders = folders
        self._scripts_dir = scripts_dir
        self._roots = roots
        self._builder = builder
        self._intake = intake
        self._desk = desk
        self._host = host

    def restart(
        self,
        run_id: str,
        *,
        principal: str,
        use_snapshot: bool = False,
        idempotency: IdempotencyKey | None = None,
    ) -> Accepted:
        """Queue the request of a run once more; an active run is stopped for it.

        Args:
            run_id: The run to repeat.
            principal: Who asks; the new run is theirs.
            use_snapshot: Run the bytes that ran then, not the file as it is now.
                Uploads always do.
            idempotency: Makes a repeated request one request.

        Raises:
            RunNotFoundError: If there is no such run.
            InvalidInputError: If its script or working folder is gone or not allowed.
            RestartPendingError: If a restart of it waits already.
            QueueFullError: If too many runs wait.
        """
        replayed = self._intake.find_replay(principal, idempotency)
        if replayed is not None:
            return replace(replayed, restarted_from=run_id)
        with self._database.read() as connection:
            old = state.find(connection, run_id)
        if old is None:
            raise RunNotFoundError
        options = self._builder.options_of(old)
        options.check()
        script, lay_down = self._find_script(old, use_snapshot=use_snapshot)
        hand_over = _HandOver(self._desk, self._host, run_id, principal)
        origin = Origin(
            principal=principal,
            trigger=Trigger.RESTART,
            priority=old.priority,
            event=old.event,
            event_payload=old.event_payload,
            restarted_from=run_id,
            idempotency=idempotency,
            lay_down_script=lay_down,
            before_insert=hand_over.take,
        )
        accepted = self._intake.put(script, options, origin)
        pass_point("restart.after_commit")
        if hand_over.order is not None and not accepted.replayed:
            self._desk.tell_shim(
                hand_over.order, principal=principal, grace_seconds=None
            )
        return replace(accepted, restarted_from=run_id)

    def _find_script(
        self, old: StoredRun, *, use_snapshot: bool
    ) -> tuple[ScriptRef, Callable[[str], None] | None]:
        if old.script_kind != "upload" and not use_snapshot:
            return self._roots.locate(old.script_path), None
        source = self._find_bytes(old)
        script = ScriptRef(
            kind="upload" if old.script_kind == "upload" else "snapshot",
            shown_path=old.script_path,
            name=old.script_name,
            root=old.script_root,
            relative=old.script_relative,
            sha256=old.script_sha256,
        )
        return script, lambda run_id: self._folders.copy_script(source, run_id)

    def _find_bytes(self, old: StoredRun) -> str:
        """Return where the bytes that ran are kept."""
        if old.script_kind == "file":
            place = self._scripts_dir / (old.script_sha256 or "unknown")
        else:
            place = Path(self._folders.path(old.id)) / SCRIPT_NAME
        if not place.is_file():
            raise ScriptMissingError("The bytes that this run had run are not kept")
        return str(place)


class _HandOver:
    """What happens to the old run in the transaction that queues the new one."""

    def __init__(self, desk: StopDesk, host: Host, run_id: str, principal: str) -> None:
        self._desk = desk
        self._host = host
        self._run_id = run_id
        self._principal = principal
        #: The order to carry out after the commit, if the old run is under way.
        self.order: Order | None = None

    def take(self, connection: Connection, new_id: str) -> Mapping[str, Any]:
        """Stop the old run and tie both together; return columns of the new row."""
        self.order = None
        numbers = change_counter.reserve(connection, 1)
        found = state.load_for_change(connection, [self._run_id]).get(self._run_id)
        if found is None:
            raise RunNotFoundError
        change = RunChange(*found, self._host, connection=connection)
        run = change.run
        _refuse_second(connection, run)
        if run.status in ACTIVE_STATUSES:
            self._desk.ask(
                change, StopKind.RESTART, principal=self._principal, grace_seconds=None
            )
            if change.refusal is None and run.phase != Phase.FINAL:
                self.order = order_of(run, StopKind.RESTART)
        change.tie(restarted_as=new_id)
        write(connection, [change], numbers)
        return {"waiting_for": run.id if run.status in ACTIVE_STATUSES else None}


def _refuse_second(connection: Connection, run: StoredRun) -> None:
    """Refuse while an earlier restart of an active run is still waiting for its end."""
    if run.restarted_as is None or run.status not in ACTIVE_STATUSES:
        return
    waiting = state.find(connection, run.restarted_as)
    if waiting is not None and waiting.status == Status.QUEUED:
        raise RestartPendingError
