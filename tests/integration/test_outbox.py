"""The outbox of alerts, on both databases: tries, pauses, kills in the middle."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.models import (
    AlertFilter,
    DeliveryStatus,
    NewAlert,
    NewDelivery,
)
from scriptrunner.alerts.outbox import CUT_OFF, GONE, PAUSES_SECONDS, Outbox
from scriptrunner.alerts.repository import outbox, triggered
from scriptrunner.settings import PROJECT_FOLDER, Settings
from scriptrunner.storage.changes import get_current, reserve
from tests.clocks import FakeClock
from tests.receivers import http_receiver, mail_receiver

RUN_ID = "5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8a11"
NEVER = threading.Event()


def make_alert(clock, *deliveries, rule=0, run_id=RUN_ID):
    return NewAlert(
        run_id=run_id,
        rule=rule,
        name="slow",
        severity="ERROR",
        condition="true",
        measured={"cpu_max": 5},
        triggered_at=clock.utc_now(),
        is_early=False,
        script_path="jobs/Nightly.py",
        run={"id": run_id, "script_path": "jobs/Nightly.py", "exit_code": 1},
        metrics={"cpu_max": 5},
        deliveries=deliveries,
    )


def pending(channel="log", delivery_id="d-1", **changes):
    return NewDelivery(delivery_id, channel, DeliveryStatus.PENDING, **changes)


class Journal:
    """Keeps what a run's diary would."""

    def __init__(self):
        self.webhooks = {}
        self.notes = []

    def find_webhook(self, run_id):
        return self.webhooks.get(run_id)

    def note_delivery(self, connection, run_id, data):
        del connection
        self.notes.append((run_id, dict(data)))


