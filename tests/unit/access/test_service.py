import logging
from datetime import timedelta
from pathlib import Path

import pytest

from scriptrunner.access.first_token import (
    adopt_token_file,
    announce_first_token,
    command_line_caller,
)
from scriptrunner.access.models import (
    AccessSetupError,
    Caller,
    Proof,
    Role,
    TokenNotFoundError,
    UnknownTokenError,
)
from scriptrunner.access.service import AccessService
from scriptrunner.settings import Settings
from tests.clocks import FakeClock

ADMIN = command_line_caller()
HOURS = 3600


def test_token_proves_its_bearer(access: AccessService) -> None:
    token = access.create_token(caller=ADMIN, name="ci")

    caller = access.check_token(token.text, peer="192.0.2.7")

    assert caller == Caller(
        principal=f"token:{token.id}",
        role=Role.ADMIN,
        is_local=False,
        peer="192.0.2.7",
        proof=Proof.TOKEN,
        token_id=token.id,
    )


def test_secret_is_not_stored(access: AccessService, settings: Settings) -> None:
    token = access.create_token(caller=ADMIN)

    stored = b"".join(
        file.read_bytes() for file in settings.data_dir.iterdir() if file.is_file()
    )

    assert token.id.encode() in stored
    assert token.text[-43:].encode() not in stored


def test_unknown_wrong_and_revoked_tokens_get_one_answer(access: AccessService) -> None:
    token, revoked = (access.create_token(caller=ADMIN) for _ in range(2))
    access.revoke_token(revoked.id, caller=ADMIN)
    wrong = [
        token.text[:-1] + "!",
        f"wapi_00000000_{'x' * 43}",
        revoked.text,
        "x" * 40,
        "",
    ]

    messages = {get_refusal(access, text) for text in wrong}

    assert messages == {"The token is not valid"}


def get_refusal(access: AccessService, text: str) -> str:
    with pytest.raises(UnknownTokenError) as caught:
        access.check_token(text, peer="")
    return caught.value.message


def test_token_is_revoked_once(access: AccessService) -> None:
    token = access.create_token(caller=ADMIN)
    access.revoke_token(token.id, caller=ADMIN)

    with pytest.raises(TokenNotFoundError):
        access.revoke_token(token.id, caller=ADMIN)


def test_last_use_is_kept_to_the_minute(
    access: AccessService, clock: FakeClock
) -> None:
    token = access.create_token(caller=ADMIN)
    first = clock.utc_now()
    access.check_token(token.text, peer="")
    clock.advance(59)
    access.check_token(token.text, peer="")
    access.close()

    # The writer may have seen both uses or only the first: never later than the second.
    used = access.list_tokens()[0].last_used_at
    assert used is not None
    assert first <= used <= clock.utc_now()


def test_login_lasts_twelve_hours_after_its_last_use(
    access: AccessService, clock: FakeClock
) -> None:
    cookie = log_in(access)
    clock.advance(12 * HOURS - 1)
    assert access.check_cookie(cookie, peer="").proof is Proof.SESSION
    clock.advance(12 * HOURS + 1)

    with pytest.raises(UnknownTokenError):
        access.check_cookie(cookie, peer="")


def test_logout_ends_the_login_on_the_server(access: AccessService) -> None:
    cookie, other = log_in(access), log_in(access)

    access.log_out(cookie, caller=ADMIN, request_id="")

    assert cookie != other
    assert access.check_cookie(other, peer="").role is Role.ADMIN
    with pytest.raises(UnknownTokenError):
        access.check_cookie(cookie, peer="")


def test_callers_are_welcome_as_long_as_their_token_is_valid(
    access: AccessService, clock: FakeClock
) -> None:
    end = clock.utc_now() + timedelta(hours=1)
    revoked, expired = (
        access.create_token(caller=ADMIN, expires_at=each) for each in (None, end)
    )
    callers = [access.check_token(each.text, peer="") for each in (revoked, expired)]
    assert [access.is_welcome(each) for each in (*callers, ADMIN)] == [True] * 3

    access.revoke_token(revoked.id, caller=ADMIN)
    clock.advance(HOURS)

    assert [access.is_welcome(each) for each in (*callers, ADMIN)] == [
        *(False, False),
        True,
    ]


