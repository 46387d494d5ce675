"""The library over HTTP: every endpoint works, refuses what it should, and says so."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from scriptrunner.clock import SystemClock
from scriptrunner.library.repository import scans
from scriptrunner.library.scan_job import LibraryJob
from tests.web.asgi import Message, open_stream
from tests.web.conftest import Web, running_web, wait_for

TEXT = "import sys\nprint('hello', sys.argv[1:])\n"
SCRIPTS = "/api/library/scripts"
ROOTS = "/api/library/folder-roots"
UNKNOWN = 10**6
HUGE = 10**30


class Shelf:
    """A service with one scanned root."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.client = web.client
        web.write(TEXT, "hello.py")
        web.write("raise SystemExit(3)\n", "jobs/broken.py")
        web.write("echo hi\n", "jobs/run.sh")
        answer = self.client.post(ROOTS, json={"path": str(web.root), "name": " Ops "})
        assert answer.status_code == 201, answer.text
        self.root: dict[str, Any] = answer.json()
        self.scan()

    def scan(self) -> dict[str, Any]:
        """Scan the root here and now."""
        services = self.web.app.state.runtime.services
        clock = SystemClock()

        def begin(connection: Any) -> int:
            running = scans.find_running(connection, self.root["id"])
            found = running or scans.insert(
                connection, self.root["id"], now=clock.utc_now()
            )
            return found.id

        number = services.database.retrying(begin)
        job = LibraryJob(
            services.database,
            data_dir=services.settings.data_dir,
            clock=clock,
            announce=lambda: None,
        )
        job.work(threading.Event())
        path = f"{ROOTS}/{self.root['id']}/scan/{number}"
        found: dict[str, Any] = wait_for(
            lambda: self.client.get(path).json(), lambda scan: scan["ended_at"]
        )
        return found

    def find(self, name: str) -> dict[str, Any]:
        (found,) = self.client.get(f"{SCRIPTS}?search={name}&missing=all").json()[
            "items"
        ]
        return dict(found)

    def url(self, name: str) -> str:
        return f"{SCRIPTS}/{self.find(name)['id']}"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with running_web(tmp_path_factory.mktemp("library")) as web:
        yield Shelf(web)


def test_roots_tell_what_they_hold(shelf):
    (root,) = shelf.client.get(ROOTS).json()
    assert root["name"] == "Ops"
    assert root["script_count"] >= 3
    assert root["last_scan"]["status"] == "completed"
    assert root["last_scan_at"].endswith("Z")
    assert (root["recursive"], root["include_patterns"]) == (True, "")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"path": "/nowhere/at/all", "name": "x"}, 400, "folder_missing"),
        ({"path": "a\0b", "name": "x"}, 400, "folder_missing"),
        ({"path": "/etc", "name": "x"}, 400, "root_not_allowed"),
        ({"path": "/", "name": "x"}, 400, "root_not_allowed"),
        ({"path": "/tmp"}, 422, "invalid_request"),
        ({"path": "/tmp", "name": ""}, 422, "invalid_request"),
        ({"path": "/tmp", "name": "x" * 101}, 422, "invalid_request"),
        ({"path": "/tmp", "name": "x", "typo": 1}, 422, "invalid_request"),
        ({"path": "/tmp", "name": "x", "recursive": "yes"}, 422, "invalid_request"),
        (
            {"path": "/tmp", "name": "x", "include_patterns": ["a"] * 1 + ["x" * 501]},
            422,
            "invalid_request",
        ),
        ([], 422, "invalid_request"),
    ],
)
def test_roots_are_refused(shelf, body, status, code):
    assert shelf.web.error("POST", ROOTS, status, json=body)["code"] == code


def test_a_root_is_there_once(shelf):
    body = {"path": f"{shelf.web.root}/../scripts/", "name": "again"}
    found = shelf.web.error("POST", ROOTS, 400, json=body)
    assert found["detail"] == "Folder root with this path already exists"


