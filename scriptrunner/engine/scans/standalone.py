"""Scans of a script that is not about to run: for the library and for tools.

The same scans, limits and cache as before a run, in the same kind of process.
"""

import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scriptrunner.engine import intent
from scriptrunner.engine.digest import sha256
from scriptrunner.engine.scans import session
from scriptrunner.engine.scans.kinds import (
    DEFAULT_BLOCK,
    KINDS,
    MAX_SCAN_BYTES,
    SCAN_SECONDS,
)
from scriptrunner.engine.scans.ordering import build_order


class ScanCancelledError(Exception):
    """The caller has given up the scan."""


def scan_file(
    source: bytes | str | os.PathLike[str],
    kinds: Sequence[str] = KINDS,
    *,
    name: str | None = None,
    root: str | None = None,
    relative: str | None = None,
    block: str = DEFAULT_BLOCK,
    advisory_db: str | None = None,
    cache_dir: str | None = None,
    work_dir: str | None = None,
    seconds: float = SCAN_SECONDS,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Scan a script and return a report for each kind, as the result of a run has them.

    Threads may call this at the same time.

    Args:
        source: The bytes of the script, or its path; a path is read as it is, links
            included, so hand in bytes where the path is not trusted.
        kinds: Some of ``KINDS``.
        name: What findings call the script; by default the name of the path.
        root: Trusted folder in which a requirements file is looked for; None for none
            with bytes, and for the folder of a path.
        relative: Path of the script below ``root``.
        block: Least severity that would block a run, or ``NONE``.
        advisory_db: File or folder with OSV entries, or None.
        cache_dir: Folder that keeps reports by content, or None to keep none.
        work_dir: Folder for a short-lived folder of ours; None for the system's.
        seconds: What all scans together may take.
        stop: Set by another thread to give up; noticed within a quarter of a second.

    Raises:
        ScanCancelledError: If ``stop`` was set before the end.
        OSError: If the script cannot be read, or there is no room.
    """
    if not isinstance(source, bytes):
        path = Path(os.path.realpath(source))
        name, root, relative = name or path.name, root or str(path.parent), path.name
        with path.open("rb") as file:
            source = file.read(MAX_SCAN_BYTES + 1)
    ordered = [kind for kind in KINDS if kind in kinds]
    order = build_order(
        ordered,
        script_name=name or "script.py",
        block=block,
        advisory_db=advisory_db,
        cache_dir=cache_dir,
        seconds=seconds,
    )
    if order is None:
        return {}
    with tempfile.TemporaryDirectory(dir=work_dir) as folder:
        # Without a root the empty folder of ours stands for it: nothing is found there.
        launch = {
            "run_dir": folder,
            "script_root": root or folder,
            "script_relative": relative or "script.py",
            "scans": order,
        }
        return _perform(launch, source, stop)


def _perform(
    launch: dict[str, Any], source: bytes, stop: threading.Event | None
) -> dict[str, Any]:
    wake, waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(launch, waker, stop, over))
    if stop is not None:
        watcher.start()
    try:
        return session.perform(launch, source, sha256(source), wake)
    except session.ScanStoppedError:
        raise ScanCancelledError from None
    finally:
        over.set()
        if stop is not None:
            watcher.join()
        os.close(wake)
        os.close(waker)


def _watch(
    launch: dict[str, Any],
    waker: int,
    stop: threading.Event | None,
    over: threading.Event,
) -> None:
    """Turn ``stop`` into the order that the session looks for."""
    while stop is not None and not over.wait(0.1):
        if stop.is_set():
            run_dir = launch["run_dir"]
            intent.write(run_dir, "kill", principal="caller", grace_seconds=0)
            os.write(waker, b"!")
            return
