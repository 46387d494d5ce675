import json
import os

import pytest

from scriptrunner.engine.scans import cache, report
from scriptrunner.engine.scans.kinds import MAX_LISTED


def finding(severity: str, line: int = 1, message: str = "bad") -> dict:
    return {"id": "X", "severity": severity, "line": line, "message": message}


def judged(*severities: str, block: str = "HIGH") -> dict:
    found = [finding(each, line) for line, each in enumerate(severities, 1)]
    return report.judge(report.of_findings(found), block=block)


@pytest.mark.parametrize(
    ("severities", "block", "expected"),
    [
        ((), "LOW", False),
        (("LOW",), "LOW", True),
        (("LOW", "MEDIUM"), "HIGH", False),
        (("LOW", "HIGH"), "HIGH", True),
        (("CRITICAL",), "HIGH", True),
        (("HIGH",), "CRITICAL", False),
        (("CRITICAL",), "NONE", False),
    ],
)
def test_a_finding_at_or_above_the_limit_blocks(severities, block, expected):
    assert judged(*severities, block=block)["blocked"] is expected


def test_the_worst_come_first_and_all_are_counted():
    many = [finding("LOW", line) for line in range(1, 301)]
    whole = report.of_findings([*many, finding("HIGH", 500)], suppressed=2)
    assert whole["counts"] == {"LOW": 300, "HIGH": 1}
    assert len(whole["findings"]) == MAX_LISTED
    assert [each["line"] for each in whole["findings"][:2]] == [500, 1]
    assert whole["suppressed"] == 2
    assert report.worst_of(whole) == "HIGH"


def test_the_message_names_the_finding():
    one = report.of_findings([finding("HIGH", 12, "AWS access key id")])
    reports = {"secrets": report.judge(one, block="HIGH")}
    assert report.blocked_message(reports, block="HIGH") == (
        "Blocked by secret scan: 1 finding at HIGH or above (line 12: AWS access key id)"
    )
    assert report.blocking_kinds(reports) == ["secrets"]


def test_the_message_names_every_scan_that_blocks_and_no_more_than_three_findings():
    reports = {
        "code_analysis": judged("HIGH", "CRITICAL", "HIGH", "LOW", "HIGH"),
        "secrets": judged("LOW"),
        "dependencies": judged("HIGH"),
    }
    assert report.blocked_message(reports, block="HIGH") == (
        "Blocked by dependency scan: 1 finding at HIGH or above (line 1: bad); "
        "code analysis: 4 findings at HIGH or above "
        "(line 2: bad; line 1: bad; line 3: bad; 1 more)"
    )


def test_nothing_blocks_without_a_finding():
    reports = {"secrets": judged("LOW")}
    assert report.blocked_message(reports, block="HIGH") is None
    assert report.blocking_kinds(reports) == []


def test_a_scan_without_a_result_warns():
    reports = {
        "secrets": report.without_result("unavailable", "the package x is missing"),
        "code_analysis": report.without_result("error", "took longer than 30 s"),
        "dependencies": judged(),
    }
    assert report.list_warnings(reports) == [
        ("secrets_scan_unavailable", "the package x is missing"),
        ("code_analysis_scan_error", "took longer than 30 s"),
    ]
    assert report.judge(reports["code_analysis"], block="LOW")["blocked"] is False


def test_only_results_are_kept(tmp_path):
    folder = str(tmp_path)
    key = cache.key_of("secrets", "a", "b")
    cache.keep(folder, key, report.without_result("error", "x"))
    cache.keep(folder, key, report.without_result("unavailable", "x"))
    assert cache.find(folder, key) is None
    clean = report.of_findings([], duration_s=0.1)
    cache.keep(folder, key, clean)
    assert cache.find(folder, key) == clean
    assert [each.stat().st_mode & 0o777 for each in tmp_path.iterdir()] == [0o600]


def test_every_part_of_a_key_matters():
    keys = {
        cache.key_of("secrets", "a", "b"),
        cache.key_of("secrets", "ab"),
        cache.key_of("code_analysis", "a", "b"),
        cache.key_of("secrets", "a", "c"),
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"status": "error"}', b"\xff"]
)
def test_a_damaged_entry_is_no_entry(tmp_path, content):
    key = cache.key_of("secrets")
    (tmp_path / f"{key}.json").write_bytes(content)
    assert cache.find(str(tmp_path), key) is None


def test_a_missing_folder_is_no_trouble(tmp_path):
    cache.keep(str(tmp_path / "none"), "k", report.of_findings([]))
    assert cache.find(str(tmp_path / "none"), "k") is None


def test_the_oldest_entries_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MAX_ENTRIES", 3)
    monkeypatch.setattr(cache, "KEPT_ENTRIES", 2)
    for number in range(4):
        path = tmp_path / f"old{number}.json"
        path.write_text(json.dumps({"status": "clean"}))
        os.utime(path, ns=(number, number))
    cache.keep(str(tmp_path), "new", report.of_findings([]))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.json", "old3.json"]
