"""What the use cases of runs are made of: each part is made here, from the settings.

Front ends, tasks and the supervisor take their parts from ``RunParts``, so that a run is
queued, ended and waited for in one way whoever asks.
"""

from collections.abc import Callable

from scriptrunner.clock import Clock, SystemClock
from scriptrunner.engine import process_tree
from scriptrunner.engine.paths import AllowedRoots
from scriptrunner.runs.after_run import AfterRun
from scriptrunner.runs.deleting import Remover
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.intake import Intake
from scriptrunner.runs.launching import LaunchBuilder
from scriptrunner.runs.logs import RunLogs
from scriptrunner.runs.restarts import Restarter
from scriptrunner.runs.stopping import StopDesk
from scriptrunner.runs.transitions import Host
from scriptrunner.runs.waiting import RunWaiter
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database


class RunParts:
    """Makes the parts; those that hold nothing of their own are there once.

    Args:
        database: The migrated database; whoever made it closes it.
        settings: The service's settings.
        roots: The allowed roots.
        clock: Tests hand in one they can set.
        boot_id: Of this machine's boot; asked of the kernel by default.

    Raises:
        SettingsError: If the settings of prices lead nowhere.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        roots: AllowedRoots,
        clock: Clock | None = None,
        boot_id: str | None = None,
    ) -> None:
        """Open and write nothing yet."""
        self._database = database
        self._settings = settings
        self._roots = roots
        #: Tells all parts the time.
        self.clock = clock or SystemClock()
        #: The run folders.
        self.folders = RunFolders.of(settings)
        #: What changes of runs need to know of this machine.
        self.host = Host(
            boot_id=boot_id or process_tree.boot_id(),
            clock=self.clock,
            max_output_bytes=settings.max_output_bytes,
            after_run=AfterRun(settings, self.folders),
        )
        #: Turns rows into orders for shims.
        self.builder = LaunchBuilder(settings, self.folders, roots)
        #: Waits for the ends of runs.
        self.waiter = RunWaiter(database, settings.data_dir)

    def make_intake(self, after_commit: Callable[[], None]) -> Intake:
        """Return a way into the queue; see ``Intake``."""
        return Intake(
            self._database,
            self._settings,
            folders=self.folders,
            roots=self._roots,
            clock=self.clock,
            after_run=self.host.after_run,
            after_commit=after_commit,
        )

    def make_desk(self, after_commit: Callable[[], None]) -> StopDesk:
        """Return who takes orders to end runs; see ``StopDesk``."""
        return StopDesk(
            self._database,
            folders=self.folders,
            host=self.host,
            waiter=self.waiter,
            grace_seconds=self._settings.stop_grace_seconds,
            after_commit=after_commit,
        )

    def make_restarter(self, intake: Intake, desk: StopDesk) -> Restarter:
        """Return who queues runs again, by way of ``intake`` and ``desk``."""
        return Restarter(
            self._database,
            folders=self.folders,
            scripts_dir=self._settings.scripts_dir,
            roots=self._roots,
            builder=self.builder,
            intake=intake,
            desk=desk,
            host=self.host,
        )

    def make_remover(self) -> Remover:
        """Return who deletes runs."""
        return Remover.of(self._database, self._settings, clock=self.clock)

    def make_logs(self) -> RunLogs:
        """Return who reads what runs print."""
        return RunLogs(self.folders, cap_bytes=self._settings.max_output_bytes)
