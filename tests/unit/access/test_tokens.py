import re

import pytest

from scriptrunner.access import tokens


def test_token_has_an_id_and_256_random_bits() -> None:
    text, parts = tokens.make_token()

    assert re.fullmatch(r"wapi_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", text)
    assert tokens.parse_token(text) == parts


def test_tokens_and_cookies_differ() -> None:
    made = {tokens.make_token()[0] for _ in range(100)}
    made |= {tokens.make_cookie() for _ in range(100)}

    assert len(made) == 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "x" * 31,
        "x" * 201,
        "x" * 40 + "\n",
        "x" * 20 + " " + "x" * 20,
        "ü" * 40,
        "\ud800" * 40,
        "\x00" * 40,
    ],
)
def test_other_texts_are_no_tokens(text: str) -> None:
    assert tokens.parse_token(text) is None


def test_secret_made_elsewhere_keeps_its_id() -> None:
    first, second = tokens.parse_token("a" * 64), tokens.parse_token("a" * 64)

    assert first is not None
    assert first == second
    assert re.fullmatch("[0-9a-f]{8}", first.id)


def test_only_the_very_secret_matches() -> None:
    stored = tokens.digest("secret")

    assert tokens.is_secret("secret", stored)
    assert not tokens.is_secret("Secret", stored)
    assert not tokens.is_secret("\ud800", stored)
    assert not tokens.is_secret("", tokens.NO_SECRET_SHA256)