def test_a_root_can_be_changed_and_removed(shelf):
    folder = shelf.web.root / "more"
    folder.mkdir()
    body = {"path": str(folder), "name": "More", "exclude_patterns": ["a", "b"]}
    root = shelf.client.post(ROOTS, json=body).json()
    assert root["exclude_patterns"] == "a,b"
    path = f"{ROOTS}/{root['id']}"
    changed = shelf.client.patch(path, json={"name": "New", "gitignore": True}).json()
    assert (changed["name"], changed["gitignore"]) == ("New", True)
    assert changed["exclude_patterns"] == "a,b"
    answer = shelf.client.delete(path)
    assert answer.json() == {"success": True, "scripts_deleted": 0}
    assert shelf.web.error("DELETE", path, 404)["detail"] == "Folder root not found"
    shelf.web.error("PATCH", path, 404, json={"name": "x"})
    shelf.web.error("POST", f"{path}/scan", 404)


def test_a_scan_is_of_its_root(shelf):
    number = shelf.client.get(ROOTS).json()[0]["last_scan"]["id"]
    found = shelf.web.error("GET", f"{ROOTS}/{UNKNOWN}/scan/{number}", 404)
    assert (found["detail"], found["code"]) == ("Scan not found", "scan_not_found")
    path = f"{ROOTS}/{shelf.root['id']}/scan/{number}"
    assert shelf.web.error("POST", f"{path}/cancel", 409)["code"] == "scan_finished"
    assert shelf.client.get(f"{ROOTS}/{shelf.root['id']}/scans").json()[0]["id"] >= 1


@pytest.mark.slow
def test_a_scan_runs_in_the_background(shelf):
    first = shelf.client.post(f"{ROOTS}/{shelf.root['id']}/scan")
    assert (first.status_code, first.json()["status"]) == (202, "running")
    path = f"{ROOTS}/{shelf.root['id']}/scan/{first.json()['scan_id']}"
    found = wait_for(lambda: shelf.client.get(path).json(), lambda s: s["ended_at"])
    assert found["status"] == "completed"


def test_scripts_are_listed_in_pages(shelf):
    page = shelf.client.get(f"{SCRIPTS}?page_size=2&search=.").json()
    assert len(page["items"]) == 2
    assert page["total_pages"] == -(-page["total"] // 2)
    beyond = shelf.client.get(f"{SCRIPTS}?page={HUGE}").json()
    assert (beyond["items"], beyond["page"]) == ([], HUGE)
    shell = shelf.client.get(f"{SCRIPTS}?language=Bash").json()["items"]
    assert [each["name"] for each in shell] == ["run.sh"]
    assert shelf.client.get(f"{SCRIPTS}?root_id={HUGE}").json()["total"] == 0


@pytest.mark.parametrize(
    "query",
    ["page=0", "page_size=201", "status=odd", "missing=x", "sort=x", "root_id=x"],
)
def test_a_wrong_query_is_refused(shelf, query):
    shelf.web.error("GET", f"{SCRIPTS}?{query}", 422)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/content",
        "/tokens",
        "/notes",
        "/versions",
        "/runs",
        f"/diff?from={'0' * 64}&to={'0' * 64}",
    ],
)
@pytest.mark.parametrize("number", [0, -1, UNKNOWN, HUGE])
def test_an_unknown_script_is_not_found(shelf, number, path):
    found = shelf.web.error("GET", f"{SCRIPTS}/{number}{path}", 404)
    assert found["detail"] == "Script not found"
    assert found["code"] == "library_script_not_found"


def test_an_id_is_a_number(shelf):
    shelf.web.error("GET", f"{SCRIPTS}/abc", 422)


def test_the_content_is_what_lies_there_now(shelf):
    path = shelf.url("hello.py")
    found = shelf.client.get(f"{path}/content").json()
    assert (found["content"], found["size"], found["truncated"]) == (
        TEXT,
        len(TEXT),
        False,
    )
    assert found["sha256"] == shelf.find("hello.py")["sha256"]
    raw = shelf.client.get(f"{path}/content", headers={"Accept": "text/plain"})
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.text == TEXT


