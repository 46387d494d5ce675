"""``scriptrunner task …`` against a running service."""

import json

import pytest

from scriptrunner.cli import main
from tests.server import Server, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("service")) as started:
        started.write_script("job.py", "import sys; print(sys.argv[1:])")
        yield started


@pytest.fixture
def call(server: Server, capfd, monkeypatch):
    """Call ``task`` and return exit code, standard output and standard error."""
    monkeypatch.setenv("WEBAPI_URL", server.url)
    monkeypatch.delenv("WEBAPI_TOKEN", raising=False)

    def run(*args):
        code = main(["task", *(str(arg) for arg in args)])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def get(server: Server, path: str):
    return server.client.get(path).json()


def test_a_task_from_its_making_to_its_end(server, call):
    code, out, _ = call(
        "add", "--every", "5 minutes", "--timeout", 9, "cli", "job.py", "-v", "a b"
    )
    assert code == 0
    assert out.startswith("cli is registered\nnext: ")
    task = get(server, "/api/scheduler/tasks/cli")
    assert (task["schedule"], task["script_args"]) == ("every 5 minutes", ["-v", "a b"])
    assert task["run_options"] == {"timeout": 9}
    run_id = call("run", "cli")[1].strip()
    assert server.wait_finished(run_id)["result"]["stdout"] == "['-v', 'a b']\n"
    assert "job.py -v a b" in call("list", "--q", "cli")[1]
    assert "started by hand" in call("show", "cli")[1]
    assert call("pause", "cli")[1] == "cli is paused\n"
    assert "It does not fire" in call("show", "cli")[1]
    assert call("resume", "cli")[1] == "cli is on again\n"
    call("add", "--after", "cli", "after", "job.py")
    out = call("delete", "cli")[1]
    assert out == "cli is deleted; paused, since they depend on it: after\n"


def test_an_event_starts_its_task(server, call):
    call("add", "--event", "ship", "shipping", "job.py")
    code, out, _ = call("fire", "ship", "--payload", json.dumps({"v": 1}))
    assert code == 0
    name, run_id = out.split()
    assert name == "shipping:"
    assert server.wait_finished(run_id)["event"] == "ship"


def test_tasks_go_out_and_in(server, call, tmp_path):
    call("add", "--cron", "@daily", "--timezone", "Asia/Tokyo", "daily", "job.py")
    code, text, _ = call("export")
    assert code == 0
    file = tmp_path / "tasks.yaml"
    file.write_text(text)
    assert "daily left out: there is" in call("import", file)[2]
    code, out, _ = call("import", "--replace", "--dry-run", file)
    assert "daily would be changed" in out
    crontab = tmp_path / "crontab"
    crontab.write_text("0 3 * * * python3 job.py\n* * * * * /bin/true\n")
    code, out, err = call("import", "--crontab", "--timezone", "Asia/Tokyo", crontab)
    assert (code, out) == (0, "job added\n")
    assert "line 2 left out" in err
    assert get(server, "/api/scheduler/tasks/job")["timezone"] == "Asia/Tokyo"


def test_what_is_refused_is_told(call):
    code, _, err = call("add", "--cron", "0 25 * * *", "bad", "job.py")
    assert code != 0
    assert "The field hour" in err
    assert "Task not found" in call("run", "nobody")[2]
