"""Attacks by what is asked for: paths, options, uploads, and runs that misbehave."""

import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.server import Server, running_server, wait_for

JSON = {"Content-Type": "application/json"}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def hello(server: Server) -> str:
    return str(server.write_script("hello.py", "print('hello')\n"))


@pytest.fixture
def no_run(server: Server) -> Iterator[None]:
    """Fail if the test left a run behind."""
    before = server.client.get("/api/stats").json()["total_runs"]
    yield
    assert server.client.get("/api/stats").json()["total_runs"] == before


def submit(server: Server, **fields: Any) -> httpx.Response:
    return server.client.post("/api/run", json=fields)


def submit_raw(server: Server, body: str | bytes) -> httpx.Response:
    return server.client.post("/api/run", content=body, headers=JSON)


def assert_refused(answer: httpx.Response, *statuses: int, code: str = "") -> None:
    """Check that an error has its shape and gives nothing away."""
    assert answer.status_code in statuses, answer.text
    error = answer.json()
    assert {"detail", "code", "request_id"} <= set(error)
    assert error["request_id"] == answer.headers["x-request-id"]
    if code:
        assert error["code"] == code
    for leak in ("Traceback", "site-packages", "sqlite3", "SELECT ", "/etc/shadow"):
        assert leak not in answer.text


# --- Paths ------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../../etc/passwd", "script_outside_root"),
        ("/etc/passwd", "script_outside_root"),
        ("/etc/no-such-file.py", "script_outside_root"),
        ("file:///etc/passwd", ""),
        ("~/x.py", ""),
        ("$HOME/x.py", ""),
        ("*.py", ""),
        ("%2e%2e/%2e%2e/etc/passwd", ""),
        ("a/../../../../etc/x.py", "script_outside_root"),
        ("", ""),
        (".", ""),
        ("/", "script_outside_root"),
        ("-c", ""),
    ],
)
def test_21_paths_that_lead_elsewhere(
    server: Server, hello: str, path: str, code: str
) -> None:
    assert hello
    assert_refused(submit(server, script_path=path), 400, code=code)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    "path", ['"x\\u0000.py"', '"x\\n.py"', '"\\ud800.py"', '"\\u001b[31m.py"']
)
def test_22_paths_with_signs_no_path_has(server: Server, path: str) -> None:
    assert_refused(submit_raw(server, f'{{"script_path": {path}}}'), 400, 422)


@pytest.mark.usefixtures("no_run")
def test_22_paths_that_are_too_long(server: Server) -> None:
    assert_refused(submit(server, script_path="x" * 5_000 + ".py"), 400)
    assert_refused(submit(server, script_path="x" * 300 + ".py"), 400)
    assert_refused(submit(server, script_path="a/" * 2_000 + "x.py"), 400)


