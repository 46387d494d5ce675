"""What the supervisor knows of an attempt that is under way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scriptrunner.engine import control_file
from scriptrunner.supervisor.ports import End


@dataclass(slots=True)
class Watch:
    """One attempt that is under way."""

    run_id: str
    attempt: int
    run_dir: str
    #: pidfd of a shim that an earlier supervisor started, else None.
    pidfd: int | None = None
    #: Whether the start is in the record.
    is_recorded: bool = False
    #: Whether its events say that it cannot be killed.
    is_undying: bool = False
    #: Monotonic seconds at which it was launched.
    since: float = 0.0

    @property
    def control_path(self) -> str:
        """Path of the attempt's control file."""
        return control_file.path_of(self.run_dir, self.attempt)

    def end(
        self,
        *,
        spawn: Mapping[str, Any] | None,
        end: Mapping[str, Any] | None,
        detail: str | None = None,
    ) -> End:
        """Return the end of the attempt by its record; without one it is lost."""
        return End(
            run_id=self.run_id,
            attempt=self.attempt,
            spawn=spawn,
            end=end,
            lost_reason="lost" if end is None else None,
            detail=detail,
        )