class FakeChannels:
    """Fails as often as it is told, and keeps what it sent."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.sent = []
        self._lock = threading.Lock()

    def send(self, name, notice, *, slack_webhook):
        with self._lock:
            self.sent.append((name, notice.delivery_id, slack_webhook))
            if self.failures:
                failure = self.failures.pop(0)
                if failure is not None:
                    raise failure


class Office:
    """An outbox with all around it."""

    def __init__(self, database, channels):
        self.database = database
        self.clock = FakeClock()
        self.journal = Journal()
        self.channels = channels
        self.announced = 0
        self.outbox = self.make()

    def make(self, **changes):
        return Outbox(
            self.database,
            self.channels,
            self.journal,
            announce=self._announce,
            clock=self.clock,
            **changes,
        )

    def _announce(self):
        self.announced += 1

    def add(self, *alerts):
        with self.database.write() as connection:
            numbers = reserve(connection, len(alerts))
            return triggered.add(connection, alerts, numbers)

    def work(self):
        self.outbox.work(NEVER)

    def page(self, *, limit=50, offset=0, **wanted):
        with self.database.read() as connection:
            return triggered.list_page(
                connection, AlertFilter(**wanted), limit=limit, offset=offset
            )

    def delivery(self):
        (alert,) = self.page().items
        (found,) = alert.deliveries
        return found

    def statuses(self):
        return [data["status"] for _, data in self.journal.notes]


@pytest.fixture
def office(database):
    return Office(database, FakeChannels())


def test_nothing_is_due_at_first(office):
    assert not office.outbox.is_due()
    office.work()
    assert office.channels.sent == []


def test_what_is_pending_is_sent_once_and_told(office):
    (alert,) = office.add(make_alert(office.clock, pending()))
    assert office.outbox.is_due()
    office.work()
    assert office.channels.sent == [("log", "d-1", None)]
    found = office.delivery()
    assert (found.status, found.tries, found.error) == ("sent", 1, None)
    assert found.finished_at == office.clock.utc_now()
    assert office.journal.notes == [
        (
            RUN_ID,
            {
                "name": "slow",
                "channel": "log",
                "status": "sent",
                "tries": 1,
                "delivery_id": "d-1",
                "error": None,
            },
        )
    ]
    assert office.announced == 1
    assert not office.outbox.is_due()
    assert office.page().items[0].change > alert.change


def test_five_tries_with_growing_pauses(office):
    office.channels.failures = [DeliveryError("The receiver answered 500")] * 9
    office.add(make_alert(office.clock, pending()))
    for number, pause in enumerate(PAUSES_SECONDS, 1):
        office.work()
        found = office.delivery()
        assert (found.status, found.tries) == ("pending", number)
        assert found.next_try_at == office.clock.utc_now() + timedelta(seconds=pause)
        office.clock.advance(pause - 0.1)
        assert not office.outbox.is_due()
        office.clock.advance(0.1)
        assert office.outbox.is_due()
    office.work()
    found = office.delivery()
    assert (found.status, found.tries) == ("failed", 5)
    assert found.error == "The receiver answered 500"
    assert office.statuses() == ["retrying"] * 4 + ["failed"]
    assert list(PAUSES_SECONDS) == sorted(set(PAUSES_SECONDS))
    assert not office.outbox.is_due()


def test_real_receivers_get_it_however_they_began(database, tmp_path):
    """A webhook that answers 500, then a redirect, then takes it; and a mail server."""
    with http_receiver(500, 302, 200) as receiver, mail_receiver() as mailbox:
        receiver.headers["Location"] = f"http://{receiver.place}/elsewhere"
        settings = Settings(
            database_url="",
            data_dir=tmp_path,
            allowed_roots=(),
            slack_webhook=receiver.url,
            webhook_internal_hosts=(receiver.place,),
            smtp_host="127.0.0.1",
            smtp_port=mailbox.port,
            smtp_tls="none",
            alert_email_to=("ops@example.com",),
        )
        office = Office(database, Channels(settings))
        office.add(make_alert(office.clock, pending("slack"), pending("email", "d-2")))
        for _ in range(3):
            office.work()
            office.clock.advance(60)
        assert [request.path for request in receiver.requests] == [
            "/services/T0/B0/hidden-part"
        ] * 3
        (mail,) = mailbox.mails
    assert mail["Message-ID"] == "<d-2@scriptrunner>"
    slack, email = office.page().items[0].deliveries
    assert (slack.status, slack.tries) == ("sent", 3)
    assert (email.status, email.tries) == ("sent", 1)
    errors = [data["error"] for _, data in office.journal.notes if data["error"]]
    assert errors == [
        "The receiver answered 500",
        "The receiver answered 302: no redirects here",
    ]


def test_a_longer_pause_is_granted_to_who_asks_for_it(office):
    office.channels.failures = [DeliveryError("429", retry_after_seconds=30.0)]
    office.add(make_alert(office.clock, pending()))
    office.work()
    assert office.delivery().next_try_at == office.clock.utc_now() + timedelta(
        seconds=30
    )


def test_a_refusal_for_good_is_not_tried_again(office):
    office.channels.failures = [DeliveryError("not allowed", is_final=True)]
    office.add(make_alert(office.clock, pending()))
    office.work()
    assert (office.delivery().status, office.delivery().tries) == ("failed", 1)
    assert office.statuses() == ["failed"]


def test_a_defect_of_a_channel_is_a_failed_try_and_holds_up_no_other(office):
    office.channels.failures = [RuntimeError("secret"), None]
    office.add(
        make_alert(office.clock, pending(), pending("ops", "d-2")),
    )
    office.work()
    states = {each.channel: each for each in office.page().items[0].deliveries}
    assert sorted(each.status for each in states.values()) == ["pending", "sent"]
    assert {each.error for each in states.values()} == {
        None,
        "Internal error (RuntimeError)",
    }


def test_the_address_of_a_run_is_used_as_long_as_the_run_is_there(office):
    office.journal.webhooks[RUN_ID] = "https://hooks.slack.com/own"
    own = pending("slack", to_run_webhook=True)
    office.add(make_alert(office.clock, own))
    office.work()
    assert office.channels.sent == [("slack", "d-1", "https://hooks.slack.com/own")]
    gone = pending("slack", "d-2", to_run_webhook=True)
    office.add(make_alert(office.clock, gone, run_id=RUN_ID.replace("5", "6")))
    office.work()
    assert len(office.channels.sent) == 1
    assert office.page().items[0].deliveries[0].error == GONE


def test_a_rule_that_was_met_before_changes_nothing(office):
    assert len(office.add(make_alert(office.clock, pending()))) == 1
    assert office.add(make_alert(office.clock, pending(delivery_id="d-2"))) == []
    assert office.page().total == 1
    office.work()
    assert [each[1] for each in office.channels.sent] == ["d-1"]


def test_skipped_deliveries_are_never_sent(office):
    skipped = NewDelivery("d-1", "email", DeliveryStatus.SKIPPED, "not set up")
    office.add(make_alert(office.clock, skipped))
    assert not office.outbox.is_due()
    office.work()
    assert office.channels.sent == []
    assert office.delivery().error == "not set up"


def test_many_alerts_are_all_sent(office):
    office.add(
        *(
            make_alert(office.clock, pending(delivery_id=f"d-{rule}"), rule=rule)
            for rule in range(150)
        )
    )
    office.work()
    assert len({each[1] for each in office.channels.sent}) == 150
    assert not office.outbox.is_due()


def test_a_stop_is_heeded_between_tries(office):
    stop = threading.Event()
    stop.set()
    office.add(make_alert(office.clock, pending()))
    office.outbox.work(stop)
    assert office.channels.sent == []
    assert office.delivery().tries == 0


def test_a_last_try_that_nobody_lived_to_tell_of_is_given_up(office):
    office.add(make_alert(office.clock, pending()))
    for _ in range(5):
        with office.database.write() as connection:
            due = outbox.list_due(
                connection, now=office.clock.utc_now() + timedelta(days=1), limit=1
            )
            next_try_at = office.clock.utc_now()
            outbox.begin_try(connection, due[0], next_try_at=next_try_at)
    office.work()
    assert office.channels.sent == []
    found = office.delivery()
    assert (found.status, found.tries, found.error) == ("failed", 5, CUT_OFF)


def test_two_outboxes_do_not_send_the_same_try(office):
    office.add(make_alert(office.clock, pending()))
    with office.database.read() as connection:
        due = outbox.list_due(connection, now=office.clock.utc_now(), limit=9)
    office.work()
    office.outbox._try(due[0], NEVER)
    assert len(office.channels.sent) == 1


def test_lists_are_newest_first_with_filters(office):
    for number in range(3):
        office.clock.advance(60)
        run_id = RUN_ID.replace("5", str(number))
        office.add(make_alert(office.clock, run_id=run_id))
    page = office.page(limit=2)
    assert (page.total, [each.id for each in page.items]) == (3, [3, 2])
    assert [each.id for each in office.page(offset=2).items] == [1]
    assert office.page(since=office.clock.utc_now()).total == 1
    assert office.page(script="nightly").total == 3
    assert office.page(script="%").total == 0


def test_lists_tell_what_did_not_arrive_and_what_nobody_has_seen(office):
    office.channels.failures = [DeliveryError("no", is_final=True)]
    office.add(make_alert(office.clock, pending(), run_id=RUN_ID))
    office.work()
    skipped = NewDelivery("d-3", "email", DeliveryStatus.SKIPPED)
    sent = pending(delivery_id="d-2")
    office.add(make_alert(office.clock, sent, skipped, run_id=f"{RUN_ID[:-1]}2"))
    office.work()
    with office.database.write() as connection:
        now = office.clock.utc_now()
        triggered.acknowledge(connection, 1, principal="alice", now=now)

    def ids(**wanted):
        return [each.id for each in office.page(**wanted).items]

    assert ids(is_seen=True) == [1]
    assert ids(is_seen=False) == [2]
    assert ids(delivery=DeliveryStatus.FAILED) == [1]
    assert ids(delivery=DeliveryStatus.SKIPPED) == [2]
    assert ids(channel="log") == [2, 1]
    assert ids(channel="email") == [2]
    assert ids(channel="log", delivery=DeliveryStatus.SKIPPED) == []


def test_changes_are_told_in_order(office):
    with office.database.read() as connection:
        before = get_current(connection)
    first, second = office.add(
        make_alert(office.clock, pending()), make_alert(office.clock, rule=1)
    )
    office.work()
    with office.database.read() as connection:
        now = get_current(connection)
        changed = triggered.list_changed(connection, after=before, up_to=now, limit=9)
    assert [each.id for each in changed] == [second.id, first.id]
    assert changed[1].deliveries[0].status == "sent"


KILLED = """
import json, sys, threading
from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.outbox import Outbox
from scriptrunner.runs.delivery_notes import DeliveryNotes
from scriptrunner.runs.folders import RunFolders
from scriptrunner.settings import Settings
from scriptrunner.storage.database import Database

