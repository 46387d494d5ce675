"""Attacks by paths: scripts, folders and files that lie elsewhere, or are none."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.attacks import assert_refused, occupied_slots, submit, submit_raw
from tests.server import Server, running_server


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


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/root/.ssh", "/proc", "/proc/self/root/etc", "/usr/../etc", "a\0"],
)
def test_30_folders_of_the_system_are_no_roots(server: Server, path: str) -> None:
    roots = "/api/library/folder-roots"
    answer = server.client.post(roots, json={"path": path, "name": "system"})
    assert_refused(answer, 400)
    assert server.client.get(roots).json() == []
