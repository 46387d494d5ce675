"""How runs get into the queue: checks, files, bounds, repeated requests, shared commits."""

import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from scriptrunner.engine.paths import (
    InvalidWorkingDirError,
    NotPythonError,
    ScriptMissingError,
)
from scriptrunner.engine.plan import InvalidTimeoutError
from scriptrunner.errors import MalformedInputError, StorageFullError
from scriptrunner.runs.errors import (
    IdempotencyConflictError,
    InvalidIdempotencyKeyError,
    QueueFullError,
)
from scriptrunner.runs.intake import Origin
from scriptrunner.runs.models import IdempotencyKey, Upload
from scriptrunner.runs.shared_commit import Entry
from scriptrunner.storage.database import Connection, DatabaseGoneError
from tests.run_world import RunWorld


def count_runs(world: RunWorld) -> int:
    return world.service.list_runs().total


def make_key(key: str = "k1", body: str = "a" * 64) -> IdempotencyKey:
    return IdempotencyKey(route="start_run", key=key, body_sha256=body)


def test_a_run_is_stored_with_all_its_defaults(world: RunWorld) -> None:
    run_id = world.submit(args=("x",))
    record = world.get(run_id)
    assert record.status == "queued"
    assert record.item.phase == "queued"
    assert record.item.principal == "alice"
    assert record.item.trigger == "api"
    assert record.item.queued_at == world.clock.utc_now()
    assert record.item.queue_position == 1
    assert record.request["script_path"] == "ok.py"
    assert record.request["args"] == ["x"]
    assert record.request["retry_max_attempts"] == 3
    assert record.result is None
    assert record.attempts == []
    assert world.event_types(run_id) == ["queued"]
    assert world.events(run_id)[0].data["trigger"] == "api"


def test_the_supervisor_is_told_after_the_commit(world: RunWorld) -> None:
    world.submit()
    assert world.calls == ["wake"]


def test_nobody_to_tell_is_no_failure(world: RunWorld) -> None:
    def fail() -> None:
        raise OSError("no descriptors left")

    world.service._wake = fail
    world.submit()
    assert count_runs(world) == 1


