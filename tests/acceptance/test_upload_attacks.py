"""Attacks by uploads: their names, sizes, bytes and fields."""

import contextlib
from typing import Any

import httpx
import pytest

from tests.acceptance.attacks import assert_refused, upload
from tests.server import Server, wait_for


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


def test_download_has_a_safe_name(server: Server) -> None:
    answer = upload(server, 'a";\r\nSet-Cookie: x=y;.py')
    if answer.status_code != 202:
        return
    run_id = answer.json()["run_id"]
    server.wait_finished(run_id)

    logs = server.client.get(f"/api/runs/{run_id}/logs?download=1")

    assert logs.headers["content-disposition"].startswith("attachment;")
    assert "set-cookie" not in logs.headers
