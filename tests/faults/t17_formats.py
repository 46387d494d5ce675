"""T17: control files of every format that ever was are still understood."""

import shutil
from pathlib import Path
from uuid import uuid4

from scriptrunner.engine import control_file
from scriptrunner.supervisor.ports import ActiveAttempt
from scriptrunner.supervisor.recovery import Examination, examine
from tests.faults.report import Report
from tests.faults.stored_files import StoredFile, list_stored, to_slots
from tests.faults.trial import FaultTest, Trial

FILES = "stored control files"
MISREAD = "misread slots"
MISJUDGED = "wrong findings"
BOOT = "the boot of that time"
#: What recovery must say of an attempt that left such a file behind.
FINDINGS = {
    "success": ("ended", "exit"),
    "exit-code": ("ended", "exit"),
    "signal": ("ended", "exit"),
    "timeout": ("ended", "timeout"),
    "stopped": ("ended", "stop"),
    "killed": ("ended", "kill"),
    "tombstone": ("not_started", None),
    "void": ("not_started", None),
    "identity-only": ("not_started", None),
    "running": ("ended", "host_restart"),
    "cut": ("ended", "host_restart"),
    "end-damaged": ("ended", "lost"),
}


def run(trial: Trial) -> Report:
    """Read every stored file and recover from it."""
    stored = list(list_stored())
    report = trial.report(planned={FILES: len(stored)}, criteria=(MISREAD, MISJUDGED))
    for file in stored:
        check_slots(report, file)
        check_finding(report, file, trial.folder)
        report.fault(FILES)
    kinds = {file.path.stem for file in stored}
    if not kinds >= FINDINGS.keys():
        report.fail(MISREAD, f"not stored: {sorted(FINDINGS.keys() - kinds)}")
    return report


def check_slots(report: Report, file: StoredFile) -> None:
    """Every slot says what it said then."""
    record = control_file.read(str(file.path))
    if record is None or to_slots(record) != file.slots:
        report.fail(MISREAD, str(file.path))


def check_finding(report: Report, file: StoredFile, folder: Path) -> None:
    """Recovery decides as it would have decided then."""
    place = folder / file.path.parent.name / file.path.stem
    place.mkdir(parents=True)
    shutil.copy(file.path, place / "a1.ctl")
    attempt = ActiveAttempt(
        run_id=str(uuid4()),
        attempt=1,
        phase="running",
        boot_id=BOOT,
        run_dir=str(place),
        recovery_failures=0,
    )
    found = _describe(examine(attempt, boot_id=BOOT))
    if found != FINDINGS[file.path.stem]:
        report.fail(MISJUDGED, f"{file.path}: {found}")


def _describe(examination: Examination) -> tuple[str, str | None]:
    end = examination.end
    if end is None:
        return examination.finding.value, None
    reason = end.lost_reason if end.end is None else end.end["reason"]
    return examination.finding.value, reason


TEST = FaultTest(
    test_id="T17",
    title="stored control files of every format",
    run=run,
    ci={},
    long={},
    seconds=20,
)
