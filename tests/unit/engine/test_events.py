import pytest

from scriptrunner.engine.events import (
    DATA_KEYS,
    DIAGNOSTIC_EVENTS,
    MAX_EVENTS,
    EventType,
    StructuredLogger,
    build_end_event,
    build_event,
    execution_time,
    is_stored,
    level_of,
)
from scriptrunner.engine.outcomes import end_event_type
from tests.clocks import FakeClock


def test_every_type_says_which_data_it_has():
    assert set(DATA_KEYS) == set(EventType)


def test_every_event_the_machine_asks_for_is_one_of_ours():
    ends = {
        end_event_type(reason, 0)
        for reason in ("exit", "timeout", "stop", "kill", "lost", "spawn_error", "oom")
    }
    assert ends <= set(EventType)


def test_an_event_names_run_and_attempt_first():
    event = build_event(
        EventType.OUTPUT_TRUNCATED,
        correlation_id="6e9d",
        attempt_number=2,
        stream="stdout",
        limit=1024,
    )
    assert event.to_json(seq=3, timestamp=FakeClock().utc_now()) == {
        "seq": 3,
        "timestamp": "2026-11-23T10:00:00.000000Z",
        "event_type": "output_truncated",
        "level": "WARNING",
        "data": {
            "correlation_id": "6e9d",
            "attempt_number": 2,
            "stream": "stdout",
            "limit": 1024,
        },
    }


@pytest.mark.parametrize("data", [{}, {"status": "failed"}, {"unknown": 1}])
def test_missing_or_foreign_data_is_an_error(data):
    with pytest.raises(ValueError, match="finished needs"):
        build_event("finished", correlation_id=None, attempt_number=None, **data)


@pytest.mark.parametrize(
    ("end", "event_type", "level", "data"),
    [
        (
            {"reason": "exit", "exit_code": 0, "duration_ns": 1_500_000_000},
            "success",
            "INFO",
            (0, 1.5, None),
        ),
        (
            {"reason": "exit", "exit_code": -11, "duration_ns": 250_000},
            "failed",
            "ERROR",
            (-11, 0.00025, 11),
        ),
        (
            {"reason": "timeout", "exit_code": -15, "duration_ns": 5_000_000_000},
            "timeout",
            "ERROR",
            (-15, 5.0, 15),
        ),
        (
            {"reason": "cancel", "exit_code": None},
            "forced_termination",
            "WARNING",
            (None, None, None),
        ),
    ],
)
def test_the_end_of_an_attempt_becomes_its_event(end, event_type, level, data):
    event = build_end_event(
        end, correlation_id="c", attempt_number=1, timeout_seconds=5
    )
    exit_code, seconds, signal = data
    assert (event.event_type, event.level) == (event_type, level)
    assert event.data == {
        "correlation_id": "c",
        "attempt_number": 1,
        "exit_code": exit_code,
        "execution_time_seconds": seconds,
        "signal": signal,
        "timeout_seconds": 5,
    }


@pytest.mark.parametrize(
    "end",
    [
        {"reason": "lost"},
        {"reason": "spawn_error", "error": "no such file", "error_type": "OSError"},
    ],
)
def test_an_attempt_that_could_not_be_started_or_kept_says_why(end):
    event = build_end_event(
        end, correlation_id="c", attempt_number=1, timeout_seconds=None
    )
    assert event.event_type == "failure"
    assert event.data == {
        "correlation_id": "c",
        "attempt_number": 1,
        "error": end.get("error"),
        "error_type": end.get("error_type"),
        "reason": end["reason"],
    }


@pytest.mark.parametrize("log_level", ["DEBUG", "INFO", "CRITICAL"])
def test_lifecycle_events_are_always_stored(log_level):
    for event_type in set(EventType) - DIAGNOSTIC_EVENTS:
        assert is_stored(event_type, level_of(event_type), log_level=log_level)


@pytest.mark.parametrize(
    ("event_type", "log_level", "stored"),
    [
        ("environment", "DEBUG", True),
        ("environment", "INFO", False),
        ("sample", "DEBUG", True),
        ("sample", "WARNING", False),
        ("output_truncated", "WARNING", True),
        ("output_truncated", "ERROR", False),
        ("recovery_failed", "ERROR", True),
        ("recovery_failed", "CRITICAL", False),
    ],
)
def test_diagnostic_events_are_stored_from_the_log_level_upwards(
    event_type, log_level, stored
):
    assert is_stored(event_type, level_of(event_type), log_level=log_level) is stored


@pytest.mark.parametrize(
    ("end", "seconds"),
    [({"duration_ns": 1}, 0.0), ({"duration_ns": 999_999_999}, 1.0), ({}, None)],
)
def test_execution_time_is_seconds_with_six_digits(end, seconds):
    assert execution_time(end) == seconds


def test_the_logger_speaks_the_form_of_the_api():
    clock = FakeClock()
    logger = StructuredLogger(correlation_id="c", clock=clock)
    logger.log_event("start", {"script_path": "a.py"})
    clock.advance(1.5)
    logger.attempt_number = 1
    logger.log_event("my_own", {"rows": 3}, level="error")
    assert logger.get_logs() == [
        {
            "seq": 1,
            "timestamp": "2026-11-23T10:00:00.000000Z",
            "event_type": "start",
            "level": "INFO",
            "data": {
                "correlation_id": "c",
                "attempt_number": None,
                "script_path": "a.py",
            },
        },
        {
            "seq": 2,
            "timestamp": "2026-11-23T10:00:01.500000Z",
            "event_type": "my_own",
            "level": "ERROR",
            "data": {"correlation_id": "c", "attempt_number": 1, "rows": 3},
        },
    ]


def test_the_logger_keeps_what_its_level_asks_for():
    logger = StructuredLogger(log_level="warning")
    for event_type in ("environment", "start", "my_own", "warning"):
        logger.log_event(event_type)
    assert [event["event_type"] for event in logger.get_logs()] == ["start", "warning"]


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="log_level must be one of DEBUG"):
        StructuredLogger(log_level="LOUD")


def test_events_beyond_the_limit_are_counted_and_the_last_one_is_kept():
    logger = StructuredLogger()
    for _ in range(MAX_EVENTS + 5):
        logger.log_event("my_own")
    dropped = logger.get_logs()[-1]
    assert (dropped["seq"], dropped["event_type"]) == (MAX_EVENTS + 1, "events_dropped")
    assert dropped["data"]["count"] == 5
    logger.log_event("finished")
    kinds = [event["event_type"] for event in logger.get_logs()[-3:]]
    assert kinds == ["my_own", "events_dropped", "finished"]
    assert [e["seq"] for e in logger.get_logs()] == list(range(1, MAX_EVENTS + 3))


def test_a_listener_hears_each_kept_event_once():
    heard: list[dict] = []
    logger = StructuredLogger(on_event=heard.append)
    logger.log_event("environment")
    logger.log_event("start")
    assert heard == logger.get_logs()


def test_what_the_logger_gives_away_is_a_copy():
    logger = StructuredLogger()
    logger.log_event("start")
    logger.get_logs()[0]["level"] = "forged"
    assert logger.get_logs()[0]["level"] == "INFO"
