"""The supervisor's loop: claim, launch, watch, record; one thread that never waits long.

Everything the loop knows it can lose: rows and control files tell it again at the next
start. Each step says whether it found work; trouble with one run never stops another.
"""

import contextlib
import logging
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from scriptrunner.engine import control_file, process_tree
from scriptrunner.engine.launch import Launch
from scriptrunner.errors import ScriptRunnerError, StorageFullError
from scriptrunner.fault_points import pass_point
from scriptrunner.settings import Settings
from scriptrunner.supervisor import recovery, wakeup
from scriptrunner.supervisor.ballast import Ballast
from scriptrunner.supervisor.launcher import Launcher
from scriptrunner.supervisor.pace import BATCH_SECONDS, STALE_SECONDS, Pace
from scriptrunner.supervisor.ports import ActiveAttempt, End, RunLedger, Start, Timer
from scriptrunner.supervisor.recovery import Finding
from scriptrunner.supervisor.watch import Watch

logger = logging.getLogger(__name__)

Key = tuple[str, int]

#: Seconds between two looks at the queue when nobody wakes us.
POLL_SECONDS = 0.5
#: Seconds after a launch at which a script that still runs is recorded as running.
START_RECORD_SECONDS = 0.1
#: Seconds between two rounds of recovery.
RECOVERY_SECONDS = 30.0
#: Seconds an attempt may be unclear or unanswered before recovery looks at it (again).
SETTLE_SECONDS = 0.2
#: Seconds to wait after the database or the disk refused something.
REFUSED_SECONDS = 0.25
#: Seconds between two announcements while short runs follow each other: each makes
#: every listening worker look.
ANNOUNCE_SECONDS = 0.02
#: Seconds between two looks at the queue while every slot is taken.
FULL_SECONDS = 0.1


def _name(step: Callable[[], None]) -> str:
    return getattr(step, "__qualname__", repr(step))


