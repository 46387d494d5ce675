"""``GET /api/audit``: who asked for what, newest first, in pages, filtered."""

from functools import partial
from typing import Any

import pytest

from tests.web.conftest import UNKNOWN_ID, Web, wait_for


def lines(web: Web, **query: Any) -> list[dict[str, Any]]:
    answer = web.client.get("/api/audit", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture(scope="module")
def made(web: Web) -> list[str]:
    """Ids of three tokens whose making is on the trail."""
    ids = [web.client.post("/api/tokens", json={}).json()["id"] for _ in range(3)]
    for each in ids:
        wait_for(partial(lines, web, q=each), bool)
    return ids


def test_what_was_done_stands_there(web: Web, made: list[str]) -> None:
    (line,) = lines(web, q=made[0])
    assert line["action"] == "token.create"
    assert (line["principal"], line["decision"]) == ("local", "allowed")
    assert (line["object"], line["count"]) == (made[0], 1)


def test_pages_neither_skip_nor_repeat(web: Web, made: list[str]) -> None:
    query: dict[str, str | int] = {"action": "token", "limit": 2}
    first = web.client.get("/api/audit", params=query).json()
    query["before"] = first["next_before"]
    second = web.client.get("/api/audit", params=query).json()
    found = [each["object"] for each in [*first["items"], *second["items"]]]
    assert found[:3] == made[::-1]
    numbers = [each["id"] for each in [*first["items"], *second["items"]]]
    assert numbers == sorted(set(numbers), reverse=True)


def test_the_last_page_has_no_next(web: Web, made: list[str]) -> None:
    body = web.client.get("/api/audit", params={"q": made[0]}).json()
    assert (body["count"], body["next_before"]) == (1, None)


@pytest.mark.parametrize(
    "query",
    [
        {"action": "toke"},
        {"decision": "refused", "action": "token.create"},
        {"principal": "token:zzzzzzzz"},
        {"q": "%"},
        {"until": "2001-01-01"},
        {"since": "2901-01-01"},
    ],
)
def test_what_does_not_match_is_left_out(
    web: Web,
    made: list[str],  # noqa: ARG001 - there must be something to leave out
    query: dict[str, str],
) -> None:
    assert lines(web, **query) == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "before=0", "since=soon", "q=%00"]
)
def test_malformed_queries_are_refused(web: Web, query: str) -> None:
    web.error("GET", f"/api/audit?{query}", 422)


def test_a_stopped_run_is_noted_with_its_request(web: Web) -> None:
    run_id = web.start()
    answer = web.client.post(f"/api/runs/{run_id}/kill")
    found = wait_for(lambda: lines(web, q=run_id, action="run.stop"), bool)
    assert found[0]["request_id"] == answer.headers["x-request-id"]
    assert lines(web, q=UNKNOWN_ID) == []
