"""``GET /api/runs/{id}/logs``: every byte, now, in pieces, and never beyond the end."""

import pytest

from tests.web.conftest import UNKNOWN_ID, running_web, wait_for

BOTH = "import sys\nprint('out')\nprint('err', file=sys.stderr)\n"


@pytest.fixture(scope="module")
def both(web):
    """A finished run that wrote to both streams."""
    return web.run(BOTH)["id"]


@pytest.fixture(scope="module")
def digits(web):
    """A finished run with ten bytes of output."""
    return web.run("print('0123456789', end='')")["id"]


def logs(web, run_id, query="", **headers):
    return web.client.get(f"/api/runs/{run_id}/logs{query}", headers=headers)


def test_stdout_comes_first_then_stderr(web, both):
    answer = logs(web, both)
    assert answer.text == "out\n\n--- STDERR ---\nerr\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-log-complete"] == "true"
    assert answer.headers["x-output-truncated"] == "false"


def test_without_stderr_there_is_no_separator(web, digits):
    assert logs(web, digits).text == "0123456789"


def test_one_stream_is_the_bytes_alone(web, both):
    assert logs(web, both, "?stream=stdout").content == b"out\n"
    assert logs(web, both, "?stream=stderr").content == b"err\n"


def test_the_log_is_there_while_the_script_runs(web):
    run_id = web.start()
    answer = logs(web, run_id)
    assert answer.text == "waiting\n"
    assert answer.headers["x-log-complete"] == "false"
    web.client.post(f"/api/runs/{run_id}/kill")


def test_any_bytes_are_kept_and_shown_as_text(web):
    run_id = web.run("import os\nos.write(1, b'a\\xffb')\n")["id"]
    assert logs(web, run_id).text == "a\ufffdb"
    assert logs(web, run_id, "?stream=stdout").content == b"a\xffb"


def test_hostile_output_stays_text(web):
    run_id = web.run("print('</pre><script>alert(1)</script>')")["id"]
    answer = logs(web, run_id)
    assert answer.text == "</pre><script>alert(1)</script>\n"
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_secret_is_masked_in_place(web):
    run_id = web.run(
        "import os\nprint('<' + os.environ['MY_PASSWORD'] + '>')\n",
        env_vars={"MY_PASSWORD": "swordfish"},
    )["id"]
    assert logs(web, run_id).text == "<*********>\n"


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-4", b"6789", "bytes 6-9/10"),
        ("bytes=5-99", b"56789", "bytes 5-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_of_one_stream_is_206(web, digits, asked, content, told):
    answer = logs(web, digits, "?stream=stdout", range=asked)
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == told
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    "asked",
    ["bytes=10-", "bytes=5-4", "bytes=", "bytes=-0", "lines=1-2", "bytes=0-1,3-4", "x"],
)
def test_a_range_that_cannot_be_is_416(web, digits, asked):
    answer = logs(web, digits, "?stream=stdout", range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.json()["code"] == "range_not_satisfiable"


def test_with_both_streams_a_range_is_not_looked_at(web, digits):
    assert logs(web, digits, range="bytes=0-1").status_code == 200


def test_a_download_has_a_plain_name(web, both):
    answer = logs(web, both, "?download=1")
    expected = f'attachment; filename="{both}-log.txt"'
    assert answer.headers["content-disposition"] == expected


def test_each_attempt_has_its_own_log(web):
    record = web.run(
        "import os\nprint(os.environ['SCRIPT_RUNNER_ATTEMPT'])\nraise SystemExit(1)\n",
        retry_on_failure=True,
        retry_max_attempts=2,
        retry_initial_delay=0,
    )
    assert logs(web, record["id"], "?attempt=1").text == "1\n"
    assert logs(web, record["id"], "?attempt=2").text == "2\n"
    assert logs(web, record["id"]).text == "2\n"
    web.error("GET", f"/api/runs/{record['id']}/logs?attempt=3", 404)


def test_what_lies_beyond_the_cap_is_gone_and_said_so(tmp_path):
    with running_web(tmp_path, max_output_bytes=4_096) as web:
        record = web.run("print('x' * 10_000)")
        answer = logs(web, record["id"], "?stream=stdout")
        assert len(answer.content) == 4_096
        assert answer.headers["x-output-truncated"] == "true"
        assert record["attempts"][0]["stdout_bytes"] == 10_001


def test_a_queued_run_has_an_empty_log(web):
    run_id = web.submit(dry_run=True)
    wait_for(lambda: web.get(run_id), lambda run: run["status"] == "completed")
    answer = logs(web, run_id)
    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x"])
def test_an_unknown_run_is_404(web, run_id):
    assert web.error("GET", f"/api/runs/{run_id}/logs", 404)["code"] == "run_not_found"


@pytest.mark.parametrize(
    "query", ["stream=all", "attempt=0", "attempt=x", "download=maybe"]
)
def test_a_wrong_query_is_422(web, both, query):
    web.error("GET", f"/api/runs/{both}/logs?{query}", 422)
