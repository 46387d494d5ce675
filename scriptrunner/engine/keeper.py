"""The keeper's watch over one running script: timeouts, orders, samples, output, the end.

Standard library only. Everything is driven by one ``poll`` over the script's pidfd and
the wake-up pipe, with CLOCK_MONOTONIC deadlines, so stop, kill and timeout work while
every other process of the service is dead.
"""

import os
import select
import signal
import time

from scriptrunner.engine import control_file, intent, kernel, process_tree
from scriptrunner.engine.monitor import Monitor
from scriptrunner.engine.output import LineCopier, OutputFile
from scriptrunner.engine.process import Script
from scriptrunner.engine.script_file import ScriptFile
from scriptrunner.fault_points import pass_point

TYPE_CHECKING = False  # typing itself is not loaded: every run would pay for it
if TYPE_CHECKING:
    from typing import Any

#: Seconds between two looks at the output files, far from and near the cap.
OUTPUT_SECONDS = 0.25
OUTPUT_NEAR_SECONDS = 0.02
#: Seconds after the start at which the script's file is compared once more, and the
#: script's pid is recorded. Asking the kernel for its start time sooner would wait for the
#: end of its exec, which costs more than all else that is done for a short run.
RECHECK_SECONDS = 0.1
#: Seconds between two rounds of SIGKILL while something still lives.
KILL_ROUND_SECONDS = 0.02
#: Seconds after which a tree that does not die is reported (uninterruptible sleep).
UNDYING_SECONDS = 5.0


class Usage:
    """Sum of the resource usage of all processes that were reaped or looked at."""

    __slots__ = ("_sums", "maxrss_kb")

    _FIELDS = ("minflt", "majflt", "inblock", "oublock", "nvcsw", "nivcsw")

    def __init__(self) -> None:
        self._sums = dict.fromkeys(("utime", "stime", *self._FIELDS), 0.0)
        self.maxrss_kb = 0

    def add(self, usage: "Any") -> float:
        """Add a ``struct_rusage`` or ``kernel.Rusage``; return its CPU seconds."""
        if isinstance(usage, kernel.Rusage):
            utime = usage.utime.seconds + usage.utime.microseconds / 1e6
            stime = usage.stime.seconds + usage.stime.microseconds / 1e6
            values = {name: getattr(usage, name) for name in self._FIELDS}
            maxrss = usage.maxrss
        else:
            utime, stime = usage.ru_utime, usage.ru_stime
            values = {name: getattr(usage, "ru_" + name) for name in self._FIELDS}
            maxrss = usage.ru_maxrss
        values["utime"], values["stime"] = utime, stime
        for name, value in values.items():
            self._sums[name] += value
        self.maxrss_kb = max(self.maxrss_kb, maxrss)
        return float(utime + stime)

    def to_record(self) -> dict[str, float]:
        """Return the fields of the end record."""
        record: dict[str, float] = {
            name: int(self._sums[name]) for name in self._FIELDS
        }
        record["utime"] = round(self._sums["utime"], 6)
        record["stime"] = round(self._sums["stime"], 6)
        record["maxrss_kb"] = int(self.maxrss_kb)
        return record


