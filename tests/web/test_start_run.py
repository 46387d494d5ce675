"""``POST /api/run``: a run is queued durably, or refused with everything that is wrong."""

import json

import pytest

from tests.web.conftest import check_error

JSON = {"content-type": "application/json"}


def post(web, body, **headers):
    return web.client.post("/api/run", content=body, headers={**JSON, **headers})


def faults_of(web, **fields):
    script = web.write("print(1)")
    body = web.error("POST", "/api/run", 422, json={"script_path": script, **fields})
    assert body["code"] == "invalid_request"
    return {tuple(fault["loc"][1:]): fault for fault in body["detail"]}


def test_a_run_is_accepted_and_finishes_without_a_further_call(web):
    answer = web.client.post("/api/run", json={"script_path": web.write("print('hi')")})
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert answer.json() == {"run_id": run_id, "status": "queued"}
    assert answer.headers["location"] == f"/api/runs/{run_id}"
    record = web.finish(run_id)
    assert (record["status"], record["run_status"], record["exit_code"]) == (
        "completed",
        "success",
        0,
    )
    assert record["result"]["stdout"] == "hi\n"


def test_defaults_are_filled_in(web):
    request = web.run()["request"]
    assert request["timeout"] is None
    assert request["retry_max_attempts"] == 3
    assert request["retry_strategy"] == "exponential"
    assert request["log_level"] == "INFO"
    assert request["monitor_interval"] == 0.1


def test_all_fields_arrive(web):
    fields = {
        "args": ["a b", "", "ü", "--x=*"],
        "timeout": 30,
        "log_level": "debug",
        "retry_on_failure": False,
        "retry_max_attempts": 5,
        "retry_strategy": "fibonacci",
        "retry_initial_delay": 0,
        "retry_max_delay": 5,
        "retry_multiplier": 1.5,
        "retry_max_time": 10,
        "working_dir": ".",
        "stream_output": True,
        "monitor_interval": 1,
        "env_vars": {"COLOUR": "blue"},
        "enable_visualizer": True,
        "visualizer_format": "json",
    }
    text = "import os, sys\nprint(sys.argv[1:], os.environ['COLOUR'], os.getcwd())\n"
    record = web.run(text, **fields)
    expected = f"{fields['args']} blue {web.root}\n"
    assert record["result"]["stdout"] == expected
    shown = record["request"]
    assert shown["log_level"] == "DEBUG"
    assert {name: shown[name] for name in fields if name != "log_level"} == {
        name: value for name, value in fields.items() if name != "log_level"
    }


def test_a_number_with_zero_fraction_is_whole(web):
    assert web.run(timeout=30.0)["request"]["timeout"] == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("args", "x"),
        ("args", [1]),
        ("args", [["x"]]),
        ("args", None),
        ("timeout", "5"),
        ("timeout", True),
        ("timeout", 1.5),
        ("log_level", "'; rm -rf /"),
        ("log_level", 10),
        ("retry_on_failure", 1),
        ("retry_on_failure", "true"),
        ("retry_max_attempts", 0),
        ("retry_max_attempts", 21),
        ("retry_max_attempts", False),
        ("retry_strategy", "x"),
        ("retry_strategy", "LINEAR"),
        ("retry_initial_delay", -1),
        ("retry_max_delay", 86_401),
        ("retry_multiplier", 0.5),
        ("retry_max_time", "10"),
        ("working_dir", 5),
        ("stream_output", None),
        ("monitor_interval", 0),
        ("monitor_interval", 1e-9),
        ("monitor_interval", -1),
        ("env_vars", ["A"]),
        ("dry_run", "no"),
        ("visualizer_format", "../../x"),
        ("script_path", 5),
        ("script_path", None),
    ],
)
def test_a_wrong_value_is_named(web, name, value):
    assert set(faults_of(web, **{name: value})) in ({(name,)}, {(name, 0)})


def test_a_value_of_the_environment_must_be_text_and_is_never_repeated(web):
    faults = faults_of(web, env_vars={"TOKEN": 12345})
    assert set(faults) == {("env_vars", "TOKEN")}
    assert "input" not in faults["env_vars", "TOKEN"]