@pytest.mark.usefixtures("no_run")
def test_23_links_are_not_followed(server: Server, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("print('secret')\n")
    link = server.root / "link.py"
    folder = server.root / "folder"
    inside = server.root / "inside.py"
    for path, target in (
        (link, outside / "secret.py"),
        (folder, outside),
        (inside, server.root / "hello.py"),
    ):
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    for path in (link, folder / "secret.py", inside):
        answer = submit(server, script_path=str(path))
        assert_refused(answer, 400, code="symlink_not_allowed")


def test_24_what_ran_is_what_is_recorded(server: Server, tmp_path: Path) -> None:
    with occupied_slots(server):
        script = server.write_script("changing.py", "print('first')\n")
        run_id = server.submit(script)
        other = tmp_path / "other.py"
        other.write_text("print('second')\n")
        other.rename(script)
    record = server.wait_finished(run_id)

    if record["reason"] != "script_changed":
        text = server.client.get(f"/api/runs/{run_id}/script").text
        shown = server.client.get(f"/api/runs/{run_id}/logs").text
        assert (text, shown) == ("print('second')\n", "second\n")


@contextlib.contextmanager
def occupied_slots(server: Server) -> Iterator[None]:
    """Keep all slots busy until the end of the ``with``."""
    sleeper = server.write_script("sleeper.py", "import time; time.sleep(60)\n")
    slots = server.client.get("/api/system/status").json()["queue"]["slots"]
    busy = [server.submit(sleeper) for _ in range(slots)]
    for run_id in busy:
        wait_running(server, run_id)
    try:
        yield
    finally:
        for run_id in busy:
            server.client.post(f"/api/runs/{run_id}/kill").raise_for_status()
        for run_id in busy:
            server.wait_finished(run_id)


def wait_running(server: Server, run_id: str) -> None:
    wait_for(lambda: get_run(server, run_id)["phase"] == "running", what="the start")


def get_run(server: Server, run_id: str) -> dict[str, Any]:
    record: dict[str, Any] = server.client.get(f"/api/runs/{run_id}").json()
    return record


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize("name", ["x.sh", "x.py.txt", "X.PY", "x", "x.pyc", ".py"])
def test_25_only_python_files_run(server: Server, name: str) -> None:
    script = server.write_script(name, "print(1)\n")

    assert_refused(submit(server, script_path=str(script)), 400, code="not_python")


@pytest.mark.parametrize("kind", ["folder", "fifo", "missing"])
@pytest.mark.usefixtures("no_run")
def test_only_files_run(server: Server, kind: str) -> None:
    path = server.root / f"{kind}.py"
    if kind == "folder":
        path.mkdir(exist_ok=True)
    elif kind == "fifo" and not path.exists():
        os.mkfifo(path)

    assert_refused(submit(server, script_path=str(path)), 400, code="script_missing")


def test_25_own_programs_are_no_scripts(tmp_path: Path) -> None:
    project = Path(__file__).resolve().parents[2]
    changes = {"WEBAPI_ALLOWED_ROOT": str(project)}
    with running_server(tmp_path, environment=changes) as server:
        for name in (
            "runner.py",
            "WEBAPI/api.py",
            "scriptrunner/supervise.py",
            "./WEBAPI/../runner.py",
        ):
            answer = submit(server, script_path=name)
            assert_refused(answer, 400, code="script_not_allowed")


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    "folder", ["/", "/etc", "../..", "link", "hello.py", "missing", "a\x00b", "", "~"]
)
def test_27_working_folders_outside(server: Server, hello: str, folder: str) -> None:
    link = server.root / "link"
    link.unlink(missing_ok=True)
    link.symlink_to("/etc")

    answer = submit(server, script_path=hello, working_dir=folder)

    assert_refused(answer, 400, code="invalid_working_dir")


# --- Options that name files, hosts and conditions --------------------------------------


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("field", "value", "status", "code"),
    [
        # 28
        ("junit_output", "/etc/cron.d/x", 400, "invalid_output_path"),
        ("junit_output", "../../x.xml", 400, "invalid_output_path"),
        ("junit_output", "x" * 300 + ".xml", 400, "invalid_output_path"),
        ("save_baseline", "../../x.json", 400, "invalid_output_path"),
        ("history_db", "/etc/passwd", 400, "invalid_history_db"),
        # 37
        ("performance_gates", [{"metric": "__class__", "max_value": 1}], 422, None),
        ("performance_gates", [{"metric": "cpu", "max_value": "1;id"}], 422, None),
        ("alerts", [{"condition": "__import__('os')"}], 422, None),
        # 40
        ("slack_webhook", "http://169.254.169.254/", 400, "webhook_not_allowed"),
        (
            "slack_webhook",
            "http://127.0.0.1:9000/api/runs/x/kill",
            400,
            "webhook_not_allowed",
        ),
    ],
)
def test_28_37_40_options_that_lead_outside(
    server: Server, hello: str, field: str, value: Any, status: int, code: str | None
) -> None:
    answer = submit(server, script_path=hello, **{field: value})

    assert_refused(answer, status, code=code or "invalid_request")
    if status == 422:
        assert answer.json()["detail"][0]["loc"][:2] == ["body", field]
    assert "169.254" not in answer.text


