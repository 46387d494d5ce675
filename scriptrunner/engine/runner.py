"""Run one script without a server and without a database."""

import difflib
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from scriptrunner.engine.events import EventReceiver, StructuredLogger
from scriptrunner.engine.live_output import OutputReceiver
from scriptrunner.engine.local_plan import plan_locally
from scriptrunner.engine.local_run import LocalRun
from scriptrunner.engine.outcomes import Reason, StopKind
from scriptrunner.engine.plan import RunOptions
from scriptrunner.engine.scans.kinds import DEFAULT_BLOCK
from scriptrunner.engine.steps.ending import EndingReceiver
from scriptrunner.engine.steps.prices import PriceChoice
from scriptrunner.errors import ConflictError

#: Seconds between SIGTERM and SIGKILL.
GRACE_SECONDS = 10.0
#: Bytes kept per output stream of an attempt.
MAX_OUTPUT_BYTES = 1 << 30


class AlreadyRunningError(ConflictError):
    """This runner is running its script already; use one runner per run at a time."""

    code = "run_active"


class ScriptRunner:
    """Runs one script as the service would, inside the calling program.

    ``run`` blocks until the script is over; ``stop``, ``kill`` and ``restart`` come from
    other threads meanwhile. The script gets the environment of the calling program with
    ``env_vars`` on top, an empty standard input, and ends with the calling program.

        runner = ScriptRunner("etl.py", args=["--fast"], timeout=60)
        result = runner.run()
        print(result["returncode"], result["metrics"]["cpu_time_seconds"])
    """

    def __init__(
        self,
        script_path: str | os.PathLike[str],
        *,
        args: Sequence[str] = (),
        timeout: int | None = None,
        grace_seconds: float = GRACE_SECONDS,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
        scan_block: str = DEFAULT_BLOCK,
        advisory_db: str | os.PathLike[str] | None = None,
        on_output: OutputReceiver | None = None,
        on_event: EventReceiver | None = None,
        on_ending: EndingReceiver | None = None,
        prices: PriceChoice | None = None,
        **options: Any,
    ) -> None:
        """Check script and options; nothing is started yet.

        Args:
            script_path: A ``.py`` or ``.pyw`` file, relative to the current folder.
            args: Arguments of the script.
            timeout: Seconds per attempt (1..604 800), or None.
            grace_seconds: Seconds between SIGTERM and SIGKILL.
            max_output_bytes: Bytes kept per output stream of an attempt.
            scan_block: Least severity of a finding that keeps the script from starting,
                ``LOW`` to ``CRITICAL``, or ``NONE``; matters with ``enable_*`` scans.
            advisory_db: File or folder with known vulnerabilities (OSV), or None.
            on_output: Called in the thread of ``run`` with ``"stdout"`` or ``"stderr"``
                and the bytes as they come. If it raises, the script is killed.
            on_event: Called with each event as it happens, in the form of the API.
            on_ending: Called with the end of each run when its steps are done; it may add
                to the result and note events.
            prices: Which prices count for the cost; None for the table's default.
            **options: The other fields of ``RunOptions``, by name. Paths of outputs and
                baselines are files, relative to the current folder.

        Raises:
            TypeError: If there is no option of that name.
            InvalidInputError: If the script, the folder or a value may not be used.
            MalformedInputError: If an option has the wrong type or range.
            ValueError: If ``scan_block`` is none of its words.
        """
        _refuse_unknown(options)
        self._on_output = on_output
        self._on_event = on_event
        self._plan = plan_locally(
            os.fspath(script_path),
            RunOptions(args=_as_tuple(args), timeout=timeout, **options),
            grace_seconds=grace_seconds,
            max_output_bytes=max_output_bytes,
            scan_block=scan_block,
            advisory_db=None if advisory_db is None else os.fspath(advisory_db),
            prices=prices,
            on_ending=on_ending,
        )
        self._lock = threading.Lock()
        self._is_running = False
        self._current: LocalRun | None = None

    def run(self) -> dict[str, Any]:
        """Run the script, retries and restarts included, and return the last result.

        A dry run returns what would be done, and what scans have found. A script that fails, times out or cannot
        be started is a result, no exception.

        Raises:
            AlreadyRunningError: If another thread is in here.
            KeyboardInterrupt: After the script was stopped (a second one kills it).
        """
        if self._plan.options.dry_run and not self._plan.scan_kinds:
            return self._plan.describe()
        with self._lock:
            if self._is_running:
                raise AlreadyRunningError
            self._is_running = True
            self._current = None
        try:
            return self._run_until_not_restarted()
        finally:
            with self._lock:
                self._is_running = False

    def _run_until_not_restarted(self) -> dict[str, Any]:
        restarted_from = None
        while True:
            run = LocalRun(
                self._plan,
                on_output=self._on_output,
                on_event=self._on_event,
                restarted_from=restarted_from,
            )
            with self._lock:
                self._current = run
            result = run.perform()
            if run.state.reason is not Reason.RESTART:
                return result
            restarted_from = run.run_id

    def stop(self, *, grace_seconds: float | None = None) -> bool:
        """Stop the script and return whether the signal arrived.

        SIGTERM to the script's process group; after the grace, SIGKILL to its tree.
        Between two attempts the run just ends.

        Args:
            grace_seconds: Seconds for the script to end; None for the runner's own.
        """
        return self._ask(StopKind.STOP, grace_seconds)

    def kill(self) -> bool:
        """Kill the script's whole tree at once and return whether the signal arrived."""
        return self._ask(StopKind.KILL, None)

    def restart(self, *, grace_seconds: float | None = None) -> bool:
        """Stop the script and run it again; return whether the signal arrived.

        The new run begins when the old tree is gone, with its full number of attempts;
        ``run`` goes on and returns the new run's result.

        Args:
            grace_seconds: Seconds for the script to end; None for the runner's own.
        """
        return self._ask(StopKind.RESTART, grace_seconds)

    def _ask(self, kind: StopKind, grace_seconds: float | None) -> bool:
        with self._lock:
            run = self._current if self._is_running else None
        return run is not None and run.ask(kind, grace_seconds=grace_seconds)

    @property
    def is_running(self) -> bool:
        """Whether a thread is in ``run``."""
        return self._is_running

    @property
    def logger(self) -> StructuredLogger:
        """The events of the current or last run; empty before the first."""
        run = self._current
        return StructuredLogger() if run is None else run.logger

    def report(self) -> dict[str, Any] | None:
        """Return the step report of the current or last run; None before the first."""
        run = self._current
        return None if run is None else run.report()


def _as_tuple(args: Any) -> Any:
    """Return the items of a list; a text is none, or its letters would be arguments."""
    is_list = isinstance(args, Iterable) and not isinstance(args, str | bytes)
    return tuple(args) if is_list else args


def _refuse_unknown(options: dict[str, Any]) -> None:
    known = [each.name for each in fields(RunOptions)]
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise TypeError(f"ScriptRunner has no option {name!r}{hint}")