def test_all_faults_come_at_once(web):
    faults = faults_of(
        web,
        timeout="5",
        nonsense=1,
        alerts=[{"condition": "cpu_max >"}],
        performance_gates=[{"metric": "cpu_max", "max_value": "1;id"}],
        retry_max_attempts=99,
    )
    assert set(faults) == {
        ("timeout",),
        ("nonsense",),
        ("alerts", 0, "condition"),
        ("performance_gates", 0, "max_value"),
        ("retry_max_attempts",),
    }


def test_a_typo_is_refused_by_name(web):
    (fault,) = faults_of(web, tiemout=5).values()
    assert fault["loc"] == ["body", "tiemout"]


def test_a_missing_script_path_is_named(web):
    body = web.error("POST", "/api/run", 422, json={})
    assert body["detail"] == [
        {"type": "missing", "loc": ["body", "script_path"], "msg": "Field required"}
    ]


def test_a_long_value_is_not_repeated(web):
    (fault,) = faults_of(web, log_level="x" * 201).values()
    assert "input" not in fault
    (fault,) = faults_of(web, log_level="x" * 200).values()
    assert fault["input"] == "x" * 200


@pytest.mark.parametrize("value", [0, -1, 604_801, 2**31, 1e308])
def test_a_timeout_out_of_range_is_400(web, value):
    script = web.write("")
    fields = {"script_path": script, "timeout": value}
    body = web.error("POST", "/api/run", 400, json=fields)
    assert body["code"] == "invalid_timeout"
    assert body["detail"] == "Timeout must be a positive integer"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"args": ["x"] * 51}, "too_many_args"),
        ({"args": ["a\0b"]}, "invalid_arg"),
        ({"args": ["x" * (32 * 1024 + 1)]}, "invalid_arg"),
        ({"env_vars": {"1A": "x"}}, "invalid_env"),
        ({"env_vars": {"A": "x\0"}}, "invalid_env"),
        ({"env_vars": {f"N{n}": "" for n in range(257)}}, "invalid_env"),
        ({"working_dir": "/"}, "invalid_working_dir"),
        ({"working_dir": "../.."}, "invalid_working_dir"),
        ({"working_dir": "missing"}, "invalid_working_dir"),
        ({"junit_output": "/etc/cron.d/x.xml"}, "invalid_output_path"),
        ({"junit_output": "../x.xml"}, "invalid_output_path"),
        ({"save_baseline": "x"}, "invalid_output_path"),
        ({"history_db": ":memory:"}, "invalid_history_db"),
        ({"slack_webhook": "https://example.org/x"}, "webhook_not_allowed"),
    ],
)
def test_a_value_that_may_not_be_used_is_400(web, fields, code):
    script = web.write("")
    body = web.error("POST", "/api/run", 400, json={"script_path": script, **fields})
    assert body["code"] == code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "script_missing"),
        ("missing.py", "script_missing"),
        ("/etc/passwd", "script_outside_root"),
        ("../../etc/passwd", "script_outside_root"),
        ("file:///etc/passwd", "script_missing"),
        ("~/x.py", "script_missing"),
        ("a\0.py", "invalid_script_path"),
        ("a\n.py", "invalid_script_path"),
        ("x" * 5_000, "invalid_script_path"),
    ],
)
def test_a_path_that_may_not_be_used_is_400(web, path, code):
    body = web.error("POST", "/api/run", 400, json={"script_path": path})
    assert body["code"] == code
    assert "/etc" not in json.dumps(body)


def test_a_path_with_half_a_character_is_400(web):
    answer = post(web, b'{"script_path": "\\ud800.py"}')
    assert answer.status_code == 400
    assert check_error(answer)["code"] == "invalid_script_path"