# --- Library and analytics --------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "trends?metric=1;drop table runs",
        "trends?metric=cpu&script_path=' OR 1=1--",
        "trends?metric=cpu&script_path=%25",
        "anomalies?metric=cpu&script_path=_&method=' OR 1=1--",
        "history?script_path=' OR 1=1--&limit=5",
    ],
)
def test_29_questions_to_the_history_are_no_sql(server: Server, query: str) -> None:
    before = server.run("print(1)\n", name="kept.py")
    answer = server.client.get(f"/api/analytics/{query}")
    if answer.status_code == 200:
        found = answer.json()
        assert found.get("count", found.get("value_count")) == 0, found
    else:
        assert_refused(answer, 400, 422)
    assert get_run(server, before["id"])["status"] == "completed"


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/root/.ssh", "/proc", "/proc/self/root/etc", "/usr/../etc", "a\0"],
)
def test_30_folders_of_the_system_are_no_roots(server: Server, path: str) -> None:
    roots = "/api/library/folder-roots"
    answer = server.client.post(roots, json={"path": path, "name": "system"})
    assert_refused(answer, 400)
    assert server.client.get(roots).json() == []


@pytest.mark.parametrize("days", ["-1", "0", "1e9", "x", "99999", ""])
def test_59_cleanups_of_no_time_remove_nothing(server: Server, days: str) -> None:
    server.run("print(1)\n", name="kept.py")
    before = server.client.get("/api/analytics/history").json()["total"]
    answer = server.client.delete("/api/analytics/cleanup", params={"days": days})
    assert_refused(answer, 422)
    assert server.client.get("/api/analytics/history").json()["total"] == before


@pytest.mark.parametrize("name", ["../x", "", "x" * 10_000, "a\nb", "a\0", "%2e%2e/x"])
def test_59_benchmarks_have_plain_names(server: Server, name: str) -> None:
    body = {"name": name, "script_path": "kept.py"}
    answer = server.client.post("/api/analytics/benchmarks", json=body)
    assert_refused(answer, 422)
    answer = server.client.get(f"/api/analytics/benchmarks/{quote(name)}/regressions")
    assert_refused(answer, 404, 414, 422)


# --- The request ------------------------------------------------------------------------


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        # 32
        ({"args": ["x"] * 51}, 400),
        ({"args": ["x\x00y"]}, 400),
        ({"args": ["x" * 32_769]}, 400),
        ({"args": "--flag"}, 422),
        ({"args": [["nested"]]}, 422),
        ({"args": [1]}, 422),
        ({"args": None}, 422),
        # 33
        ({"timeout": 0}, 400),
        ({"timeout": -1}, 400),
        ({"timeout": 2**31}, 400),
        ({"timeout": 1e308}, 400),
        ({"timeout": "5"}, 422),
        ({"timeout": True}, 422),
        ({"timeout": 1.5}, 422),
        # 34
        ({"monitor_interval": 0}, 422),
        ({"monitor_interval": 1e-9}, 422),
        ({"monitor_interval": -1}, 422),
        # 35, 36
        ({"env_vars": {"A=B": "x"}}, 400),
        ({"env_vars": {"": "x"}}, 400),
        ({"env_vars": {"1A": "x"}}, 400),
        ({"env_vars": {"A": "x\x00"}}, 400),
        ({"env_vars": {"A": "x" * 32_769}}, 400),
        ({"env_vars": {f"N{n}": "x" for n in range(257)}}, 400),
        ({"env_vars": {"A": 1}}, 422),
        ({"env_vars": [["A", "b"]]}, 422),
        # 37
        ({"log_level": "'; rm -rf /"}, 422),
        ({"visualizer_format": "../../x"}, 422),
        ({"retry_strategy": "x"}, 422),
        ({"retry_max_attempts": 0}, 422),
        ({"retry_max_attempts": 10**30}, 422),
        ({"retry_multiplier": 0.5}, 422),
        ({"retry_max_time": -1}, 422),
        # 38
        ({"tiemout": 5}, 422),
        ({"__proto__": {}}, 422),
        ({"dry_run": 1}, 422),
        ({"dry_run": "true"}, 422),
    ],
)
def test_32_to_38_values_out_of_bounds(
    server: Server, hello: str, fields: dict[str, Any], status: int
) -> None:
    assert_refused(submit(server, script_path=hello, **fields), status)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ('{"script_path": "hello.py", "timeout": NaN}', (400, 422)),
        ('{"script_path": "hello.py", "timeout": 1e400}', (400, 422)),
        ('{"script_path": "hello.py", "monitor_interval": Infinity}', (422,)),
        ('{"script_path": "hello.py", "script_path": "hello.py"}', (422,)),
        ('{"script_path": "hello.py", "env_vars": {"A": "1", "A": "2"}}', (422,)),
        ('{"script_path": "hello.py"', (400, 422)),
        ('{"script_path": "hello.py"}}', (400, 422)),
        ("[]", (422,)),
        ("null", (422,)),
        ('"hello.py"', (422,)),
        ("", (422,)),
        ("[" * 100_000, (400, 422)),
        ('{"args":' + "[" * 40 + "]" * 40 + "}", (422,)),
        (b"\xff\xfe{\x00}\x00", (400, 422)),
        (b'{"script_path": "\xff.py"}', (400, 422)),
        ('{"script_path": "hello.py", "timeout": ' + "9" * 5_000 + "}", (400, 422)),
        ('{"script_path": "' + "x" * (11 << 20) + '"}', (413,)),
    ],
)
def test_bodies_that_are_no_request(
    server: Server, hello: str, body: str | bytes, statuses: tuple[int, ...]
) -> None:
    assert hello
    assert_refused(submit_raw(server, body), *statuses)


