import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine.dry_run import describe
from scriptrunner.engine.plan import (
    InvalidArgError,
    InvalidEnvError,
    InvalidTimeoutError,
    RunOptions,
    ScriptRef,
    TooManyArgsError,
)
from scriptrunner.errors import MalformedInputError


def make_options(**values):
    """Without types, so that wrong ones can be tried."""
    return RunOptions(**values)


def test_defaults_are_those_of_the_api_and_pass():
    options = make_options()
    options.check()
    assert options.to_json() == {
        "args": [],
        "timeout": None,
        "log_level": "INFO",
        "retry_on_failure": False,
        "retry_max_attempts": 3,
        "retry_strategy": "exponential",
        "retry_initial_delay": 1.0,
        "retry_max_delay": 60.0,
        "retry_multiplier": 2.0,
        "retry_max_time": 300.0,
        "working_dir": None,
        "stream_output": False,
        "monitor_interval": 0.1,
        "env_vars": {},
        "dry_run": False,
        "enable_visualizer": False,
        "visualizer_format": "text",
        "history_db": None,
        "enable_history": True,
        "performance_gates": [],
        "junit_output": None,
        "save_baseline": None,
        "load_baseline": None,
        "alerts": [],
        "slack_webhook": None,
        "enable_code_analysis": False,
        "enable_secret_scanning": False,
        "enable_dependency_scanning": False,
        "enable_cost_tracking": False,
    }


@pytest.mark.parametrize(
    ("given_value", "kept"), [("debug", "DEBUG"), ("Warning", "WARNING")]
)
def test_log_level_is_taken_in_any_case(given_value, kept):
    options = make_options(log_level=given_value)
    options.check()
    assert options.log_level == kept


def test_a_number_with_zero_fraction_counts_as_an_integer():
    options = make_options(timeout=5.0, retry_max_attempts=2.0, retry_max_delay=3)
    options.check()
    assert (options.timeout, options.retry_max_attempts) == (5, 2)
    assert isinstance(options.timeout, int)
    assert isinstance(options.retry_max_delay, float)


@pytest.mark.parametrize("timeout", [1, 604_800])
def test_timeouts_up_to_seven_days_pass(timeout):
    make_options(timeout=timeout).check()


@pytest.mark.parametrize("timeout", [0, -1, 604_801, 2**31, 1e308])
def test_other_timeouts_are_refused_in_the_words_of_the_api(timeout):
    with pytest.raises(InvalidTimeoutError) as caught:
        make_options(timeout=timeout).check()
    assert caught.value.message == "Timeout must be a positive integer"
    assert caught.value.code == "invalid_timeout"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", "5"),
        ("timeout", True),
        ("timeout", 1.5),
        ("timeout", math.nan),
        ("timeout", math.inf),
        ("args", "x"),
        ("args", ["a", 1]),
        ("args", [["a"]]),
        ("log_level", "'; rm -rf /"),
        ("log_level", None),
        ("retry_on_failure", 1),
        ("retry_on_failure", "true"),
        ("retry_max_attempts", 0),
        ("retry_max_attempts", 21),
        ("retry_max_attempts", 2.5),
        ("retry_max_attempts", True),
        ("retry_strategy", "x"),
        ("retry_strategy", "LINEAR"),
        ("retry_initial_delay", -0.1),
        ("retry_initial_delay", 86_401),
        ("retry_max_delay", 86_400.1),
        ("retry_multiplier", 0.99),
        ("retry_multiplier", 100.1),
        ("retry_max_time", 604_801),
        ("working_dir", 5),
        ("stream_output", "yes"),
        ("monitor_interval", 0),
        ("monitor_interval", 1e-9),
        ("monitor_interval", -1),
        ("monitor_interval", 60.1),
        ("monitor_interval", math.nan),
        ("monitor_interval", 10**400),
        ("env_vars", []),
        ("env_vars", {"A": 1}),
        ("env_vars", {"A": None}),
        ("dry_run", 0),
        ("enable_visualizer", "on"),
        ("visualizer_format", "../../x"),
        ("history_db", 5),
        ("enable_history", None),
        ("performance_gates", "x"),
        ("junit_output", ["a.xml"]),
        ("save_baseline", 5),
        ("load_baseline", True),
        ("alerts", {}),
        ("slack_webhook", 5),
        ("enable_code_analysis", 1),
        ("enable_cost_tracking", "yes"),
    ],
)
def test_a_wrong_type_range_or_choice_is_one_fault_that_names_the_field(name, value):
    with pytest.raises(MalformedInputError) as caught:
        make_options(**{name: value}).check()
    (fault,) = caught.value.faults
    assert fault["loc"] == ["body", name]
    assert fault["msg"].startswith(f"{name} must be ")
    json.dumps(fault, allow_nan=False)