def test_revoked_token_ends_its_logins(access: AccessService) -> None:
    token = access.create_token(caller=ADMIN)
    cookie = access.log_in(token.text, caller=ADMIN, request_id="")

    access.revoke_token(token.id, caller=ADMIN)

    with pytest.raises(UnknownTokenError):
        access.check_cookie(cookie, peer="")


def test_login_forgives_blanks_around_a_pasted_token(access: AccessService) -> None:
    token = access.create_token(caller=ADMIN)

    assert access.log_in(f" {token.text}\r\n", caller=ADMIN, request_id="")


def log_in(access: AccessService) -> str:
    token = access.create_token(caller=ADMIN)
    return access.log_in(token.text, caller=ADMIN, request_id="")


def test_first_token_is_made_once(access: AccessService) -> None:
    text = announce_first_token(access, host="0.0.0.0", is_terminal=True)

    assert text is not None
    token = next(word for word in text.split() if word.startswith("wapi_"))
    assert access.check_token(token, peer="").role is Role.ADMIN
    assert announce_first_token(access, host="0.0.0.0", is_terminal=True) is None


def test_first_token_is_not_made_again_after_all_were_revoked(
    access: AccessService,
) -> None:
    token = access.create_token(caller=ADMIN)
    access.revoke_token(token.id, caller=ADMIN)

    assert announce_first_token(access, host="0.0.0.0", is_terminal=True) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_local_service_needs_no_first_token(access: AccessService, host: str) -> None:
    assert announce_first_token(access, host=host, is_terminal=True) is None
    assert access.list_tokens() == []


def test_log_names_the_command_instead_of_a_token(
    access: AccessService, caplog: pytest.LogCaptureFixture
) -> None:
    assert announce_first_token(access, host="0.0.0.0", is_terminal=False) is None

    assert access.list_tokens() == []
    assert "scriptrunner token create" in caplog.text
    assert "wapi_" not in caplog.text


@pytest.mark.parametrize("text", [f"wapi_abcd1234_{'x' * 43}\n", "f" * 64])
def test_token_file_becomes_the_first_token(
    access: AccessService, settings: Settings, text: str
) -> None:
    changed = write_token_file(settings, text)

    adopt_token_file(access, changed)
    adopt_token_file(access, changed)

    assert len(access.list_tokens()) == 1
    assert access.check_token(text.strip(), peer="").role is Role.ADMIN


def test_token_file_changes_nothing_later(
    access: AccessService, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    access.create_token(caller=ADMIN)

    adopt_token_file(access, write_token_file(settings, "f" * 64))

    assert len(access.list_tokens()) == 1
    assert "ignored" in caplog.text


@pytest.mark.parametrize("text", ["", "short", "two words " * 10])
def test_poor_token_file_stops_the_start(
    access: AccessService, settings: Settings, text: str
) -> None:
    with pytest.raises(AccessSetupError, match="WEBAPI_ADMIN_TOKEN_FILE"):
        adopt_token_file(access, write_token_file(settings, text))


def test_missing_token_file_stops_the_start(
    access: AccessService, settings: Settings
) -> None:
    changed = settings.with_changes(admin_token_file=Path("/nowhere/token"))

    with pytest.raises(AccessSetupError, match="cannot be read"):
        adopt_token_file(access, changed)


def write_token_file(settings: Settings, text: str) -> Settings:
    file = settings.data_dir / "token"
    file.write_text(text)
    return settings.with_changes(admin_token_file=file)


def test_no_log_line_holds_a_secret(
    access: AccessService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = access.create_token(caller=ADMIN)
    access.log_in(token.text, caller=ADMIN, request_id="")
    get_refusal(access, token.text[:-1] + "!")
    access.close()

    assert token.text[-43:-1] not in caplog.text
