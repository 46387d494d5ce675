from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.metrics import RunFacts
from scriptrunner.engine.outcomes import Outcome, Reason, RunStatus, Status, outcome_of
from scriptrunner.engine.result import (
    Outputs,
    Tail,
    build_error_summary,
    build_result,
    error_text,
    read_outputs,
    read_tail,
)


def make_facts(reason: str, code: int | None = None, **changes) -> RunFacts:
    return RunFacts(
        **{
            "script_path": "etl.py",
            "correlation_id": "c",
            "attempt_number": 1,
            "outcome": outcome_of(reason, code),
            **changes,
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a1.out"


def tail_of(path: Path, data: bytes, **options) -> Tail:
    path.write_bytes(data)
    return read_tail(str(path), **options)


def test_a_short_output_is_shown_whole(path):
    assert tail_of(path, b"a\nb\n") == Tail("a\nb\n", is_truncated=False)


def test_a_missing_output_is_empty(path):
    assert read_tail(str(path)) == Tail("", is_truncated=False)


def test_exactly_the_limit_is_shown_whole(path):
    data = b"x" * 65_536
    assert tail_of(path, data) == Tail(data.decode(), is_truncated=False)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"aaa\nbbb\nccc\n", "ccc\n"),  # of "b\nccc\n" (6) from the line start
        (b"aaa\nbb\nccc\n", "bb\nccc\n"),  # 7 bytes that begin a line
        (b"aaaaaaaaaa", "aaaaaaa"),  # one endless line: the last 7 bytes
        (b"aaaaaaaaa\n", "aaaaaa\n"),  # a newline at the very end begins nothing
        ("ä".encode() * 5, "äää"),  # 7 bytes would begin in the middle of one
    ],
)
def test_a_long_output_shows_its_end_from_a_line_start(path, data, shown):
    limit = 6 if shown == "ccc\n" else 7
    assert tail_of(path, data, limit_bytes=limit) == Tail(shown, is_truncated=True)


def test_nothing_beyond_the_cap_is_shown(path):
    assert tail_of(path, b"aaabbb", cap_bytes=3) == Tail("aaa", is_truncated=True)


def test_bytes_that_are_no_text_show_as_replacement_characters(path):
    assert tail_of(path, b"a\xff\xfeb\x80\n").text == "a\ufffd\ufffdb\ufffd\n"


def test_a_long_run_of_continuation_bytes_is_no_trouble(path):
    tail = tail_of(path, b"\x80" * 200_000)
    assert len(tail.text) >= 65_533


def test_a_link_in_place_of_an_output_is_not_followed(path):
    path.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic link"):
        read_tail(str(path))


@given(st.binary(max_size=60), st.integers(1, 20))
def test_a_tail_is_the_end_of_the_output(tmp_path_factory, data, limit):
    path = tmp_path_factory.getbasetemp() / "tail"
    tail = tail_of(path, data, limit_bytes=limit)
    assert tail.is_truncated == (len(data) > limit)
    whole = data.decode("latin-1")
    path.write_bytes(data)
    if data.isascii():
        assert whole.endswith(tail.text)
        assert len(tail.text) <= limit


def test_a_reader_may_hide_secrets(path):
    def hide(read, start, end):
        return read(end - start, start).replace(b"s3cret", b"******")

    assert tail_of(path, b"key s3cret\n", mask=hide).text == "key ******\n"


def test_outputs_are_those_of_the_attempt(tmp_path):
    (tmp_path / "a1.out").write_text("first")
    (tmp_path / "a2.out").write_text("second")
    (tmp_path / "a2.err").write_text("oops")
    outputs = read_outputs(str(tmp_path), 2, logs_url="/logs")
    assert (outputs.stdout.text, outputs.stderr.text) == ("second", "oops")


@pytest.mark.parametrize(
    ("reason", "code", "text"),
    [
        ("exit", 0, None),
        ("exit", 3, "Exit code 3"),
        ("exit", -11, "Died of SIGSEGV (signal 11)"),
        ("exit", -63, "Died of signal 63"),
        ("timeout", -15, "Timed out after 5 s"),
        ("stop", -15, "Run stopped by user"),
        ("cancel", -15, "Run cancelled by user"),
        ("kill", -9, "Run killed by user"),
        ("restart", -15, "Cancelled by restart"),
        ("lost", None, "Lost: the process that watched the script vanished"),
        (
            "host_restart",
            None,
            "Lost: the machine or container restarted under the script",
        ),
        ("oom", -9, "Ended by the system for want of memory"),
        ("output_limit", -9, "Ended because it wrote more than allowed"),
        ("spawn_error", None, "Script could not be started: no such file"),
        ("script_changed", None, "Script changed before it started: no such file"),
        ("scan_blocked", None, "no such file"),
    ],
)
def test_each_end_has_one_line_for_people(reason, code, text):
    facts = make_facts(reason, code, timeout_seconds=5)
    end = {"exit_code": code, "error": "no such file"}
    assert error_text(end, facts=facts) == text