def test_timeout_null_is_fine(server: Server, hello: str) -> None:
    assert submit(server, script_path=hello, timeout=None).status_code == 202


DANGEROUS = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "BASH_ENV",
    "ENV",
    "PATH",
    "IFS",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "ld_preload",
    "PythonPath",
    "DYLD_INSERT_LIBRARIES",
    "NODE_OPTIONS",
    "GIT_SSH_COMMAND",
    "WEBAPI_ALLOWED_ROOT",
    "RUN_ID",
    "SCRIPT_RUNNER_ACTIVE",
]


def test_35_36_names_that_load_code_are_dropped(server: Server) -> None:
    record = server.run(
        "import json, os; print(json.dumps(dict(os.environ)))\n",
        env_vars={**dict.fromkeys(DANGEROUS, "/evil"), "HARMLESS": "kept"},
    )

    environment = json.loads(record["result"]["stdout"])
    assert record["status"] == "completed"
    assert set(record["ignored_env"]) == set(DANGEROUS)
    assert environment["HARMLESS"] == "kept"
    assert "/evil" not in environment.values()
    assert environment["RUN_ID"] == record["id"]
    assert not {name for name in environment if name.startswith("WEBAPI_ALLOWED")}


def test_secrets_are_masked_wherever_they_show(server: Server) -> None:
    record = server.run("pass\n", env_vars={"DB_PASSWORD": "hunter2-hunter2"})

    run_id = record["id"]
    assert record["request"]["env_vars"] == {"DB_PASSWORD": "***"}
    for path in ("", "/events", "/logs"):
        assert "hunter2" not in server.client.get(f"/api/runs/{run_id}{path}").text
    assert "hunter2" not in server.client.get("/api/runs").text
    assert "hunter2" not in server.read_log()


def test_script_sees_nothing_of_the_service(tmp_path: Path) -> None:
    changes = {"WEBAPI_SECRET_OF_MINE": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    with running_server(tmp_path, environment=changes) as server:
        record = server.run(
            "import os, stat\n"
            "print(dict(os.environ))\n"
            "print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])\n"
            "print(repr(os.read(0, 1)))\n"
        )

    environment, descriptors, stdin = record["result"]["stdout"].splitlines()
    assert "hunter2" not in environment
    assert descriptors == "[0, 1, 2]"
    assert stdin == "b''"


@pytest.mark.parametrize("path", ["hello.py", "../../etc/passwd"])
def test_39_dry_run_starts_nothing(server: Server, path: str) -> None:
    marker = server.folder / "dry"
    server.write_script("hello.py", f"open({str(marker)!r}, 'w')\n")

    answer = submit(server, script_path=path, dry_run=True)

    if path.startswith(".."):
        assert_refused(answer, 400, code="script_outside_root")
    else:
        record = server.wait_finished(answer.json()["run_id"])
        assert record["result"]["dry_run"] is True
    assert not marker.exists()


# --- Uploads ----------------------------------------------------------------------------


def upload(
    server: Server, name: str, content: bytes = b"print(1)\n", **fields: Any
) -> httpx.Response:
    return server.client.post(
        "/api/run/upload", files={"file": (name, content)}, data=fields
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.py", "x.py"),
        ("..\\..\\x.py", "x.py"),
        ("/etc/cron.d/x.py", "x.py"),
        ("<script>.py", "_script_.py"),
        ("a b\u202e.py", "a b_.py"),
    ],
)
def test_42_names_of_uploads_are_only_shown(
    server: Server, name: str, shown: str
) -> None:
    answer = upload(server, name)

    assert answer.status_code == 202, answer.text
    record = server.wait_finished(answer.json()["run_id"])
    assert record["status"] == "completed"
    assert record["script"]["name"] == shown
    assert record["request"]["script_path"] == f"upload:{shown}"
    stray = [path for path in server.folder.rglob(shown) if path.parent != server.root]
    assert stray == []


