"""What access stores, on each database."""

import threading
from datetime import timedelta

import pytest

from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import NewToken, UnknownTokenError
from scriptrunner.access.service import AccessService, open_access
from scriptrunner.storage.database import Database
from tests.clocks import FakeClock

ADMIN = command_line_caller()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def access(database: Database, clock: FakeClock):
    service = open_access(database, clock=clock)
    yield service
    service.close()


def test_token_and_login_live_and_end(access: AccessService) -> None:
    token = access.create_token(caller=ADMIN, name="Ünïcode")
    cookie = access.log_in(token.text, caller=ADMIN, request_id="")
    assert access.check_token(token.text, peer="").principal == f"token:{token.id}"
    assert access.check_cookie(cookie, peer="").principal == f"token:{token.id}"
    assert [each.name for each in access.list_tokens()] == ["Ünïcode"]

    access.revoke_token(token.id, caller=ADMIN)

    for prove, secret in (
        (access.check_token, token.text),
        (access.check_cookie, cookie),
    ):
        with pytest.raises(UnknownTokenError):
            prove(secret, peer="")
    assert access.list_tokens()[0].revoked is True
    assert access.count_valid_tokens() == 0


def test_first_token_is_made_by_one_of_many(database: Database) -> None:
    services = [open_access(database, clock=FakeClock()) for _ in range(8)]
    made: list[NewToken | None] = []
    threads = [
        threading.Thread(
            target=lambda each=each: made.append(each.create_first_token(caller=ADMIN))
        )
        for each in services
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for service in services:
        service.close()

    assert len(made) == 8
    assert sum(token is not None for token in made) == 1


def test_old_logins_are_forgotten_at_the_next_one(
    access: AccessService, clock: FakeClock, database: Database
) -> None:
    token = access.create_token(caller=ADMIN)
    access.log_in(token.text, caller=ADMIN, request_id="")
    clock.advance(timedelta(hours=13).total_seconds())
    access.log_in(token.text, caller=ADMIN, request_id="")

    with database.read() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM sessions").scalar()
    assert count == 1


def test_audit_rows_are_appended_whatever_they_say(access: AccessService) -> None:
    for number in range(3):
        access.audit.record(ADMIN, "run.start", f"{number} \x00 \ud800 Ü", "allowed")
    access.close()

    rows = access.list_audit_entries()
    assert [row.object for row in reversed(rows)] == [
        rf"{number} \x00 \ud800 \xdc" for number in range(3)
    ]