class Supervisor:
    """Keeps all runs of one data folder going until ``stop`` or nobody needs it.

    Args:
        settings: The service's settings.
        ledger: The record of runs.
        is_wanted: Says whether any web worker is left; asked about twice a second.
        duties: Further small jobs, called about once a second; each must return quickly.
        timer: Work that comes due at certain times, such as schedules.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: RunLedger,
        *,
        is_wanted: Callable[[], bool],
        duties: tuple[Callable[[], None], ...] = (),
        timer: Timer | None = None,
    ) -> None:
        self._timer = timer
        self._settings = settings
        self._ledger = ledger
        self._is_wanted = is_wanted
        self._duties = duties
        self._boot_id = process_tree.boot_id()
        self._selector = selectors.DefaultSelector()
        self._wakeup = wakeup.open_reader(settings.data_dir / "wakeup")
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._on_wakeup)
        self._launcher = Launcher(
            self._selector, on_end=self._on_end, on_loss=self._on_loss
        )
        self._watched: dict[Key, Watch] = {}
        #: Claimed, and waiting for a slot; with the time of their claim.
        self._ready: deque[tuple[Launch, float]] = deque()
        self._pace = Pace(settings.slots)
        self._ends: dict[Key, End] = {}
        #: Monotonic seconds at which the oldest end of ``_ends`` was noticed.
        self._end_at = 0.0
        self._returns: dict[Key, ActiveAttempt] = {}
        #: Monotonic seconds at which the queue is looked at next.
        self._claim_at = 0.0
        #: Monotonic seconds before which the database or the disk is left alone.
        self._refused_until = 0.0
        self._recover_at = 0.0
        self._duties_at = 0.0
        self._stopping = False
        #: Whether there is something to announce, and since when it may be.
        self._changed = False
        self._announce_at = 0.0
        self._ballast = Ballast(settings.data_dir / "ballast", settings.ballast_bytes)

        self._own_duties = (
            self._ballast.hold,
            self._launcher.let_go_idle,
            self._report_undying,
        )

    def stop(self) -> None:
        """Ask the loop to end soon; shims go on. Safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Work until stopped or unwanted."""
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        try:
            while not self._stopping and self._is_wanted():
                self.turn()
        finally:
            self._guarded(self._leave)
            signal.set_wakeup_fd(-1)
            self._launcher.close()
            for watch in self._watched.values():
                self._close_pidfd(watch)
            self._selector.close()
            os.close(self._wakeup)

    def _leave(self) -> None:
        """Write down what is known, so that the next supervisor finds less to do."""
        self._record_ends(list(self._ends.values()))
        while self._ready:
            self._return(self._ready.pop()[0])
        self._put_back()

    def turn(self) -> None:
        """Wait for the next event or deadline and do what is due."""
        for key, _ in self._selector.select(self._wait_seconds()):
            self._guarded(key.data)
        now = time.monotonic()
        if now >= self._recover_at:
            self._recover_at = now + RECOVERY_SECONDS
            self._guarded(self._recover)
        self._guarded(self._record_starts)
        if self._timer is not None and self._tick_at(now) <= now:
            self._guarded(self._tick)
        self._fill_slots(now)
        if self._is_settling_due(now):
            self._guarded(self._settle)
            self._fill_slots(now)
        self._put_back()
        if now >= self._duties_at:
            self._duties_at = now + 1.0
            for duty in (*self._own_duties, *self._duties):
                self._guarded(duty)
        # Whoever waits for a single run hears at once; a queue of short ones, and a
        # flood of submissions, is told together.
        is_calm = not self._ready and len(self._watched) < self._settings.slots
        if self._changed and (is_calm or time.monotonic() >= self._announce_at):
            self._changed = False
            if self._timer is not None:
                self._timer.poke()
            wakeup.announce(self._settings.data_dir)
            self._announce_at = time.monotonic() + ANNOUNCE_SECONDS

    def _wait_seconds(self) -> float:
        now = time.monotonic()
        settle_at = self._end_at + BATCH_SECONDS if self._ends else self._claim_at
        settle_at = max(min(settle_at, self._claim_at), self._refused_until)
        tick_at = self._tick_at(now)
        wait = min(settle_at, self._recover_at, self._duties_at, tick_at) - now
        wait = max(0.0, wait)
        if self._returns:
            wait = min(wait, REFUSED_SECONDS)
        if self._changed:
            wait = min(wait, max(0.001, self._announce_at - now))
        fresh = [w.since for w in self._watched.values() if not w.is_recorded]
        if fresh:
            wait = min(wait, max(0.001, min(fresh) + START_RECORD_SECONDS - now))
        return wait

    def _tick_at(self, now: float) -> float:
        """Return when the timer has something to do; not while the database refuses."""
        if self._timer is None:
            return self._duties_at
        return max(now + self._timer.seconds_left(), self._refused_until)

    def _tick(self) -> None:
        if self._timer is not None and self._timer.tick():
            self._claim_at = 0.0
            self._changed = True

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step; the database or the disk may refuse it, then it comes again."""
        try:
            step()
        except (ScriptRunnerError, OSError) as error:
            logger.warning("%s: %s; trying again", _name(step), error)
            self._on_refusal(error)
        except Exception:  # the outermost loop: log, count, go on
            logger.exception("%s failed; trying again", _name(step))
            self._refused_until = time.monotonic() + REFUSED_SECONDS

    def _on_refusal(self, error: Exception) -> None:
        """Wait a moment; on a full disk free the ballast, so that ends can be recorded."""
        self._refused_until = time.monotonic() + REFUSED_SECONDS
        if isinstance(error, StorageFullError):
            self._ballast.release()

    def _on_wakeup(self) -> None:
        wakeup.drain(self._wakeup)
        self._changed = True  # whoever woke us has put something on record
        if len(self._watched) + len(self._ready) < self._settings.slots:
            self._claim_at = 0.0
        else:  # a flood of submissions must not keep us busy; an end claims anyway
            full_until = time.monotonic() + FULL_SECONDS
            self._claim_at = min(self._claim_at, full_until)

    # Launching

    def _is_settling_due(self, now: float) -> bool:
        """Say whether to write down ends and claim now, or to let more ends come.

        Ends may wait a moment for others only while slots are filled from ahead.
        """
        if now < self._refused_until:
            return False
        if not self._ends:
            return now >= self._claim_at
        is_keeping_up = bool(self._ready) and bool(self._watched)
        return not is_keeping_up or now >= self._end_at + BATCH_SECONDS

    def _settle(self) -> None:
        """Record the ends that have come and claim what fits, in one transaction."""
        now = time.monotonic()
        self._claim_at = now + POLL_SECONDS
        ends = list(self._ends.values())
        if ends:
            pass_point("final.before_commit")
        try:
            launches = self._ledger.turn_over(
                ends, self._count_wanted(), boot_id=self._boot_id
            )
        except Exception as error:
            # Claims may be committed all the same: recovery puts them back.
            self._examine_later()
            if not ends:
                raise
            logger.warning("ends and claims do not go together: %r", error)
            self._record_ends(ends)  # the careful way, which knows whose fault it is
            return
        if ends:
            pass_point("final.after_commit")
        for end in ends:
            self._ends.pop((end.run_id, end.attempt), None)
        self._changed = self._changed or bool(ends or launches)
        self._take_over(launches, now)

    def _count_wanted(self) -> int:
        """Return how many runs to claim: for free slots, and some ahead."""
        active = len(self._watched) + len(self._returns) + len(self._ready)
        return max(0, self._settings.slots + self._pace.ahead - active)

    def _take_over(self, launches: list[Launch], now: float) -> None:
        if launches:
            pass_point("claim.after_commit")
        self._ready.extend((launch, now) for launch in launches)
        retry_at = self._ledger.next_retry_at()
        if retry_at is not None:
            wait = (retry_at - datetime.now(UTC)).total_seconds()
            self._claim_at = min(self._claim_at, now + max(wait, 0.005))

    def _fill_slots(self, now: float) -> None:
        """Hand claimed runs to shims while there are free slots; put stale ones back."""
        while self._ready and len(self._watched) < self._settings.slots:
            launch, _ = self._ready.popleft()
            watch = Watch(launch.run_id, launch.attempt, launch.run_dir, since=now)
            self._watched[launch.run_id, launch.attempt] = watch
            self._launcher.launch(launch)
            pass_point("launch.after_send")
        while self._ready and now > self._ready[-1][1] + STALE_SECONDS:
            launch, _ = self._ready.pop()
            self._pace.forget()
            self._guarded(lambda launch=launch: self._return(launch))  # type: ignore[misc]

    def _return(self, launch: Launch) -> None:
        """Put back a run that was claimed ahead, of which no shim has heard."""
        try:
            self._ledger.requeue(launch.run_id, launch.attempt, was_launched=False)
        except (ScriptRunnerError, OSError) as error:
            # It may be committed all the same, and the number given to a shim by the
            # time we try again: a tombstone first, which uses the number up.
            logger.warning("run %s is not requeued yet: %r", launch.run_id, error)
            self._bury(launch)
            return
        self._changed = True
        self._claim_at = 0.0

    def _bury(self, launch: Launch) -> None:
        """Put back a run that was claimed ahead: a tombstone first, then the row."""
        attempt = ActiveAttempt(
            run_id=launch.run_id,
            attempt=launch.attempt,
            phase="starting",
            boot_id=self._boot_id,
            run_dir=launch.run_dir,
            recovery_failures=0,
        )
        self._act_on(attempt)

    # The end of an attempt

    def _on_end(self, key: Key) -> None:
        """Read how an attempt went that its shim has brought to its end."""
        self._read_end(key, is_written=True)

    def _on_loss(self, key: Key) -> None:
        """Read how an attempt went whose shim says nothing; recovery may have to decide."""
        self._read_end(key, is_written=False)

    def _read_end(self, key: Key, *, is_written: bool) -> None:
        watch = self._watched.get(key)
        if watch is None:
            return
        self._forget(watch)
        try:
            pass_point("end.before_read")
            record = control_file.read(watch.control_path)
        except OSError as error:
            logger.warning("run %s: cannot read how it went: %s", watch.run_id, error)
            self._examine_later()
            return
        if record is not None and record.end is not None:
            spawn = record.spawn if isinstance(record.spawn, dict) else None
            self._add_end(watch.end(spawn=spawn, end=record.end))
        elif is_written:
            # Never put back: the script has run, and whoever took the record away, such
            # as the script itself, would have it run again and again.
            detail = "its files were removed or changed"
            self._add_end(watch.end(spawn=None, end=None, detail=detail))
        else:
            self._recover_at = 0.0

    def _add_end(self, end: End) -> None:
        if not self._ends:
            self._end_at = time.monotonic()
        self._ends[end.run_id, end.attempt] = end
        duration_ns = (end.end or {}).get("duration_ns")
        if duration_ns is not None:
            self._pace.note(duration_ns / 1e9)

    def _watch_from_outside(self, watch: Watch, pidfd: int) -> None:
        """Watch a shim of an earlier supervisor: it ends after its attempt."""
        watch.pidfd = pidfd
        self._selector.register(
            pidfd,
            selectors.EVENT_READ,
            lambda: self._on_loss((watch.run_id, watch.attempt)),
        )

    def _forget(self, watch: Watch) -> None:
        self._watched.pop((watch.run_id, watch.attempt), None)
        self._close_pidfd(watch)

    def _close_pidfd(self, watch: Watch) -> None:
        if watch.pidfd is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(watch.pidfd)
            os.close(watch.pidfd)
            watch.pidfd = None

    def _record_starts(self) -> None:
        """Record scripts that have been running for a moment; short ones end first."""
        now = time.monotonic()
        starts: list[Start] = []
        watches: list[Watch] = []
        for watch in self._watched.values():
            if watch.is_recorded or now < watch.since + START_RECORD_SECONDS:
                continue
            record = control_file.read(watch.control_path)
            if record is None or not isinstance(record.spawn, dict):
                watch.since = now  # its shim is not that far: look again
                continue
            watches.append(watch)
            starts.append(
                Start(run_id=watch.run_id, attempt=watch.attempt, spawn=record.spawn)
            )
        if starts:
            self._ledger.record_starts(starts)
            self._changed = True
            for watch in watches:
                watch.is_recorded = True

    def _put_back(self) -> None:
        """Requeue what never started; what is refused stays for the next turn."""
        for key, attempt in list(self._returns.items()):
            try:
                self._ledger.requeue(attempt.run_id, attempt.attempt)
            except (ScriptRunnerError, OSError) as error:
                logger.warning("run %s is not requeued yet: %s", attempt.run_id, error)
                continue
            pass_point("requeue.after_commit")
            del self._returns[key]
            self._changed = True
            self._claim_at = 0.0

    def _record_ends(self, ends: list[End]) -> None:
        """Record ends by themselves; one bad run must not hold up the others."""
        try:
            self._ledger.record_ends(ends)
        except (ScriptRunnerError, OSError) as error:
            logger.warning("%d ends are not recorded yet: %s", len(ends), error)
            self._on_refusal(error)
            return
        except Exception as error:  # noqa: BLE001 - one run never stops the rest
            if len(ends) == 1:
                self._quarantine(ends[0], error)
                return
            for each in ends:
                self._record_ends([each])
            return
        for end in ends:
            self._ends.pop((end.run_id, end.attempt), None)
        self._changed = True
        self._claim_at = 0.0

    def _quarantine(self, end: End, error: Exception) -> None:
        """Leave a run that cannot be recorded to recovery, which counts its failures."""
        logger.exception("run %s: its end cannot be recorded", end.run_id)
        self._ends.pop((end.run_id, end.attempt), None)
        with contextlib.suppress(Exception):
            self._ledger.record_recovery_failure(end.run_id, end.attempt, repr(error))

    def _report_undying(self) -> None:
        """Say in a run's events that a process of it survives SIGKILL."""
        for watch in self._watched.values():
            record = control_file.read(watch.control_path)
            signal_record = (record.signal if record else None) or {}
            if signal_record.get("kind") == "undying" and not watch.is_undying:
                watch.is_undying = True
                data = {
                    "warning": "process_survives_kill",
                    "detail": "A process is in uninterruptible sleep; waiting for it",
                }
                self._ledger.note(watch.run_id, "warning", "WARNING", data)

    # Recovery

    def _examine_later(self) -> None:
        self._recover_at = min(self._recover_at, time.monotonic() + SETTLE_SECONDS)

    def _recover(self) -> None:
        """Find out what became of every claimed attempt that nobody watches."""
        known = {*self._watched, *self._ends, *self._returns}
        known |= {(launch.run_id, launch.attempt) for launch, _ in self._ready}
        for attempt in self._ledger.list_active():
            key = (attempt.run_id, attempt.attempt)
            if key in known:
                continue
            try:
                self._act_on(attempt)
            except Exception as error:  # one run's trouble never stops the others
                logger.exception("run %s cannot be recovered", attempt.run_id)
                self._give_up_after_three(attempt, error)
        self._changed = True

    def _act_on(self, attempt: ActiveAttempt) -> None:
        key = (attempt.run_id, attempt.attempt)
        result = recovery.examine(attempt, boot_id=self._boot_id)
        if result.finding is Finding.ENDED and result.end is not None:
            self._add_end(result.end)
        elif result.finding is Finding.NOT_STARTED:
            self._returns[key] = attempt
        elif result.finding is Finding.ALIVE and result.pidfd is not None:
            watch = Watch(
                *key,
                attempt.run_dir,
                is_recorded=attempt.phase != "starting",
                since=time.monotonic(),
            )
            self._watched[key] = watch
            self._watch_from_outside(watch, result.pidfd)
        else:
            self._examine_later()

    def _give_up_after_three(self, attempt: ActiveAttempt, error: Exception) -> None:
        count = self._ledger.record_recovery_failure(
            attempt.run_id, attempt.attempt, repr(error)
        )
        if count >= 3:
            self._add_end(
                End(
                    run_id=attempt.run_id,
                    attempt=attempt.attempt,
                    spawn={},
                    end=None,
                    lost_reason="lost",
                    detail=f"recovery failed three times: {error!r}",
                )
            )