def test_hostile_names_of_uploads_are_safe_or_refused(server: Server) -> None:
    names = [
        "\x00.py",
        "a\r\nX: y.py",
        "." * 300 + ".py",
        ".py",
        "..py",
        "\U0001f600.py",
    ]
    for name in names:
        answer = upload(server, name)
        assert answer.status_code in {202, 400, 422}, (name, answer.text)
        assert "\r\nX" not in answer.text


@pytest.mark.usefixtures("no_run")
def test_43_uploads_of_the_wrong_kind(server: Server) -> None:
    assert_refused(upload(server, "x.sh"), 400, code="not_python")
    assert_refused(upload(server, "x"), 400, 422)
    form = {"timeout": (None, "5")}
    assert_refused(server.client.post("/api/run/upload", files=form), 422)
    two = [("file", ("a.py", b"1")), ("file", ("b.py", b"2"))]
    assert_refused(server.client.post("/api/run/upload", files=two), 422)


@pytest.mark.usefixtures("no_run")
def test_44_floods_of_fields_are_refused(server: Server) -> None:
    fields = "&".join(f"a{n}=1" for n in range(1_000_000))
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.client.post("/api/run/upload", content=fields, headers=urlencoded)
    assert_refused(answer, 413, 415)

    parts = {f"a{n}": (None, "1") for n in range(100)}
    assert_refused(server.client.post("/api/run/upload", files=parts), 400, 413, 422)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize("announced", [True, False])
def test_uploads_that_are_too_large_leave_nothing(
    server: Server, announced: bool
) -> None:
    before = set(server.data_dir.rglob("*"))
    content = b"#" * (11 << 20)
    head = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.py"\r\n\r\n'
    )
    body = head + content + b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    with contextlib.suppress(httpx.WriteError):
        answer = server.client.post(
            "/api/run/upload",
            content=body if announced else iter([body]),
            headers=headers,
        )
        assert_refused(answer, 413, code="body_too_large")
    new = {path for path in set(server.data_dir.rglob("*")) - before if path.is_file()}
    assert not [path for path in new if path.stat().st_size > 1 << 20]


@pytest.mark.parametrize(
    "content",
    # The NUL stands inside the line: Python before 3.11.4 took one for the end.
    [b"\xff\xfe\x00", b"# coding: utf-7\n+AGEAYg-\n", b"print(\x001)\n", b""],
)
def test_45_sources_that_are_no_text(server: Server, content: bytes) -> None:
    answer = upload(server, "odd.py", content)

    assert answer.status_code in {202, 400}
    if answer.status_code == 202:
        record = server.wait_finished(answer.json()["run_id"])
        assert record["status"] == ("failed" if content else "completed")


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("env_vars", "{bad json", 400),
        ("env_vars", "[]", 422),
        ("args", "[1", 400),
        ("timeout", "x", 422),
        ("dry_run", "maybe", 422),
        ("script_path", "/etc/passwd", 422),
        ("tiemout", "5", 422),
    ],
)
def test_46_form_fields_out_of_bounds(
    server: Server, field: str, value: str, status: int
) -> None:
    fields: dict[str, Any] = {field: value}
    assert_refused(upload(server, "x.py", **fields), status)


def test_upload_goes_with_its_run(server: Server) -> None:
    run_id = upload(server, "x.py").json()["run_id"]
    server.wait_finished(run_id)
    folder = server.data_dir / "runs" / run_id
    assert folder.is_dir()

    assert server.client.delete(f"/api/runs/{run_id}").json() == {"success": True}

    wait_for(lambda: not folder.exists(), what="the end of the run's folder")
    assert_refused(server.client.get(f"/api/runs/{run_id}"), 404, code="run_not_found")


