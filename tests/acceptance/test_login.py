"""Logging in from another host with a browser that runs no script, and attacks on it."""

import re
from urllib.parse import urlencode

import pytest

from scriptrunner.access.protection import ANONYMOUS_PATHS
from scriptrunner.access.wall import RATES_FILE
from tests.acceptance.conftest import Remote, assert_refused
from tests.network import Reply

EVIL = "https://evil.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def door(remote: Remote, token: str) -> "Door":
    """The way in, as if nobody had tried it for a while."""
    counts = remote.server.data_dir / RATES_FILE
    if counts.exists():
        size = counts.stat().st_size
        with counts.open("r+b") as file:  # in place: the service has it mapped
            file.write(bytes(size))
    return Door(remote, token)


class Door:
    """Logs in from another host, as a browser without JavaScript does."""

    def __init__(self, remote: Remote, token: str) -> None:
        self.remote = remote
        self.token = token
        self.origin = f"http://{remote.host.server_address}:{remote.server.port}"

    def log_in(self, token: str | None = None, **fields: str) -> Reply:
        form = urlencode({"token": token or self.token, **fields})
        headers = {**FORM, "Origin": self.origin}
        return self.remote.ask("POST", "/login", body=form, headers=headers)

    def get_cookie(self) -> str:
        found = re.match(r"(scriptrunner_session=[\w-]{43});", self.set_cookie())
        assert found is not None
        return found[1]

    def set_cookie(self) -> str:
        answer = self.log_in()
        assert (answer.status, answer.headers["location"]) == (303, "/")
        return answer.headers["set-cookie"]

    def status(self, cookie: str, method: str = "GET", **headers: str) -> int:
        path = "/api/runs" if method == "GET" else "/logout"
        return self.remote.ask(
            method, path, headers={"Cookie": cookie, **headers}
        ).status


def test_18_logout_ends_the_login_and_each_login_is_new(door: Door) -> None:
    first, second = door.get_cookie(), door.get_cookie()
    assert first != second
    assert (door.status(first), door.status(second)) == (200, 200)

    assert door.status(first, "POST", Origin=EVIL) == 403
    assert door.status(first, "POST", Origin=door.origin) == 303

    assert (door.status(first), door.status(second)) == (401, 200)


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(door: Door) -> None:
    attributes = door.set_cookie().split("; ")[1:]

    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert not [each for each in attributes if each.startswith("Domain")]


def test_login_is_limited_to_five_a_minute(door: Door) -> None:
    wrong = f"wapi_aaaaaaaa_{'x' * 43}"

    answers = [door.log_in(wrong) for _ in range(7)]

    assert [answer.status for answer in answers] == [401] * 5 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert "not valid" in answers[0].text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"],
)
def test_login_leads_to_no_other_site(door: Door, target: str) -> None:
    assert door.log_in(next=target).headers["location"] == "/"


def test_login_leads_back_to_where_one_was(door: Door) -> None:
    page = door.remote.ask("GET", "/runs/abc?x=1", headers={"Accept": "text/html"})

    assert page.status == 401
    assert 'name="next" value="/runs/abc?x=1"' in page.text
    assert door.log_in(next="/runs/abc?x=1").headers["location"] == "/runs/abc?x=1"


def test_login_page_shows_text_as_text(door: Door) -> None:
    page = door.remote.ask(
        "GET", '/"><script>alert(1)</script>', headers={"Accept": "text/html"}
    )

    assert page.status in {400, 401}
    assert "<script" not in page.text


def test_login_of_another_site_is_refused(door: Door) -> None:
    form = urlencode({"token": door.token})

    answer = door.remote.ask(
        "POST", "/login", body=form, headers={**FORM, "Origin": EVIL}
    )

    assert_refused(answer, 403, "cross_site")


def test_login_page_comes_with_its_style_and_nothing_else(door: Door) -> None:
    page = door.remote.ask("GET", "/login").text
    for address in re.findall(r'(?:href|src)="(/[^"]*)"', page):
        assert address in ANONYMOUS_PATHS
        assert door.remote.ask("GET", address).status == 200
