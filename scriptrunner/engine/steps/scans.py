"""The step that puts into the result what the scans before the run have found."""

from collections.abc import Mapping
from typing import Any

from scriptrunner.engine.scans.kinds import OPTION_NAMES
from scriptrunner.engine.steps.ending import Ending

STAGE = "Scans"


def is_wanted(request: Mapping[str, Any]) -> bool:
    """Return whether the script of such a run is scanned."""
    return any(request.get(name) for name in OPTION_NAMES.values())


def work(ending: Ending) -> Mapping[str, Any]:
    """Show the reports; None if the run was over before they were there.

    Their stage in the step report, before the start, is made from the reports.
    """
    reports = ending.found.scans
    ending.result["scans"] = None if reports is None else dict(reports)
    return {}
