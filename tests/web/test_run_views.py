"""What the pages need of runs beyond their record."""

import pytest

from tests.web.conftest import UNKNOWN_ID, wait_for

PRINTING = "import sys\nfor n in range(int(sys.argv[1])): print('line', n)\n"


@pytest.fixture(scope="module")
def pair(web):
    """Ids of two runs of one script whose arguments and source differ."""
    path = web.write(PRINTING, "pair.py")

    def run(**fields):
        answer = web.client.post("/api/run", json={"script_path": path, **fields})
        return web.finish(answer.json()["run_id"])["id"]

    first = run(args=["3"], env_vars={"API_TOKEN": "hush-hush", "STAGE": "test"})
    web.write(PRINTING.replace("line", "row"), "pair.py")
    return first, run(args=["4"], timeout=50)


def test_request_names_what_must_be_typed_again(web, pair):
    body = web.client.get(f"/api/runs/{pair[0]}/request").json()
    assert body["masked"] == ["env_vars.API_TOKEN"]
    assert body["is_upload"] is False
    assert body["request"]["env_vars"] == {"API_TOKEN": "***", "STAGE": "test"}
    assert body["request"]["args"] == ["3"]
    assert body["request"]["timeout"] is None


def test_comparison_names_every_difference(web, pair):
    body = web.client.get(f"/api/runs/{pair[0]}/compare/{pair[1]}").json()
    assert (body["left"]["id"], body["right"]["id"]) == pair
    differing = {row["name"] for row in body["options"]}
    assert differing == {"args", "env_vars", "timeout"}
    lines = next(each for each in body["metrics"] if each["name"] == "stdout_lines")
    assert (lines["left"], lines["right"], lines["change_percent"]) == (3, 4, 33.33)
    assert (
        "-for n in range(int(sys.argv[1])): print('line', n)"
        in (body["script"]["diff"])
    )
    assert (body["logs"]["stdout"]["added"], body["logs"]["stdout"]["removed"]) == (
        4,
        3,
    )
    assert body["logs"]["stderr"]["is_equal"]


def test_comparison_with_oneself_finds_nothing(web, pair):
    body = web.client.get(f"/api/runs/{pair[0]}/compare/{pair[0]}").json()
    assert body["options"] == []
    assert body["script"]["is_equal"]
    assert body["logs"]["stdout"]["is_equal"]


def test_comparison_before_the_start_has_no_source(web, pair):
    dry = web.run(dry_run=True)["id"]
    body = web.client.get(f"/api/runs/{dry}/compare/{pair[0]}").json()
    assert body["script"] is None or not body["script"]["is_equal"]


def test_source_comes_in_colours(web, pair):
    body = web.client.get(f"/api/runs/{pair[0]}/script/tokens").json()
    assert (body["language"], body["name"]) == ("Python", "pair.py")
    assert ["k", "import"] in body["lines"][0]
    assert body["sha256"] == web.get(pair[0])["script"]["sha256"]


def test_lines_by_number(web, pair):
    query = "from=2&count=5"
    body = web.client.get(f"/api/runs/{pair[1]}/logs/lines?{query}").json()
    assert (body["total"], body["is_complete"]) == (4, True)
    assert [(each["number"], each["text"]) for each in body["lines"]] == [
        (2, "row 1"),
        (3, "row 2"),
        (4, "row 3"),
    ]


def test_search_goes_on_where_it_stopped(web, pair):
    path = f"/api/runs/{pair[1]}/logs/search?q=ROW&limit=3"
    body = web.client.get(path).json()
    assert [each["number"] for each in body["matches"]] == [1, 2, 3]
    more = web.client.get(f"{path}&after={body['next']}").json()
    assert [each["number"] for each in more["matches"]] == [4]
    assert more["next"] is None
    assert web.client.get(f"{path}&case=true").json()["matches"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("", "q=", "q=%00", "q=x&limit=0", "q=a%0a", "level=LOUD", "q=x&context=21"),
        *("q=x&after=1", "q=x&after=0.0", "q=x&after=1.0.0.0", "q=x&after=1.0.1.6"),
        *("q=x&after=1.0.22.0", "q=x&after=9.0.8.0", f"q=x&after=1.0.{10**14}.0"),
    ],
)
def test_bad_search_is_422(web, pair, query):
    web.error("GET", f"/api/runs/{pair[0]}/logs/search?{query}", 422)


def test_search_by_pattern_with_the_lines_around(web, pair):
    path = f"/api/runs/{pair[1]}/logs/search"
    query = {"q": "[13]$", "regex": "true", "context": "1", "limit": "1"}
    body = web.client.get(path, params=query).json()
    assert [each["text"] for each in body["matches"]] == ["row 1"]
    assert [each["number"] for each in body["around"]] == [1, 2, 3]
    more = web.client.get(path, params={**query, "after": body["next"]}).json()
    assert [each["text"] for each in more["matches"]] == ["row 3"]
    assert more["next"] is None


def test_search_by_level_needs_no_text(web, pair):
    path = f"/api/runs/{pair[1]}/logs/search?level=ERROR"
    assert web.client.get(path).json()["matches"] == []


def test_what_is_no_pattern_is_422_with_its_place(web, pair):
    path = f"/api/runs/{pair[0]}/logs/search"
    body = web.error("GET", path, 422, params={"q": "row (1", "regex": "true"})
    (fault,) = body["detail"]
    assert fault["loc"] == ["query", "q"]
    assert "position 4" in fault["msg"]
    web.client.get(path, params={"q": "row (1"}).raise_for_status()


