"""Muting, on both databases: what is held back, what is recorded, who can end it."""

import threading
from datetime import timedelta

import pytest

from scriptrunner.alerts.errors import MuteNotFoundError
from scriptrunner.alerts.mutes import MuteDesk
from scriptrunner.alerts.outbox import Outbox
from scriptrunner.alerts.repository import triggered
from scriptrunner.runs.delivery_notes import DeliveryNotes
from scriptrunner.runs.folders import RunFolders
from tests.clocks import FakeClock
from tests.integration.test_outbox import FakeChannels
from tests.integration.test_run_alerts import (
    live,  # noqa: F401 - a fixture
    rule,
    start,
    write_samples,
)

HOUR = 3_600


@pytest.fixture
def desk(world):
    return MuteDesk(world.database, world.roots, clock=world.clock)


@pytest.fixture
def office(world):
    """The outbox of a world, with channels that keep what they sent."""
    return Office(world, FakeChannels())


class Office:
    def __init__(self, world, channels):
        self.world = world
        self.channels = channels
        self.outbox = Outbox(
            world.database,
            self.channels,
            DeliveryNotes(RunFolders(world.settings.runs_dir), clock=world.clock),
            announce=lambda: None,
            clock=world.clock,
        )

    def work(self):
        self.outbox.work(threading.Event())

    def deliveries(self):
        """Return the deliveries of all alerts, those of the newest first."""
        with self.world.database.read() as connection:
            items = triggered.list_page(connection, limit=50, offset=0).items
        return [delivery for alert in items for delivery in alert.deliveries]


def mute(desk, script="ok.py", **fields):
    return desk.mute(
        script, **{"duration_seconds": HOUR, "principal": "alice", **fields}
    )


def test_what_is_muted_is_recorded_and_never_sent(world, desk, office):
    mute(desk, note="moving house")
    run_id = world.run_to_end(alerts=[rule("true", "log", "stdout", name="slow")])
    office.work()
    (delivery,) = office.deliveries()
    assert (delivery.status, delivery.tries, delivery.next_try_at) == ("muted", 0, None)
    words = "Muted until 2026-11-23 11:00 UTC by alice: moving house"
    assert delivery.error == words
    assert office.channels.sent == []
    assert world.event_types(run_id)[-3:] == [
        "alert_triggered",
        "finished",
        "alert_delivery",
    ]
    told = world.events(run_id)[-1].data
    assert (told["status"], told["tries"], told["error"]) == ("muted", 0, words)
    entry = world.get(run_id).result["alerts"][0]
    assert entry["deliveries"][0]["status"] == "muted"

    world.clock.advance(HOUR)
    assert not office.outbox.is_due()
    world.run_to_end(alerts=[rule("true", "log")])
    office.work()
    assert [each.status for each in office.deliveries()] == ["sent", "muted"]


def test_what_is_met_while_a_script_runs_is_muted_too(world, desk, office, live):  # noqa: F811
    mute(desk, duration_seconds=None)
    _, launch = start(world, live, rule("memory_max_mb > 512", "log"))
    write_samples(launch, [0.2, 50.0, 600.5, 2])
    live.tick()
    office.work()
    (delivery,) = office.deliveries()
    assert delivery.error == "Muted until unmuted by alice"
    assert office.channels.sent == []


@pytest.mark.parametrize(
    ("fields", "muted"),
    [
        ({"rule": "slow"}, True),
        ({"rule": "other"}, False),
        ({"condition": "exit_code == 0"}, True),
        ({"condition": "exit_code==0"}, False),
        ({"rule": "slow", "condition": "exit_code == 0"}, True),
        ({"rule": "other", "condition": "exit_code == 0"}, False),
        ({"script": "{root}/ok.py"}, True),
        ({"script": "./ok.py"}, True),
        ({"script": "other.py"}, False),
        ({"script": "upload:ok.py"}, False),
    ],
)
def test_a_mute_is_for_a_script_and_what_is_named_of_its_rules(
    world, desk, office, fields, muted
):
    script = fields.get("script", "ok.py").format(root=world.scripts)
    mute(desk, script, **{name: fields[name] for name in fields if name != "script"})
    world.run_to_end(alerts=[rule("exit_code == 0", "log", name="slow")])
    office.work()
    (delivery,) = office.deliveries()
    assert delivery.status == ("muted" if muted else "sent")


def test_a_script_that_is_gone_or_was_uploaded_can_be_muted(world, desk):
    assert mute(desk, "gone.py").script_path == f"{world.scripts}/gone.py"
    assert mute(desk, "/elsewhere/x.py").script_path == "/elsewhere/x.py"
    assert mute(desk, "upload:x.py").script_path == "upload:x.py"


def test_tries_that_were_to_come_are_muted(world, desk, office):
    world.run_to_end(alerts=[rule("true", "log")])
    office.channels.failures = [OSError("down")]
    office.work()
    assert office.deliveries()[0].status == "pending"
    found = mute(desk)
    world.clock.advance(60)
    office.work()
    (delivery,) = office.deliveries()
    assert (delivery.status, delivery.tries) == ("muted", 1)
    desk.unmute(found.id)
    world.clock.advance(HOUR)
    assert not office.outbox.is_due()


def test_the_mute_that_lasts_longest_is_named(world, desk, office):
    mute(desk, rule="api_alert", principal="bob", duration_seconds=None)
    mute(desk)
    mute(desk, condition="true", duration_seconds=2 * HOUR)
    world.run_to_end(alerts=[rule("true", "log")])
    office.work()
    assert office.deliveries()[0].error == "Muted until unmuted by bob"


def test_muting_again_takes_the_place_of_the_first(world, desk):
    first = mute(desk, rule="slow", note="why")
    world.clock.advance(60)
    again = mute(desk, f"{world.scripts}/ok.py", rule="slow", principal="bob")
    assert again.id == first.id
    assert (again.muted_by, again.note) == ("bob", None)
    assert again.until == first.until + timedelta(minutes=1)
    page = desk.list_mutes()
    assert (page.items, page.total) == ([again], 1)


def test_mutes_are_listed_while_they_are_in_force(world, desk):
    last = mute(desk, duration_seconds=None)
    first = mute(desk, rule="a", duration_seconds=60)
    second = mute(desk, rule="b")
    assert desk.list_mutes().items == [first, second, last]
    page = desk.list_mutes(limit=1, offset=1)
    assert (page.items, page.total) == ([second], 3)
    world.clock.advance(60)
    assert desk.list_mutes().items == [second, last]
    other = MuteDesk(world.database, world.roots, clock=FakeClock())
    assert last in other.list_mutes().items


def test_a_mute_can_be_ended_once_and_only_while_it_lasts(world, desk):
    found, over = mute(desk), mute(desk, rule="a", duration_seconds=60)
    assert desk.unmute(found.id) == found
    world.clock.advance(60)
    for number in (found.id, over.id, 0, 2**63):
        with pytest.raises(MuteNotFoundError):
            desk.unmute(number)
