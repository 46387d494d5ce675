"""Stored control files: real ones of each format, with what they must be read as.

``python -m tests.faults.stored_files`` makes the files of the present format, once, by
running scripts; files that are there are never made again. What they mean is reviewed and
committed with them.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scriptrunner.engine import control_file
from scriptrunner.engine.control_file import VOID
from scriptrunner.engine.shim import FORMAT
from tests.faults.service import Service, running_service

FOLDER = Path(__file__).with_name("stored")
#: Scripts that are run for it, by the name of the file: text, further fields, an order.
SCRIPTS: Mapping[str, tuple[str, dict[str, Any], str | None]] = {
    "success": ("print('hello')", {}, None),
    "exit-code": ("import sys; sys.exit(3)", {}, None),
    "signal": ("import os; os.kill(os.getpid(), 9)", {}, None),
    "timeout": ("import time; time.sleep(60)", {"timeout": 1}, None),
    "stopped": ("import time; time.sleep(60)", {}, "stop"),
    "killed": ("import time; time.sleep(60)", {}, "kill"),
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One control file of an earlier time and the slots it must be read as."""

    path: Path

    @property
    def slots(self) -> dict[str, Any]:
        """What a reader must find in it."""
        text = self.path.with_suffix(".json").read_text()
        slots: dict[str, Any] = json.loads(text)
        return slots


def list_stored() -> Iterator[StoredFile]:
    """Yield all stored files of all formats."""
    for path in sorted(FOLDER.glob("format-*/*.ctl")):
        yield StoredFile(path)


def to_slots(record: control_file.ControlFile) -> dict[str, Any]:
    """Return a control file as JSON can show it."""
    return {
        "identity": record.identity,
        "spawn": "VOID" if record.spawn is VOID else record.spawn,
        "end": record.end,
        "end_damaged": record.end_damaged,
        "signal": record.signal,
    }


def make_stored(folder: Path) -> None:
    """Run the scripts and keep their control files, some of them also half written."""
    folder.mkdir(parents=True)
    place = Path(tempfile.mkdtemp(prefix="stored-"))
    with running_service(place, workers=1) as service:
        for name, (text, fields, order) in SCRIPTS.items():
            path = _run(service, name, text, fields, order)
            _move_elsewhere(path)
            shutil.copy(path, folder / f"{name}.ctl")
    shutil.rmtree(place)
    whole = (folder / "success.ctl").read_bytes()
    slot = control_file.SLOT_BYTES
    damaged = bytearray(whole)
    damaged[2 * slot + 40] ^= 0xFF
    for name, data in {
        "tombstone": bytes(4 * slot),
        "identity-only": whole[:slot].ljust(4 * slot, b"\0"),
        "running": whole[: 2 * slot].ljust(4 * slot, b"\0"),
        "end-damaged": bytes(damaged),
        "cut": whole[: slot + 100],
    }.items():
        (folder / f"{name}.ctl").write_bytes(data)
    _write_void(folder / "void.ctl")
    for path in folder.glob("*.ctl"):
        record = control_file.read(str(path))
        assert record is not None
        text = json.dumps(to_slots(record), indent=2, sort_keys=True)
        path.with_suffix(".json").write_text(text + "\n")


def _run(
    service: Service, name: str, text: str, fields: dict[str, Any], order: str | None
) -> Path:
    run_id = service.submit(service.write_script(f"{name}.py", text), **fields)
    path = service.run_dir(run_id) / "a1.ctl"
    if order is not None:
        service.wait_scripts(1)
        service.client.post(f"/api/runs/{run_id}/{order}").raise_for_status()
    service.wait_finished(run_id)
    return path


def _move_elsewhere(path: Path) -> None:
    """Pretend another container, so that the files mean the same on every machine."""
    record = control_file.read(str(path))
    assert record is not None
    assert record.identity is not None
    identity = {
        **record.identity,
        "boot_id": "00000000-0000-0000-0000-000000000000",
        "pid_namespace": "pid:[1]",
        "init_start": 1,
    }
    descriptor = os.open(path, os.O_RDWR)
    # Slots are overwritten in place: a shorter record leaves the end of the longer one.
    os.pwrite(descriptor, bytes(control_file.SLOT_BYTES), 0)
    control_file.write_slot(descriptor, control_file.IDENTITY, identity)
    os.close(descriptor)


def _write_void(path: Path) -> None:
    descriptor = control_file.create(str(path))
    control_file.write_void(descriptor)
    os.close(descriptor)


if __name__ == "__main__":
    target = FOLDER / f"format-{FORMAT}"
    if target.exists():
        sys.exit(f"{target} is there: stored files are not made again")
    make_stored(target)