def test_no_link_is_read_through(shelf):
    path = shelf.web.root / "swapped.py"
    path.write_text("x = 1\n")
    shelf.scan()
    url = shelf.url("swapped.py")
    path.unlink()
    path.symlink_to("/etc/passwd")
    found = shelf.web.error("GET", f"{url}/content", 404)
    assert (found["detail"], found["code"]) == (
        "File not found on disk",
        "file_missing",
    )
    path.unlink()


def test_a_large_file_is_cut(shelf):
    path = shelf.web.root / "large.py"
    path.write_text("x = 1\n")
    shelf.scan()
    path.write_bytes(b"#" * (4 << 20) + b"tail")
    found = shelf.client.get(f"{shelf.url('large.py')}/content").json()
    assert found["truncated"] is True
    assert (len(found["content"]), found["size"]) == (4 << 20, (4 << 20) + 4)
    tokens = shelf.client.get(f"{shelf.url('large.py')}/tokens").json()
    assert (tokens["plain"], tokens["truncated"]) == (True, True)
    path.unlink()


def test_tokens_are_pieces_of_lines(shelf):
    found = shelf.client.get(f"{shelf.url('hello.py')}/tokens").json()
    assert found["lines"][0] == [["k", "import"], ["", " sys"]]
    assert (found["line_count"], found["plain"]) == (2, False)
    joined = "".join("".join(t for _, t in line) + "\n" for line in found["lines"])
    assert joined == TEXT


def test_the_status_is_changed_in_parts(shelf):
    url = f"{shelf.url('hello.py')}/status"
    said = {"status": "deprecated", "owner": "ann", "notes": "é\n"}
    answer = shelf.client.put(url, json=said).json()
    assert answer["message"] == "Status updated"
    assert answer["script"]["status"] == answer["script"]["lifecycle_status"]
    kept = shelf.client.put(url, json={"owner": None}).json()["script"]
    assert (kept["status"], kept["owner"], kept["notes"]) == ("deprecated", None, "é\n")
    notes = shelf.client.get(f"{shelf.url('hello.py')}/notes").json()
    assert notes["notes"] == "é\n"
    listed = shelf.client.get(f"{SCRIPTS}?status=deprecated").json()["items"]
    assert [each["name"] for each in listed] == ["hello.py"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "retired"}, 400),
        ({"status": None}, 422),
        ({"owner": "x" * 201}, 422),
        ({"notes": "x" * 20_001}, 422),
        ({"notes": "a\0b"}, 422),
        ({"other": 1}, 422),
    ],
)
def test_a_wrong_status_is_refused(shelf, body, status):
    found = shelf.web.error("PUT", f"{shelf.url('run.sh')}/status", status, json=body)
    if status == 400:
        assert found["detail"].startswith("status must be one of [")
    shelf.web.error("PUT", f"{SCRIPTS}/{UNKNOWN}/status", 404, json={"owner": "x"})


