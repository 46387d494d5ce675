import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from scriptrunner.access.answers import Message, Receive, Send
from scriptrunner.access.facts import Scope
from scriptrunner.access.limits import HeaderLimits, IdleBody, PostRate
from scriptrunner.access.models import Caller, Proof, Role
from scriptrunner.access.rates import SLOTS, Rate, Rates
from tests.clocks import FakeClock
from tests.unit.access.requests import Answer, ask, let_in, make_scope

POST_RATE = Rate("post", 20.0, 100)
LOGIN_RATE = Rate("login", 5 / 60, 5)
CODES = {400: "invalid_request", 414: "uri_too_long", 431: "headers_too_large"}


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (make_scope(), 200),
        (make_scope("/" + "x" * 8_191), 200),
        (make_scope("/" + "x" * 8_192), 414),
        (make_scope(query_string=b"x" * 8_192), 414),
        (make_scope(headers=[("x", "y")] * 199), 200),
        (make_scope(headers=[("x", "y")] * 200), 431),
        (make_scope(headers={"x": "y" * 16_000}), 200),
        (make_scope(headers={"x": "y" * 17_000}), 431),
        (make_scope(headers=[("Content-Length", "1"), ("Content-Length", "2")]), 400),
        (
            make_scope(headers={"Content-Length": "1", "Transfer-Encoding": "chunked"}),
            400,
        ),
    ],
)
def test_shape_of_the_request_is_limited(scope: Scope, status: int) -> None:
    answer = ask(HeaderLimits(let_in), scope)

    assert answer.status == status
    if status != 200:
        assert answer.json["code"] == CODES[status]
        assert answer.headers["connection"] == "close"


def make_caller(proof: Proof, *, principal: str = "someone", peer: str = "") -> Caller:
    return Caller(
        principal=principal,
        role=Role.ADMIN,
        is_local=proof is Proof.LOCAL,
        peer=peer,
        proof=proof,
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def door(tmp_path: Path, clock: FakeClock) -> PostRate:
    rates = Rates(tmp_path / "rates", monotonic=clock.monotonic)
    return PostRate(let_in, rates=rates, post=POST_RATE, login=LOGIN_RATE)


def post(door: PostRate, caller: Caller, *, method: str = "POST") -> Answer:
    return ask(door, make_scope(method=method, state={"caller": caller}))


def count_passes(door: PostRate, caller: Caller, tries: int) -> int:
    return sum(post(door, caller).status == 200 for _ in range(tries))


def test_post_passes_up_to_the_burst_and_then_at_the_rate(
    door: PostRate, clock: FakeClock
) -> None:
    caller = make_caller(Proof.TOKEN)

    assert count_passes(door, caller, 150) == 100
    clock.advance(1.0)
    assert count_passes(door, caller, 150) == 20
    clock.advance(1_000.0)
    assert count_passes(door, caller, 150) == 100


def test_refused_post_says_when_to_come_back(door: PostRate) -> None:
    caller = make_caller(Proof.SESSION)
    count_passes(door, caller, 100)

    answer = post(door, caller)

    assert answer.status == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.json["code"] == "rate_limited"


def test_callers_are_counted_apart_and_reads_not_at_all(door: PostRate) -> None:
    one, other = (make_caller(Proof.TOKEN, principal=name) for name in ("a", "b"))
    count_passes(door, one, 200)

    assert post(door, other).status == 200
    assert post(door, one, method="GET").status == 200
    assert post(door, one).status == 429


def test_local_caller_is_not_counted(door: PostRate) -> None:
    assert count_passes(door, make_caller(Proof.LOCAL), 500) == 500


def test_login_is_limited_to_five_a_minute_and_address(
    door: PostRate, clock: FakeClock
) -> None:
    one = make_caller(Proof.ANONYMOUS, peer="192.0.2.7")

    assert count_passes(door, one, 20) == 5
    assert count_passes(door, make_caller(Proof.ANONYMOUS, peer="192.0.2.8"), 20) == 5
    clock.advance(60)
    assert count_passes(door, one, 20) == 5


def test_login_counts_an_ipv6_network_as_one_address(door: PostRate) -> None:
    passes = sum(
        count_passes(door, make_caller(Proof.ANONYMOUS, peer=f"2001:db8::{n}"), 1)
        for n in range(1, 21)
    )

    assert passes == 5


def test_workers_count_together(tmp_path: Path, clock: FakeClock) -> None:
    workers = [Rates(tmp_path / "rates", monotonic=clock.monotonic) for _ in range(2)]

    passes = sum(worker.take("key", POST_RATE) == 0 for worker in workers * 100)
    for worker in workers:
        worker.close()

    assert passes == 100


def test_counts_of_an_earlier_boot_are_worth_nothing(tmp_path: Path) -> None:
    before = Rates(tmp_path / "rates", monotonic=lambda: 1e9)
    assert [before.take("key", LOGIN_RATE) for _ in range(5)] == [0.0] * 5
    before.close()

    after = Rates(tmp_path / "rates", monotonic=lambda: 5.0)
    assert after.take("key", LOGIN_RATE) == 0
    after.close()


def test_damaged_or_missing_file_lets_requests_pass(tmp_path: Path) -> None:
    file = tmp_path / "rates"
    file.write_bytes(b"\xff" * 100_000)
    damaged, missing = Rates(file), Rates(tmp_path / "no folder" / "rates")

    assert damaged.take("key", POST_RATE) == 0
    assert missing.take("key", POST_RATE) == 0
    damaged.close()
    missing.close()


def test_flood_of_keys_does_not_open_the_door_for_a_busy_one(clock: FakeClock) -> None:
    rates = Rates(None, monotonic=clock.monotonic)
    for _ in range(5):
        rates.take("attacker", LOGIN_RATE)

    for number in range(SLOTS // 2):
        rates.take(f"key {number}", LOGIN_RATE)

    assert rates.take("attacker", LOGIN_RATE) > 0


async def read_body(_: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body and answer with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client went away")
        size += len(message["body"])
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def send_slowly(pieces: Sequence[bytes], *, pause: float) -> Answer:
    """Send the pieces and then nothing more, although the body is unfinished."""
    answer = Answer()
    waiting = list(pieces)

    async def receive() -> Message:
        if waiting:
            await asyncio.sleep(pause)
            return {"type": "http.request", "body": waiting.pop(0), "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answer.status = message.get("status", answer.status)
        answer.body += message.get("body", b"")

    scope = make_scope(method="POST", headers={"Content-Length": "100"})
    asyncio.run(IdleBody(read_body, seconds=0.1)(scope, receive, send))
    return answer


def test_body_that_stops_coming_is_ended() -> None:
    began = time.monotonic()

    answer = send_slowly([b"x"] * 4, pause=0.05)

    assert answer.status == 408
    assert answer.json["code"] == "body_timeout"
    # 4 pieces, each in time, and one pause of 0.1 s: slow bodies are not cut short.
    assert time.monotonic() - began >= 0.29


def test_whole_body_passes() -> None:
    scope = make_scope(method="POST", headers={"Content-Length": "3"})

    assert ask(IdleBody(read_body), scope, body=[b"ab", b"c"]).body == b"3"


def test_defect_of_the_application_is_not_hidden() -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("defect")

    scope = make_scope(method="POST", headers={"Content-Length": "3"})

    with pytest.raises(RuntimeError, match="defect"):
        ask(IdleBody(fail), scope)
