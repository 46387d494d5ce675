"""What a dry run answers: the script, the options and the environment, described."""

from collections.abc import Iterable, Sequence
from typing import Any

from scriptrunner.engine import retry
from scriptrunner.engine.plan import RunOptions, ScriptRef


def describe(
    script: ScriptRef,
    options: RunOptions,
    *,
    command: Sequence[str],
    environment: Iterable[str],
    ignored_env: Sequence[str],
    working_dir: str,
    sha256: str | None,
) -> dict[str, Any]:
    """Return what a run would do: the result of a dry run.

    Args:
        script: The script, checked.
        options: The options, checked.
        command: Interpreter, script and arguments.
        environment: Names (or the mapping) of the script's environment; no value is shown.
        ignored_env: Names of the caller that were dropped.
        working_dir: Folder the script would start in.
        sha256: Of the script's bytes as they are now, or None if they were not read.
    """
    return {
        "dry_run": True,
        "message": "Dry run: script validated but not executed.",
        "script_path": script.shown_path,
        "args": list(options.args),
        "timeout": options.timeout,
        "command": list(command),
        "working_dir": working_dir,
        "environment": sorted(environment),
        "ignored_env": list(ignored_env),
        "retry_config": {
            "enabled": options.retry_on_failure,
            "strategy": options.retry_strategy,
            "max_attempts": options.retry_max_attempts,
            "initial_delay": options.retry_initial_delay,
            "max_delay": options.retry_max_delay,
            "multiplier": options.retry_multiplier,
            "delays": retry.planned_delays(options),
            "max_time": options.retry_max_time,
        },
        "performance_gates": [dict(each) for each in options.performance_gates],
        "alerts": [dict(each) for each in options.alerts],
        "junit_output": options.junit_output,
        "save_baseline": options.save_baseline,
        "load_baseline": options.load_baseline,
        "cost_tracking": options.enable_cost_tracking,
        "visualizer": options.enable_visualizer,
        "monitor_interval": options.monitor_interval,
        "history": _history_of(options),
        "scans": {},
        "would_be_blocked": False,
        "sha256": sha256,
    }


def _history_of(options: RunOptions) -> str | None:
    """Return where the metrics of a run would be kept, None for nowhere."""
    if not options.enable_history:
        return None
    return "default" if options.history_db is None else options.history_db
