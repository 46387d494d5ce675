"""One script in the foreground of a terminal: its output live, signals, the exit code.

The script runs in a second thread, so that the main thread is free for signals: handlers
only put their number into a queue, and the main thread acts.
"""

import os
import queue
import select
import signal
import threading
from typing import Any

from scriptrunner.engine.result import signal_number
from scriptrunner.engine.runner import ScriptRunner
from scriptrunner.engine.scans.kinds import LABELS

#: Signals that stop the script; each later one is harder.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Exit codes where the script has none of its own, as ``timeout(1)`` and shells do.
GATES_FAILED = 1
TIMED_OUT, LOST, NOT_STARTED, BY_SIGNAL = 124, 125, 126, 128
#: Events of steps whose errors a terminal shows.
STEP_EVENTS = frozenset({"baseline", "junit", "cost", "history"})
#: What the queue carries when the script is over.
_OVER = 0
_DESCRIPTORS = {"stdout": 1, "stderr": 2}


def note(text: str) -> None:
    """Say something of our own, on standard error, marked as ours."""
    data = f"runner: {text}\n".encode("utf-8", "backslashreplace")
    try:
        write_all(2, data)
    except OSError:
        return  # nobody listens


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, whatever the descriptor's mode and however slow its reader."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


class ScriptSession:
    """Runs one ``ScriptRunner`` in the foreground; use it once."""

    def __init__(self, *, is_live: bool) -> None:
        """Prepare a session.

        Args:
            is_live: Whether the script's output goes to our own.
        """
        self._is_live = is_live
        self._orders: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._runner: ScriptRunner | None = None
        self._result: dict[str, Any] | None = None
        self._failure: BaseException | None = None
        #: The first stop signal that came, 0 for none.
        self._signal = 0
        self._closed: set[str] = set()

    def run(self, runner: ScriptRunner) -> tuple[dict[str, Any] | None, int]:
        """Run the script to its end and return its result and our exit code."""
        self._runner = runner
        for each in STOP_SIGNALS:
            signal.signal(each, lambda caught, _frame: self._orders.put(caught))
        thread = threading.Thread(target=self._perform, args=(runner,))
        thread.start()
        count = 0
        while (number := self._orders.get()) != _OVER:
            count += 1
            self._obey(runner, number, count)
        thread.join()
        if self._failure is not None:
            raise self._failure
        result = self._result or {}
        return result, exit_code_of(result, stop_signal=self._signal)

    def _perform(self, runner: ScriptRunner) -> None:
        try:
            self._result = runner.run()
        except BaseException as error:  # noqa: BLE001  raised again in the main thread
            self._failure = error
        finally:
            self._orders.put(_OVER)

    def _obey(self, runner: ScriptRunner, number: int, count: int) -> None:
        """Carry out the ``count``-th stop signal: stop, kill, then leave it all."""
        self._signal = self._signal or number
        if count == 1:
            note("stopping the script; once more to kill it")
            runner.stop()
        elif count == 2:
            runner.kill()
        else:
            os._exit(BY_SIGNAL + self._signal)  # the shim notices and cleans up

    def receive(self, stream: str, data: bytes) -> None:
        """Pass output on; a reader that went away ends the script, as by hand."""
        if not self._is_live or stream in self._closed:
            return
        try:
            write_all(_DESCRIPTORS[stream], data)
        except BrokenPipeError:
            self._closed.add(stream)
            self._signal = self._signal or int(signal.SIGPIPE)
            if self._runner is not None:
                self._runner.stop()

    def tell(self, event: dict[str, Any]) -> None:
        """Say what the script's own output does not show."""
        text = _text_of(event["event_type"], event["data"])
        if text is not None:
            note(text)


def _text_of(event_type: str, data: dict[str, Any]) -> str | None:
    if event_type == "timeout":
        return f"timed out after {data['timeout_seconds']} s"
    if event_type == "retry_scheduled":
        number, delay = data["attempt_number"], data["delay_seconds"]
        return f"attempt {number} failed; trying again in {delay:g} s"
    if event_type == "failure":
        return f"{data['reason']}: {data['error'] or 'the watching process vanished'}"
    if event_type == "output_truncated":
        return f"{data['stream']} was cut after {data['limit']} bytes"
    if event_type in STEP_EVENTS and data["error"]:
        return f"{event_type}: {data['error']}"
    if event_type == "alert_triggered":
        return f"alert {data['name']} ({data['severity']}): {data['condition']}"
    if event_type == "alert_delivery" and data["status"] != "sent":
        return f"alert {data['name']} not sent by {data['channel']}: {data['error']}"
    if event_type == "scan" and data["findings"] and not data["blocked"]:
        return (
            f"{LABELS[data['scan']]}: {data['findings']} found, worst {data['worst']}"
        )
    if event_type == "warning":
        words = str(data["warning"]).replace("_", " ")
        return f"{words}: {data['detail']}" if data["detail"] else words
    if event_type == "queued" and data["ignored_env"]:
        names = ", ".join(data["ignored_env"])
        return f"--env cannot set {names}; set it in your own environment"
    return None


def tell_gates(result: dict[str, Any]) -> None:
    """Say which performance gates do not hold."""
    for each in result["performance_gates_results"] or ():
        if not each["passed"]:
            note(f"gate failed: {each['message']}")


def exit_code_of(result: dict[str, Any], *, stop_signal: int = 0) -> int:
    """Return the exit code of a shell command that ran a script.

    Args:
        result: The result of ``ScriptRunner.run``.
        stop_signal: The signal that made us stop it, 0 for none.
    """
    reason, code = result["reason"], result["returncode"]
    if reason == "gates":
        return GATES_FAILED
    if reason in ("stopped", "killed"):
        return BY_SIGNAL + (stop_signal or signal_number(code) or signal.SIGTERM)
    if reason == "timeout":
        return TIMED_OUT
    if reason in ("spawn_error", "script_changed", "scan_blocked"):
        return NOT_STARTED
    if code is None:
        return LOST
    return int(code) if code >= 0 else BY_SIGNAL - int(code)
