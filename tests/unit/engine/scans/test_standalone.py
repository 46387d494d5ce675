"""Scans of scripts that are not about to run."""

import threading

import pytest

from scriptrunner.engine.scans.standalone import ScanCancelledError, scan_file
from tests.server import wait_for
from tests.unit.engine.scans.test_advisories import OWN

BAD = b'password = "hunter2"\n'


def test_a_file_is_scanned_with_what_lies_beside_it(tmp_path):
    (tmp_path / "x.py").write_bytes(BAD)
    (tmp_path / "requirements.txt").write_text("wavy==1.0\n")
    reports = scan_file(
        tmp_path / "x.py", ["dependencies", "secrets"], advisory_db=str(OWN)
    )
    assert list(reports) == ["secrets", "dependencies"]
    assert [each["status"] for each in reports.values()] == ["findings", "findings"]
    assert reports["secrets"]["findings"][0]["file"] == "x.py"


def test_bytes_have_no_neighbours(tmp_path):
    reports = scan_file(
        BAD, ["dependencies"], name="y.py", advisory_db=str(OWN), work_dir=str(tmp_path)
    )
    assert reports["dependencies"]["status"] == "clean"
    assert reports["dependencies"]["requirements"] is None
    assert list(tmp_path.iterdir()) == []


def test_nothing_asked_for_is_nothing_done():
    assert scan_file(BAD, []) == {}


def test_a_caller_may_give_up(tmp_path, monkeypatch):
    (tmp_path / "detect_secrets").mkdir()
    began = tmp_path / "began"
    code = (
        f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(60)\n"
    )
    (tmp_path / "detect_secrets" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    stop = threading.Event()

    def give_up() -> None:
        wait_for(began.exists, what="the scan")
        stop.set()

    thread = threading.Thread(target=give_up)
    thread.start()
    with pytest.raises(ScanCancelledError):
        scan_file(BAD, ["secrets"], stop=stop)
    thread.join()
