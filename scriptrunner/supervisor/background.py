"""The supervisor's side of the background process: start it when a job is due.

Work that takes long (scanning folders, delivering alerts, cleaning up) would hold up the
loop that watches the runs, so it is done in a process of its own. It lives only while
there is something to do, and ends when the supervisor does: its standard input tells it.
"""

import contextlib
import logging
import os
import time
from collections.abc import Sequence
from typing import IO

from scriptrunner.settings import Settings
from scriptrunner.supervisor import service_process
from scriptrunner.supervisor.ports import BackgroundJob

logger = logging.getLogger(__name__)

MODULE = "scriptrunner.background"
#: Seconds before a background process is started again that ended in an error.
REST_SECONDS = 5.0


class Background:
    """Has at most one background process at work.

    Args:
        settings: The service's settings.
        jobs: What may be due; only ``is_due`` is called here.
    """

    def __init__(self, settings: Settings, jobs: Sequence[BackgroundJob]) -> None:
        self._settings = settings
        self._jobs = jobs
        #: The process, while there is one.
        self.pid: int | None = None
        self._input: IO[bytes] | None = None
        self._rest_until = 0.0

    def tend(self) -> None:
        """Start the process if a job is due and none is there. A duty: once a second."""
        if self.pid is not None and not self._reap():
            return
        if time.monotonic() >= self._rest_until and any(
            job.is_due() for job in self._jobs
        ):
            self.pid, self._input = service_process.start(MODULE, self._settings)

    def close(self) -> None:
        """Let the process end; it needs no more than a moment for that."""
        if self._input is not None:
            with contextlib.suppress(OSError):
                self._input.close()
            self._input = None

    def _reap(self) -> bool:
        """Return whether the process has ended."""
        try:
            pid, status = os.waitpid(self.pid or 0, os.WNOHANG)
        except ChildProcessError:
            pid, status = self.pid or 0, 0
        if not pid:
            return False
        self.close()
        self.pid = None
        if status:
            code = os.waitstatus_to_exitcode(status)
            logger.warning("the background process ended with %d", code)
            self._rest_until = time.monotonic() + REST_SECONDS
        return True
