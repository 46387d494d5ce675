"""Event streams: heartbeats, and readers that are gone, slow, or in the way of the end."""

import asyncio
from contextlib import contextmanager

import pytest

from scriptrunner.storage.database import DatabaseBusyError
from scriptrunner.web import sse
from scriptrunner.web.ending import Ending
from scriptrunner.web.sse import EventStream


class Connection:
    """One reader, as an ASGI server shows it."""

    def __init__(self):
        self.messages = []
        self.has_left = asyncio.Event()
        self.may_take = asyncio.Event()
        self.may_take.set()
        self.is_aborted = False
        self.open_slots = 0

    def abort(self):
        self.is_aborted = True
        self.has_left.set()

    @property
    def text(self):
        return b"".join(each.get("body", b"") for each in self.messages).decode()

    @property
    def is_complete(self):
        return self.messages[-1].get("more_body") is False

    @contextmanager
    def slot(self):
        self.open_slots += 1
        try:
            yield
        finally:
            self.open_slots -= 1

    async def receive(self):
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await self.may_take.wait()
        self.messages.append(message)

    async def take(self, produce, ending=None, may_stay=None):
        answer = EventStream(
            produce, slot=self.slot(), ending=ending or Ending(), may_stay=may_stay
        )
        scope = {"type": "http", "state": {"transport": self}}
        await answer(scope, self.receive, self.send)


def run(scenario):
    async def bounded():
        async with asyncio.timeout(10):
            await scenario(Connection())

    asyncio.run(bounded())


async def for_ever(writer):
    while True:
        await asyncio.sleep(0.001)
        await writer.beat()


def test_messages_have_name_id_and_one_line_of_json():
    async def produce(writer):
        await writer.event("output", {"text": "a\nb", "n": 1}, event_id="1:o2:e0")

    async def scenario(connection):
        await connection.take(produce)
        assert connection.messages[0]["status"] == 200
        assert connection.text == (
            "retry: 2000\n\n"
            'event: output\nid: 1:o2:e0\ndata: {"text":"a\\nb","n":1}\n\n'
        )
        assert connection.is_complete
        assert connection.open_slots == 0

    run(scenario)


def test_a_quiet_stream_has_heartbeats(monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.01)

    async def scenario(connection):
        task = asyncio.ensure_future(connection.take(for_ever))
        while connection.text.count(":\n\n") < 2:
            await asyncio.sleep(0.001)
        connection.has_left.set()
        await task

    run(scenario)


def test_a_reader_who_is_welcome_no_more_is_sent_away(monkeypatch):
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.001)
    said = iter([True, True, False])

    async def scenario(connection):
        await connection.take(for_ever, may_stay=lambda: next(said))
        assert connection.is_complete
        assert connection.open_slots == 0
        assert list(said) == []

    run(scenario)


def test_a_database_out_of_reach_sends_no_reader_away(monkeypatch):
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.001)
    asked: list[None] = []

    def may_stay():
        asked.append(None)
        if len(asked) < 3:
            raise DatabaseBusyError
        return False

    async def scenario(connection):
        await connection.take(for_ever, may_stay=may_stay)
        assert connection.is_complete
        assert len(asked) == 3

    run(scenario)


def test_a_reader_that_leaves_frees_its_place():
    async def scenario(connection):
        task = asyncio.ensure_future(connection.take(for_ever))
        while not connection.open_slots:
            await asyncio.sleep(0)
        connection.has_left.set()
        await task
        assert connection.open_slots == 0
        assert not connection.is_aborted

    run(scenario)


def test_a_reader_that_takes_nothing_is_dropped(monkeypatch):
    monkeypatch.setattr(sse, "SLOW_READER_SECONDS", 0.05)

    async def produce(writer):
        while True:
            await writer.event("output", {})

    async def scenario(connection):
        task = asyncio.ensure_future(connection.take(produce))
        while len(connection.messages) < 3:
            await asyncio.sleep(0)
        connection.may_take.clear()
        await task
        assert connection.is_aborted
        assert not connection.is_complete
        assert connection.open_slots == 0

    run(scenario)


def test_a_stream_ends_in_good_form_with_the_service():
    ending = Ending()

    async def scenario(connection):
        task = asyncio.ensure_future(connection.take(for_ever, ending))
        while not connection.messages:
            await asyncio.sleep(0)
        ending.begin()
        await task
        assert connection.is_complete

    run(scenario)


def test_a_defect_of_the_producer_is_raised_and_frees_the_place():
    async def produce(_writer):
        raise RuntimeError("broken")

    async def scenario(connection):
        with pytest.raises(RuntimeError, match="broken"):
            await connection.take(produce)
        assert connection.open_slots == 0

    run(scenario)
