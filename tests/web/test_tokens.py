"""``/api/tokens``: made, listed without their secrets, revoked."""

from datetime import UTC, datetime, timedelta

import pytest

from scriptrunner.access.first_token import command_line_caller
from tests.web.conftest import Web


def make(web: Web, **fields: str) -> dict[str, str]:
    answer = web.client.post("/api/tokens", json=fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


def listed(web: Web) -> dict[str, dict[str, object]]:
    return {each["id"]: each for each in web.client.get("/api/tokens").json()["tokens"]}


def test_a_token_is_shown_once_and_lets_its_bearer_in(web: Web) -> None:
    made = make(web, name="  build   server ")
    assert made["name"] == "build server"
    assert made["token"].startswith(f"wapi_{made['id']}_")
    headers = {"Authorization": f"Bearer {made['token']}"}
    who = web.client.get("/api/me", headers=headers).json()
    assert (who["principal"], who["role"]) == (f"token:{made['id']}", "admin")
    shown = listed(web)[made["id"]]
    assert (shown["owner"], shown["revoked"]) == ("local", False)
    assert made["token"][-20:] not in web.client.get("/api/tokens").text


def test_a_revoked_token_lets_nobody_in(web: Web) -> None:
    made = make(web)
    answer = web.client.delete(f"/api/tokens/{made['id']}")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert listed(web)[made["id"]]["revoked"] is True
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert web.client.get("/api/me", headers=headers).status_code == 401
    body = web.error("DELETE", f"/api/tokens/{made['id']}", 404)
    assert body["code"] == "token_not_found"


def test_a_token_may_end_by_itself(web: Web) -> None:
    made = make(web, expires="30d")
    end = datetime.fromisoformat(made["expires_at"])
    assert timedelta(days=29) < end - datetime.now(UTC) <= timedelta(days=30)
    shown = listed(web)[made["id"]]
    assert (shown["expires_at"], shown["valid"]) == (made["expires_at"], True)
    assert make(web)["expires_at"] is None


def test_an_expired_token_is_answered_like_an_unknown_one(web: Web) -> None:
    services = web.app.state.runtime.services
    ended = datetime.now(UTC) - timedelta(seconds=1)
    local = command_line_caller()
    token = services.access.create_token(caller=local, expires_at=ended)
    bodies = []
    for text in (token.text, f"wapi_00000000_{'x' * 43}"):
        headers = {"Authorization": f"Bearer {text}"}
        body = web.error("GET", "/api/me", 401, headers=headers)
        bodies.append({**body, "request_id": ""})
    assert bodies[0] == bodies[1]
    shown = listed(web)[token.id]
    assert (shown["revoked"], shown["valid"]) == (False, False)


def test_a_token_for_an_event_is_called_after_it(web: Web) -> None:
    made = make(web, role="event", event="deploy")
    assert made["name"] == "event deploy"


def test_an_unknown_token_is_404(web: Web) -> None:
    assert web.error("DELETE", "/api/tokens/zzzzzzzz", 404)["code"] == "token_not_found"


@pytest.mark.parametrize(
    "body",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\u0007b"},
        {"name": 5},
        {"role": "none"},
        {"role": "king"},
        {"colour": "red"},
        {"expires": "1y"},
        {"expires": "2020-01-01"},
        {"expires": 30},
        [],
    ],
)
def test_a_malformed_token_is_refused(web: Web, body: object) -> None:
    web.error("POST", "/api/tokens", 422, json=body)


def test_a_page_of_another_site_makes_no_token(quiet: Web) -> None:
    headers = {"Origin": "https://evil.example"}
    quiet.error("POST", "/api/tokens", 403, json={}, headers=headers)
    assert quiet.client.get("/api/tokens").json() == {"tokens": [], "count": 0}
