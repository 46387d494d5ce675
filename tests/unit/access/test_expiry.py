"""Tokens that end by themselves: what people may write, and what happens then."""

from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.access.expiry import parse_expiry
from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import Role, UnknownTokenError
from scriptrunner.access.service import AccessService
from tests.clocks import FakeClock

ADMIN = command_line_caller()
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", NOW + DAY / 2),
        ("30d", NOW + 30 * DAY),
        (" 8w ", NOW + 56 * DAY),
        ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
        ("2026-12-31T08:30", datetime(2026, 12, 31, 8, 30, tzinfo=UTC)),
        ("2026-12-31T08:30:00+02:00", datetime(2026, 12, 31, 6, 30, tzinfo=UTC)),
        ("2026-12-31 08:30:00.5Z", datetime(2026, 12, 31, 8, 30, 0, 500_000, UTC)),
        ("3653d", NOW + 3_653 * DAY),
    ],
)
def test_an_end_is_read(text: str, expected: datetime) -> None:
    assert parse_expiry(text, now=NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "never",
        "0d",
        "30",
        "1y",
        "-1d",
        "3654d",
        "99999w",
        "2026-11-23",
        "2026-11-23T10:00Z",
        "2026-13-01",
        "2026-12-31T25:00",
        "9999-12-31T23:59:59-12:00",
        "31.12.2026",
        "1\uff12d",
    ],
)
def test_what_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most ten years ahead"):
        parse_expiry(text, now=NOW)


@pytest.mark.parametrize("event", [None, "deploy"])
def test_a_token_is_worthless_from_its_end_on(
    access: AccessService, clock: FakeClock, event: str | None
) -> None:
    role = Role.ADMIN if event is None else Role.EVENT
    end = clock.utc_now() + DAY
    token = access.create_token(caller=ADMIN, role=role, scope=event, expires_at=end)
    clock.advance(DAY.total_seconds() - 1)
    assert access.check_token(token.text, peer="").scope == event
    assert access.count_valid_tokens() == 1
    clock.advance(1)

    with pytest.raises(UnknownTokenError) as expired:
        access.check_token(token.text, peer="")
    with pytest.raises(UnknownTokenError) as unknown:
        access.check_token(f"wapi_00000000_{'x' * 43}", peer="")

    assert expired.value.message == unknown.value.message
    assert access.count_valid_tokens() == 0
    assert not access.list_tokens()[0].is_valid(clock.utc_now())


def test_logins_end_with_their_token(access: AccessService, clock: FakeClock) -> None:
    end = clock.utc_now() + timedelta(hours=1)
    token = access.create_token(caller=ADMIN, expires_at=end)
    cookie = access.log_in(token.text, caller=ADMIN, request_id="")
    clock.advance(3_599)
    access.check_cookie(cookie, peer="")
    clock.advance(1)

    with pytest.raises(UnknownTokenError):
        access.check_cookie(cookie, peer="")
    with pytest.raises(UnknownTokenError):
        access.log_in(token.text, caller=ADMIN, request_id="")


def test_an_expired_token_can_be_revoked(
    access: AccessService, clock: FakeClock
) -> None:
    token = access.create_token(caller=ADMIN, expires_at=clock.utc_now() + DAY)
    clock.advance(2 * DAY.total_seconds())

    access.revoke_token(token.id, caller=ADMIN)

    assert access.list_tokens()[0].revoked


def test_the_audit_trail_tells_the_end(access: AccessService, clock: FakeClock) -> None:
    end = clock.utc_now() + DAY
    token = access.create_token(caller=ADMIN, expires_at=end)
    access.close()

    (entry,) = access.list_audit_entries()

    assert entry.action == "token.create"
    assert entry.object == f"{token.id}, expires 2026-11-24T10:00:00.000000Z"


@pytest.mark.parametrize(
    ("event", "name"),
    [(None, "admin"), ("deploy", "event deploy"), ("e" * 128, f"event {'e' * 94}")],
)
def test_a_token_without_a_name_is_called_after_its_use(
    access: AccessService, event: str | None, name: str
) -> None:
    made = access.create_token(caller=ADMIN, scope=event)

    assert made.name == access.list_tokens()[0].name == name
