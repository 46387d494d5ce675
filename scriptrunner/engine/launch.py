"""The launch order: all that one attempt needs, as one JSON line for the shim."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a shim must know to start, watch and end one attempt.

    Everything is decided before: the shim checks the script once more and obeys.
    """

    run_id: str
    #: From 1; no other order with this number is ever given to a shim.
    attempt: int
    #: The run's own folder; it exists (0700).
    run_dir: str
    #: Interpreter that runs the script; the script's path and ``args`` follow it.
    python: str
    args: Sequence[str]
    environment: Mapping[str, str]
    #: Path by which the script is started.
    script_path: str
    #: Folder that is trusted, and the path below it that is walked without links.
    script_root: str
    script_relative: str
    #: sha256 the bytes must have, or None when the file as it is now is meant.
    script_sha256: str | None
    #: Folder that keeps script bytes by sha256, or None to keep none.
    scripts_dir: str | None
    #: Trusted folder and the path below it (``""`` for itself) of the working folder.
    working_root: str
    working_relative: str
    #: Seconds of one attempt, or None for no limit.
    timeout_seconds: float | None
    #: Seconds between SIGTERM and SIGKILL after a timeout.
    grace_seconds: float
    #: Bytes kept per output stream.
    max_output_bytes: int
    #: Seconds between two samples of CPU and memory.
    monitor_interval_seconds: float
    #: Whether spawn and exit record are forced to the disk.
    durable: bool = False
    #: Whether finished lines are copied to the service log.
    stream_output: bool = False
    #: Values that are hidden in those lines.
    secrets: Sequence[str] = ()
    #: What the script is scanned for before it starts (``scans.ordering``), or None.
    scans: Mapping[str, Any] | None = None
    #: Whether only the scans are made and nothing is started.
    dry_run: bool = False

    def to_json(self) -> str:
        """Return the order as one line of ASCII text."""
        return json.dumps(self.to_mapping(), ensure_ascii=True, separators=(",", ":"))

    def to_mapping(self) -> dict[str, Any]:
        """Return the order as the shim takes it."""
        # Not dataclasses.asdict: it copies every value, on the way of every run.
        return {name: getattr(self, name) for name in self.__slots__}
