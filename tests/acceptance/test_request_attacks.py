"""Attacks by what a request says: values out of bounds, bodies that are none, secrets."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.attacks import assert_refused, submit, submit_raw
from tests.server import Server, running_server


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        # 32
        ({"args": ["x"] * 51}, 400),
        ({"args": ["x\x00y"]}, 400),
        ({"args": ["x" * 32_769]}, 400),
        ({"args": "--flag"}, 422),
        ({"args": [["nested"]]}, 422),
        ({"args": [1]}, 422),
        ({"args": None}, 422),
        # 33
        ({"timeout": 0}, 400),
        ({"timeout": -1}, 400),
        ({"timeout": 2**31}, 400),
        ({"timeout": 1e308}, 400),
        ({"timeout": "5"}, 422),
        ({"timeout": True}, 422),
        ({"timeout": 1.5}, 422),
        # 34
        ({"monitor_interval": 0}, 422),
        ({"monitor_interval": 1e-9}, 422),
        ({"monitor_interval": -1}, 422),
        # 35, 36
        ({"env_vars": {"A=B": "x"}}, 400),
        ({"env_vars": {"": "x"}}, 400),
        ({"env_vars": {"1A": "x"}}, 400),
        ({"env_vars": {"A": "x\x00"}}, 400),
        ({"env_vars": {"A": "x" * 32_769}}, 400),
        ({"env_vars": {f"N{n}": "x" for n in range(257)}}, 400),
        ({"env_vars": {"A": 1}}, 422),
        ({"env_vars": [["A", "b"]]}, 422),
        # 37
        ({"log_level": "'; rm -rf /"}, 422),
        ({"visualizer_format": "../../x"}, 422),
        ({"retry_strategy": "x"}, 422),
        ({"retry_max_attempts": 0}, 422),
        ({"retry_max_attempts": 10**30}, 422),
        ({"retry_multiplier": 0.5}, 422),
        ({"retry_max_time": -1}, 422),
        # 38
        ({"tiemout": 5}, 422),
        ({"__proto__": {}}, 422),
        ({"dry_run": 1}, 422),
        ({"dry_run": "true"}, 422),
    ],
)
def test_32_to_38_values_out_of_bounds(
    server: Server, hello: str, fields: dict[str, Any], status: int
) -> None:
    assert_refused(submit(server, script_path=hello, **fields), status)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ('{"script_path": "hello.py", "timeout": NaN}', (400, 422)),
        ('{"script_path": "hello.py", "timeout": 1e400}', (400, 422)),
        ('{"script_path": "hello.py", "monitor_interval": Infinity}', (422,)),
        ('{"script_path": "hello.py", "script_path": "hello.py"}', (422,)),
        ('{"script_path": "hello.py", "env_vars": {"A": "1", "A": "2"}}', (422,)),
        ('{"script_path": "hello.py"', (400, 422)),
        ('{"script_path": "hello.py"}}', (400, 422)),
        ("[]", (422,)),
        ("null", (422,)),
        ('"hello.py"', (422,)),
        ("", (422,)),
        ("[" * 100_000, (400, 422)),
        ('{"args":' + "[" * 40 + "]" * 40 + "}", (422,)),
        (b"\xff\xfe{\x00}\x00", (400, 422)),
        (b'{"script_path": "\xff.py"}', (400, 422)),
        ('{"script_path": "hello.py", "timeout": ' + "9" * 5_000 + "}", (400, 422)),
        ('{"script_path": "' + "x" * (11 << 20) + '"}', (413,)),
    ],
)
def test_bodies_that_are_no_request(
    server: Server, hello: str, body: str | bytes, statuses: tuple[int, ...]
) -> None:
    assert hello
    assert_refused(submit_raw(server, body), *statuses)


def test_timeout_null_is_fine(server: Server, hello: str) -> None:
    assert submit(server, script_path=hello, timeout=None).status_code == 202


DANGEROUS = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "BASH_ENV",
    "ENV",
    "PATH",
    "IFS",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "ld_preload",
    "PythonPath",
    "DYLD_INSERT_LIBRARIES",
    "NODE_OPTIONS",
    "GIT_SSH_COMMAND",
    "WEBAPI_ALLOWED_ROOT",
    "RUN_ID",
    "SCRIPT_RUNNER_ACTIVE",
]


def test_35_36_names_that_load_code_are_dropped(server: Server) -> None:
    record = server.run(
        "import json, os; print(json.dumps(dict(os.environ)))\n",
        env_vars={**dict.fromkeys(DANGEROUS, "/evil"), "HARMLESS": "kept"},
    )

    environment = json.loads(record["result"]["stdout"])
    assert record["status"] == "completed"
    assert set(record["ignored_env"]) == set(DANGEROUS)
    assert environment["HARMLESS"] == "kept"
    assert "/evil" not in environment.values()
    assert environment["RUN_ID"] == record["id"]
    assert not {name for name in environment if name.startswith("WEBAPI_ALLOWED")}


def test_secrets_are_masked_wherever_they_show(server: Server) -> None:
    record = server.run("pass\n", env_vars={"DB_PASSWORD": "hunter2-hunter2"})

    run_id = record["id"]
    assert record["request"]["env_vars"] == {"DB_PASSWORD": "***"}
    for path in ("", "/events", "/logs"):
        assert "hunter2" not in server.client.get(f"/api/runs/{run_id}{path}").text
    assert "hunter2" not in server.client.get("/api/runs").text
    assert "hunter2" not in server.read_log()


def test_script_sees_nothing_of_the_service(tmp_path: Path) -> None:
    changes = {"WEBAPI_SECRET_OF_MINE": "hunter2", "AWS_SECRET_ACCESS_KEY": "hunter2"}
    with running_server(tmp_path, environment=changes) as server:
        record = server.run(
            "import os, stat\n"
            "print(dict(os.environ))\n"
            "print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])\n"
            "print(repr(os.read(0, 1)))\n"
        )

    environment, descriptors, stdin = record["result"]["stdout"].splitlines()
    assert "hunter2" not in environment
    assert descriptors == "[0, 1, 2]"
    assert stdin == "b''"


@pytest.mark.parametrize("path", ["hello.py", "../../etc/passwd"])
def test_39_dry_run_starts_nothing(server: Server, path: str) -> None:
    marker = server.folder / "dry"
    server.write_script("hello.py", f"open({str(marker)!r}, 'w')\n")

    answer = submit(server, script_path=path, dry_run=True)

    if path.startswith(".."):
        assert_refused(answer, 400, code="script_outside_root")
    else:
        record = server.wait_finished(answer.json()["run_id"])
        assert record["result"]["dry_run"] is True
    assert not marker.exists()
