"""``python runner.py [options] script.py [args...]``, as a person types it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scriptrunner.cli import script as script_command
from scriptrunner.cli.script_session import exit_code_of
from tests.integration.scripts import POLITE, STUBBORN
from tests.server import wait_for

RUNNER = Path(__file__).parents[2] / "runner.py"
Writer = Callable[..., Path]
Starter = Callable[..., subprocess.Popen]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    def write_script(text: str, name: str = "script.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write_script


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "tmp")}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]):
    """Run a command to its end; nothing may be left in the temporary folder."""

    def run_command(*arguments, **options) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, RUNNER, *arguments],
            **{
                "cwd": tmp_path,
                "env": environment,
                "capture_output": True,
                "timeout": 15,
                "check": False,
                **options,
            },
        )
        assert not list((tmp_path / "tmp").iterdir())
        return done

    return run_command


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Starter]:
    """Start a command whose script has printed a line when it is returned."""
    started: list[subprocess.Popen] = []

    def start_command(*arguments, **options) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, RUNNER, *arguments],
            **{
                "cwd": tmp_path,
                "env": environment,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **options,
            },
        )
        started.append(process)
        return process

    yield start_command
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def read_line(process: subprocess.Popen) -> bytes:
    assert process.stdout is not None
    line: bytes = process.stdout.readline()
    return line


# --- Output and exit codes --------------------------------------------------


def test_output_and_exit_code_are_the_scripts_own(run, write):
    script = write(
        "import os, sys; os.write(1, b'\\xff\\0out\\n'); os.write(2, b'\\xfeerr');"
        "print(sys.argv[1:]); sys.exit(7)"
    )
    done = run(script, "a b", "--timeout", "5", "--", "-x", "*")
    assert done.stdout == b"\xff\0out\n['a b', '--timeout', '5', '--', '-x', '*']\n"
    assert done.stderr == b"\xfeerr"
    assert done.returncode == 7


def test_arguments_that_are_no_text_reach_the_script(run, write):
    script = write("import os, sys; os.write(1, os.fsencode(sys.argv[1]))")
    assert run(script, b"\xff\xfe").stdout == b"\xff\xfe"


def test_output_appears_while_the_script_runs(start, write):
    process = start(write(POLITE))
    assert read_line(process) == b"ready\n"
    assert process.poll() is None


def test_a_large_output_arrives_whole(run, write):
    script = write("import os\nfor n in range(100): os.write(1, bytes([n]) * 100_000)")
    expected = b"".join(bytes([n]) * 100_000 for n in range(100))
    assert run(script).stdout == expected


@pytest.mark.parametrize(
    ("code", "options", "expected"),
    [
        ("import os; os.kill(os.getpid(), 11)", [], 128 + 11),
        ("import time; time.sleep(60)", ["--timeout", "1"], 124),
        ("import sys; sys.exit(255)", [], 255),
        ("print(", [], 1),
    ],
)
def test_other_ends_have_the_exit_codes_of_a_shell(run, write, code, options, expected):
    assert run(*options, write(code)).returncode == expected


@pytest.mark.parametrize(
    ("reason", "returncode", "stop_signal", "expected"),
    [
        (None, 0, 0, 0),
        ("exit_code", 3, 0, 3),
        ("gates", 0, 0, 1),
        ("scan_blocked", None, 0, 126),
        ("signal", -9, 0, 137),
        ("timeout", -15, 0, 124),
        ("timeout", 0, 0, 124),
        ("lost", None, 0, 125),
        ("spawn_error", None, 0, 126),
        ("script_changed", None, 0, 126),
        ("stopped", 0, signal.SIGINT, 130),
        ("stopped", -15, signal.SIGTERM, 143),
        ("stopped", 0, signal.SIGPIPE, 141),
        ("killed", -9, signal.SIGINT, 130),
        ("killed", -9, 0, 137),
        ("stopped", 0, 0, 143),
        ("exit_code", 3, signal.SIGINT, 3),  # its own end came first
    ],
)
def test_every_end_has_its_exit_code(reason, returncode, stop_signal, expected):
    result = {"reason": reason, "returncode": returncode}
    assert exit_code_of(result, stop_signal=stop_signal) == expected


def test_a_timeout_keeps_the_output_and_says_so(run, write):
    done = run("-t", "1", write(POLITE))
    assert done.stdout == b"ready\nbye\n"
    assert done.stderr == b"runner: timed out after 1 s\n"


def test_retries_are_announced(run, write):
    done = run(
        "--retry", "2", "--retry-delay", "0.05", write("import sys; sys.exit(3)")
    )
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        b"runner: attempt 1 failed; trying again in 0.05 s",
        b"runner: attempt 2 failed; trying again in 0.1 s",
    ]


def test_the_strategy_of_retries_can_be_chosen(run, write):
    done = run(
        "--retry=3",
        "--retry-strategy=fibonacci",
        "--retry-delay=0.01",
        write("import sys; sys.exit(3)"),
    )
    pauses = re.findall(rb"again in (\S+) s", done.stderr)
    assert pauses == [b"0.01", b"0.01", b"0.02"]


def test_the_script_works_where_the_person_is(run, write, tmp_path):
    script = write("import os; print(os.getcwd())", "tools/show.py")
    assert run(script).stdout == f"{tmp_path}\n".encode()
    assert run("tools/show.py").stdout == f"{tmp_path}\n".encode()
    elsewhere = run("--working-dir", "tools", script)
    assert elsewhere.stdout == f"{tmp_path}/tools\n".encode()


def test_variables_can_be_set_but_not_those_that_load_code(run, write):
    script = write("import os; print(os.environ.get('A'), os.environ.get('LD_AUDIT'))")
    done = run("-e", "A=1=2", "--env", "LD_AUDIT=x", script)
    assert done.stdout == b"1=2 None\n"
    assert done.stderr == (
        b"runner: --env cannot set LD_AUDIT; set it in your own environment\n"
    )


def test_standard_input_is_empty(run, write):
    script = write("import sys; print(repr(sys.stdin.read()))")
    assert run(script, input=b"data").stdout == b"''\n"


# --- Reports ----------------------------------------------------------------


def test_json_replaces_the_output(run, write):
    done = run("--json", write("import sys; print('hello'); sys.exit(3)"))
    result = json.loads(done.stdout)
    assert (result["stdout"], result["returncode"]) == ("hello\n", 3)
    assert result["metrics"]["cpu_time_seconds"] > 0
    assert done.stderr == b""
    assert done.returncode == 3


def test_a_gate_that_does_not_hold_ends_with_one(run, write, tmp_path):
    done = run(
        "--gate", "stdout_lines<=0",
        "--gate", "exit_code<=0",
        "--junit", "out/junit.xml",
        "--save-baseline", "base.json",
        "--cost",
        "--alert", "loud: stdout_lines > 0",
        "--json",
        write("print(1)"),
    )  # fmt: skip
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["reason"], result["returncode"]) == ("gates", 0)
    assert result["cost"]["cost"]["total"] > 0
    assert result["alerts"][0]["triggered"]
    assert b"<failure" in (tmp_path / "out" / "junit.xml").read_bytes()
    assert not (tmp_path / "base.json").exists()
    said = done.stderr.decode()
    assert "gate failed: stdout_lines = 1 exceeds max 0\n" in said
    assert "alert loud (WARNING): stdout_lines > 0\n" in said
    assert "baseline: only a run that succeeds" in said
    assert re.search(r"^runner: cost: 0\.\d{9} USD, estimated$", said, re.MULTILINE)


def test_a_dry_run_shows_what_was_asked_for(run, write):
    script = write("print(1)")
    done = run("--dry-run", "--gate", "1<=cpu<=80", "--alert", "timed_out", script)
    assert done.returncode == 0
    assert b"gate         1 <= cpu_max <= 80\n" in done.stdout
    assert b"alert        timed_out\n" in done.stdout


def test_a_step_report_goes_to_standard_error(run, write):
    done = run("--visualize", write("print('hello')"))
    assert done.stdout == b"hello\n"
    text = done.stderr.decode()
    assert "Execution" in text
    assert "succeeded, exit code 0" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_step_report_can_go_to_a_file_in_either_form(run, write, tmp_path, form):
    done = run(
        "--visualize-format", form, "--visualize-output", "report", write("print(1)")
    )
    assert (done.stdout, done.stderr) == (b"1\n", b"")
    text = (tmp_path / "report").read_text()
    if form == "json":
        assert json.loads(text)["footer"]["success"] is True
    else:
        assert text.startswith(str(tmp_path / "script.py"))


def test_a_dry_run_executes_nothing(run, write, tmp_path):
    script = write(f"open({str(tmp_path / 'ran')!r}, 'w')")
    done = run("--dry-run", "--retry", "2", "--timeout", "5", script, "x")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert f"command      {sys.executable} {script} x\n" in text
    assert "retries      1 s, 2 s apart\n" in text
    described = json.loads(run("--dry-run", "--json", script).stdout)
    assert described["dry_run"] is True
    assert not (tmp_path / "ran").exists()


# --- Signals ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_signal_stops_the_script_and_lets_its_handler_run(
    start, write, number, expected
):
    process = start(write(POLITE))
    read_line(process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=10)
    assert stdout == b"bye\n"
    assert stderr == b"runner: stopping the script; once more to kill it\n"
    assert process.returncode == expected


def test_a_second_signal_kills(start, write):
    process = start(write(STUBBORN))
    read_line(process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert process.returncode == 130


def test_ctrl_c_in_a_terminal_reaches_the_script_once(start, write):
    """The terminal signals its whole foreground group; the script is not in it."""
    master, slave = pty.openpty()
    process = start(
        write(POLITE.replace("SIGTERM", "SIGINT").replace("bye", "wrong")),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(slave)
    seen = bytearray()

    def read() -> None:
        try:
            while data := os.read(master, 1024):
                seen.extend(data)
        except OSError:
            return  # the last writer is gone

    reader = threading.Thread(target=read)
    reader.start()
    wait_for(lambda: b"ready" in seen, what="the script")
    os.write(master, b"\x03")
    assert process.wait(10) == 130
    reader.join(5)
    os.close(master)
    assert b"wrong" not in seen
    assert b"stopping the script" in seen


def test_a_reader_that_goes_away_ends_the_script(start, write):
    process = start(
        write("import sys\nwhile True: sys.stdout.write('y' * 999 + '\\n')")
    )
    read_line(process)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(10) == 128 + signal.SIGPIPE
    process.stdout = None  # nothing left to read


def test_a_killed_runner_leaves_nothing(start, write, tmp_path):
    process = start(
        write("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    )
    pid = int(read_line(process))
    process.kill()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), what="the script's end")
    wait_for(lambda: not list((tmp_path / "tmp").iterdir()), what="the folder's end")


# --- Bad use ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument 'SCRIPT'"),
        (["missing.py"], "Script path must point to an existing file (missing.py)"),
        (["script.sh"], "Only Python files are allowed (script.sh)"),
        (["--timeout", "0", "script.py"], "'--timeout': 0 is not in the range"),
        (["--timeout", "x", "script.py"], "'--timeout': 'x' is not a valid integer"),
        (["--retry", "20", "script.py"], "'--retry': 20 is not in the range 0<=x<=19"),
        (["--retry-strategy", "x", "script.py"], "is not one of 'linear'"),
        (["--monitor-interval", "0", "script.py"], "not in the range 0.05<=x<=60"),
        (
            ["--monitor-interval", "nan", "script.py"],
            "--monitor-interval must be a number from 0.05 to 60",
        ),
        (["--env", "A", "script.py"], "is not of the form NAME=VALUE"),
        (["--env", "1A=x", "script.py"], "--env: '1A' is not a valid name"),
        (["--working-dir", "nowhere", "script.py"], "'nowhere' does not exist"),
        (["--visualize-output", "no/file", "script.py"], "make it first"),
        (["--visualize-format", "xml", "script.py"], "is not one of 'text', 'json'"),
        (["--tiemout", "5", "script.py"], "Did you mean '--timeout'?"),
    ],
)
def test_bad_use_is_refused_with_the_option_and_the_remedy(
    run, write, tmp_path, arguments, words
):
    write(f"open({str(tmp_path / 'ran')!r}, 'w')")
    write("", "script.sh")
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert words in done.stderr.decode()
    assert "Try 'runner.py --help' for help." in done.stderr.decode()
    assert not (tmp_path / "ran").exists()


def test_help_names_every_option_and_exit_code(run):
    text = run("--help").stdout.decode()
    for parameter in script_command.command.params:
        for name in parameter.opts:
            assert name in text or name.upper() in text
    for code in ("2 ", "124", "125", "126", "128+n"):
        assert code in text


def test_the_door_gives_what_it_promises():
    import runner  # noqa: PLC0415  the module under test

    assert sorted(runner.__all__) == [
        "ExecutionVisualizer",
        "HistoryManager",
        "ScriptRunner",
        "StructuredLogger",
    ]
    assert "click" not in vars(runner)


def test_scans_are_told_on_standard_error(run, write):
    path = write('password = "hunter2"\nprint("ran")\n')
    done = run("--secret-scan", path)
    assert (done.returncode, done.stdout) == (126, b"")
    assert b"Blocked by secret scan: 1 finding at HIGH or above" in done.stderr
    options = ("--secret-scan", "--dependency-scan", "--scan-block", "none")
    done = run(*options, path)
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"runner: secret scan: 1 found, worst HIGH" in done.stderr
    assert b"runner: dependencies scan unavailable: no advisory data" in done.stderr