def test_all_faults_come_at_once_in_the_order_of_the_fields():
    options = make_options(visualizer_format="x", timeout="5", monitor_interval=0)
    with pytest.raises(MalformedInputError) as caught:
        options.check()
    names = [fault["loc"][1] for fault in caught.value.faults]
    assert names == ["timeout", "monitor_interval", "visualizer_format"]


@pytest.mark.parametrize(
    ("value", "echoed"),
    [("x" * 200, True), ("x" * 201, False), (math.inf, False), (10**300, False)],
)
def test_only_short_finite_scalars_are_echoed(value, echoed):
    with pytest.raises(MalformedInputError) as caught:
        make_options(retry_strategy=value).check()
    assert ("input" in caught.value.faults[0]) is echoed


def test_environment_values_are_never_echoed():
    with pytest.raises(MalformedInputError) as caught:
        make_options(env_vars={"TOKEN": 12345}).check()
    assert "12345" not in json.dumps(caught.value.faults)


def test_fifty_arguments_pass_and_one_more_does_not():
    make_options(args=["x"] * 50).check()
    with pytest.raises(TooManyArgsError, match=r"^Too many arguments supplied$"):
        make_options(args=["x"] * 51).check()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("a\0b", "NUL"),
        ("x" * (32 * 1024 + 1), "32 KiB"),
        ("é" * (16 * 1024) + "x", "32 KiB"),  # 2 bytes each, and one
        ("\ud800", "surrogates"),
    ],
)
def test_an_argument_that_no_process_can_take_is_refused(argument, words):
    with pytest.raises(InvalidArgError, match=words) as caught:
        make_options(args=["fine", argument]).check()
    assert caught.value.message.startswith("args[1] ")


def test_an_argument_of_exactly_32_kib_passes():
    make_options(args=["é" * (16 * 1024)]).check()


@pytest.mark.parametrize(
    "name", ["", "1A", "A-B", "A B", "A=B", "É", "A\n", "A" * 129, "A\0"]
)
def test_a_malformed_environment_name_is_refused(name):
    with pytest.raises(InvalidEnvError, match="not a valid name"):
        make_options(env_vars={name: "x"}).check()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"A": "x\0"}, "NUL"),
        ({"A": "x" * 32_769}, "32 KiB"),
        ({"A": "\udfff"}, "surrogates"),
        ({f"N{n}": "" for n in range(257)}, "256 names"),
        # 5 * 30 000 bytes are more than 131 072
        ({f"N{n}": "x" * 30_000 for n in range(5)}, "128 KiB together"),
    ],
)
def test_environment_limits_are_kept(variables, words):
    with pytest.raises(InvalidEnvError, match=words) as caught:
        make_options(env_vars=variables).check()
    assert caught.value.code == "invalid_env"


def test_256_names_and_long_names_pass():
    make_options(env_vars={f"N{n}": "" for n in range(256)}).check()
    make_options(env_vars={"A" * 128: ""}).check()


