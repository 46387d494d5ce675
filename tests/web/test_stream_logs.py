"""``GET /api/runs/{id}/logs/stream``: each byte once, in order, to the end."""

import asyncio
import json

import pytest

from tests.web.asgi import open_stream, parse
from tests.web.conftest import UNKNOWN_ID, running_web

#: Writes one line whenever its file ``go`` grows by a byte, ends with the fourth.
STEPWISE = """
import os, sys, time
for number in range(4):
    while not os.path.exists(f"go{number}"):
        time.sleep(0.01)
    print("line", number, flush=True)
"""


def read(web, run_id, query="", **headers):
    """Return all messages of a stream that ends."""
    path = f"/api/runs/{run_id}/logs/stream{query}"
    answer = web.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text.startswith("retry: 2000\n\n")
    return [message for block in answer.text.split("\n\n") if (message := parse(block))]


def text_of(messages, stream="stdout"):
    return "".join(
        message.data["text"]
        for message in messages
        if message.event == "output" and message.data["stream"] == stream
    )


def test_a_finished_run_is_replayed_and_ended(web):
    run_id = web.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n")["id"]
    *_, end = messages = read(web, run_id)
    assert text_of(messages) == "out\n"
    assert text_of(messages, "stderr") == "err\n"
    assert end.event == "end"
    assert end.id == "1:o4:e4"
    assert end.data == {"status": "completed", "run_status": "success", "exit_code": 0}


def test_one_stream_alone(web):
    run_id = web.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n")["id"]
    messages = read(web, run_id, "?stream=stderr")
    assert text_of(messages) == ""
    assert text_of(messages, "stderr") == "err\n"


def test_every_id_resumes_behind_its_message(web):
    run_id = web.run("print('äöü' * 30_000)")["id"]
    messages = [each for each in read(web, run_id) if each.event == "output"]
    whole = text_of(messages)
    assert len(messages) > 3
    seen = ""
    for message in messages:
        assert message.data["offset"] == len(seen.encode())
        seen += message.data["text"]
        rest = text_of(read(web, run_id, **{"last-event-id": message.id}))
        assert seen + rest == whole


@pytest.mark.parametrize("event_id", ["nonsense", "", "1:o-1:e0", "0:o9:e9"])
def test_an_unknown_id_begins_anew(web, event_id):
    run_id = web.run("print('all')")["id"]
    if event_id == "0:o9:e9":
        assert text_of(read(web, run_id, **{"last-event-id": event_id})) == ""
    else:
        assert text_of(read(web, run_id, **{"last-event-id": event_id})) == "all\n"


def test_attempts_follow_each_other(web):
    run_id = web.run(
        "import os\nprint(os.environ['SCRIPT_RUNNER_ATTEMPT'])\nraise SystemExit(1)\n",
        retry_on_failure=True,
        retry_max_attempts=3,
        retry_initial_delay=0,
    )["id"]
    messages = read(web, run_id)
    assert text_of(messages) == "1\n2\n3\n"
    numbers = [each.data["attempt"] for each in messages if each.event == "attempt"]
    assert numbers == [2, 3]


def test_output_that_is_no_text_is_shown_with_true_offsets(web):
    run_id = web.run("import os\nos.write(1, b'a\\xff\\xc3')\n")["id"]
    (message, end) = read(web, run_id)
    assert message.data["text"] == "a\ufffd\ufffd"
    assert end.id == "1:o3:e0"


def test_output_comes_while_the_script_runs(web):
    run_id = web.submit(STEPWISE)

    async def watch():
        path = f"/api/runs/{run_id}/logs/stream"
        async with open_stream(web.app, path) as stream:
            for number in range(4):
                (web.root / f"go{number}").touch()
                message = await stream.next()
                assert message.event == "output"
                assert message.data["text"] == f"line {number}\n"
            assert (await stream.next()).event == "end"

    asyncio.run(watch())
    for number in range(4):
        (web.root / f"go{number}").unlink()


