"""From a run's row to the launch order of its next attempt."""

import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from scriptrunner.engine.dry_run import describe
from scriptrunner.engine.environment import build_environment, split_environment
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.paths import AllowedRoots, ScriptMissingError
from scriptrunner.engine.plan import RunOptions, ScriptRef
from scriptrunner.engine.scans.ordering import build_order, list_kinds
from scriptrunner.engine.script_file import ScriptChangedError, take
from scriptrunner.errors import InvalidInputError, ScriptRunnerError
from scriptrunner.runs.folders import SCRIPT_NAME, TEMPORARY_NAME, RunFolders
from scriptrunner.runs.repository.state import StoredRun
from scriptrunner.settings import Settings

logger = logging.getLogger(__name__)

#: What may go wrong with the record of one run; it ends that run and no other.
BROKEN = (ScriptRunnerError, OSError, ValueError, KeyError, TypeError)


class LaunchBuilder:
    """Makes launch orders by the settings of one service.

    Args:
        settings: The service's settings.
        folders: The run folders.
        roots: The allowed roots.
    """

    def __init__(
        self, settings: Settings, folders: RunFolders, roots: AllowedRoots
    ) -> None:
        """Read what scripts inherit of the service's environment."""
        self._settings = settings
        self._folders = folders
        self._roots = roots
        self.python = settings.python or sys.executable
        self._passed = {
            name: os.environ[name] for name in settings.pass_env if name in os.environ
        }

    def build(self, run: StoredRun, *, correlation_id: str) -> Launch:
        """Return the order for the next attempt of ``run``.

        Args:
            run: The row as it is before the claim.
            correlation_id: Of the run.

        Raises:
            InvalidInputError: If the working folder is not allowed any more.
            OSError: If the run's secrets cannot be read.
        """
        options = self.options_of(run)
        folder = self._folders.path(run.id)
        root, relative = self._script_place(run, folder)
        working_root, working_relative = self._working_place(run, options, folder)
        attempt = run.attempt + 1
        return Launch(
            run_id=run.id,
            attempt=attempt,
            run_dir=folder,
            python=self.python,
            args=options.args,
            environment=self._environment(run, options, attempt, correlation_id),
            script_path=f"{root}/{relative}",
            script_root=root,
            script_relative=relative,
            script_sha256=None if run.script_kind == "file" else run.script_sha256,
            scripts_dir=self._scripts_dir(run),
            working_root=working_root,
            working_relative=working_relative,
            timeout_seconds=options.timeout,
            grace_seconds=self._settings.stop_grace_seconds,
            max_output_bytes=self._settings.max_output_bytes,
            monitor_interval_seconds=options.monitor_interval,
            durable=self._settings.durability == "power",
            stream_output=options.stream_output,
            secrets=self._secrets_of(run) if options.stream_output else (),
            scans=self._scans(run, options),
            dry_run=options.dry_run,
        )

    def _secrets_of(self, run: StoredRun) -> Sequence[str]:
        values = self._folders.read_secrets(run.id) if run.request["env_vars"] else {}
        return [*values.values()]

    def _scans(self, run: StoredRun, options: RunOptions) -> Mapping[str, Any] | None:
        settings = self._settings
        return build_order(
            list_kinds(options),
            script_name=run.script_name,
            block=settings.scan_block,
            advisory_db=str(settings.advisory_path),
            cache_dir=str(settings.scans_dir),
        )

    def options_of(self, run: StoredRun) -> RunOptions:
        """Return a run's options with the real values of what is masked."""
        values = dict(run.request)
        values.pop("script_path", None)
        if values["env_vars"]:
            secrets = self._folders.read_secrets(run.id)
            values["env_vars"] = {**values["env_vars"], **secrets}
        if values.get("slack_webhook"):
            real = self._folders.read_webhook(run.id)
            values["slack_webhook"] = real or values["slack_webhook"]
        return RunOptions.from_json(values)

    def describe(self, run: StoredRun) -> Mapping[str, Any]:
        """Return what ``run``, a dry run, would do."""
        options = self.options_of(run)
        folder = self._folders.path(run.id)
        root, relative = self._script_place(run, folder)
        working_root, working_relative = self._working_place(run, options, folder)
        _, ignored = split_environment(options.env_vars)
        return describe(
            ScriptRef(
                kind=run.script_kind, shown_path=run.script_path, name=run.script_name
            ),
            options,
            command=[self.python, f"{root}/{relative}", *options.args],
            environment=self._environment(run, options, 1, ""),
            ignored_env=ignored,
            working_dir=f"{working_root}/{working_relative}".rstrip("/"),
            sha256=run.script_sha256 or _digest_of(root, relative),
        )

    def describe_if_possible(self, run: StoredRun) -> dict[str, Any]:
        """Return what a dry run would do, or why that cannot be said."""
        try:
            return dict(self.describe(run))
        except BROKEN as error:
            logger.warning("dry run %s cannot be described: %r", run.id, error)
            return {"dry_run": True, "message": f"Dry run: {explain(error)}"}

    def _script_place(self, run: StoredRun, folder: str) -> tuple[str, str]:
        """Return trusted folder and path below it of the bytes that are to run."""
        if run.script_kind != "file":
            return folder, SCRIPT_NAME
        if run.script_root is None or run.script_relative is None:
            # It was not there when a task queued the run; perhaps it is back.
            return self._locate(run.script_path)
        return run.script_root, run.script_relative

    def _locate(self, path: str) -> tuple[str, str]:
        try:
            found = self._roots.locate(path)
        except InvalidInputError as error:
            raise ScriptMissingError(error.message) from None
        return found.root or "", found.relative or ""

    def _scripts_dir(self, run: StoredRun) -> str | None:
        """Return where the bytes are kept; an upload's are in its own folder already."""
        return str(self._settings.scripts_dir) if run.script_kind == "file" else None

    def _working_place(
        self, run: StoredRun, options: RunOptions, folder: str
    ) -> tuple[str, str]:
        if options.working_dir is not None:
            found = self._roots.get_folder(options.working_dir)
            return found.root, found.relative
        if run.script_root is None or run.script_relative is None:
            return folder, ""
        return run.script_root, run.script_relative.rpartition("/")[0]

    def _environment(
        self, run: StoredRun, options: RunOptions, attempt: int, correlation_id: str
    ) -> dict[str, str]:
        caller, _ = split_environment(options.env_vars)
        folder = self._folders.path(run.id)
        service = {
            "RUN_ID": run.id,
            "WEBAPI_RUN_DIR": folder,
            "SCRIPT_RUNNER_ACTIVE": "1",
            "SCRIPT_RUNNER_ATTEMPT": str(attempt),
            "SCRIPT_RUNNER_CORRELATION_ID": correlation_id,
            "SCRIPT_RUNNER_LOG_LEVEL": options.log_level,
        }
        if run.event is not None:
            service["SCRIPT_RUNNER_EVENT"] = run.event
            if run.event_payload is not None:
                payload = json.dumps(run.event_payload, ensure_ascii=False)
                service["SCRIPT_RUNNER_EVENT_PAYLOAD"] = payload
        return build_environment(
            settings_pass=self._passed,
            caller=caller,
            service=service,
            temporary_dir=f"{folder}/{TEMPORARY_NAME}",
        )


def _digest_of(root: str, relative: str) -> str | None:
    """Return the sha256 of a script as it is now, None if it cannot be read."""
    path = f"{root}/{relative}"
    try:
        return take(path, root, relative, expected=None, scripts_dir=None).sha256
    except ScriptChangedError:
        return None


def explain(error: Exception) -> str:
    """Return a line for people; paths of the service stay out of it."""
    if isinstance(error, ScriptRunnerError):
        return error.message
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"the record of the run is damaged ({type(error).__name__})"
