"""What a run leaves in the history, with its end."""

import sqlite3
from pathlib import Path

import pytest

from scriptrunner.history.errors import InvalidHistoryDbError
from scriptrunner.history.locations import make_locations
from scriptrunner.history.models import HistoryFilter
from scriptrunner.history.store import HistoryStore
from scriptrunner.supervisor.ports import End
from tests.run_world import SHA256, RunWorld

ALL = HistoryFilter(with_cancelled=True)


def own(world: RunWorld) -> list[dict]:
    items, _ = HistoryStore(world.database).list_items(ALL, limit=100)
    return items


def in_file(world: RunWorld, name: str) -> list[dict]:
    file = make_locations(world.settings).open_to_read(name)
    items, _ = HistoryStore(file).list_items(ALL, limit=100)
    return items


def result_of(world: RunWorld, run_id: str) -> dict:
    result = world.get(run_id).result
    assert result is not None
    return dict(result)


def test_an_end_is_in_the_history_at_once(world: RunWorld) -> None:
    run_id = world.submit(args=("--day", "1"), timeout=9)
    launch = world.claim_one()
    world.clock.advance(0.25)
    world.end(launch, 0, out=b"hello\n", out_lines=1)
    (item,) = own(world)
    record = world.get(run_id)
    result = result_of(world, run_id)
    assert result["execution_id"] == item["id"] > 0
    assert item["run_id"] == run_id
    assert item["correlation_id"] == record.item.correlation_id
    assert item["script_path"] == str((world.scripts / "ok.py").resolve())
    assert item["script_args"] == ["--day", "1"]
    assert item["script_sha256"] == SHA256
    assert (item["status"], item["run_status"]) == ("completed", "success")
    assert item["start_time"] == result["metrics"]["start_time"]
    assert item["end_time"] == result["metrics"]["end_time"]
    for name, value in item["metrics"].items():
        assert result["metrics"][name] == value, name
    numbers = {
        name
        for name, value in result["metrics"].items()
        if isinstance(value, int | float)
    }
    assert set(item["metrics"]) == numbers


@pytest.mark.parametrize(
    ("exit_code", "changes", "status", "run_status"),
    [
        (3, {}, "failed", "failed"),
        (-15, {"reason": "timeout"}, "failed", "timeout"),
        (-9, {"reason": "kill"}, "cancelled", "killed"),
    ],
)
def test_every_end_is_kept(
    world: RunWorld, exit_code: int, changes: dict, status: str, run_status: str
) -> None:
    world.submit(timeout=5)
    world.end(world.claim_one(), exit_code, **changes)
    (item,) = own(world)
    assert (item["status"], item["run_status"]) == (status, run_status)
    assert item["success"] is False
    assert item["timed_out"] is (run_status == "timeout")


def test_many_ends_are_kept_by_one_transaction(world: RunWorld) -> None:
    ids = [world.submit() for _ in range(5)]
    launches = world.claim()
    world.ledger.record_ends([world.make_end(each) for each in launches])
    assert {item["run_id"] for item in own(world)} == set(ids)
    numbers = [result_of(world, run_id)["execution_id"] for run_id in ids]
    assert len(set(numbers)) == 5


def test_a_run_with_retries_is_kept_once(world: RunWorld) -> None:
    run_id = world.submit(retry_on_failure=True, retry_initial_delay=1)
    world.end(world.claim_one(), 1)
    assert own(world) == []
    world.clock.advance(2)
    world.end(world.claim_one(), 0)
    (item,) = own(world)
    assert (item["run_id"], item["attempt_number"]) == (run_id, 2)
    assert item["metrics"]["attempts"] == 2


def test_a_run_stopped_between_two_attempts_is_kept(world: RunWorld) -> None:
    run_id = world.submit(retry_on_failure=True, retry_initial_delay=60)
    world.end(world.claim_one(), 1)
    world.service.cancel(run_id, principal="alice")
    (item,) = own(world)
    assert (item["run_id"], item["status"]) == (run_id, "cancelled")
    assert result_of(world, run_id)["execution_id"] == item["id"]


def test_history_can_be_turned_off(world: RunWorld) -> None:
    run_id = world.run_to_end(enable_history=False)
    assert own(world) == []
    assert result_of(world, run_id)["execution_id"] is None


def test_what_never_started_is_not_kept(world: RunWorld) -> None:
    world.submit(dry_run=True)
    world.claim()
    queued = world.submit()
    world.service.cancel(queued, principal="alice")
    world.submit()
    end = {
        "reason": "spawn_error",
        "exit_code": None,
        "ended_us": world.end_record()["ended_us"],
        "error": "no such interpreter",
        "error_type": "FileNotFoundError",
    }
    launch = world.claim_one()
    world.ledger.record_ends(
        [End(run_id=launch.run_id, attempt=launch.attempt, spawn=None, end=end)]
    )
    assert own(world) == []


def test_deleting_the_run_leaves_its_history(world: RunWorld) -> None:
    run_id = world.run_to_end()
    world.service.delete(run_id)
    assert [item["run_id"] for item in own(world)] == [run_id]


def test_a_file_of_its_own(world: RunWorld) -> None:
    run_id = world.run_to_end(history_db="team/etl.db")
    second = world.run_to_end(history_db="team/etl.db")
    assert own(world) == []
    newest, oldest = in_file(world, "team/etl.db")
    assert (oldest["run_id"], newest["run_id"]) == (run_id, second)
    assert result_of(world, run_id)["execution_id"] == oldest["id"] == 1
    assert result_of(world, second)["execution_id"] == 2


def test_a_failing_file_is_a_warning_and_no_failed_run(world: RunWorld) -> None:
    run_id = world.submit(history_db="x.db")
    folder = world.settings.history_dir
    folder.mkdir()
    other = sqlite3.connect(folder / "x.db")
    other.execute("CREATE TABLE somebody (x)")
    other.close()
    world.end(world.claim_one(), 0)
    record = world.get(run_id)
    assert (record.item.status, record.item.run_status) == ("completed", "success")
    assert record.warnings == ["history_failed"]
    (event,) = [each for each in world.events(run_id) if each.event_type == "warning"]
    assert event.data["warning"] == "history_failed"
    assert "another kind" in event.data["detail"]
    assert str(folder) not in event.data["detail"]
    assert result_of(world, run_id)["execution_id"] is None
    assert own(world) == []


@pytest.mark.parametrize("name", ["../x.db", "unknown", "/tmp/x.db", "x.txt"])
def test_other_histories_are_refused_at_the_door(world: RunWorld, name: str) -> None:
    with pytest.raises(InvalidHistoryDbError):
        world.submit(history_db=name)


def test_a_foreign_file_is_refused_at_the_door(world: RunWorld) -> None:
    folder = world.settings.history_dir
    folder.mkdir()
    Path(folder / "notes.db").write_text("my notes")
    with pytest.raises(InvalidHistoryDbError):
        world.submit(history_db="notes.db")


def test_submitting_makes_no_file(world: RunWorld) -> None:
    world.submit(history_db="x.db")
    assert not world.settings.history_dir.exists()
