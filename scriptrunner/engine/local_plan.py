"""A run without a service: the rules for paths and environment of the local user.

Whoever calls ``ScriptRunner`` could start the script by hand, so any readable script may
run and the environment is the caller's own. What stays are the rules that protect from
mistakes: a regular Python file, an existing folder, names that cannot be forged.
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scriptrunner.engine.digest import sha256
from scriptrunner.engine.dry_run import describe
from scriptrunner.engine.environment import split_environment
from scriptrunner.engine.launch import Launch
from scriptrunner.engine.paths import (
    InvalidScriptPathError,
    InvalidWorkingDirError,
    NotPythonError,
    ScriptMissingError,
    has_script_suffix,
)
from scriptrunner.engine.plan import RunOptions, ScriptRef
from scriptrunner.engine.scans.kinds import BLOCK_LEVELS, DEFAULT_BLOCK
from scriptrunner.engine.scans.ordering import build_order, list_kinds
from scriptrunner.engine.steps import is_any_wanted
from scriptrunner.engine.steps.ending import EndingReceiver
from scriptrunner.engine.steps.prices import PriceChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPlan:
    """All that is settled before a run without a service begins."""

    script: ScriptRef
    options: RunOptions
    #: Real path of the folder the script starts in.
    working_dir: str
    #: What is kept of the caller's ``env_vars``, and what is not.
    caller_env: Mapping[str, str]
    ignored_env: tuple[str, ...]
    #: Seconds between SIGTERM and SIGKILL.
    grace_seconds: float
    #: Bytes kept per output stream.
    max_output_bytes: int
    #: Least severity of a finding that blocks the run, or ``NONE``.
    scan_block: str = DEFAULT_BLOCK
    #: File or folder with known vulnerabilities, or None.
    advisory_db: str | None = None
    #: Which prices count.
    prices: PriceChoice = field(default_factory=PriceChoice)
    #: Called with the end of each run after its steps.
    on_ending: EndingReceiver | None = None

    @property
    def has_steps(self) -> bool:
        """Whether anything is to be done when the script is over."""
        return self.on_ending is not None or is_any_wanted(self.options.to_json())

    @property
    def scan_kinds(self) -> list[str]:
        """The scans that are asked for."""
        return list_kinds(self.options)

    def build_environment(self, ids: Mapping[str, str]) -> dict[str, str]:
        """Return the script's environment: the caller's, with ``ids`` on top."""
        return {
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8:backslashreplace",
            **os.environ,
            **self.caller_env,
            **ids,
            "SCRIPT_RUNNER_ACTIVE": "1",
            "SCRIPT_RUNNER_LOG_LEVEL": self.options.log_level,
        }

    def build_launch(
        self, *, run_id: str, correlation_id: str, run_dir: str, attempt: int
    ) -> Launch:
        """Return the launch order of an attempt (``attempt`` from 1)."""
        script = self.script
        environment = self.build_environment(
            {
                "RUN_ID": run_id,
                "WEBAPI_RUN_DIR": run_dir,
                "SCRIPT_RUNNER_ATTEMPT": str(attempt),
                "SCRIPT_RUNNER_CORRELATION_ID": correlation_id,
            }
        )
        return Launch(
            run_id=run_id,
            attempt=attempt,
            run_dir=run_dir,
            python=sys.executable,
            args=self.options.args,
            environment=environment,
            script_path=script.path or "",
            script_root=script.root or "",
            script_relative=script.relative or "",
            script_sha256=None,
            scripts_dir=None,
            working_root=self.working_dir,
            working_relative="",
            timeout_seconds=self.options.timeout,
            grace_seconds=self.grace_seconds,
            max_output_bytes=self.max_output_bytes,
            monitor_interval_seconds=self.options.monitor_interval,
            stream_output=self.options.stream_output,
            scans=build_order(
                self.scan_kinds,
                script_name=script.name,
                block=self.scan_block,
                advisory_db=self.advisory_db,
                cache_dir=None,
            ),
            dry_run=self.options.dry_run,
        )

    def describe(self) -> dict[str, Any]:
        """Return what the run would do: the result of a dry run."""
        path = self.script.path or ""
        return describe(
            self.script,
            self.options,
            command=[sys.executable, path, *self.options.args],
            environment=self.build_environment({"RUN_ID": ""}),
            ignored_env=self.ignored_env,
            working_dir=self.working_dir,
            sha256=sha256(Path(path).read_bytes()),
        )


def plan_locally(
    script_path: str,
    options: RunOptions,
    *,
    grace_seconds: float,
    max_output_bytes: int,
    scan_block: str = DEFAULT_BLOCK,
    advisory_db: str | None = None,
    prices: PriceChoice | None = None,
    on_ending: EndingReceiver | None = None,
) -> LocalPlan:
    """Return the plan of a run of the local user.

    Raises:
        InvalidInputError: If the script, the folder or an option may not be used.
        MalformedInputError: If an option has the wrong type or range.
        ValueError: If ``scan_block`` is no severity and not ``NONE``.
    """
    options.check(is_local=True)
    script = find_local_script(script_path)
    kept, ignored = split_environment(options.env_vars)
    return LocalPlan(
        script=script,
        options=options,
        working_dir=_find_folder(options.working_dir or str(script.root)),
        caller_env=kept,
        ignored_env=tuple(ignored),
        grace_seconds=grace_seconds,
        max_output_bytes=max_output_bytes,
        scan_block=_check_block(scan_block),
        advisory_db=None if advisory_db is None else os.path.abspath(advisory_db),
        prices=prices or PriceChoice(),
        on_ending=on_ending,
    )


def _check_block(text: str) -> str:
    level = text.upper()
    if level not in BLOCK_LEVELS:
        raise ValueError(f"scan_block must be one of {', '.join(BLOCK_LEVELS)}")
    return level


def find_local_script(text: str) -> ScriptRef:
    """Return the script at ``text``, relative to the current folder.

    If it is a link, the file it leads to now is what runs.

    Raises:
        InvalidScriptPathError: If ``text`` holds a NUL.
        ScriptMissingError: If there is no such regular file.
        NotPythonError: If it does not end in ``.py`` or ``.pyw``.
    """
    if "\0" in text:
        raise InvalidScriptPathError
    real = Path(os.path.realpath(text))
    try:
        is_file = bool(text) and stat.S_ISREG(real.stat().st_mode)
    except OSError:
        is_file = False
    if not is_file:
        raise ScriptMissingError
    if not has_script_suffix(Path(text).name):
        raise NotPythonError
    given = Path(text).absolute()
    return ScriptRef(
        kind="file",
        shown_path=text,
        name=given.name,
        root=str(real.parent),
        relative=real.name,
        path=str(real if given.is_symlink() else given),
    )


def _find_folder(text: str) -> str:
    try:
        real = os.path.realpath(text, strict=True)
    except (OSError, ValueError):
        raise InvalidWorkingDirError from None
    if not Path(real).is_dir():
        raise InvalidWorkingDirError
    return real
