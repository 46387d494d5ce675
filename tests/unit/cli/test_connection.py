"""What the commands of a client say when the service refuses."""

import httpx
import pytest

from scriptrunner.cli.connection import RefusedError, _check


def test_a_hint_follows_the_reason_as_a_sentence() -> None:
    answer = httpx.Response(
        401, json={"detail": "A token is needed.", "hint": "Make one."}
    )
    with pytest.raises(RefusedError) as caught:
        _check(answer)
    assert caught.value.message == "A token is needed. Make one."


def test_without_a_hint_the_reason_stands_alone() -> None:
    with pytest.raises(RefusedError) as caught:
        _check(httpx.Response(404, json={"detail": "Run not found"}))
    assert caught.value.message == "Run not found"
