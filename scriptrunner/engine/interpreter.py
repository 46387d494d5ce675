"""Facts about the interpreter that runs the scripts: version, platform, start cost."""

import json
import subprocess
import time
from typing import Any

#: Starts measured; the smallest counts, because everything else is noise.
_STARTS = 3
_QUESTION = (
    "import json, platform, sys;"
    "print(json.dumps([platform.python_version(), platform.platform()]))"
)


def describe(python: str) -> dict[str, Any]:
    """Return ``version``, ``platform`` and ``start_ms`` of an interpreter.

    ``start_ms`` is the wall time of ``python -c pass`` with its site packages, in
    milliseconds. All values are None if it cannot be run.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - the administrator's interpreter
            [python, "-c", _QUESTION], capture_output=True, check=True, timeout=30
        )
        version, platform = json.loads(answer.stdout)
        return {
            "version": version,
            "platform": platform,
            "start_ms": round(min(_time_start(python) for _ in range(_STARTS)), 1),
        }
    except (OSError, ValueError, subprocess.SubprocessError):
        return {"version": None, "platform": None, "start_ms": None}


def _time_start(python: str) -> float:
    started = time.perf_counter()
    subprocess.run([python, "-c", "pass"], check=True, timeout=30)  # noqa: S603
    return (time.perf_counter() - started) * 1000
