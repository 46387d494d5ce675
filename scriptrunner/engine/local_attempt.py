"""What is known of one attempt of a run without a service, and in which shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scriptrunner.clock import from_microseconds, to_text
from scriptrunner.engine.control_file import ControlFile
from scriptrunner.engine.events import execution_time
from scriptrunner.engine.outcomes import outcome_of


@dataclass(slots=True, kw_only=True)
class LocalAttempt:
    """One attempt; its fields fill up as it goes on."""

    #: From 1.
    number: int
    claimed_at: datetime
    #: Slots 1 and 2 of its control file.
    spawn: Mapping[str, Any] | None = None
    end: Mapping[str, Any] | None = None
    #: When ``end`` was read.
    recorded_at: datetime | None = None

    @property
    def started_at(self) -> datetime | None:
        """When the script was started; None if it never was."""
        if self.end is not None and self.end["reason"] != "lost":
            return _moment(self.end.get("started_us"))
        return _moment((self.spawn or {}).get("at_us"))

    @property
    def ended_at(self) -> datetime | None:
        """When it was over; None if that is not known."""
        return _moment((self.end or {}).get("ended_us"))

    def take(self, record: ControlFile | None) -> bool:
        """Keep the spawn record and return whether there is one."""
        if record is None or not isinstance(record.spawn, dict):
            return False
        self.spawn = record.spawn
        return True

    def close(self, record: ControlFile | None, shim_fate: str) -> str:
        """Keep the end, or what the lack of one means, and return its reason.

        Args:
            record: The control file after the shim's end, or None.
            shim_fate: What became of the shim, for people.
        """
        self.take(record)
        self.end = _end_of(record, shim_fate)
        return str(self.end["reason"])

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as records show it."""
        end = self.end or {"reason": "lost"}
        exit_code = end.get("exit_code")
        outcome = outcome_of(str(end["reason"]), exit_code).to_json()
        return {
            "n": self.number,
            "started_at": _text(self.started_at),
            "finished_at": _text(self.ended_at),
            "exit_code": exit_code,
            "run_status": outcome["run_status"],
            "reason": outcome["reason"],
            "stdout_bytes": end.get("out_bytes"),
            "stderr_bytes": end.get("err_bytes"),
        }

    def to_step_facts(self) -> dict[str, Any]:
        """Return the fields of ``StepFacts`` that are known by now."""
        spawn, end = self.spawn or {}, self.end or {}
        return {
            "attempt": self.number,
            "claimed_at": self.claimed_at,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "recorded_at": self.recorded_at,
            "execution_time_seconds": execution_time(end),
            "end_reason": end.get("reason"),
            "exit_code": end.get("exit_code"),
            "error": end.get("error"),
            "pid": end.get("pid") or spawn.get("pid"),
            "sha256": spawn.get("sha256"),
            "sample_count": end.get("samples"),
        }


def _end_of(record: ControlFile | None, shim_fate: str) -> Mapping[str, Any]:
    if record is not None and record.end is not None:
        return record.end
    if record is not None and record.spawn is not None:
        detail = "end record damaged" if record.end_damaged else None
        return {"reason": "lost", "error": detail, "error_type": None}
    return {
        "reason": "spawn_error",
        "error": f"the process that watches the script {shim_fate}",
        "error_type": "SpawnError",
    }


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else to_text(moment)
