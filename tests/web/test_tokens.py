"""``/api/tokens``: made, listed without their secrets, revoked."""

import pytest

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
        [],
    ],
)
def test_a_malformed_token_is_refused(web: Web, body: object) -> None:
    web.error("POST", "/api/tokens", 422, json=body)


def test_a_page_of_another_site_makes_no_token(quiet: Web) -> None:
    headers = {"Origin": "https://evil.example"}
    quiet.error("POST", "/api/tokens", 403, json={}, headers=headers)
    assert quiet.client.get("/api/tokens").json() == {"tokens": [], "count": 0}