def test_other_texts_with_half_a_character_are_422(web):
    answer = post(web, b'{"script_path": "a.py", "args": ["\\ud800"]}')
    assert answer.status_code == 422
    assert check_error(answer)["detail"][0]["loc"] == ["body", "args", 0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b'{"script_path": "a.py", "script_path": "b.py"}',
        b'{"script_path": "a.py", "env_vars": {"A": "1", "A": "2"}}',
        b'{"script_path": "a.py", "timeout": NaN}',
        b'{"script_path": "a.py", "retry_max_time": 1e400}',
        b'{"script_path": "a.py", "retry_max_time": -Infinity}',
        b'{"script_path": "a.py", "timeout": ' + b"9" * 5_000 + b"}",
        b'{"script_path": "a\xff.py"}',
        b"\xef\xbb\xbf{}",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b'{"x":' * 33 + b"1" + b"}" * 33,
    ],
)
def test_a_body_that_is_no_clean_json_object_is_422(web, body):
    answer = post(web, body)
    assert answer.status_code == 422
    check_error(answer)


def test_a_body_above_the_limit_is_413_whether_it_says_so_or_not(web):
    large = b'{"script_path": "' + b"x" * (1 << 20) + b'"}'
    for body in (large, iter([large[:1000], large[1000:]])):
        answer = post(web, body)
        assert answer.status_code == 413
        assert check_error(answer)["code"] == "body_too_large"


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json, text/plain",
        "",
    ],
)
def test_another_media_type_is_415(web, kind):
    before = web.client.get("/api/runs").headers["x-total-count"]
    body = json.dumps({"script_path": web.write("")})
    answer = web.client.post("/api/run", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert check_error(answer)["code"] == "unsupported_media_type"
    assert web.client.get("/api/runs").headers["x-total-count"] == before


def test_a_body_without_a_media_type_is_415(web):
    answer = web.client.post("/api/run", content=b"{}")
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON"]
)
def test_the_media_type_may_be_written_in_other_ways(web, kind):
    body = json.dumps({"script_path": web.write("")})
    answer = web.client.post("/api/run", content=body, headers={"content-type": kind})
    assert answer.status_code == 202


def test_an_unknown_query_parameter_is_refused(web):
    body = {"script_path": web.write("")}
    error = web.error("POST", "/api/run?dry_run=true", 422, json=body)
    assert error["detail"][0]["loc"] == ["query", "dry_run"]


def test_names_that_change_what_runs_are_dropped_and_told(web):
    record = web.run(
        "import os\nprint(os.environ.get('LD_PRELOAD'), os.environ['RUN_ID'])\n",
        env_vars={"LD_PRELOAD": "x.so", "RUN_ID": "mine", "FINE": "1"},
    )
    assert sorted(record["ignored_env"]) == ["LD_PRELOAD", "RUN_ID"]
    assert record["result"]["stdout"] == f"None {record['id']}\n"


def test_a_dry_run_starts_nothing(web):
    marker = web.root / "ran"
    record = web.run(f"open({str(marker)!r}, 'w')", dry_run=True, args=["x"])
    assert not marker.exists()
    assert record["status"] == "completed"
    assert record["run_status"] is None
    assert record["correlation_id"] is None
    assert record["result"]["dry_run"] is True
    assert record["result"]["args"] == ["x"]


def test_the_same_key_and_body_make_one_run(web):
    body = {"script_path": web.write("print(1)")}
    headers = {"Idempotency-Key": "key-one"}
    first = web.client.post("/api/run", json=body, headers=headers)
    second = web.client.post("/api/run", json=body, headers=headers)
    assert first.status_code == second.status_code == 202
    assert first.json()["run_id"] == second.json()["run_id"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"


def test_the_same_key_with_another_body_is_409(web):
    script, headers = web.write(""), {"Idempotency-Key": "key-two"}
    web.client.post("/api/run", json={"script_path": script}, headers=headers)
    other = {"script_path": script, "args": ["x"]}
    body = web.error("POST", "/api/run", 409, json=other, headers=headers)
    assert body["code"] == "idempotency_conflict"


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é".encode("latin-1")])
def test_a_malformed_key_is_400(web, key):
    headers = {"Idempotency-Key": key}
    body = web.error(
        "POST", "/api/run", 400, json={"script_path": web.write("")}, headers=headers
    )
    assert body["code"] == "invalid_idempotency_key"


def test_two_runs_at_once_are_two_runs(web):
    script = web.write("print(1)")
    first, second = (
        web.client.post("/api/run", json={"script_path": script}).json()["run_id"]
        for _ in range(2)
    )
    assert first != second
