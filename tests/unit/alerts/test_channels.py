"""The channels: which there are, what each sends, and what is never told."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scriptrunner.alerts import messages, named
from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.errors import ChannelNotFoundError, DeliveryError
from scriptrunner.alerts.models import DeliveryStatus, Notice
from scriptrunner.settings import Settings
from tests.receivers import http_receiver, mail_receiver

#: The notification library imports a module that newer Pythons do not have.
NOT_OURS = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
RUN = {
    "id": "5d2b2a5e-6f0c-4d43-9c39-0b5f0f7f8a11",
    "script_path": "jobs/nightly.py",
    "status": "failed",
    "run_status": "failed",
    "exit_code": 3,
    "finished_at": "2026-11-23T10:00:12.400000Z",
    "correlation_id": "c0ffee",
}
METRICS = {
    "execution_time_seconds": 12.4,
    "cpu_max": 91.5,
    "memory_max_mb": 100.0,
    "exit_code": 3,
    "platform": "Linux",
}


def make_notice(**changes):
    values = {
        "delivery_id": "d-1",
        "name": "slow",
        "severity": "CRITICAL",
        "condition": "execution_time_seconds > 10",
        "values": {"execution_time_seconds": 12.4},
        "triggered_at": datetime(2026, 11, 23, 10, 0, 12, tzinfo=UTC),
        "run": RUN,
        "metrics": METRICS,
    }
    return Notice(**{**values, **changes})


def make_settings(tmp_path=Path("/nowhere"), **changes):
    return Settings(
        database_url="sqlite:///x", data_dir=tmp_path, allowed_roots=(), **changes
    )


def make_channels(**changes):
    return Channels(make_settings(**changes))


def rule(*channels):
    return {"name": "r", "condition": "true", "severity": "INFO", "channels": channels}


# What is sent


def test_slack_gets_one_attachment_with_the_facts():
    with http_receiver() as receiver:
        channels = make_channels(
            slack_webhook=receiver.url, webhook_internal_hosts=(receiver.place,)
        )
        channels.send("slack", make_notice(), slack_webhook=None)
    (request,) = receiver.requests
    (attachment,) = request.body["attachments"]
    assert attachment["color"] == "#ff0000"
    assert attachment["title"] == "Alert: slow"
    assert "slow" in attachment["fallback"]
    assert attachment["ts"] == 1795428012
    assert {each["title"]: each["value"] for each in attachment["fields"]} == {
        "Severity": "CRITICAL",
        "Condition": "execution_time_seconds > 10",
        "Script": "jobs/nightly.py",
        "Exit Code": "3",
        "Duration": "12.4 s",
        "CPU Max": "91.5 %",
        "Memory Max": "100.0 MiB",
    }
    assert "d-1" in attachment["footer"]
    assert request.headers["X-Delivery-ID"] == "d-1"


@pytest.mark.parametrize(
    ("severity", "color"),
    [
        ("INFO", "#36a64f"),
        ("WARNING", "#ff9900"),
        ("ERROR", "#ff4d00"),
        ("CRITICAL", "#ff0000"),
    ],
)
def test_severities_have_their_color(severity, color):
    body = messages.to_slack(make_notice(severity=severity))
    assert body["attachments"][0]["color"] == color


def test_slack_finds_no_mention_in_a_name():
    body = messages.to_slack(make_notice(name="<!channel> & <https://evil|x>"))
    assert "<" not in json.dumps(body)
    assert body["attachments"][0]["title"] == (
        "Alert: &lt;!channel> &amp; &lt;https://evil|x>"
    )


def test_unknown_figures_are_said_to_be_unknown():
    body = messages.to_slack(make_notice(metrics={}, run={**RUN, "exit_code": None}))
    values = {each["title"]: each["value"] for each in body["attachments"][0]["fields"]}
    assert values["Exit Code"] == values["Duration"] == values["CPU Max"] == "unknown"


def test_a_run_may_bring_an_address_of_its_own_for_slack():
    with http_receiver() as receiver, http_receiver() as general:
        channels = make_channels(
            slack_webhook=general.url,
            webhook_internal_hosts=(receiver.place, general.place),
        )
        channels.send("slack", make_notice(), slack_webhook=receiver.url)
    assert (len(receiver.requests), len(general.requests)) == (1, 0)


def test_an_address_of_a_run_is_judged_again_when_it_is_used():
    with http_receiver() as receiver:
        with pytest.raises(DeliveryError) as caught:
            make_channels().send("slack", make_notice(), slack_webhook=receiver.url)
        assert caught.value.is_final
        assert receiver.url not in caught.value.message
    assert receiver.connections == 0


def test_any_webhook_gets_everything():
    with http_receiver() as receiver:
        channels = make_channels(
            alert_webhook=receiver.url, webhook_internal_hosts=(receiver.place,)
        )
        channels.send("webhook", make_notice(), slack_webhook=None)
    assert receiver.requests[0].body == {
        "event": "alert",
        "delivery_id": "d-1",
        "alert": {
            "name": "slow",
            "severity": "CRITICAL",
            "condition": "execution_time_seconds > 10",
            "values": {"execution_time_seconds": 12.4},
            "triggered_at": "2026-11-23T10:00:12.000000Z",
        },
        "run": RUN,
        "metrics": METRICS,
    }


def mail_settings(mailbox, **changes):
    return {
        "smtp_host": "127.0.0.1",
        "smtp_port": mailbox.port,
        "smtp_tls": "none",
        "alert_email_to": ("ops@example.com", "boss@example.com"),
        **changes,
    }


def test_mail_goes_to_every_recipient_with_the_same_facts():
    with mail_receiver() as mailbox:
        channels = make_channels(**mail_settings(mailbox))
        channels.send("email", make_notice(), slack_webhook=None)
    (mail,) = mailbox.mails
    assert mailbox.recipients == ["ops@example.com", "boss@example.com"]
    assert mail["Subject"] == "[CRITICAL] slow: jobs/nightly.py"
    assert mail["From"] == "ops@example.com"
    assert mail["Message-ID"] == "<d-1@scriptrunner>"
    text = mail.get_payload()
    for fact in ("execution_time_seconds > 10", "failed", RUN["id"], "91.5", "d-1"):
        assert fact in text


def test_a_name_cannot_add_headers_to_a_mail():
    with mail_receiver() as mailbox:
        channels = make_channels(**mail_settings(mailbox))
        notice = make_notice(name="x\r\nBcc: thief@example.com")
        channels.send("email", notice, slack_webhook=None)
    assert mailbox.mails[0]["Bcc"] is None
    assert mailbox.recipients == ["ops@example.com", "boss@example.com"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "is_right"), [("right", True), ("wrong", False)])
def test_mail_logs_in_with_the_password_of_a_file(tmp_path, password, is_right):
    file = tmp_path / "password"
    file.write_text(f"{password}\n")
    login = {"smtp_user": "alerts", "smtp_password_file": file}
    with mail_receiver(login=True) as mailbox:
        channels = make_channels(**mail_settings(mailbox, **login))
        if is_right:
            channels.send("email", make_notice(), slack_webhook=None)
        else:
            with pytest.raises(DeliveryError, match="refused the login"):
                channels.send("email", make_notice(), slack_webhook=None)
    assert mailbox.logins[0] == ("alerts", password)
    assert len(mailbox.mails) == is_right


def test_a_mail_server_that_refuses_is_tried_again():
    with mail_receiver() as mailbox:
        mailbox.refusal = "451 come back later"
        channels = make_channels(**mail_settings(mailbox))
        with pytest.raises(DeliveryError, match="answered 451") as caught:
            channels.send("email", make_notice(), slack_webhook=None)
        assert not caught.value.is_final


def test_a_mail_server_without_encryption_gets_no_mail_that_wants_it():
    with mail_receiver() as mailbox:
        settings = mail_settings(mailbox, smtp_tls="starttls")
        with pytest.raises(DeliveryError, match="cannot be used"):
            make_channels(**settings).send("email", make_notice(), slack_webhook=None)
    assert mailbox.mails == []


def test_the_log_gets_one_line_at_the_level_of_the_severity(caplog):
    caplog.set_level(logging.INFO)
    notice = make_notice(name="line\nbreak")
    make_channels().send("log", notice, slack_webhook=None)
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("CRITICAL", "scriptrunner.alerts.log")
    assert "\n" not in record.getMessage()
    assert "d-1" in record.getMessage()


@pytest.fixture
def named_channels(tmp_path):
    """Write the file of named channels and return the settings that name it."""

    def write(**channels):
        lines = [f'"{name}" = {json.dumps(urls)}' for name, urls in channels.items()]
        file = tmp_path / "channels.toml"
        file.write_text("[channels]\n" + "\n".join(lines) + "\n")
        return {"alert_channels": file}

    return write


@NOT_OURS
def test_named_channels_go_through_the_notification_library(named_channels, caplog):
    with http_receiver() as receiver:
        settings = named_channels(ops=f"json://{receiver.place}/hidden-part")
        channels = make_channels(**settings)
        channels.send("ops", make_notice(), slack_webhook=None)
    (request,) = receiver.requests
    assert request.body["title"] == "[CRITICAL] slow: jobs/nightly.py"
    assert "execution_time_seconds > 10" in request.body["message"]
    assert "hidden-part" not in caplog.text


@NOT_OURS
def test_a_named_channel_that_does_not_take_it_is_tried_again(named_channels):
    with http_receiver(500) as receiver:
        channels = make_channels(**named_channels(ops=f"json://{receiver.place}/"))
        with pytest.raises(DeliveryError, match="did not take it") as caught:
            channels.send("ops", make_notice(), slack_webhook=None)
    assert not caught.value.is_final


@NOT_OURS
def test_a_named_channel_of_no_known_kind_is_given_up(named_channels):
    channels = make_channels(**named_channels(ops="nosuchkind://hidden-part"))
    with pytest.raises(DeliveryError) as caught:
        channels.send("ops", make_notice(), slack_webhook=None)
    assert caught.value.is_final
    assert "hidden-part" not in caught.value.message


def test_a_missing_library_is_said_in_one_sentence(named_channels, monkeypatch):
    monkeypatch.setattr(named, "is_available", lambda: False)
    channels = make_channels(**named_channels(ops="json://x/"))
    assert channels.describe("ops").problem == named.MISSING
    assert channels.find_warnings([rule("ops")], has_webhook=False) == [
        f"alerts: {named.MISSING}"
    ]
    with pytest.raises(DeliveryError, match=r"scriptrunner\[notify\]"):
        channels.send("ops", make_notice(), slack_webhook=None)


# Which there are


def test_names_are_the_built_in_ones_and_those_of_the_file(named_channels):
    channels = make_channels(
        **named_channels(ops="json://x/", **{"a.b": ["json://y/"]})
    )
    assert channels.names == ("slack", "webhook", "email", "log", "ops", "a.b")


def test_unknown_names_are_found_with_the_closest_one():
    rules = [rule("log", "console", "stdout"), rule("slack", "slakc", "zzz")]
    found = make_channels().find_unknown(rules)
    assert [each[:2] for each in found] == [(1, 1), (1, 2)]
    assert "did you mean slack?" in found[0][2]
    assert "there is slack, webhook" in found[1][2]


def test_channels_without_an_address_are_skipped_and_warned_of():
    channels = make_channels()
    rules = [rule("slack", "webhook", "email", "log"), rule("email")]
    planned = channels.plan(rules[0], has_webhook=False)
    assert [each.status for each in planned] == [
        DeliveryStatus.SKIPPED,
        DeliveryStatus.SKIPPED,
        DeliveryStatus.SKIPPED,
        DeliveryStatus.PENDING,
    ]
    warnings = channels.find_warnings(rules, has_webhook=False)
    assert len(warnings) == 3
    assert "WEBAPI_ALERT_WEBHOOK" in warnings[1]


def test_slack_is_configured_by_the_address_of_the_run():
    (planned,) = make_channels().plan(rule("slack"), has_webhook=True)
    assert (planned.status, planned.to_run_webhook) == (DeliveryStatus.PENDING, True)


def test_a_channel_by_several_names_is_told_once():
    planned = make_channels().plan(rule("log", "stdout", "console"), has_webhook=False)
    assert [each.channel for each in planned] == ["log"]


def test_an_address_that_nobody_could_use_is_a_problem_of_the_channel():
    channel = make_channels(alert_webhook="http://inside.lan/x").describe("webhook")
    assert channel.problem == "The webhook is no https address"


def test_a_channel_that_is_gone_since_is_skipped():
    (planned,) = make_channels().plan(rule("gone"), has_webhook=False)
    assert planned.status == DeliveryStatus.SKIPPED
    assert planned.error == "no channel is called gone any more"


def test_unknown_channels_cannot_be_described():
    with pytest.raises(ChannelNotFoundError):
        make_channels().describe("nobody")
    assert make_channels().describe("console").name == "log"