# --- Output -----------------------------------------------------------------------------

HOSTILE = (
    "</pre><script>alert(1)</script>\x1b]8;;https://evil.example\x07x\x1b]0;title\x07"
)


def test_47_48_logs_are_plain_text(server: Server) -> None:
    record = server.run(f"print({HOSTILE!r})\n")

    answer = server.client.get(f"/api/runs/{record['id']}/logs")

    assert answer.text == HOSTILE + "\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_download_has_a_safe_name(server: Server) -> None:
    answer = upload(server, 'a";\r\nSet-Cookie: x=y;.py')
    if answer.status_code != 202:
        return
    run_id = answer.json()["run_id"]
    server.wait_finished(run_id)

    logs = server.client.get(f"/api/runs/{run_id}/logs?download=1")

    assert logs.headers["content-disposition"].startswith("attachment;")
    assert "set-cookie" not in logs.headers


@pytest.mark.parametrize(
    "run_id",
    [
        "..",
        "../../etc/passwd",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "x\n[ERROR] forged",
        "x" * 7_000,
        UNKNOWN_ID,
        UNKNOWN_ID.upper(),
        "{" + UNKNOWN_ID + "}",
        "' OR 1=1 --",
        "\x00",
    ],
)
def test_51_ids_that_are_none(server: Server, run_id: str) -> None:
    for method, tail in (
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/logs/stream"),
        ("GET", "/events"),
        ("GET", "/visualization"),
        ("GET", "/script"),
        ("GET", "/outputs/x"),
        ("POST", "/stop"),
        ("POST", "/kill"),
        ("POST", "/cancel"),
        ("POST", "/restart"),
        ("DELETE", ""),
    ):
        url = f"/api/runs/{quote(run_id)}{tail}"
        answer = server.client.request(method, url)
        assert_refused(answer, 404, 405, 414, 422)
    assert "\n[ERROR] forged" not in server.read_log()


def quote(text: str) -> str:
    """Return ``text`` as a client without manners puts it into a path."""
    return "".join(
        c if c.isprintable() and c != " " else f"%{ord(c):02x}" for c in text
    )


# --- Life -------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["stop", "kill", "cancel"])
def test_52_what_is_over_cannot_be_ended(server: Server, action: str) -> None:
    record = server.run("pass\n")

    answer = server.client.post(f"/api/runs/{record['id']}/{action}")

    assert_refused(answer, 409)
    assert get_run(server, record["id"])["status"] == "completed"


def test_52_two_kills_at_once_are_one(server: Server) -> None:
    script = server.write_script("sleeper.py", "import time; time.sleep(60)\n")
    run_id = server.submit(script)
    wait_running(server, run_id)
    statuses: list[int] = []

    def kill() -> None:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            statuses.append(client.post(f"/api/runs/{run_id}/kill").status_code)

    threads = [threading.Thread(target=kill) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 409]
    assert server.wait_finished(run_id)["run_status"] == "killed"


def test_53_active_runs_cannot_be_deleted(server: Server) -> None:
    finished = server.run("pass\n")["id"]
    with occupied_slots(server):
        active = server.client.get("/api/runs?status=running").json()[0]["id"]
        queued = server.submit(server.write_script("hello.py", "print(1)\n"))
        for run_id in (active, queued):
            answer = server.client.delete(f"/api/runs/{run_id}")
            assert_refused(answer, 400, code="run_active")
        ids = [finished, finished, active, queued, UNKNOWN_ID]
        answer = server.client.request("DELETE", "/api/runs", json=ids)
        assert answer.json()["deleted"] == 1
        reasons = {each["id"]: each["reason"] for each in answer.json()["skipped"]}
        assert reasons[active] == reasons[queued] == "active"
        assert reasons[UNKNOWN_ID] == "not_found"
        assert get_run(server, active)["status"] == "running"
    assert server.wait_finished(queued)["status"] == "completed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 200),
        ({}, 422),
        ("all", 422),
        ([1, None, {}], 422),
        (["x"] * 1_001, 422),
        (["x" * 10_000, "../..", ""], 200),
    ],
)
def test_53_bulk_delete_takes_a_list_of_ids(
    server: Server, body: Any, status: int
) -> None:
    answer = server.client.request("DELETE", "/api/runs", json=body)

    assert answer.status_code in {status, 422}, answer.text