settings = Settings.from_json(sys.stdin.readline())
outbox = Outbox(
    Database(settings.database_url),
    Channels(settings),
    DeliveryNotes(RunFolders(settings.runs_dir)),
    announce=lambda: None,
)
outbox.work(threading.Event())
"""


@pytest.mark.parametrize(("commit", "sent"), [(1, 0), (2, 1)])
def test_a_kill_at_any_moment_loses_nothing(database, tmp_path, commit, sent):
    """The first commit counts the try, the second one marks it as sent."""
    faults = tmp_path / "faults"
    faults.mkdir()
    with http_receiver() as receiver:
        settings = Settings(
            database_url=database.url.render_as_string(hide_password=False),
            data_dir=tmp_path,
            allowed_roots=(),
            alert_webhook=receiver.url,
            webhook_internal_hosts=(receiver.place,),
        )
        office = Office(database, Channels(settings))
        office.clock.advance(-86_400)  # due by the clock of the process
        office.add(make_alert(office.clock, pending("webhook")))
        process = subprocess.run(
            [sys.executable, "-c", KILLED],
            input=settings.to_json(),
            text=True,
            cwd=PROJECT_FOLDER,
            env={
                **os.environ,
                "WEBAPI_FAULT": f"database.commit:{commit}:kill",
                "WEBAPI_FAULT_DIR": str(faults),
            },
        )
        assert process.returncode == -signal.SIGKILL
        assert len(receiver.requests) == sent
        found = office.delivery()
        assert (found.status, found.tries) == ("pending", commit - 1)
        if commit == 2:
            assert found.next_try_at is not None
            seconds = (found.next_try_at - office.clock.utc_now()).total_seconds()
            office.clock.advance(seconds)
        office.work()
        ids = [request.body["delivery_id"] for request in receiver.requests]
        assert ids == ["d-1"] * (sent + 1)
        assert json.dumps(receiver.requests[-1].body)
    assert (office.delivery().status, office.delivery().tries) == ("sent", commit)
