from pathlib import Path

import pytest

from scriptrunner.engine import live_output
from scriptrunner.engine.live_output import AttemptWatch, OutputFollower


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a1.out"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def follow(path: Path, cap_bytes: int = 1 << 30) -> tuple[OutputFollower, bytearray]:
    return OutputFollower(str(path), cap_bytes=cap_bytes), bytearray()


def test_every_byte_is_handed_on_once_and_in_order(path):
    follower, received = follow(path)
    assert follower.copy_to(received.extend) == 0  # the file is not there yet
    pieces = [b"a", b"\xff\x00\n", b"", b"x" * (live_output.CHUNK_BYTES * 2 + 1)]
    for piece in pieces:
        append(path, piece)
        assert follower.copy_to(received.extend) == len(piece)
    follower.close()
    assert bytes(received) == b"".join(pieces)


def test_nothing_beyond_the_cap_is_handed_on(path):
    follower, received = follow(path, cap_bytes=4)
    for _ in range(3):
        append(path, b"abc")
        follower.copy_to(received.extend)
    follower.close()
    assert bytes(received) == b"abca"


def test_after_a_script_cut_its_own_output_the_rest_is_handed_on(path):
    follower, received = follow(path)
    append(path, b"before")
    follower.copy_to(received.extend)
    path.write_bytes(b"")
    follower.copy_to(received.extend)
    append(path, b"after")
    follower.copy_to(received.extend)
    follower.close()
    assert bytes(received) == b"beforeafter"


def test_what_was_handed_on_long_ago_is_given_back_to_the_disk(path, monkeypatch):
    monkeypatch.setattr(live_output, "KEPT_BYTES", 1 << 20)
    follower, received = follow(path)
    size = 0
    for _ in range(8):
        append(path, b"x" * (1 << 20))
        size += follower.copy_to(received.extend)
    follower.close()
    found = path.stat()
    assert size == found.st_size == 8 << 20
    assert found.st_blocks * 512 <= 4 << 20
    # The newest megabyte is still there for whoever counts its lines.
    assert path.read_bytes()[-(1 << 20) :] == b"x" * (1 << 20)


def test_a_watch_looks_often_until_the_script_has_started(tmp_path):
    answers = iter([False, True])
    received: list[tuple[str, bytes]] = []
    watch = AttemptWatch(
        f"{tmp_path}/a1",
        cap_bytes=100,
        look_for_start=lambda: next(answers),
        receive=lambda stream, data: received.append((stream, data)),
    )
    assert watch.tick() == live_output.STARTING_SECONDS
    append(tmp_path / "a1.err", b"oops")
    assert watch.tick() == live_output.WRITING_SECONDS
    assert watch.tick() == live_output.QUIET_SECONDS
    watch.close()
    assert received == [("stderr", b"oops")]


def test_a_watch_without_a_receiver_has_nothing_more_to_do(tmp_path):
    watch = AttemptWatch(
        f"{tmp_path}/a1", cap_bytes=100, look_for_start=lambda: True, receive=None
    )
    assert watch.tick() is None
    watch.close()