@pytest.mark.parametrize(
    ("script", "options", "error"),
    [
        ("missing.py", {}, ScriptMissingError),
        ("ok.py", {"timeout": 0}, InvalidTimeoutError),
        ("ok.py", {"working_dir": "missing"}, InvalidWorkingDirError),
        ("ok.py", {"retry_max_attempts": 0}, MalformedInputError),
    ],
)
def test_bad_input_stores_nothing(
    world: RunWorld, script: str, options: dict, error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.submit(script, env_vars={"API_KEY": "secret-one"}, **options)
    assert count_runs(world) == 0
    assert not world.settings.runs_dir.exists()
    assert world.calls == []


def test_ignored_names_are_told(world: RunWorld) -> None:
    submission = world.submission(env_vars={"LD_PRELOAD": "x", "GOOD": "y"})
    accepted = world.service.submit(submission)
    assert accepted.ignored_env == ("LD_PRELOAD",)
    assert world.get(accepted.run_id).ignored_env == ["LD_PRELOAD"]
    assert world.events(accepted.run_id)[0].data["ignored_env"] == ["LD_PRELOAD"]


class TestUploads:
    def test_is_kept_in_the_folder_of_the_run(self, world: RunWorld) -> None:
        upload = Upload(file_name="../../evil name$.py", content=b"print(1)\n")
        accepted = world.service.submit(world.submission(None, upload=upload))
        file = world.run_folder(accepted.run_id) / "upload.py"
        assert file.read_bytes() == b"print(1)\n"
        assert file.stat().st_mode & 0o777 == 0o400
        record = world.get(accepted.run_id)
        assert record.request["script_path"] == "upload:evil name_.py"
        assert record.item.script_name == "evil name_.py"
        assert record.item.script_sha256 is not None

    def test_is_launched_from_there(self, world: RunWorld) -> None:
        upload = Upload(file_name="a.py", content=b"print(1)\n")
        run_id = world.service.submit(world.submission(None, upload=upload)).run_id
        launch = world.claim_one()
        folder = str(world.run_folder(run_id))
        assert launch.script_root == folder
        assert launch.script_path == f"{folder}/upload.py"
        assert (launch.working_root, launch.working_relative) == (folder, "")
        assert launch.script_sha256 == world.get(run_id).item.script_sha256
        assert launch.scripts_dir is None

    def test_that_is_refused_leaves_nothing(self, world: RunWorld) -> None:
        shell = world.submission(None, upload=Upload(file_name="a.sh", content=b""))
        with pytest.raises(NotPythonError):
            world.service.submit(shell)
        full = world.make_service(queue_limit=0)
        python = world.submission(None, upload=Upload(file_name="a.py", content=b""))
        with pytest.raises(QueueFullError):
            full.submit(python)
        assert list(world.settings.runs_dir.iterdir()) == []


class TestBounds:
    def test_a_full_queue_refuses(self, world: RunWorld) -> None:
        service = world.make_service(queue_limit=2)
        for _ in range(2):
            service.submit(world.submission())
        with pytest.raises(QueueFullError) as caught:
            service.submit(world.submission())
        assert caught.value.retry_after_seconds >= 1
        assert count_runs(world) == 2

    def test_room_is_made_by_a_claim(self, world: RunWorld) -> None:
        service = world.make_service(queue_limit=1)
        service.submit(world.submission())
        world.claim(1)
        service.submit(world.submission())
        assert count_runs(world) == 2

    def test_a_full_disk_refuses(self, world: RunWorld) -> None:
        service = world.make_service(disk_margin_bytes=1 << 60)
        with pytest.raises(StorageFullError):
            service.submit(world.submission())
        assert count_runs(world) == 0

    def test_the_bound_holds_among_many(self, world: RunWorld) -> None:
        service = world.make_service(queue_limit=20)
        outcomes: list[str] = []

        def submit_some() -> None:
            for _ in range(10):
                try:
                    service.submit(world.submission())
                except QueueFullError:
                    outcomes.append("full")
                else:
                    outcomes.append("accepted")

        run_threads(submit_some, 6)
        assert outcomes.count("accepted") == 20
        assert outcomes.count("full") == 40
        assert count_runs(world) == 20


def run_threads(action, count: int) -> None:
    threads = [threading.Thread(target=action) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestIdempotency:
    def test_the_same_request_is_one_run(self, world: RunWorld) -> None:
        first = world.service.submit(world.submission(idempotency=make_key()))
        second = world.service.submit(world.submission(idempotency=make_key()))
        assert (first.replayed, second.replayed) == (False, True)
        assert first.run_id == second.run_id
        assert count_runs(world) == 1

    def test_another_request_with_the_key_is_refused(self, world: RunWorld) -> None:
        world.service.submit(world.submission(idempotency=make_key()))
        with pytest.raises(IdempotencyConflictError):
            world.service.submit(world.submission(idempotency=make_key(body="b" * 64)))

    @pytest.mark.parametrize("changes", [{"key": "k2"}, {}], ids=["key", "caller"])
    def test_keys_are_of_one_caller(self, world: RunWorld, changes: dict) -> None:
        world.service.submit(world.submission(idempotency=make_key()))
        other = world.submission(principal="bob", idempotency=make_key(**changes))
        assert not world.service.submit(other).replayed
        assert count_runs(world) == 2

    def test_is_answered_also_when_the_request_would_be_refused(
        self, world: RunWorld
    ) -> None:
        first = world.service.submit(world.submission(idempotency=make_key()))
        (world.scripts / "ok.py").unlink()
        second = world.service.submit(world.submission(idempotency=make_key()))
        assert second.run_id == first.run_id

    def test_is_forgotten_after_a_day(self, world: RunWorld) -> None:
        first = world.service.submit(world.submission(idempotency=make_key()))
        world.clock.advance(24 * 3600 + 1)
        second = world.service.submit(world.submission(idempotency=make_key()))
        assert second.run_id != first.run_id
        third = world.service.submit(world.submission(idempotency=make_key()))
        assert third.run_id == second.run_id

    def test_of_many_at_once_one_is_run(self, world: RunWorld) -> None:
        services = [world.make_service() for _ in range(3)]
        ids: set[str] = set()
        barrier = threading.Barrier(9)
        numbers = iter(range(9))

        def submit() -> None:
            service = services[next(numbers) % 3]
            barrier.wait()
            ids.add(service.submit(world.submission(idempotency=make_key())).run_id)

        run_threads(submit, 9)
        assert len(ids) == 1
        assert count_runs(world) == 1

    def test_a_replayed_upload_leaves_no_second_folder(self, world: RunWorld) -> None:
        upload = Upload(file_name="a.py", content=b"print(1)\n")
        for _ in range(2):
            world.service.submit(
                world.submission(None, upload=upload, idempotency=make_key())
            )
        assert len(list(world.settings.runs_dir.iterdir())) == 1

    @pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256, "a\n"])
    def test_keys_are_visible_ascii(self, world: RunWorld, key: str) -> None:
        with pytest.raises(InvalidIdempotencyKeyError):
            world.service.submit(world.submission(idempotency=make_key(key)))
        assert count_runs(world) == 0