DAEMONS = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)
            time.sleep(600)
        os._exit(0)
print("ready", flush=True)
time.sleep(600)
"""


def test_54_kill_ends_daemons_too(server: Server) -> None:
    run_id = server.submit(server.write_script("daemons.py", DAEMONS))
    wait_for(lambda: "ready" in get_logs(server, run_id), what="the daemons")
    assert len(find_processes(run_id)) >= 6

    began = time.monotonic()
    assert server.client.post(f"/api/runs/{run_id}/kill").json()["killed"] is True
    wait_for(lambda: not find_processes(run_id), seconds=5, what="the end of all")

    assert time.monotonic() - began < 2
    assert server.wait_finished(run_id)["run_status"] == "killed"


def get_logs(server: Server, run_id: str) -> str:
    return server.client.get(f"/api/runs/{run_id}/logs").text


def find_processes(run_id: str) -> list[int]:
    """Return the processes that belong to a run by their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("RUN_ID") == run_id:
                found.append(process.pid)
    return found


def test_57_a_burst_is_queued_up_to_the_limit_and_none_is_lost(tmp_path: Path) -> None:
    changes = {"WEBAPI_QUEUE_LIMIT": "100", "WEBAPI_SLOTS": "2"}
    with running_server(tmp_path, workers=2, environment=changes) as server:
        script = server.write_script("hello.py", "print(1)\n")
        with occupied_slots(server):
            answers = [submit(server, script_path=str(script)) for _ in range(150)]
            refused = [answer for answer in answers if answer.status_code != 202]
            accepted = [a.json()["run_id"] for a in answers if a.status_code == 202]
        statuses = {server.wait_finished(run_id)["status"] for run_id in accepted}

    assert len(accepted) == 100
    assert statuses == {"completed"}
    for answer in refused:
        assert_refused(answer, 429, code="queue_full")
        assert int(answer.headers["retry-after"]) >= 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB; skips where none can be mounted."""
    if os.geteuid() != 0:
        pytest.skip("a small file system has to be mounted: run as root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)]
    subprocess.run(mount, check=True, capture_output=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, capture_output=True)


def fill(disk: Path) -> Path:
    """Leave no byte on ``disk``."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
    return filler


def test_58_full_disk_stops_new_runs_only(small_disk: Path) -> None:
    changes = {"WEBAPI_DISK_MARGIN": "8388608", "WEBAPI_BALLAST": "8388608"}
    with running_server(small_disk, environment=changes) as server:
        server.write_script("hello.py", "print(1)\n")
        go_on = small_disk.parent / "go-on"
        waiting = server.write_script(
            "waiting.py",
            f"import os, time\nwhile not os.path.exists({str(go_on)!r}):\n"
            "    time.sleep(0.02)\nraise SystemExit(7)\n",
        )
        run_id = server.submit(waiting)
        wait_running(server, run_id)
        filler = fill(small_disk)

        refused = submit(server, script_path="hello.py")
        assert_refused(refused, 507, code="disk_full")
        assert server.client.get("/api/runs").status_code == 200
        status = server.client.get("/api/system/status").json()
        assert status["disk"]["accepting_runs"] is False
        go_on.touch()
        assert server.wait_finished(run_id)["exit_code"] == 7

        filler.unlink()
        wait_for(
            lambda: submit(server, script_path="hello.py").status_code == 202,
            what="new runs when there is room again",
        )


def test_62_a_damaged_row_harms_only_itself(server: Server) -> None:
    good, bad = server.run("print(1)\n")["id"], server.run("print(2)\n")["id"]
    database = sqlite3.connect(server.data_dir / "runs.db", timeout=10)
    with contextlib.closing(database), database:
        database.execute("UPDATE run_details SET request = '{' WHERE run_id = ?", [bad])

    damaged = server.client.get(f"/api/runs/{bad}")

    assert_refused(damaged, 500, code="internal_error")
    assert server.client.get("/api/runs").status_code == 200
    assert get_run(server, good)["status"] == "completed"