class Keeper:
    """Watches one script from its start to the end of its process tree.

    Args:
        launch: The launch order as a mapping (``Launch.to_mapping``).
        control: Descriptor of the locked control file.
        wake: Read end of the pipe that SIGTERM writes to.
        script: The started script.
        spawn: The spawn record as it was written.
        file: What was started, for the comparison after the start.
        outputs: stdout and stderr.
    """

    def __init__(
        self,
        launch: "dict[str, Any]",
        control: int,
        wake: int,
        script: Script,
        spawn: "dict[str, object]",
        file: ScriptFile,
        outputs: tuple[OutputFile, OutputFile],
    ) -> None:
        self._launch = launch
        self._control = control
        self._wake = wake
        self._script = script
        self._spawn = spawn
        self._file = file
        self._outputs = outputs
        self._usage = Usage()
        self._started = script.started_ns / 1e9
        self._monitor = Monitor(
            os.getpid(),
            f"{launch['run_dir']}/a{launch['attempt']}.samples",
            interval_seconds=launch["monitor_interval_seconds"],
            started=self._started,
        )
        self._copiers = _make_copiers(launch, outputs)
        #: The order or deadline that is being carried out, with its weight.
        self._ending: str | None = None
        self._principal: str | None = None
        timeout = launch["timeout_seconds"]
        self._timeout_at = self._started + timeout if timeout is not None else None
        self._kill_at: float | None = None
        self._killing = False
        self._sample_at = self._started + self._monitor.interval
        self._output_at = self._started + OUTPUT_SECONDS
        self._recheck_at: float | None = self._started + RECHECK_SECONDS
        self._warning: str | None = None
        self._undying_at: float | None = None
        self._oom_kills = process_tree.count_oom_kills()

    def watch(self) -> dict[str, object]:
        """Return the end record once the script is over and its tree is gone.

        The script itself is left as a zombie: reap it after the record is written.
        """
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        if self._script.pidfd >= 0:
            poller.register(self._script.pidfd, select.POLLIN)
        self._look_for_orders()
        while not self._is_over():
            now = time.monotonic()
            wait = max(0.0, self._next_deadline() - now)
            if self._script.pidfd < 0:
                wait = min(wait, 0.01)
            ready = poller.poll(wait * 1000 + (0.999 if wait else 0))
            if any(descriptor == self._wake for descriptor, _ in ready):
                os.read(self._wake, 4096)
                self._look_for_orders()
            self._meet_deadlines(time.monotonic())
        record = self._finish()
        if self._script.pidfd >= 0:
            os.close(self._script.pidfd)
        return record

    def _is_over(self) -> bool:
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return os.waitid(os.P_PID, self._script.pid, flags) is not None

    def _next_deadline(self) -> float:
        deadlines = (
            self._timeout_at,
            self._kill_at,
            self._sample_at,
            self._output_at,
            self._recheck_at,
        )
        return min(each for each in deadlines if each is not None)

    def _meet_deadlines(self, now: float) -> None:
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_tree(now)
        if self._timeout_at is not None and now >= self._timeout_at:
            self._timeout_at = None
            self._begin("timeout", None, self._launch["grace_seconds"])
        if now >= self._sample_at:
            self._monitor.sample(now)
            self._reap_orphans()
            self._sample_at = max(self._sample_at + self._monitor.interval, now + 0.02)
        if self._recheck_at is not None and now >= self._recheck_at:
            self._recheck()
            self._write_leader()
        if now >= self._output_at:
            self._visit_outputs(now)

    def _look_for_orders(self) -> None:
        order = intent.read(self._launch["run_dir"])
        if order is None or self._is_over():
            return  # an exit that was already there wins
        grace = order.grace_seconds
        if grace is None:
            grace = self._launch["grace_seconds"]
        self._begin(order.kind, order.principal, grace)

    def _begin(self, kind: str, principal: str | None, grace: float) -> None:
        """Carry out an order or a deadline, unless a heavier one is under way."""
        current = intent.WEIGHTS.get(self._ending or "", 0)
        if intent.WEIGHTS[kind] <= current or self._is_over():
            return
        self._ending, self._principal = kind, principal
        now = time.monotonic()
        if kind == "kill":
            delivered = process_tree.kill_below(os.getpid()) > 0
            self._kill_at = now + KILL_ROUND_SECONDS
            number = signal.SIGKILL
        else:
            delivered = self._terminate()
            if not self._killing:
                self._kill_at = min(self._kill_at or now + grace, now + grace)
            number = signal.SIGTERM
        self._write_signal(kind, principal, int(number), delivered, now)

    def _terminate(self) -> bool:
        """Send SIGTERM to the script's process group; a stopped script is woken for it."""
        try:
            os.killpg(self._script.pid, signal.SIGTERM)
            os.killpg(self._script.pid, signal.SIGCONT)
        except ProcessLookupError:
            return False
        return True

    def _write_signal(
        self, kind: str, principal: str | None, number: int, delivered: bool, now: float
    ) -> None:
        pass_point("shim.before_signal_record")
        record = {
            "kind": kind,
            "principal": (principal or "")[:128],
            "signal": number,
            "delivered": delivered,
            "ms": round((now - self._started) * 1000),
        }
        try:
            control_file.write_slot(self._control, control_file.SIGNAL, record)
        except OSError:
            pass  # it was carried out; only nobody can be told before the end

    def _kill_tree(self, now: float) -> None:
        self._killing = True
        process_tree.kill_below(os.getpid())
        self._kill_at = now + KILL_ROUND_SECONDS

    def _recheck(self) -> None:
        self._recheck_at = None
        if not self._file.is_unchanged():
            self._warning = "script_changed_while_starting"

    def _write_leader(self) -> None:
        """Add the script's pid to the spawn record: recovery finds its session by it."""
        pid = self._script.pid
        leader = {"pid": pid, "start": process_tree.start_time(pid)}
        try:
            record = {**self._spawn, **leader}
            control_file.write_slot(self._control, control_file.SPAWN, record)
        except OSError:
            pass  # the run id in its environment finds it too

    def _visit_outputs(self, now: float) -> None:
        wait = OUTPUT_SECONDS
        for output, copier in zip(self._outputs, self._copiers, strict=True):
            before = output.size
            more = output.visit()
            grown = output.size - before
            if more:
                wait = 0.0
            elif output.size + max(grown, 1) * 2 > output.cap:
                wait = min(wait, OUTPUT_NEAR_SECONDS)
            if copier is not None:
                copier.copy(now, min(output.size, output.cap))
        self._output_at = now + wait

    def _reap_orphans(self) -> None:
        """Reap descendants that became ours; leave the script itself for the end."""
        while True:
            flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
            try:
                found = os.waitid(os.P_ALL, 0, flags)
            except ChildProcessError:
                return
            if found is None or found.si_pid == self._script.pid:
                return
            self._reap(found.si_pid)

    def _reap(self, pid: int) -> None:
        _, _, usage = os.wait4(pid, 0)
        self._monitor.reaped_seconds += self._usage.add(usage)

    def _finish(self) -> dict[str, object]:
        """End what the script left behind and say how it went."""
        ended_ns = time.monotonic_ns()
        ended_us = time.time_ns() // 1000
        status = os.waitid(os.P_PID, self._script.pid, os.WEXITED | os.WNOWAIT)
        if self._recheck_at is not None:
            self._recheck()
        io = process_tree.read_file(f"/proc/{self._script.pid}/io")
        usage = kernel.look_at_usage(self._script.pid)
        if usage is not None:
            self._usage.add(usage)
        strays = self._end_strays()
        for output, copier in zip(self._outputs, self._copiers, strict=True):
            output.finish()
            if copier is not None:
                copier.copy(time.monotonic(), min(output.size, output.cap), last=True)
            output.close()
        self._monitor.close()
        if (
            usage is None
        ):  # an unknown machine: the code is safer in the record than unreaped
            self._usage.add(os.wait4(self._script.pid, 0)[2])
        code = status.si_status if status and status.si_code == os.CLD_EXITED else None
        if code is None and status is not None:
            code = -status.si_status
        return self._to_record(code, ended_ns, ended_us, strays, io)

    def _own_reason(self, code: int | None) -> str:
        """Say why a script ended that nobody here ended.

        SIGKILL from nowhere, while the kernel counted a kill for want of memory, was one.
        """
        if code == -signal.SIGKILL and process_tree.count_oom_kills() > self._oom_kills:
            return "oom"
        return "exit"

    def _end_strays(self) -> int:
        """Kill and reap every process below us but the script; return how many there were."""
        strays: set[tuple[int, int]] = set()
        me, script = os.getpid(), self._script.pid
        first = time.monotonic()
        while True:
            children = [pid for pid in process_tree.list_children(me) if pid != script]
            if not children:
                return len(strays)
            # Who was killed may be there still in the next round.
            living = process_tree.list_living(me, spare=script)
            strays.update((each.pid, each.start) for each in living)
            process_tree.kill_below(me, spare=script)
            for pid in children:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    self._reap(pid)
            if time.monotonic() - first > UNDYING_SECONDS:
                self._note_undying()
                time.sleep(KILL_ROUND_SECONDS * 10)
            elif time.monotonic() - first > KILL_ROUND_SECONDS:
                time.sleep(KILL_ROUND_SECONDS / 10)

    def _note_undying(self) -> None:
        """Say once in slot 3 that something survives SIGKILL: report, do not lie."""
        if self._undying_at is None:
            self._undying_at = time.monotonic()
            now = time.monotonic()
            self._write_signal("undying", None, int(signal.SIGKILL), False, now)

    def _to_record(
        self,
        code: int | None,
        ended_ns: int,
        ended_us: int,
        strays: int,
        io: bytes | None,
    ) -> dict[str, object]:
        duration_ns = ended_ns - self._script.started_ns
        monitor = self._monitor
        stdout, stderr = self._outputs
        reads, writes = _parse_io(io)
        record: dict[str, object] = {
            "reason": self._ending or self._own_reason(code),
            "exit_code": code,
            "pid": self._script.pid,
            "started_us": ended_us - duration_ns // 1000,
            "ended_us": ended_us,
            "duration_ns": duration_ns,
            "io_read": reads,
            "io_write": writes,
            "out_bytes": stdout.size,
            "err_bytes": stderr.size,
            "out_dropped": stdout.dropped,
            "err_dropped": stderr.dropped,
            "out_lines": stdout.lines,
            "err_lines": stderr.lines,
            "shrank": stdout.shrank or stderr.shrank,
            "strays": strays,
            "cpu_max": _rounded(monitor.cpu_max),
            "cpu_min": _rounded(monitor.cpu_min),
            "mem_max_mb": _rounded(monitor.memory_max),
            "mem_avg_mb": _rounded(monitor.memory_avg),
            "mem_min_mb": _rounded(monitor.memory_min),
            "procs_max": monitor.processes_max,
            "threads_max": monitor.threads_max,
            "fds_max": monitor.descriptors_max,
            "samples": monitor.samples,
            "samples_due": int(duration_ns / 1e9 / monitor.interval),
            "warning": self._warning,
            "principal": (self._principal or "")
            .encode("ascii", "replace")
            .decode()[:64]
            or None,
            "sha256": self._file.sha256,
            "size": self._file.size,
        }
        record.update(self._usage.to_record())
        return record


def _make_copiers(
    launch: "dict[str, Any]", outputs: tuple[OutputFile, OutputFile]
) -> tuple[LineCopier | None, ...]:
    if not launch.get("stream_output"):
        return (None, None)
    return tuple(
        LineCopier(
            output.descriptor,
            run_id=launch["run_id"],
            stream=name,
            log=2,
            secrets=launch.get("secrets") or (),
        )
        for output, name in zip(outputs, ("stdout", "stderr"), strict=True)
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _parse_io(text: bytes | None) -> tuple[int | None, int | None]:
    """Return read and written storage bytes of a ``/proc/<pid>/io`` text."""
    if not text:
        return None, None
    values = dict(line.split(b": ", 1) for line in text.splitlines() if b": " in line)
    reads, writes = values.get(b"read_bytes"), values.get(b"write_bytes")
    return (int(reads) if reads else None, int(writes) if writes else None)