class TestSharedCommits:
    def test_everybody_gets_their_own_run(self, world: RunWorld) -> None:
        results: dict[str, str] = {}
        lock = threading.Lock()

        def submit_some() -> None:
            name = threading.current_thread().name
            for number in range(10):
                args = (f"{name}-{number}",)
                run_id = world.service.submit(world.submission(args=args)).run_id
                with lock:
                    results[run_id] = args[0]

        run_threads(submit_some, 8)
        assert len(results) == 80
        assert count_runs(world) == 80
        for run_id, argument in results.items():
            assert world.get(run_id).request["args"] == [argument]

    def test_changes_are_numbered_without_repeats(self, world: RunWorld) -> None:
        run_threads(lambda: [world.submit() for _ in range(10)], 4)
        changes = world.service.changes_since(0)
        numbers = [item.change for item in changes.items]
        assert len(set(numbers)) == 40
        assert numbers == sorted(numbers)

    def test_one_bad_row_hurts_nobody_else(self, world: RunWorld) -> None:
        """A batch that fails is written one by one."""
        commit = world.service._intake._commit
        good = intake_entry(world)
        bad = intake_entry(world)
        bad.new.run["script_name"] = None  # type: ignore[index]
        also_good = intake_entry(world)
        commit.write_batch([good, bad, also_good])
        assert good.error is None
        assert also_good.error is None
        assert bad.error is not None
        assert count_runs(world) == 2

    def test_a_busy_database_fails_all_with_one_word(self, world: RunWorld) -> None:
        entries = [intake_entry(world), intake_entry(world)]
        commit = world.service._intake._commit
        commit._insert = _refuse  # type: ignore[assignment, method-assign]
        commit.write_batch(entries)
        assert all(isinstance(each.error, StorageFullError) for each in entries)
        assert world.calls == []


def _refuse(*_: object) -> None:
    raise StorageFullError


def intake_entry(world: RunWorld) -> Entry:
    """An entry as ``put`` makes it, not yet committed."""
    intake = world.service._intake
    submission = world.submission()
    script = world.roots.locate("ok.py")
    origin = Origin(principal="alice", trigger="api")
    run_id = str(uuid4())
    rows = intake._make_rows(run_id, script, submission.options, origin, [])
    return Entry(new=rows, principal="alice")


def test_odd_texts_are_stored_as_they_are(world: RunWorld) -> None:
    world.write_script("ünï 'q\" %_\\.py")
    args = ("\u20ac", "tab\tnew\nline", "'; DROP TABLE runs; --", "\x01")
    run_id = world.submit("ünï 'q\" %_\\.py", args=args)
    record = world.get(run_id)
    assert record.request["args"] == list(args)
    assert record.item.script_name == "ünï 'q\" %_\\.py"
    launch = world.claim_one()
    assert Path(launch.script_path).exists()


def test_rows_of_another_version_are_no_obstacle(world: RunWorld) -> None:
    """Options that a later version added are not there in a stored request."""
    run_id = world.submit()
    with world.database.write() as connection:
        connection.execute(
            text("UPDATE run_details SET request = :r WHERE run_id = :id"),
            {
                "r": '{"script_path":"ok.py","args":[],"env_vars":{},"timeout":null,'
                '"log_level":"INFO","working_dir":null,"enable_visualizer":false}',
                "id": run_id,
            },
        )
    world.end(world.claim_one(), 0)
    assert world.get(run_id).item.status == "completed"


def test_secrets_stay_when_a_commit_was_not_answered(
    world: RunWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were removed, and the run, which was queued, started without them."""

    def lose(action: Callable[[Connection], object]) -> None:
        with world.database.write() as connection:
            action(connection)
        raise DatabaseGoneError

    with monkeypatch.context() as lost:
        lost.setattr(world.database, "retrying", lose)
        with pytest.raises(DatabaseGoneError):
            world.submit(env_vars={"API_KEY": "real-value"})
    assert world.claim_one().environment["API_KEY"] == "real-value"
