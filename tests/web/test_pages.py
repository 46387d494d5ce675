"""The addresses of pages: shells, redirects, 404 pages, and reports of the policy."""

import json
import re

import pytest

from scriptrunner.web.routes.dashboard import REPORT_BYTES
from tests.web.conftest import UNKNOWN_ID, Web

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
REPORT_TYPE = {"Content-Type": "application/csp-report"}


@pytest.mark.parametrize(
    "path",
    ["/", "/runs", f"/runs/{UNKNOWN_ID}", f"/runs/{UNKNOWN_ID}/log", "/library/7"],
)
def test_pages_are_html(quiet: Web, path: str) -> None:
    answer = quiet.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "Script Runner" in answer.text


def test_every_file_that_a_page_names_is_served(quiet: Web) -> None:
    named = set(
        re.findall(r'(?:href|src)="(/static/[^"#]+)"', quiet.client.get("/").text)
    )
    assert len(named) > 20
    for address in named:
        assert quiet.client.get(address).status_code == 200, address


@pytest.mark.parametrize("path", ["/nothing", "/runs/7", f"/runs/{UNKNOWN_ID}/nothing"])
def test_unknown_page_is_a_page_for_a_browser(quiet: Web, path: str) -> None:
    answer = quiet.client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert "Page not found" in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/static/0/js/main.js"])
def test_unknown_address_is_json_for_a_program(quiet: Web, path: str) -> None:
    answer = quiet.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_unknown_api_address_is_always_json(quiet: Web) -> None:
    answer = quiet.client.get("/api/nothing", headers=BROWSER)
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("kind", ["application/csp-report", "application/reports+json"])
def test_report_is_taken_and_logged(
    quiet: Web, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"csp-report": {"violated-directive": "img-src"}})
    answer = quiet.client.post(
        "/api/csp-report", content=body, headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert "img-src" in caplog.text


def test_report_of_another_kind_is_refused(quiet: Web) -> None:
    answer = quiet.client.post("/api/csp-report", json={})
    assert answer.status_code == 415


def test_report_beyond_the_limit_is_refused(quiet: Web) -> None:
    body = b"x" * (REPORT_BYTES + 1)
    answer = quiet.client.post("/api/csp-report", content=body, headers=REPORT_TYPE)
    assert answer.status_code == 413


def test_flood_of_reports_does_not_fill_the_log(
    quiet: Web, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(80):
        quiet.client.post("/api/csp-report", content=b"{}", headers=REPORT_TYPE)
    # A minute may turn in between: then twice the allowance.
    assert len([each for each in caplog.records if "security" in each.message]) <= 60