def test_tags_come_and_go(shelf):
    tag = shelf.client.post("/api/library/tags", json={"name": " a|b "}).json()
    assert (tag["name"], tag["color"], tag["script_count"]) == ("a|b", "#6366f1", 0)
    found = shelf.web.error("POST", "/api/library/tags", 400, json={"name": "A|B"})
    assert found["detail"] == "Tag with this name already exists"
    url = f"{shelf.url('run.sh')}/tags/{tag['id']}"
    for _ in range(2):
        assert shelf.client.post(url).json() == {"message": "Tag added"}
    assert shelf.find("run.sh")["tags"] == ["a|b"]
    assert shelf.client.get(shelf.url("run.sh")).json()["tags"] == [
        {"id": tag["id"], "name": "a|b", "color": "#6366f1"}
    ]
    for _ in range(2):
        assert shelf.client.delete(url).json() == {"message": "Tag removed"}
    shelf.web.error("POST", f"{SCRIPTS}/{UNKNOWN}/tags/{tag['id']}", 404)
    shelf.web.error("DELETE", f"{shelf.url('run.sh')}/tags/{UNKNOWN}", 404)
    # 1.0 is a whole number, too.
    known = float(shelf.find("run.sh")["id"])
    body = {"script_ids": [known, UNKNOWN], "tag_ids": [tag["id"]]}
    many = shelf.client.post(f"{SCRIPTS}/tags", json=body).json()
    skipped = [{"id": UNKNOWN, "reason": "not_found"}]
    assert many == {"changed": 1, "skipped": skipped}
    path = f"/api/library/tags/{tag['id']}"
    changed = shelf.client.patch(path, json={"color": "#ABCDEF"}).json()
    assert (changed["color"], changed["script_count"]) == ("#abcdef", 1)
    assert shelf.client.delete(path).json() == {"success": True}
    assert shelf.web.error("DELETE", path, 404)["detail"] == "Tag not found"
    assert shelf.find("run.sh")["tags"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 51},
        {"name": "a\nb"},
        {"name": "x", "color": "red"},
        {"name": "x", "color": "#12345"},
        {"name": 5},
        {},
    ],
)
def test_a_wrong_tag_is_refused(shelf, body):
    shelf.web.error("POST", "/api/library/tags", 422, json=body)


def test_a_script_is_run_with_any_option(shelf):
    shelf.client.put(f"{shelf.url('hello.py')}/status", json={"status": "archived"})
    url = f"{shelf.url('hello.py')}/run"
    key = {"Idempotency-Key": "once"}
    body = {"args": ["a", "b"], "enable_visualizer": True}
    first = shelf.client.post(url, json=body, headers=key)
    assert first.status_code == 202, first.text
    assert first.json()["warnings"] == ["This script is archived"]
    again = shelf.client.post(url, json=body, headers=key)
    assert again.json()["run_id"] == first.json()["run_id"]
    assert again.headers["idempotency-replayed"] == "true"
    shelf.web.error("POST", url, 409, json={}, headers=key)
    run = shelf.web.finish(first.json()["run_id"])
    assert run["result"]["stdout"] == "hello ['a', 'b']\n"
    assert run["trigger"] == "library"
    assert run["script"]["library_id"] == shelf.find("hello.py")["id"]
    assert run["script"]["sha256"] == shelf.find("hello.py")["sha256"]
    runs = shelf.client.get(f"{shelf.url('hello.py')}/runs").json()
    assert (runs["total"], runs["success_rate"]) == (1, 100.0)
    assert runs["median_duration_seconds"] > 0
    assert runs["items"][0]["id"] == run["id"]
    detail = shelf.client.get(shelf.url("hello.py")).json()
    assert detail["last_run"]["id"] == run["id"]


def test_a_body_is_not_needed_to_run(shelf):
    answer = shelf.client.post(f"{shelf.url('broken.py')}/run")
    assert answer.status_code == 202, answer.text
    assert shelf.web.finish(answer.json()["run_id"])["exit_code"] == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 422),
        ({"script_path": "hello.py"}, 422),
        ({"timeout": 0}, 400),
        ({"typo": 1}, 422),
    ],
)
def test_a_wrong_run_is_refused(shelf, body, status):
    shelf.web.error("POST", f"{shelf.url('hello.py')}/run", status, json=body)


def test_being_listed_gives_no_right_to_run(shelf):
    found = shelf.web.error("POST", f"{shelf.url('run.sh')}/run", 400)
    assert found["code"] == "not_python"
    found = shelf.web.error("POST", f"{SCRIPTS}/{UNKNOWN}/run", 404)
    assert found["detail"] == "Library script not found"


