"""The scans of one run, with the real process that makes them."""

import json
import os
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.engine import intent, process_tree
from scriptrunner.engine.scans import child_process, ordering, session
from tests.server import wait_for
from tests.unit.engine.scans.test_advisories import OWN

ALL = ["secrets", "dependencies", "code_analysis"]
BAD = b'import os\npassword = "hunter2"\nos.system("ls " + x)\n'
#: A parser needs 600 MiB for this.
HUGE = b"x = [" + b"0," * 1_000_000 + b"]\n"


class Place:
    """A run's folder, a root with scripts, a cache, and a way to wake the session."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.cache = folder / "cache"
        for each in (self.root, self.cache):
            each.mkdir()
        self.folder = folder
        self.wake, self.waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.count = 0
        self.run_dir = self.new_run()

    def new_run(self) -> Path:
        self.count += 1
        self.run_dir = self.folder / f"run{self.count}"
        self.run_dir.mkdir()
        return self.run_dir

    def perform(self, source: bytes, kinds=ALL, **order: Any) -> dict[str, Any]:
        order = {
            "block": "HIGH",
            "advisory_db": str(OWN),
            "cache_dir": str(self.cache),
            **order,
        }
        launch = {
            "run_dir": str(self.run_dir),
            "script_root": str(self.root),
            "script_relative": "x.py",
            "scans": ordering.build_order(list(kinds), script_name="x.py", **order),
        }
        digest = sha256(source).hexdigest()
        return session.perform(launch, source, digest, self.wake)


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    os.close(made.wake)
    os.close(made.waker)


def statuses(reports: dict[str, Any]) -> dict[str, str]:
    return {kind: report["status"] for kind, report in reports.items()}


def refuse(*_args, **_kwargs):
    raise AssertionError("nothing was to be scanned")


def test_long_chains_hide_nothing_behind_them(place):
    chain = b"".join(b"elif y == %d: pass\n" % number for number in range(400))
    source = b"x = y = 0\nif x: pass\n" + chain + BAD
    reports = place.perform(source, ["code_analysis"])
    assert reports["code_analysis"]["counts"]["HIGH"] == 1


def test_all_scans_report_and_leave_nothing_but_the_reports(place):
    (place.root / "requirements.txt").write_text("wavy==1.0\n")
    reports = place.perform(BAD)
    assert statuses(reports) == dict.fromkeys(ALL, "findings")
    assert [report["blocked"] for report in reports.values()] == [True, True, True]
    files = {kind: reports[kind]["findings"][0]["file"] for kind in ALL}
    assert files == {
        "secrets": "x.py",
        "dependencies": "requirements.txt",
        "code_analysis": "x.py",
    }
    assert reports["dependencies"]["requirements"] == "requirements.txt"
    assert all(report["duration_s"] > 0 for report in reports.values())
    assert os.listdir(place.run_dir) == ["scans.json"]
    assert session.read_reports(str(place.run_dir)) == reports
    assert (place.run_dir / "scans.json").stat().st_mode & 0o777 == 0o600


def test_the_same_content_is_not_scanned_twice(place, monkeypatch):
    first = place.perform(BAD)
    monkeypatch.setattr(session, "ask", refuse)
    place.new_run()
    second = place.perform(BAD, block="NONE")
    assert [each["cached"] for each in second.values()] == [True] * 3
    assert [each["blocked"] for each in second.values()] == [False] * 3
    for kind in ALL:
        assert second[kind]["findings"] == first[kind]["findings"]


@pytest.mark.parametrize("change", ["content", "rules", "requirements", "data", "day"])
def test_whatever_a_report_depends_on_makes_a_new_scan(place, monkeypatch, change):
    data = place.folder / "data.json"
    data.write_bytes(OWN.read_bytes())
    place.perform(b"x = 1\n", ["dependencies"], advisory_db=str(data))
    place.new_run()
    asked = []

    def note(*args, **_kwargs):
        asked.append(args)
        return child_process.Answer({}, "not really")

    monkeypatch.setattr(session, "ask", note)
    source = b"x = 2\n" if change == "content" else b"x = 1\n"
    if change == "rules":
        monkeypatch.setattr(ordering, "get_rules_version", lambda: "others")
    elif change == "requirements":
        (place.root / "requirements.txt").write_text("")
    elif change == "data":
        data.write_bytes(OWN.read_bytes() + b" ")
    elif change == "day":
        tomorrow = time.time() + 86_400
        monkeypatch.setattr("time.time", lambda: tomorrow)
    reports = place.perform(source, ["dependencies"], advisory_db=str(data))
    assert asked
    assert reports["dependencies"]["status"] == "error"


def test_a_retry_is_not_scanned_again_unless_the_script_has_changed(place, monkeypatch):
    first = place.perform(b"x = 1\n", ["secrets"], cache_dir=None)
    with monkeypatch.context() as patch:
        patch.setattr(session, "ask", refuse)
        assert place.perform(b"x = 1\n", ["secrets"], cache_dir=None) == first
    reports = place.perform(BAD, ["secrets"], cache_dir=None)
    assert reports["secrets"]["status"] == "findings"


def test_a_script_that_needs_too_much_memory_is_an_error(place):
    reports = place.perform(HUGE, ["code_analysis"], memory_bytes=300 << 20)
    report = reports["code_analysis"]
    assert (report["status"], report["blocked"]) == ("error", False)
    assert "memory" in report["reason"]
    assert os.listdir(place.cache) == []


def test_a_script_that_takes_too_long_is_an_error(place):
    reports = place.perform(HUGE, ["secrets", "code_analysis"], seconds=0.3)
    assert statuses(reports) == {"secrets": "error", "code_analysis": "error"}
    assert reports["code_analysis"]["reason"] == "took longer than 0.3 s"


@pytest.mark.parametrize(
    "source", [b"x = " + b"-" * 100_000 + b"1\n", b"x = 1" + b"+1" * 100_000]
)
def test_a_script_that_is_nested_too_deeply_is_an_error(place, source):
    assert statuses(place.perform(source, ["code_analysis"])) == {
        "code_analysis": "error"
    }


def test_a_script_that_is_too_large_is_an_error(place, monkeypatch):
    monkeypatch.setattr(session, "ask", refuse)
    reports = place.perform(b"#" * ((4 << 20) + 1))
    assert statuses(reports) == dict.fromkeys(ALL, "error")
    assert reports["secrets"]["reason"] == "the script is larger than 4 MiB"


def test_without_advisory_data_nothing_is_clean(place, tmp_path):
    for path in (None, str(tmp_path / "none.json")):
        reports = place.perform(b"x = 1\n", ["dependencies"], advisory_db=path)
        report = reports["dependencies"]
        assert (report["status"], report["reason"]) == (
            "unavailable",
            "no advisory data",
        )
        place.new_run()


def test_without_requirements_a_script_depends_on_nothing(place):
    report = place.perform(b"x = 1\n", ["dependencies"])["dependencies"]
    assert (report["status"], report["requirements"]) == ("clean", None)


def test_requirements_that_cannot_be_read_are_not_clean(place):
    (place.root / "requirements.txt").symlink_to("/etc/hostname")
    report = place.perform(b"x = 1\n", ["dependencies"])["dependencies"]
    assert report["status"] == "unavailable"
    assert "requirements.txt" in report["reason"]


def put_library(folder: Path, code: str, monkeypatch) -> None:
    """Put a library in the place of detect-secrets."""
    (folder / "detect_secrets").mkdir()
    (folder / "detect_secrets" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_a_missing_scanner_says_so_and_is_tried_again(place, tmp_path, monkeypatch):
    code = "raise ModuleNotFoundError(name='detect_secrets')\n"
    put_library(tmp_path, code, monkeypatch)
    report = place.perform(b"x = 1\n", ["secrets"])["secrets"]
    assert (report["status"], report["reason"]) == (
        "unavailable",
        "the package detect_secrets is not installed",
    )
    assert os.listdir(place.cache) == []


def test_a_scan_that_dies_does_not_take_the_others_along(place, tmp_path, monkeypatch):
    put_library(tmp_path, "import os\nos.kill(os.getpid(), 9)\n", monkeypatch)
    reports = place.perform(b"eval(x)\n", ["secrets", "dependencies"])
    assert statuses(reports) == {"secrets": "error", "dependencies": "clean"}
    assert reports["secrets"]["reason"] == (
        "the scanning process was ended by signal 9"
    )


def test_a_scanner_that_fails_is_an_error(place, tmp_path, monkeypatch):
    put_library(tmp_path, "raise RuntimeError('secret text')\n", monkeypatch)
    report = place.perform(b"x = 1\n", ["secrets"])["secrets"]
    assert (report["status"], report["reason"]) == (
        "error",
        "failed with RuntimeError",
    )


def test_the_child_sees_no_secrets_of_the_service(place, tmp_path, monkeypatch):
    monkeypatch.setenv("WEBAPI_RUN_DB", "postgresql://u:hunter2@h/d")
    code = "import os\nraise RuntimeError if 'WEBAPI_RUN_DB' in os.environ else ImportError\n"
    put_library(tmp_path, code, monkeypatch)
    assert statuses(place.perform(b"", ["secrets"])) == {"secrets": "unavailable"}


@pytest.mark.parametrize("kind", ["stop", "kill"])
def test_an_order_ends_a_scan_at_once(place, tmp_path, monkeypatch, kind):
    began = tmp_path / "began"
    code = (
        f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(60)\n"
    )
    put_library(tmp_path, code, monkeypatch)
    before = process_tree.list_children(os.getpid())  # of other tests

    def order() -> None:
        wait_for(began.exists, what="the scan")
        intent.write(str(place.run_dir), kind, principal="me", grace_seconds=None)
        os.write(place.waker, b"!")

    thread = threading.Thread(target=order)
    thread.start()
    with pytest.raises(session.ScanStoppedError) as caught:
        place.perform(b"x = 1\n", ["secrets"])
    thread.join()
    assert (caught.value.order.kind, caught.value.order.principal) == (kind, "me")
    # No child is left, not even a dead one.
    assert process_tree.list_children(os.getpid()) == before
    assert os.listdir(place.run_dir) == [f"intent.{kind}"]


def test_a_full_disk_is_told_and_leaves_no_descriptor(place, monkeypatch):
    before = len(os.listdir("/proc/self/fd"))

    def full(_descriptor, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space"):
        place.perform(b"x = 1\n", ["secrets"])
    assert len(os.listdir("/proc/self/fd")) == before


GOOD = {"status": "clean", "counts": {}, "findings": [], "blocked": False}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "perfect"},
        {"counts": {"WORST": 1}},
        {"counts": {"HIGH": "1"}},
        {"counts": [1]},
        {"findings": [1]},
        {"findings": None},
        {"blocked": "no"},
        {"duration_s": None},
        {"reason": 5},
    ],
)
def test_a_script_may_not_put_words_into_its_report(tmp_path, change):
    path = tmp_path / "scans.json"
    path.write_text(json.dumps({"secrets": {**GOOD, "duration_s": 0.1}}))
    assert session.read_reports(str(tmp_path)) == {
        "secrets": {**GOOD, "duration_s": 0.1}
    }
    path.write_text(json.dumps({"secrets": {**GOOD, "duration_s": 0.1, **change}}))
    assert session.read_reports(str(tmp_path)) == {}


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"secrets": NaN}']
)
def test_reports_that_are_no_reports_are_none(tmp_path, content):
    (tmp_path / "scans.json").write_bytes(content)
    assert session.read_reports(str(tmp_path)) is None


def test_nobody_waits_for_reports(tmp_path):
    assert session.read_reports(str(tmp_path)) is None
    os.mkfifo(tmp_path / "scans.json")
    assert session.read_reports(str(tmp_path)) is None
    (tmp_path / "scans.json").unlink()
    (tmp_path / "scans.json").symlink_to("/etc/hostname")
    assert session.read_reports(str(tmp_path)) is None