def test_a_character_is_never_cut(web):
    text = (
        "import os, time\n"
        "os.write(1, b'\\xc3')\n"
        "while not os.path.exists('go-on'): time.sleep(0.01)\n"
        "os.write(1, b'\\xa4')\n"
    )
    run_id = web.submit(text)
    web.wait_until(run_id, lambda run: (run["live"] or {}).get("stdout_bytes") == 1)

    async def watch():
        path = f"/api/runs/{run_id}/logs/stream"
        async with open_stream(web.app, path) as stream:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await stream.next()
            (web.root / "go-on").touch()
            assert (await stream.next()).data["text"] == "ä"

    asyncio.run(watch())
    (web.root / "go-on").unlink()


def test_a_queued_run_is_waited_for(web):
    old = web.start("import signal,time\nsignal.signal(15,signal.SIG_IGN)\n"
                    "print('x',flush=True)\ntime.sleep(60)\n")  # fmt: skip
    run_id = web.client.post(f"/api/runs/{old}/restart").json()["run_id"]

    async def watch():
        async with open_stream(web.app, f"/api/runs/{run_id}/logs/stream") as stream:
            assert stream.status == 200
            await asyncio.to_thread(web.client.post, f"/api/runs/{run_id}/cancel")
            message = await stream.next()
            assert message.event == "end"
            assert message.data["status"] == "cancelled"

    asyncio.run(watch())
    web.client.post(f"/api/runs/{old}/kill")


def test_a_run_that_is_deleted_ends_its_streams(web):
    run_id = web.start()

    async def watch():
        async with open_stream(web.app, f"/api/runs/{run_id}/logs/stream") as stream:
            await stream.next("output")
            await asyncio.to_thread(web.client.post, f"/api/runs/{run_id}/cancel")
            await asyncio.to_thread(web.client.delete, f"/api/runs/{run_id}")
            assert (await stream.next()).event in {"end", "deleted"}
            await stream.read_to_end()

    asyncio.run(watch())


@pytest.mark.parametrize("run_id", [UNKNOWN_ID, "x"])
def test_an_unknown_run_is_404(web, run_id):
    body = web.error("GET", f"/api/runs/{run_id}/logs/stream", 404)
    assert body["code"] == "run_not_found"


def test_a_wrong_stream_is_422(web):
    web.error("GET", f"/api/runs/{UNKNOWN_ID}/logs/stream?stream=all", 422)


def test_too_many_streams_of_one_caller_are_429_until_one_leaves(tmp_path):
    with running_web(tmp_path, streams_per_caller=2) as web:
        run_id = web.start()
        path = f"/api/runs/{run_id}/logs/stream"

        async def watch():
            async with open_stream(web.app, path) as first:
                assert first.status == 200
                async with open_stream(web.app, path) as second:
                    assert second.status == 200
                    async with open_stream(web.app, path) as third:
                        assert third.status == 429
                        assert int(third.headers["retry-after"]) >= 1
                        body = json.loads(await third.read_to_end())
                        assert body["code"] == "too_many_streams"
                    status = await asyncio.to_thread(
                        web.client.get, "/api/system/status"
                    )
                    assert status.json()["streams"]["open"] == 2
                async with open_stream(web.app, path) as again:
                    assert again.status == 200

        asyncio.run(watch())
        assert web.client.get("/api/system/status").json()["streams"]["open"] == 0
        web.client.post(f"/api/runs/{run_id}/kill")


def test_a_stream_ends_with_the_service(tmp_path):
    with running_web(tmp_path) as web:
        run_id = web.start()

        async def watch():
            async with open_stream(
                web.app, f"/api/runs/{run_id}/logs/stream"
            ) as stream:
                await stream.next("output")
                web.app.state.runtime.ending.begin()
                await stream.read_to_end()

        asyncio.run(watch())
        web.app.state.runtime.ending.renew()
        web.client.post(f"/api/runs/{run_id}/kill")
