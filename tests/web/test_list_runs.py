"""``GET /api/runs``: newest first, filtered, paged, and never large."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from tests.web.conftest import UNKNOWN_ID


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()]


@pytest.fixture(scope="module")
def three(web):
    """Ids of three finished runs of one script, oldest first: ok, ok, failed."""
    path = web.write(
        "import sys\nprint('x' * 100_000)\nsys.exit(int(sys.argv[1]))\n", "three.py"
    )

    def run(*args):
        body = {"script_path": path, "args": list(args)}
        return web.client.post("/api/run", json=body).json()["run_id"]

    return [web.finish(run(*args))["id"] for args in (("0", "a_b"), ("0",), ("3",))]


def test_an_empty_store_is_an_empty_array(quiet):
    answer = quiet.client.get("/api/runs")
    assert answer.json() == []
    assert answer.headers["x-total-count"] == "0"
    assert "x-next-before" not in answer.headers


def test_runs_come_newest_first(web, three):
    assert ids(web.client.get("/api/runs?script=three.py")) == three[::-1]


def test_an_item_is_a_record_without_bulk(web, three):
    (item,) = web.client.get(f"/api/runs?q={three[2]}").json()
    assert item["status"] == "failed"
    assert item["result"]["returncode"] == 3
    assert set(item["result"]) == {"returncode", "success", "status", "metrics"}
    assert set(item["result"]["metrics"]) == {
        "execution_time_seconds",
        "cpu_max",
        "memory_max_mb",
    }
    assert item["request"]["args"] == ["3"]
    assert item["attempts"] == 1
    assert item["error"] == "Exit code 3"


@pytest.mark.usefixtures("three")
def test_the_size_of_a_list_does_not_depend_on_output(web):
    answer = web.client.get("/api/runs?script=three.py")
    assert len(answer.content) < 3 * 4_000


def test_an_item_stays_small_whatever_was_asked(web):
    run_id = web.submit("pass", args=["ü" * 10_000] * 3, dry_run=True)
    (item,) = web.client.get(f"/api/runs?q={run_id}").json()
    answer = web.client.get(f"/api/runs?q={run_id}")
    assert len(answer.content) < 16 << 10
    assert item["request"]["args"][0].startswith("ü")


def test_limit_and_offset_cut_pages(web, three):
    pages = [
        ids(web.client.get(f"/api/runs?script=three.py&limit=1&offset={offset}"))
        for offset in range(4)
    ]
    assert pages == [[three[2]], [three[1]], [three[0]], []]


@pytest.mark.usefixtures("three")
def test_the_total_counts_all_matches(web):
    answer = web.client.get("/api/runs?script=three.py&limit=1&offset=1")
    assert answer.headers["x-total-count"] == "3"


def test_before_walks_through_all_pages(web, three):
    found, query = [], ""
    while True:
        answer = web.client.get(f"/api/runs?script=three.py&limit=2{query}")
        found += ids(answer)
        if "x-next-before" not in answer.headers:
            break
        query = f"&before={quote(answer.headers['x-next-before'])}"
    assert found == three[::-1]


def test_before_takes_a_run_id(web, three):
    assert ids(web.client.get(f"/api/runs?script=three.py&before={three[1]}")) == [
        three[0]
    ]


@pytest.mark.parametrize("before", ["nonsense", UNKNOWN_ID, "1:2:3"])
def test_an_unknown_cursor_is_422(web, before):
    body = web.error("GET", f"/api/runs?before={before}", 422)
    assert body["detail"][0]["loc"] == ["query", "before"]


def test_status_may_be_repeated(web, three):
    failed = web.client.get("/api/runs?script=three.py&status=failed")
    assert ids(failed) == [three[2]]
    both = web.client.get("/api/runs?script=three.py&status=failed&status=completed")
    assert ids(both) == three[::-1]


def test_an_empty_status_means_all(web, three):
    assert ids(web.client.get("/api/runs?script=three.py&status=")) == three[::-1]


def test_script_ignores_case_and_takes_no_patterns(web, three):
    assert ids(web.client.get("/api/runs?script=THREE.P")) == three[::-1]
    assert ids(web.client.get("/api/runs?script=thr%25")) == []
    assert ids(web.client.get("/api/runs?script=thre_")) == []


def test_q_looks_into_ids_arguments_and_errors(web, three):
    assert ids(web.client.get(f"/api/runs?q={three[0][:13].upper()}")) == [three[0]]
    assert three[0] in ids(web.client.get("/api/runs?q=a_b"))
    assert three[2] in ids(web.client.get("/api/runs?q=Exit code 3"))


@pytest.mark.usefixtures("three")
def test_trigger_and_task_filter(web):
    assert ids(web.client.get("/api/runs?script=three.py&trigger=upload")) == []
    assert ids(web.client.get("/api/runs?script=three.py&task_id=x")) == []
    assert len(ids(web.client.get("/api/runs?script=three.py&trigger=api"))) == 3


def test_since_and_until_bound_the_queueing_time(web, three):
    queued = datetime.fromisoformat(web.get(three[1])["queued_at"])
    at = quote(queued.isoformat())
    after = quote((queued + timedelta(microseconds=1)).isoformat())
    base = "/api/runs?script=three.py"
    assert ids(web.client.get(f"{base}&since={at}")) == [three[2], three[1]]
    assert ids(web.client.get(f"{base}&until={after}")) == [three[1], three[0]]
    assert ids(web.client.get(f"{base}&since={queued:%Y-%m-%d}")) == three[::-1]
    assert ids(web.client.get(f"{base}&until={queued:%Y-%m-%d}")) == three[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "offset=-1",
        "offset=9223372036854775808",
        "status=done",
        "since=never",
        "until=2026-13-01",
        "since=0000-01-01",
        "q=%00",
        "script=a%00b",
    ],
)
def test_a_wrong_query_is_422_and_named(web, query):
    body = web.error("GET", f"/api/runs?{query}", 422)
    assert body["detail"][0]["loc"][:2] == ["query", query.partition("=")[0]]


@pytest.mark.parametrize(
    "query", ["script=' OR 1=1--", "q=%ff", "trigger=%22", "task_id=x';--"]
)
def test_a_hostile_text_finds_nothing(web, query):
    assert ids(web.client.get(f"/api/runs?{query}")) == []


@pytest.mark.usefixtures("three")
def test_unknown_parameters_are_ignored(web):
    assert web.client.get("/api/runs?nonsense=1").status_code == 200
