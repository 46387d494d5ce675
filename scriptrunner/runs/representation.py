"""Runs as JSON: the keys and values of the API, in plain dictionaries.

Lists of 50 are asked for often, so this is straight code without reflection.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scriptrunner.runs.models import (
    AttemptRecord,
    Event,
    RunListItem,
    RunRecord,
    Status,
)

#: Bytes of JSON that a path may take in a list item; longer ones end with an ellipsis.
MAX_PATH_BYTES = 3 << 10
#: Bytes of JSON that the arguments may take in a list item.
MAX_ARGS_BYTES = 4 << 10
#: What an error of this kind says beside its message.
_TIMEOUT_ERROR = "Script execution timed out"


def to_json(run: RunRecord | RunListItem) -> dict[str, Any]:
    """Return a record, or a list item, as the API shows it."""
    return record_to_json(run) if isinstance(run, RunRecord) else item_to_json(run)


def time_to_json(moment: datetime | None) -> str | None:
    """Return a UTC time as RFC 3339 with six digits and ``Z``; None stays None."""
    if moment is None:
        return None
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def item_to_json(item: RunListItem) -> dict[str, Any]:
    """Return a list item: a record without bulk, below 16 KiB."""
    values = _common(item)
    values["error_summary"] = _brief_summary(item)
    values["request"] = item.request_brief
    values["result"] = _brief_result(item)
    values["attempts"] = item.attempts_made
    values["script"]["path"] = shorten(values["script"]["path"], MAX_PATH_BYTES)
    return values


def record_to_json(record: RunRecord) -> dict[str, Any]:
    """Return a whole record."""
    values = _common(record.item)
    values["error_summary"] = record.error_summary
    values["request"] = record.request
    values["result"] = record.result
    values["attempts"] = [attempt_to_json(each) for each in record.attempts]
    values["ignored_env"] = list(record.ignored_env)
    values["warnings"] = list(record.warnings)
    values["outputs"] = list(record.outputs)
    values["live"] = record.live
    return values


def _common(item: RunListItem) -> dict[str, Any]:
    queued_at = time_to_json(item.queued_at)
    return {
        "id": item.id,
        "status": item.status,
        "run_status": item.run_status,
        "phase": item.phase,
        "reason": item.reason,
        "queued_at": queued_at,
        "started_at": time_to_json(item.started_at) or queued_at,
        "finished_at": time_to_json(item.finished_at),
        "next_attempt_at": time_to_json(item.next_attempt_at),
        "exit_code": item.exit_code,
        "error": item.error,
        "duration_seconds": item.duration_seconds,
        "correlation_id": item.correlation_id,
        "trigger": item.trigger,
        "principal": item.principal,
        "task_id": item.task_id,
        "fire_time": time_to_json(item.fire_time),
        "event": item.event,
        "restarted_from": item.restarted_from,
        "restarted_as": item.restarted_as,
        "waiting_for": item.waiting_for,
        "queue_position": item.queue_position,
        "script": {
            "name": item.script_name,
            "path": item.script_file or item.script_path,
            "sha256": item.script_sha256,
            "size": item.script_size,
            "library_id": item.library_id,
        },
    }


def _brief_result(item: RunListItem) -> dict[str, Any] | None:
    if item.finished_at is None:
        return None
    return {
        "returncode": item.exit_code,
        "success": item.run_status == "success",
        "status": item.run_status,
        "metrics": {
            "execution_time_seconds": item.execution_time_seconds,
            "cpu_max": item.cpu_max,
            "memory_max_mb": item.memory_max_mb,
        },
    }


def _brief_summary(item: RunListItem) -> dict[str, Any] | None:
    """Return the error summary without what the script printed."""
    if item.run_status is None or item.status in (Status.COMPLETED, Status.RUNNING):
        return None
    code = item.exit_code
    summary: dict[str, Any] = {
        "exit_code": code,
        "stderr_snippet": "",
        "status": item.run_status,
        "correlation_id": item.correlation_id,
        "reason": item.reason,
        "message": item.error,
        "signal": -code if code is not None and code < 0 else None,
        "timeout_seconds": None,
    }
    if item.run_status == "timeout":
        summary["timeout_seconds"] = item.request_brief.get("timeout")
        summary["error"] = _TIMEOUT_ERROR
    return summary


def attempt_to_json(attempt: AttemptRecord) -> dict[str, Any]:
    """Return one attempt of a record."""
    return {
        "n": attempt.n,
        "started_at": time_to_json(attempt.started_at),
        "finished_at": time_to_json(attempt.finished_at),
        "exit_code": attempt.exit_code,
        "run_status": attempt.run_status,
        "reason": attempt.reason,
        "stdout_bytes": attempt.stdout_bytes,
        "stderr_bytes": attempt.stderr_bytes,
    }


def event_to_json(event: Event) -> dict[str, Any]:
    """Return one event of a run."""
    return {
        "seq": event.seq,
        "timestamp": time_to_json(event.timestamp),
        "event_type": event.event_type,
        "level": event.level,
        "data": event.data,
    }


def brief_request(script_path: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a request that lists show.

    Args:
        script_path: As the caller gave it.
        request: All options by name.
    """
    folder = request["working_dir"]
    return {
        "script_path": shorten(script_path, MAX_PATH_BYTES),
        "args": _first_args(request["args"]),
        "timeout": request["timeout"],
        "working_dir": None if folder is None else shorten(folder, MAX_PATH_BYTES),
        "dry_run": request["dry_run"],
        "retry_on_failure": request["retry_on_failure"],
    }


def _first_args(args: list[str]) -> list[str]:
    room = MAX_ARGS_BYTES
    kept = []
    for text in args:
        short = shorten(text, room)
        if not short and text:
            break
        kept.append(short)
        room -= _json_size(short) + 2
        if short != text or room < 8:
            break
    return kept


def shorten(text: str, limit: int) -> str:
    """Return ``text``, cut so that its JSON takes at most ``limit`` bytes (>= 8)."""
    if len(text) * 6 <= limit or _json_size(text) <= limit:
        return text
    text = text[:limit]
    while text and _json_size(text) > limit - 3:
        text = text[: len(text) * 7 // 8]
    return text + "…"


def _json_size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace"))
