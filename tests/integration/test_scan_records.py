"""What the record makes of scans: orders, starts, ends, dry runs; on each database."""

import json
from pathlib import Path
from typing import Any

import pytest

from scriptrunner.engine.launch import Launch
from scriptrunner.engine.scans import report
from scriptrunner.supervisor.ports import End, Start
from tests.run_world import RunWorld

BAD = {"id": "password", "severity": "HIGH", "line": 3, "message": "Password"}


def put_reports(launch: Launch, **reports: dict[str, Any]) -> None:
    """Leave what a shim leaves when it has scanned."""
    judged = {
        kind: report.judge({**each, "duration_s": 0.1}, block="HIGH")
        for kind, each in reports.items()
    }
    text = json.dumps({"sha256": "ab" * 32, **judged})
    Path(launch.run_dir, "scans.json").write_text(text)


def data_of(world: RunWorld, run_id: str, event_type: str) -> list[dict[str, Any]]:
    return [
        dict(event.data)
        for event in world.events(run_id)
        if event.event_type == event_type
    ]


def test_an_order_says_what_to_scan_for_and_how(world: RunWorld) -> None:
    world.submit(enable_secret_scanning=True, enable_dependency_scanning=True)
    scans = world.claim_one().scans
    assert scans is not None
    assert scans["kinds"] == ["secrets", "dependencies"]
    assert (scans["block"], scans["script_name"]) == ("HIGH", "ok.py")
    assert scans["advisory_db"] == str(world.settings.data_dir / "advisories.json.gz")
    assert scans["cache_dir"] == str(world.settings.data_dir / "scans")
    world.submit()
    assert world.claim_one().scans is None


def test_scans_are_told_with_the_start(world: RunWorld) -> None:
    run_id = world.submit(enable_secret_scanning=True)
    launch = world.claim_one()
    put_reports(launch, secrets=report.of_findings([]))
    spawn = {**world.spawn(), "scans": 1}
    world.clock.advance(0.5)
    start = Start(run_id=run_id, attempt=1, spawn=spawn)
    world.ledger.record_starts([start])
    world.ledger.record_starts([start])
    assert world.event_types(run_id) == ["queued", "dequeued", "scan", "start"]
    times = [event.timestamp for event in world.events(run_id)]
    assert times == sorted(times)
    world.end(launch)
    assert world.event_types(run_id).count("scan") == 1
    record = world.get(run_id)
    assert record.result is not None
    assert record.result["scans"]["secrets"]["status"] == "clean"


def test_scans_are_told_with_the_end_if_that_comes_first(world: RunWorld) -> None:
    run_id = world.submit(enable_secret_scanning=True)
    launch = world.claim_one()
    put_reports(launch, secrets=report.of_findings([{**BAD, "severity": "LOW"}]))
    world.end(launch)
    assert world.event_types(run_id)[2:4] == ["scan", "start"]
    (data,) = data_of(world, run_id, "scan")
    assert (data["findings"], data["worst"], data["blocked"]) == (1, "LOW", False)


def test_a_run_that_is_stopped_while_it_is_scanned_was_never_started(
    world: RunWorld,
) -> None:
    rule = {"name": "any", "condition": "true", "channels": ["log"], "severity": "INFO"}
    run_id = world.submit(
        enable_secret_scanning=True, alerts=[rule], junit_output="r.xml"
    )
    world.claim_one()
    world.clock.advance(0.5)
    ended_us = int(world.clock.utc_now().timestamp() * 1_000_000)
    end = {"reason": "stop", "exit_code": None, "ended_us": ended_us}
    world.clock.advance(0.5)
    world.ledger.record_ends([End(run_id=run_id, attempt=1, spawn=None, end=end)])
    record = world.get(run_id)
    assert record.item.status == "cancelled"
    assert record.result is not None
    assert (record.result["alerts"], record.result["junit_output"]) == (None, "r.xml")
    times = [event.timestamp for event in world.events(run_id)]
    assert times == sorted(times)


def test_a_blocked_run_is_over_without_retry(world: RunWorld) -> None:
    run_id = world.submit(enable_secret_scanning=True, retry_on_failure=True)
    launch = world.claim_one()
    put_reports(launch, secrets=report.of_findings([BAD]))
    end = {
        "reason": "scan_blocked",
        "exit_code": None,
        "error": "Blocked by secret scan",
        "scans": ["secrets"],
    }
    world.ledger.record_ends([End(run_id=run_id, attempt=1, spawn=None, end=end)])
    record = world.get(run_id)
    item = record.item
    assert (item.status, item.run_status, item.reason) == (
        "failed",
        "failed",
        "scan_blocked",
    )
    assert record.error_summary is not None
    assert record.error_summary["scans"] == ["secrets"]
    assert record.result is not None
    assert record.result["scans"]["secrets"]["blocked"] is True
    assert record.result["execution_id"] is None


def test_a_scan_without_a_result_is_a_warning(world: RunWorld) -> None:
    run_id = world.submit(enable_dependency_scanning=True)
    launch = world.claim_one()
    missing = report.without_result("unavailable", "no advisory data")
    put_reports(launch, dependencies=missing)
    world.end(launch)
    assert list(world.get(run_id).warnings) == ["dependencies_scan_unavailable"]
    (data,) = data_of(world, run_id, "warning")
    assert data["detail"] == "no advisory data"


def test_reports_that_are_gone_keep_no_run_from_ending(world: RunWorld) -> None:
    run_id = world.submit(enable_secret_scanning=True)
    world.end(world.claim_one())
    record = world.get(run_id)
    assert record.item.status == "completed"
    assert record.result is not None
    assert record.result["scans"] is None


def test_a_dry_run_with_scans_takes_a_slot_and_one_without_does_not(
    world: RunWorld,
) -> None:
    plain = world.submit(dry_run=True)
    scanned = world.submit(dry_run=True, enable_secret_scanning=True)
    assert world.claim(0) == []
    assert world.get(plain).item.status == "completed"
    assert world.get(scanned).item.status == "queued"
    launch = world.claim_one()
    assert launch.dry_run
    put_reports(launch, secrets=report.of_findings([BAD]))
    world.end(launch, None, reason="dry_run", started_us=None, duration_ns=None)
    record = world.get(scanned)
    item = record.item
    assert (item.status, item.run_status, item.correlation_id) == (
        "completed",
        None,
        None,
    )
    assert record.result is not None
    assert record.result["would_be_blocked"] is True
    assert record.result["command"][-1].endswith("ok.py")
    assert not record.attempts
    assert world.event_types(scanned) == ["queued", "dequeued", "scan", "finished"]


@pytest.mark.parametrize("level", ["NONE", "LOW"])
def test_the_administrator_says_what_blocks(world: RunWorld, level: str) -> None:
    world.settings = world.settings.with_changes(scan_block=level)
    world.ledger = world.make_ledger()
    world.submit(enable_secret_scanning=True)
    scans = world.claim_one().scans
    assert scans is not None
    assert scans["block"] == level
