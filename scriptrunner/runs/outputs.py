"""What the attempts of a run left in its folder, as the record shows it."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.engine import control_file
from scriptrunner.engine.result import Outputs, read_outputs
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.masking import Masker


def logs_url(run_id: str) -> str:
    """Return where the whole output of a run is served."""
    return f"/api/runs/{run_id}/logs"


def read_tails(
    folders: RunFolders, run_id: str, attempt: int, *, cap_bytes: int
) -> Outputs:
    """Return the last part of both streams of an attempt, without secrets.

    Args:
        folders: The run folders.
        run_id: The run.
        attempt: From 1.
        cap_bytes: Bytes kept per stream.
    """
    masker = Masker(folders.read_secrets(run_id).values())
    return read_outputs(
        folders.path(run_id),
        attempt,
        cap_bytes=cap_bytes,
        logs_url=logs_url(run_id),
        mask=masker.read if masker else None,
    )


def find_last_end(
    folders: RunFolders, run_id: str, attempt: int, *, cap_bytes: int
) -> tuple[Mapping[str, Any] | None, Outputs | None]:
    """Return end record and output of the newest attempt that is over.

    Args:
        folders: The run folders.
        run_id: The run.
        attempt: Number of the last claim; earlier ones are looked at if it left nothing.
        cap_bytes: Bytes kept per stream.
    """
    for number in range(attempt, 0, -1):
        record = control_file.read(control_file.path_of(folders.path(run_id), number))
        if record is not None and record.end is not None:
            tails = read_tails(folders, run_id, number, cap_bytes=cap_bytes)
            return record.end, tails
    return None, None