def test_a_version_is_kept_and_compared(shelf):
    path = shelf.web.root / "changing.py"
    path.write_text("a = 1\nb = 2\n")
    shelf.scan()
    old = shelf.find("changing.py")["sha256"]
    path.write_text("a = 1\nb = 3\n")
    shelf.scan()
    url = shelf.url("changing.py")
    versions = shelf.client.get(f"{url}/versions").json()["versions"]
    assert [each["sha256"] for each in versions][1] == old
    assert [each["current"] for each in versions] == [True, False]
    new = versions[0]["sha256"]
    found = shelf.client.get(f"{url}/diff?from={old}&to={new}").json()
    assert found["diff"] == "@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3"
    assert shelf.client.get(f"{url}/versions/{old}").text == "a = 1\nb = 2\n"
    shelf.web.error("GET", f"{url}/versions/{'0' * 64}", 404)
    shelf.web.error("GET", f"{url}/versions/xyz", 422)


def test_what_only_runs_saw_is_a_version_too(shelf):
    name = shelf.web.write("print('between')\n", "between.py")
    shelf.scan()
    shelf.web.write("print('between two scans')\n", name)
    answer = shelf.client.post(f"{shelf.url('between.py')}/run")
    shelf.web.finish(answer.json()["run_id"])
    versions = shelf.client.get(f"{shelf.url('between.py')}/versions").json()[
        "versions"
    ]
    assert [(each["source"], each["runs"]) for each in versions] == [
        ("scan", 0),
        ("run", 1),
    ]
    assert versions[1]["available"] is True


def test_the_tree_and_the_figures(shelf):
    top = shelf.client.get(f"/api/library/tree?root_id={shelf.root['id']}").json()
    assert {"name": "jobs", "path": "jobs", "script_count": 2} in top["folders"]
    jobs = shelf.client.get(
        f"/api/library/tree?root_id={shelf.root['id']}&path=jobs"
    ).json()
    assert [each["name"] for each in jobs["scripts"]] == ["broken.py", "run.sh"]
    shelf.web.error("GET", f"/api/library/tree?root_id={UNKNOWN}", 404)
    stats = shelf.client.get("/api/library/stats").json()
    assert stats["by_language"]["Bash"] == 1
    assert stats["total_scripts"] == sum(stats["by_language"].values())
    assert shelf.client.get("/api/library/duplicates?rule=all").status_code == 200


def test_duplicates_say_whether_they_are_equal(shelf):
    for folder, text in (("d1", "x = 1\n"), ("d2", "x = 1\n"), ("d3", "x = 2\n")):
        shelf.web.write(text, f"{folder}/twin.py")
    shelf.scan()
    (group,) = [
        each
        for each in shelf.client.get("/api/library/duplicates").json()
        if each["name"] == "twin.py"
    ]
    assert (group["count"], group["identical"], group["rule"]) == (3, False, "name")
    assert len(group["paths"]) == len(group["ids"]) == len(group["sha256"]) == 3
    (exact,) = [
        each
        for each in shelf.client.get("/api/library/duplicates?rule=exact").json()
        if each["name"] == "twin.py"
    ]
    assert (exact["count"], exact["identical"]) == (2, True)


def test_a_picker_stays_inside(shelf):
    (place,) = shelf.client.get("/api/fs").json()["roots"]
    assert place == {"path": str(shelf.web.root), "kind": "run"}
    inside = shelf.client.get(f"/api/fs?root={place['path']}&path=jobs").json()
    assert [each["path"] for each in inside["files"]] == ["jobs/broken.py"]
    for path in ("..", "../..", "jobs/../..", "hello.py", "none"):
        shelf.web.error("GET", f"/api/fs?root={place['path']}&path={path}", 404)
    shelf.web.error("GET", "/api/fs?root=/etc", 404)


def test_scans_are_a_topic_of_the_stream(shelf):
    newest = shelf.web.app.state.runtime.services.runs.current_change()

    async def watch() -> Message:
        path = f"/api/stream?topic=scans@{max(0, newest - 50)}"
        async with open_stream(shelf.web.app, path) as stream:
            await asyncio.to_thread(shelf.scan)
            return await stream.next("scan")

    message = asyncio.run(watch())
    assert message.data["root_id"] == shelf.root["id"]
    assert message.data["topic"] == "scans"
    assert message.data["offset"] > newest - 50
