"""Alert rules at the end of runs and while they run, on both databases."""

import json
from pathlib import Path

import pytest

from scriptrunner.alerts.channels import Channels
from scriptrunner.alerts.desk import AlertDesk
from scriptrunner.alerts.repository import triggered
from scriptrunner.runs.alerting import RunAlerts
from scriptrunner.runs.folders import RunFolders
from scriptrunner.runs.live_alerts import LiveAlerts
from scriptrunner.supervisor.ports import End


def rule(condition, *channels, **changes):
    return {"condition": condition, "channels": list(channels), **changes}


def alerts_of(world):
    with world.database.read() as connection:
        return triggered.list_page(connection, limit=200, offset=0).items


def entries_of(world, run_id):
    return world.get(run_id).result["alerts"]


@pytest.fixture
def live(world):
    """What looks at running scripts, told of launches by the ledger."""
    found = make_live(world)
    world.ledger = world.make_ledger(on_launch=found.expect)
    return found


def make_live(world):
    return LiveAlerts(
        world.database,
        RunFolders(world.settings.runs_dir),
        RunAlerts(AlertDesk(Channels(world.settings))),
        announce=lambda: world.calls.append("announce"),
        clock=world.clock,
    )


def write_samples(launch, *points):
    text = "".join(json.dumps(each) + "\n" for each in points)
    Path(f"{launch.run_dir}/a{launch.attempt}.samples").write_text(text)


# At the end


def test_alerts_are_stored_with_the_end_of_the_run(world):
    run_id = world.run_to_end(
        exit_code=2,
        alerts=[
            rule("exit_code > 1", "log", name="bad"),
            rule("exit_code == 0", "log"),
        ],
    )
    (alert,) = alerts_of(world)
    assert (alert.run_id, alert.rule, alert.name) == (run_id, 0, "bad")
    assert alert.measured == {"exit_code": 2}
    assert alert.run["status"] == "failed"
    assert alert.run["exit_code"] == 2
    assert alert.metrics["max_memory_kb"] == 20_480
    assert alert.triggered_at == world.get(run_id).item.finished_at
    (delivery,) = alert.deliveries
    assert (delivery.channel, delivery.status) == ("log", "pending")
    met, other = entries_of(world, run_id)
    assert met["deliveries"][0]["delivery_id"] == delivery.id
    assert (other["triggered"], other["deliveries"]) == (False, [])
    assert world.event_types(run_id)[-2:] == ["alert_triggered", "finished"]


def test_a_run_without_rules_has_no_entries(world):
    run_id = world.run_to_end()
    assert world.get(run_id).result["alerts"] is None
    assert alerts_of(world) == []


def test_lost_runs_are_judged_by_what_is_known(world):
    rules = [
        rule("not success"),
        rule("cpu_max > 5"),
        rule("cpu_max > 5 or not success"),
    ]
    run_id = world.submit(alerts=rules)
    launch = world.claim_one()
    world.start(launch)
    end = End(
        run_id=run_id,
        attempt=1,
        spawn=world.spawn(),
        end=None,
        lost_reason="lost",
    )
    world.ledger.record_ends([end])
    assert [each["triggered"] for each in entries_of(world, run_id)] == [
        True,
        False,
        True,
    ]
    assert world.event_types(run_id).count("alert_skipped") == 1


@pytest.mark.parametrize("reason", ["spawn_error", "script_changed", "scan_blocked"])
def test_runs_that_never_started_meet_no_rule(world, reason):
    run_id = world.submit(alerts=[rule("true", "log"), rule("not success", "log")])
    launch = world.claim_one()
    record = {"reason": reason, "exit_code": None, "error": "no", "error_type": "X"}
    world.ledger.record_ends([End(run_id=run_id, attempt=1, spawn=None, end=record)])
    assert launch.run_id == run_id
    assert world.get(run_id).item.reason == reason
    assert alerts_of(world) == []


def test_runs_that_nobody_let_start_meet_no_rule(world):
    run_id = world.submit(alerts=[rule("true")])
    world.service.stop(run_id, principal="alice")
    assert alerts_of(world) == []
    assert world.get(run_id).result["alerts"] is None


def test_a_rule_is_judged_once_after_the_last_retry(world):
    run_id = world.submit(
        alerts=[rule("attempts >= 1", "log")],
        retry_on_failure=True,
        retry_max_attempts=2,
        retry_initial_delay=0.0,
    )
    world.end(world.claim_one(), 1)
    assert alerts_of(world) == []
    world.clock.advance(1)
    world.end(world.claim_one(), 1)
    (alert,) = alerts_of(world)
    assert (alert.run_id, alert.measured) == (run_id, {"attempts": 2})


def test_many_channels_of_which_some_are_not_configured(world):
    run_id = world.run_to_end(alerts=[rule("true", "log", "email", "console")])
    (entry,) = entries_of(world, run_id)
    assert [(each["channel"], each["status"]) for each in entry["deliveries"]] == [
        ("log", "pending"),
        ("email", "skipped"),
    ]
    assert world.event_types(run_id)[-3:] == [
        "alert_triggered",
        "alert_delivery",
        "finished",
    ]
    assert any("WEBAPI_SMTP_HOST" in each for each in world.get(run_id).warnings)


def test_an_alert_survives_its_run(world):
    run_id = world.run_to_end(alerts=[rule("true")])
    world.service.delete(run_id)
    assert [each.run_id for each in alerts_of(world)] == [run_id]


