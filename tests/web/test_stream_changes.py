"""``GET /api/stream``: everything the dashboard watches, over one connection."""

import asyncio

import pytest

from scriptrunner.web import sse
from tests.web.asgi import open_stream
from tests.web.conftest import UNKNOWN_ID


def watch(web, query, scenario):
    """Run ``scenario(stream)`` with an open stream."""

    async def run():
        async with open_stream(web.app, f"/api/stream?{query}") as stream:
            assert stream.status == 200
            await scenario(stream)

    asyncio.run(run())


def in_thread(call, *args, **options):
    return asyncio.to_thread(call, *args, **options)


def test_runs_tell_every_change_as_a_list_item(web):
    async def scenario(stream):
        run_id = await in_thread(web.submit)
        offsets, last = [], None
        while last is None or last["status"] != "completed":
            message = await stream.next("run")
            assert message.data["topic"] == "runs"
            if message.data["id"] == run_id:
                last = message.data
                offsets.append(last["offset"])
        assert offsets == sorted(set(offsets))
        (item,) = (await in_thread(web.client.get, f"/api/runs?q={run_id}")).json()
        assert item.items() <= last.items()

    watch(web, "topic=runs", scenario)


def test_one_run_tells_only_its_own(web):
    first, second = web.start(), web.start()

    async def scenario(stream):
        for run_id in (second, first):
            await in_thread(web.client.post, f"/api/runs/{run_id}/kill")
        while (message := await stream.next("run")).data["status"] != "cancelled":
            assert message.data["id"] == first
        assert message.data["topic"] == f"run:{first}"

    watch(web, f"topic=run:{first}", scenario)


def test_a_reader_resumes_from_an_offset(web):
    before = web.app.state.runtime.services.runs.current_change()
    wanted = {web.run()["id"], web.run()["id"]}

    async def scenario(stream):
        found: set[str] = set()
        while not wanted <= found:
            message = await stream.next("run")
            assert message.data["offset"] > before
            found.add(message.data["id"])

    watch(web, f"topic=runs@{before}", scenario)


def test_an_offset_too_old_or_from_the_future_is_a_reset(web):
    web.run()

    async def scenario(stream):
        message = await stream.next()
        assert message.event == "reset"
        assert message.data["topic"] == "runs"
        newest = web.app.state.runtime.services.runs.current_change()
        assert message.data["offset"] <= newest

    watch(web, "topic=runs@999999999", scenario)


def test_a_deletion_tells_the_ids(web):
    run_id = web.run()["id"]

    async def scenario(stream):
        await in_thread(web.client.delete, f"/api/runs/{run_id}")
        message = await stream.next("deleted")
        assert message.data["ids"] == [run_id]
        assert message.data["offset"] > 0

    watch(web, "topic=runs", scenario)


def test_a_log_is_replayed_and_followed_to_its_end(web):
    run_id = web.start()

    async def scenario(stream):
        topic = f"log:{run_id}:stdout"
        message = await stream.next()
        assert message.event == "output"
        assert message.data == {
            "topic": topic,
            "stream": "stdout",
            "offset": 0,
            "next": 8,
            "text": "waiting\n",
        }
        await in_thread(web.client.post, f"/api/runs/{run_id}/kill")
        message = await stream.next()
        assert message.event == "end"
        assert message.data["topic"] == topic
        assert message.data["status"] == "cancelled"

    watch(web, f"topic=log:{run_id}:stdout", scenario)


def test_a_log_resumes_from_a_byte(web):
    run_id = web.run("print('0123456789')")["id"]

    async def scenario(stream):
        message = await stream.next("output")
        assert (message.data["offset"], message.data["text"]) == (4, "456789\n")

    watch(web, f"topic=log:{run_id}:stdout@4", scenario)


def test_a_log_goes_on_with_the_next_attempt(web):
    run_id = web.submit(
        "import os, time\nn = os.environ['SCRIPT_RUNNER_ATTEMPT']\n"
        "os.write(1, f'{n}\\n'.encode())\n"
        "while n == '1' and not os.path.exists('fail-now'): time.sleep(0.01)\n"
        "raise SystemExit(1)\n",
        retry_on_failure=True,
        retry_max_attempts=2,
        retry_initial_delay=0,
    )
    web.wait_until(run_id, lambda run: bool((run["live"] or {}).get("stdout_bytes")))

    async def scenario(stream):
        assert (await stream.next("output")).data["text"] == "1\n"
        (web.root / "fail-now").touch()
        message = await stream.next()
        assert (message.event, message.data["attempt"]) == ("attempt", 2)
        message = await stream.next("output")
        assert (message.data["offset"], message.data["text"]) == (0, "2\n")
        assert (await stream.next()).event == "end"

    watch(web, f"topic=log:{run_id}:stdout", scenario)
    (web.root / "fail-now").unlink()


def test_figures_come_at_once(web):
    async def scenario(stream):
        names = {(await stream.next()).event, (await stream.next()).event}
        assert names == {"queue", "system"}

    watch(web, "topic=queue&topic=system", scenario)


def test_the_queue_is_told_again_when_it_changed(web):
    async def scenario(stream):
        before = (await stream.next("queue")).data
        run_id = await in_thread(web.start)
        while (after := (await stream.next("queue")).data)["running"] <= before[
            "running"
        ]:
            pass
        assert after["slots"] == 4
        await in_thread(web.client.post, f"/api/runs/{run_id}/kill")

    watch(web, "topic=queue", scenario)


@pytest.mark.parametrize("kind", ["run:{}", "log:{}:stdout"])
def test_a_run_that_is_gone_is_said_to_be(web, kind):
    topic = kind.format(UNKNOWN_ID)

    async def scenario(stream):
        if topic.startswith("log"):
            message = await stream.next("deleted")
            assert message.data == {"topic": topic, "offset": 0, "ids": [UNKNOWN_ID]}

    watch(web, f"topic={topic}", scenario)


@pytest.mark.parametrize(
    "query",
    ["", "topic=", "topic=nonsense", "topic=runs@x", "topic=runs@-1", "topic=task",
     "topic=log:{0}", "topic=log:{0}:both", "topic=run:", "&".join(
         f"topic=run:5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8{n:03}" for n in range(101))],
)  # fmt: skip
def test_a_wrong_topic_is_422_or_names_no_run(web, query):
    path = f"/api/stream?{query.format(UNKNOWN_ID)}"
    answer = web.client.get(path)
    assert answer.status_code in (422, 404)
    assert answer.json()["code"] in ("invalid_request", "run_not_found")


def test_a_malformed_run_id_is_404(web):
    assert web.error("GET", "/api/stream?topic=run:x", 404)["code"] == "run_not_found"


def test_a_stream_ends_with_the_token_that_opened_it(web, monkeypatch):
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.01)
    made = web.client.post("/api/tokens", json={}).json()
    headers = {"authorization": f"Bearer {made['token']}"}

    async def scenario():
        async with open_stream(web.app, "/api/stream?topic=queue", **headers) as stream:
            await stream.next("queue")
            await in_thread(web.client.delete, f"/api/tokens/{made['id']}")
            async with asyncio.timeout(5):
                await stream.read_to_end()

    asyncio.run(scenario())
