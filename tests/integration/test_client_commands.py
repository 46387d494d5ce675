"""The client's commands against a running service."""

import re
import threading

import pytest

from scriptrunner.cli import main
from tests.server import running_server, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def call(server, capfd, monkeypatch):
    """Call a command and return exit code, standard output and standard error."""
    monkeypatch.setenv("WEBAPI_URL", server.url)
    monkeypatch.delenv("WEBAPI_TOKEN", raising=False)

    def run(*args):
        code = main([str(arg) for arg in args])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def last_run(server):
    return server.client.get("/api/runs?limit=1").json()[0]


def test_run_prints_the_output_and_ends_with_the_code(server, call):
    text = "import sys\nprint('out', sys.argv[1:])\nprint('err', file=sys.stderr)\nsys.exit(3)\n"
    script = server.write_script("three.py", text)
    code, out, err = call("run", script, "a b", "--flag")
    assert (code, out) == (3, "out ['a b', '--flag']\n")
    assert err.startswith("err\n")
    assert "Exit code 3" in err


def test_run_takes_a_path_below_the_root(server, call):
    server.write_script("plain.py", "print('plain')")
    assert call("run", "plain.py")[:2] == (0, "plain\n")


def test_run_hands_options_on(server, call):
    text = "import os, time\nprint(os.environ['COLOUR'])\ntime.sleep(20)\n"
    script = server.write_script("slow.py", text)
    code, out, err = call("run", "--timeout", 1, "--env", "COLOUR=blue", script)
    assert (code, out) == (124, "blue\n")
    assert "timed out" in err.lower()


def test_run_asks_for_everything_and_tells_of_broken_gates(server, call):
    script = server.write_script("loud.py", "print('loud')")
    code, _, err = call(
        "run",
        "--gate", "stdout_lines<=0",
        "--cost",
        "--junit", "r.xml",
        "--no-history",
        "--alert", "loud: stdout_lines > 0",
        script,
    )  # fmt: skip
    assert code == 1
    assert "failed: 1 of 1 gates failed: stdout_lines = 1 exceeds max 0" in err
    assert re.search(r"^cost: 0\.\d{9} USD, estimated$", err, re.MULTILINE)
    run_id = last_run(server)["id"]
    record = server.client.get(f"/api/runs/{run_id}").json()
    assert record["request"]["alerts"][0]["name"] == "loud"
    assert record["request"]["enable_history"] is False
    assert [each["name"] for each in record["outputs"]] == ["r.xml"]
    assert record["result"]["cost"]


def test_run_tells_how_the_metrics_compare(server, call):
    script = server.write_script("night.py", "print('night')")
    _, out, err = call("run", "--save-baseline", "night.json", script)
    assert (out, err) == ("night\n", "baseline night.json saved\n")
    _, _, err = call("run", "--load-baseline", "night.json", script)
    assert err.startswith("against the baseline: ")
    _, _, err = call("run", "--load-baseline", "no.json", script)
    assert err.startswith("baseline load: ")


def test_a_dry_run_tells_what_would_be_done(server, call):
    script = server.write_script("dry.py", "print('dry')")
    code, out, _ = call("run", "--dry-run", "--retry", 2, "--gate", "cpu<=80", script)
    assert code == 0
    assert out.startswith("Dry run: script validated but not executed.\n  command ")
    assert "\n  retries      1 s apart\n" in out
    assert "\n  gate         cpu_max <= 80\n" in out


def test_run_sends_a_file_along(call, tmp_path):
    file = tmp_path / "elsewhere.py"
    file.write_text("import sys; print('sent', sys.argv[1:])")
    assert call("run", "--upload", file, "x,y")[:2] == (0, "sent ['x,y']\n")


def test_run_detached_prints_the_id_alone(server, call):
    script = server.write_script("quick.py", "print(1)")
    code, out, _ = call("run", "--detach", script)
    assert code == 0
    assert server.wait_finished(out.strip())["status"] == "completed"


def test_a_signal_becomes_a_shell_code(server, call):
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    assert call("run", server.write_script("killed.py", text))[0] == 128 + 9


def test_a_refusal_is_said_in_the_service_words(call):
    code, _, err = call("run", "missing.py")
    assert code == 1
    assert "Script path must point to an existing file" in err


def test_ps_lists_runs(server, call):
    server.run("print(1)", name="listed.py")
    code, out, _ = call("ps", "--limit", 5, "--script", "listed")
    assert code == 0
    assert "completed" in out
    assert "listed.py" in out


def test_logs_print_what_was_written(server, call):
    run_id = server.run("print('line')")["id"]
    assert call("logs", run_id)[:2] == (0, "line\n")
    assert call("logs", "-f", run_id)[:2] == (0, "line\n")
    assert call("logs", "--stream", "stderr", run_id)[:2] == (0, "")


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_a_run_is_ended(server, call, command):
    script = server.write_script("waiting.py", "import time\ntime.sleep(30)\n")
    run_id = server.submit(script)
    wait_for(
        lambda: server.client.get(f"/api/runs/{run_id}").json()["phase"] == "running"
    )
    assert call(command, run_id)[0] == 0
    assert server.wait_finished(run_id)["status"] == "cancelled"
    code, _, err = call(command, run_id)
    assert code == 1
    assert "Run is not active" in err


def test_an_unknown_run_is_said(call):
    code, _, err = call("logs", "nonsense")
    assert (code, err) == (1, "Error: Run not found\n")


def test_no_service_is_said(call, monkeypatch):
    monkeypatch.setenv("WEBAPI_URL", "http://127.0.0.1:9")
    code, _, err = call("ps")
    assert code == 69
    assert "no service answers at http://127.0.0.1:9" in err
    assert "`scriptrunner serve` (in a checkout `./WEBAPI/serve.sh`)" in err


def test_what_is_no_address_is_said(call):
    code, _, err = call("ps", "--url", "localhost:9000")
    assert code == 69
    assert err == (
        "Error: localhost:9000 is no address of a service; WEBAPI_URL and --url take one "
        "such as http://127.0.0.1:9000\n"
    )


def test_a_wrong_token_is_said(server, call, tmp_path):
    file = tmp_path / "token"
    file.write_text("wapi_nonsense\n")
    code, _, err = call("ps", "--url", server.url, "--token-file", file)
    assert code == 1
    assert "token" in err


def test_usage_errors_are_code_two(call):
    assert call("run")[0] == 2
    assert call("nonsense")[0] == 2
    assert call("run", "--env", "x", "y.py")[0] == 2


def test_following_survives_a_killed_service(tmp_path, capfd, monkeypatch):
    with running_server(tmp_path) as server:
        monkeypatch.setenv("WEBAPI_URL", server.url)
        text = (
            "import os, time\nprint('before', flush=True)\n"
            "while not os.path.exists('go'): time.sleep(0.01)\nprint('after')\n"
        )
        script = server.write_script("long.py", text)
        code = []
        thread = threading.Thread(
            target=lambda: code.append(main(["run", str(script)]))
        )
        thread.start()
        said = ""

        def read():
            nonlocal said
            said += capfd.readouterr().out
            return said

        wait_for(lambda: "before\n" in read(), what="the first line")
        server.kill()
        (server.root / "go").touch()
        server.start()
        thread.join(15)
        assert (read(), code) == ("before\nafter\n", [0])