# While the script runs


def start(world, live, *rules, **options):
    run_id = world.submit(alerts=list(rules), **options)
    launch = world.claim_one()
    world.clock.advance(0.5)
    world.start(launch)
    live.tick()
    return run_id, launch


def test_nothing_is_asked_of_the_database_when_no_run_has_such_rules(world, live):
    live.tick()
    world.submit(alerts=[rule("exit_code != 0"), rule("cpu_avg > 5")])
    world.start(world.claim_one())
    live._database = None  # whoever asked it would fail
    live.tick()


def test_a_rule_is_met_as_soon_as_nothing_can_change_it(world, live):
    run_id, launch = start(
        world, live, rule("memory_max_mb > 512", "log", name="fat"), rule("memory < 5")
    )
    write_samples(launch, [0.1, 50.0, 100.0, 1])
    live.tick()
    assert alerts_of(world) == []
    write_samples(launch, [0.1, 50.0, 100.0, 1], [0.2, 50.0, 600.5, 2], [0.3, 1, 9, 1])
    live.tick()
    (alert,) = alerts_of(world)
    assert (alert.name, alert.is_early) == ("fat", True)
    assert alert.measured == {"memory_max_mb": 600.5}
    assert alert.run["status"] == "running"
    assert alert.metrics["execution_time_seconds"] == 0.3
    assert alert.deliveries[0].status == "pending"
    assert world.event_types(run_id)[-1] == "alert_triggered"
    assert world.events(run_id)[-1].data["early"]
    assert world.calls[-1] == "announce"

    live.tick()
    world.end(launch, 0, mem_max_mb=600.5)
    assert len(alerts_of(world)) == 1
    met, other = entries_of(world, run_id)
    assert (met["triggered"], met["values"]) == (True, {"memory_max_mb": 600.5})
    assert met["deliveries"][0]["delivery_id"] == alert.deliveries[0].id
    assert not other["triggered"]
    assert world.event_types(run_id).count("alert_triggered") == 1


def test_what_was_met_stays_met_although_the_run_is_lost(world, live):
    run_id, launch = start(world, live, rule("execution_time > 10"))
    write_samples(launch, [11.5, 0.0, 9.0, 1])
    live.tick()
    end = End(
        run_id=run_id, attempt=1, spawn=world.spawn(), end=None, lost_reason="lost"
    )
    world.ledger.record_ends([end])
    (entry,) = entries_of(world, run_id)
    assert (entry["triggered"], entry["values"]) == (
        True,
        {"execution_time_seconds": 11.5},
    )
    assert entry["missing"] == []


def test_output_counts_by_the_size_of_its_file(world, live):
    _, launch = start(world, live, rule("stdout_bytes > 4"), rule("stderr_length >= 5"))
    world.write_output(launch, b"", b"12345")
    live.tick()
    assert [each.rule for each in alerts_of(world)] == [1]


def test_with_retries_ahead_only_metrics_of_the_whole_run_count(world, live):
    run_id, launch = start(
        world,
        live,
        rule("memory_max_mb > 5"),
        rule("total_time_seconds > 10"),
        rule("queue_time_seconds > 0.4 and attempts >= 1"),
        retry_on_failure=True,
        retry_max_attempts=2,
        retry_initial_delay=0.0,
    )
    write_samples(launch, [11.0, 5.0, 100.0, 1])
    live.tick()
    assert sorted(each.rule for each in alerts_of(world)) == [1, 2]
    world.end(launch, 1)
    world.clock.advance(1)
    last = world.claim_one()
    world.start(last)
    live.tick()
    assert len(alerts_of(world)) == 2, "the samples of the first attempt count no more"
    write_samples(last, [0.1, 5.0, 100.0, 1])
    live.tick()
    assert len(alerts_of(world)) == 3
    world.end(last, 0)
    assert all(each["triggered"] for each in entries_of(world, run_id))


def test_another_supervisor_goes_on_and_tells_nothing_twice(world, live):
    _, launch = start(
        world, live, rule("process_count > 1"), rule("cpu_max > 80", "log")
    )
    write_samples(launch, [0.1, 10.0, 9.0, 2])
    live.tick()
    assert len(alerts_of(world)) == 1
    other = make_live(world)
    write_samples(launch, [0.1, 10.0, 9.0, 2], [0.2, 80.05, 9.0, 2])
    other.tick()
    assert len(alerts_of(world)) == 1, "80.05 may be 80.0 before it was rounded"
    write_samples(launch, [0.1, 90.0, 9.0, 2])
    other.tick()
    assert sorted(each.rule for each in alerts_of(world)) == [0, 1]


def test_a_run_that_is_over_is_looked_at_no_more(world, live):
    _, launch = start(world, live, rule("memory_max_mb > 512"))
    world.end(launch, 0)
    live.tick()
    assert live._runs == {}


def test_a_file_of_samples_that_was_thinned_out_is_read_anew(world, live):
    _, launch = start(world, live, rule("memory_max_mb > 512"))
    write_samples(launch, *[[n / 10, 1.0, 10.0, 1] for n in range(1, 20)])
    live.tick()
    write_samples(launch, [0.1, 1.0, 10.0, 1], [2.1, 1.0, 700.0, 1])
    live.tick()
    assert len(alerts_of(world)) == 1
