"""Starting one of the service's own Python processes, detached from whoever starts it.

The process gets the settings as one line of JSON on standard input, writes its log to
``supervisor.log``, and inherits only what it needs of our environment.
"""

import os
import subprocess
import sys
from typing import IO, cast

from scriptrunner.settings import PROJECT_FOLDER, Settings

#: Names of our environment that the service's processes and its shims need.
_KEPT_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "USER",
    "TMPDIR",
    "LOGNAME",
    "LC_ALL",
)


def start(module: str, settings: Settings) -> tuple[int, IO[bytes]]:
    """Start ``module`` in a session of its own, in the data folder.

    Args:
        module: Full name, such as ``scriptrunner.supervise``.
        settings: What it gets to read.

    Returns:
        Its pid, which the caller reaps, and its standard input, still open.
    """
    log = settings.data_dir / "supervisor.log"
    descriptor = os.open(
        log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    try:
        process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            cwd=settings.data_dir,
            env=_environment(settings),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    # It may outlive us on purpose; without this, Popen would warn that it still runs.
    process.returncode = 0
    its_input = cast("IO[bytes]", process.stdin)
    its_input.write(settings.to_json().encode() + b"\n")
    its_input.flush()
    return process.pid, its_input


def _environment(settings: Settings) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_ENVIRONMENT
        or name.startswith("WEBAPI_")
        or name in settings.pass_env
    }
    environment["PYTHONPATH"] = str(PROJECT_FOLDER)
    return environment