@pytest.mark.parametrize(
    "path",
    ["request", "script/tokens", "logs/lines", "logs/search?q=x", "compare/{known}"],
)
def test_unknown_run_is_404(web, pair, path):
    path = path.format(known=pair[0])
    body = web.error("GET", f"/api/runs/{UNKNOWN_ID}/{path}", 404)
    assert body["code"] == "run_not_found"
    web.error("GET", f"/api/runs/{pair[0]}/compare/{UNKNOWN_ID}", 404)


def test_unknown_attempt_is_404(web, pair):
    body = web.error("GET", f"/api/runs/{pair[0]}/logs/lines?attempt=7", 404)
    assert body["code"] == "not_found"


def test_days_count_runs(web, pair):  # noqa: ARG001
    days = web.client.get("/api/stats/daily?days=3").json()["days"]
    stats = web.client.get("/api/stats").json()
    assert len(days) == 3
    assert sum(day["total"] for day in days) == stats["total_runs"]
    assert sum(day["failed"] for day in days) == stats["by_status"].get("failed", 0)


def test_attention_tells_scripts_that_keep_failing(web):
    path = web.write("import sys; sys.exit('broken: ' + sys.argv[1])", "trouble.py")

    def run(word, name=path):
        body = {"script_path": name, "args": [word]}
        return web.finish(web.client.post("/api/run", json=body).json()["run_id"])

    run("one")
    last = run("two")
    scripts = web.client.get("/api/stats/attention").json()["scripts"]
    (found,) = [each for each in scripts if each["script_path"] == path]
    assert (found["run_id"], found["failures"]) == (last["id"], 2)
    assert found["never_succeeded"]
    assert "broken: two" in found["stderr_snippet"]
    described = {"script_path": path, "dry_run": True}
    web.finish(web.client.post("/api/run", json=described).json()["run_id"])
    scripts = web.client.get("/api/stats/attention").json()["scripts"]
    assert found in scripts, "a dry run starts nothing, so it mends nothing"
    run("three", f"{web.root}/{path}")  # another name of the same file
    scripts = web.client.get("/api/stats/attention").json()["scripts"]
    (found,) = [each for each in scripts if each["script_path"].endswith(path)]
    assert found["failures"] == 3
    web.write("pass", path)
    run("four", f"{web.root}/{path}")
    scripts = web.client.get("/api/stats/attention").json()["scripts"]
    names = [each["script_path"] for each in scripts]
    assert not [each for each in names if each.endswith(path)]


def test_list_by_the_exact_script_and_by_user(web, pair):
    relative = web.client.get("/api/runs?script_path=pair.py").json()
    absolute = web.client.get(f"/api/runs?script_path={web.root}/pair.py").json()
    assert [each["id"] for each in relative] == [pair[1], pair[0]]
    assert [each["id"] for each in absolute] == [pair[1], pair[0]]
    assert web.client.get("/api/runs?script_path=air.py").json() == []
    principal = relative[0]["principal"]
    mine = web.client.get(
        "/api/runs", params={"principal": principal, "script_path": "pair.py"}
    )
    assert len(mine.json()) == 2
    assert web.client.get("/api/runs?principal=nobody").json() == []
    assert web.client.get("/api/runs?tag=nothing").json() == []


@pytest.mark.parametrize("sort", ["queued", "duration", "script", "status"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_list_in_another_order(web, pair, sort, order):  # noqa: ARG001
    answer = web.client.get(f"/api/runs?sort={sort}&order={order}&limit=200")
    items = answer.json()
    value = {
        "queued": lambda each: each["queued_at"],
        "duration": lambda each: each["duration_seconds"],
        "script": lambda each: each["script"]["name"].lower(),
        "status": lambda each: each["status"],
    }[sort]
    values = [value(each) for each in items if value(each) is not None]
    assert values == sorted(values, reverse=order == "desc")
    usual = sort == "queued" and order == "desc"
    if not usual:
        assert "x-next-before" not in answer.headers
        path = f"/api/runs?sort={sort}&order={order}&before={items[0]['id']}"
        web.error("GET", path, 422)


def test_tags_of_the_library_filter_runs_and_stand_beside_them(web):
    tagged = web.write("print('tagged')\n", "tagged/one.py")
    body = {"script_path": tagged}
    run_id = web.finish(web.client.post("/api/run", json=body).json()["run_id"])["id"]
    root = web.client.post(
        "/api/library/folder-roots",
        json={"path": f"{web.root}/tagged", "name": "tagged"},
    ).json()
    scan = f"/api/library/folder-roots/{root['id']}/scan"
    scan_id = web.client.post(scan).json()["scan_id"]
    wait_for(
        lambda: web.client.get(f"{scan}/{scan_id}").json(),
        lambda found: found["status"] == "completed",
    )
    listed = web.client.get(f"/api/library/scripts?root_id={root['id']}").json()
    (script,) = listed["items"]
    tag = web.client.post(
        "/api/library/tags", json={"name": "Nightly", "color": "#a1b2c3"}
    ).json()
    web.client.post(f"/api/library/scripts/{script['id']}/tags/{tag['id']}")

    (item,) = web.client.get("/api/runs?tag=nightly&with_tags=true").json()

    assert item["id"] == run_id
    assert item["tags"] == [{"name": "Nightly", "color": "#a1b2c3"}]
    web.client.delete(f"/api/library/folder-roots/{root['id']}")
    web.client.delete(f"/api/library/tags/{tag['id']}")