def test_an_exit_code_nobody_knows_is_not_made_up():
    assert error_text({}, facts=make_facts("exit")) == "Exit code unknown"


def test_a_detail_of_a_loss_is_added():
    text = error_text(None, facts=make_facts("lost"), detail="end record damaged")
    assert text == (
        "Lost: the process that watched the script vanished (end record damaged)"
    )


def test_an_error_summary_always_has_its_keys():
    end = {"reason": "exit", "exit_code": 3}
    summary = build_error_summary(
        end, facts=make_facts("exit", 3), stderr="x" * 600 + "end"
    )
    assert summary == {
        "exit_code": 3,
        "stderr_snippet": "x" * 497 + "end",
        "status": "failed",
        "correlation_id": "c",
        "reason": "exit_code",
        "message": "Exit code 3",
        "signal": None,
        "timeout_seconds": None,
    }


def test_the_summary_of_a_timeout_says_so():
    summary = build_error_summary(
        {"exit_code": -9}, facts=make_facts("timeout", timeout_seconds=5)
    )
    assert summary is not None
    assert summary["error"] == "Script execution timed out"
    assert (summary["status"], summary["signal"]) == ("timeout", 9)
    assert summary["timeout_seconds"] == 5


def test_the_summary_of_a_blocked_run_names_the_scans():
    end = {"error": "Blocked by secret scan: 1 finding", "scans": ["secrets"]}
    summary = build_error_summary(end, facts=make_facts("scan_blocked"))
    assert summary is not None
    assert summary["scans"] == ["secrets"]
    assert summary["message"] == "Blocked by secret scan: 1 finding"
    assert (summary["exit_code"], summary["status"]) == (None, "failed")


def test_the_summary_of_a_failed_start_says_why():
    end = {"exit_code": None, "error": "no such file", "error_type": "OSError"}
    summary = build_error_summary(end, facts=make_facts("spawn_error"))
    assert summary is not None
    assert (summary["error"], summary["error_type"]) == ("no such file", "OSError")


@pytest.mark.parametrize(
    "outcome",
    [
        outcome_of("exit", 0),
        Outcome(Status.COMPLETED, None, None),
        Outcome(Status.CANCELLED, None, Reason.CANCELLED),
    ],
)
def test_there_is_no_summary_where_nothing_went_wrong(outcome):
    facts = RunFacts(script_path="x.py", outcome=outcome)
    assert build_error_summary(None, facts=facts) is None


def test_a_result_has_the_same_keys_for_every_end():
    keys = {
        frozenset(build_result(end, facts=make_facts(reason, code)))
        for end, reason, code in [
            ({"reason": "exit", "exit_code": 0, "duration_ns": 1}, "exit", 0),
            ({"reason": "timeout", "exit_code": -9}, "timeout", -9),
            (None, "lost", None),
        ]
    }
    assert len(keys) == 1


def test_a_result_says_how_the_script_ended():
    end = {"reason": "exit", "exit_code": 3, "out_lines": 7, "err_lines": 1}
    outputs = Outputs(
        stdout=Tail("...end", is_truncated=True),
        stderr=Tail("oops", is_truncated=False),
        logs_url="/api/runs/x/logs",
    )
    result = build_result(
        end, facts=make_facts("exit", 3), outputs=outputs, report={"steps": []}
    )
    assert result["stdout"] == "...end"
    assert result["stdout_truncated"] is True
    assert result["stderr_truncated"] is False
    assert result["logs_url"] == "/api/runs/x/logs"
    assert (result["returncode"], result["success"]) == (3, False)
    assert result["status"] == "failed"
    assert (result["stdout_lines"], result["stderr_lines"]) == (7, 1)
    assert result["error_summary"]["stderr_snippet"] == "oops"
    assert result["metrics"]["exit_code"] == 3
    assert result["visualization_report"] == {"steps": []}
    assert result["execution_id"] is None


def test_words_of_a_result_are_plain_text():
    result = build_result(
        {"reason": "exit", "exit_code": 0}, facts=make_facts("exit", 0)
    )
    assert type(result["status"]) is str
    assert result["status"] == RunStatus.SUCCESS


def test_output_that_was_dropped_counts_as_truncated():
    end = {"reason": "exit", "exit_code": 0, "out_dropped": 0, "err_dropped": 5}
    result = build_result(end, facts=make_facts("exit", 0))
    assert result["stdout_truncated"] is False
    assert result["stderr_truncated"] is True