def test_the_local_user_may_pass_what_a_shell_may_pass():
    options = make_options(
        args=["\udcff"] * 60, env_vars={"A": "\udcff" + "x" * 40_000}
    )
    options.check(is_local=True)
    with pytest.raises(InvalidArgError, match="NUL"):
        make_options(args=["\0"]).check(is_local=True)


def test_unknown_options_are_refused_by_name():
    with pytest.raises(MalformedInputError) as caught:
        RunOptions.from_json({"timeout": 1, "timeuot": 2})
    assert [fault["loc"] for fault in caught.value.faults] == [["body", "timeuot"]]


@given(
    args=st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=5),
    timeout=st.none() | st.integers(1, 604_800),
    level=st.sampled_from(["debug", "INFO", "Error"]),
    delay=st.floats(0, 86_400),
    env=st.dictionaries(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), st.text()),
)
def test_options_survive_storage_as_json(args, timeout, level, delay, env):
    options = make_options(
        args=args,
        timeout=timeout,
        log_level=level,
        retry_initial_delay=delay,
        env_vars=env,
    )
    stored = json.loads(json.dumps(options.to_json()))
    assert RunOptions.from_json(stored) == options


def test_options_do_not_share_what_they_were_made_from():
    variables = {"A": "1"}
    options = make_options(env_vars=variables)
    variables["A"] = "2"
    assert options.env_vars == {"A": "1"}


def test_a_dry_run_says_what_would_be_done_and_shows_no_value():
    script = ScriptRef(
        kind="file", shown_path="etl.py", name="etl.py", path="/srv/s/etl.py"
    )
    options = make_options(args=["x"], timeout=5, env_vars={"API_TOKEN": "s3cret"})
    described = describe(
        script,
        options,
        command=["/usr/bin/python3", "/srv/s/etl.py", "x"],
        environment={"PATH": "/bin", "API_TOKEN": "s3cret"},
        ignored_env=["LD_PRELOAD"],
        working_dir="/srv/s",
        sha256="ab" * 32,
    )
    assert described == {
        "dry_run": True,
        "message": "Dry run: script validated but not executed.",
        "script_path": "etl.py",
        "args": ["x"],
        "timeout": 5,
        "command": ["/usr/bin/python3", "/srv/s/etl.py", "x"],
        "working_dir": "/srv/s",
        "environment": ["API_TOKEN", "PATH"],
        "ignored_env": ["LD_PRELOAD"],
        "retry_config": {
            "enabled": False,
            "strategy": "exponential",
            "max_attempts": 3,
            "initial_delay": 1.0,
            "max_delay": 60.0,
            "multiplier": 2.0,
            "delays": [1.0, 2.0],
            "max_time": 300.0,
        },
        "performance_gates": [],
        "alerts": [],
        "junit_output": None,
        "save_baseline": None,
        "load_baseline": None,
        "cost_tracking": False,
        "visualizer": False,
        "monitor_interval": 0.1,
        "history": "default",
        "scans": {},
        "would_be_blocked": False,
        "sha256": "ab" * 32,
    }


@pytest.mark.parametrize(
    ("options", "history"),
    [
        ({}, "default"),
        ({"history_db": "team.db"}, "team.db"),
        ({"enable_history": False, "history_db": "team.db"}, None),
    ],
)
def test_a_dry_run_shows_every_option_as_it_would_count(options, history):
    gate = {"metric": "cpu_max", "max_value": 80}
    plan = describe(
        ScriptRef(kind="file", shown_path="etl.py", name="etl.py"),
        make_options(
            performance_gates=[gate],
            alerts=[{"condition": "timed_out"}],
            junit_output="r.xml",
            enable_cost_tracking=True,
            **options,
        ),
        command=[],
        environment=(),
        ignored_env=(),
        working_dir="/",
        sha256=None,
    )
    assert plan["performance_gates"] == [{**gate, "min_value": None}]
    assert plan["alerts"][0]["severity"] == "WARNING"
    assert (plan["junit_output"], plan["cost_tracking"]) == ("r.xml", True)
    assert plan["history"] == history
