"""``POST /api/run/upload``: a script that comes along, with options as form fields."""

import json

import pytest

from tests.web.conftest import check_error

HELLO = b"import sys\nprint('hello', sys.argv[1:])\n"


def upload(web, content=HELLO, name="hello.py", **fields):
    return web.client.post(
        "/api/run/upload", files={"file": (name, content)}, data=fields
    )


def accept(web, *args, **fields):
    answer = upload(web, *args, **fields)
    assert answer.status_code == 202, answer.text
    return web.finish(answer.json()["run_id"])


def refuse(web, status, *args, **fields):
    before = sorted((web.root.parent / "data" / "runs").iterdir())
    answer = upload(web, *args, **fields)
    assert answer.status_code == status, answer.text
    assert sorted((web.root.parent / "data" / "runs").iterdir()) == before
    return check_error(answer)


def raw(web, parts, boundary="frontier"):
    """Send hand-made parts: pairs of header text and content."""
    body = b"".join(
        f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    return web.client.post(
        "/api/run/upload",
        content=body + f"--{boundary}--\r\n".encode(),
        headers={"content-type": f"multipart/form-data; boundary={boundary}"},
    )


FILE_PART = ('Content-Disposition: form-data; name="file"; filename="a.py"', HELLO)


def test_an_uploaded_script_runs(web):
    record = accept(web)
    assert record["status"] == "completed"
    assert record["trigger"] == "upload"
    assert record["request"]["script_path"] == "upload:hello.py"
    assert record["result"]["stdout"] == "hello []\n"


def test_scalars_are_texts(web):
    record = accept(
        web,
        timeout="30",
        retry_on_failure="on",
        retry_multiplier="1.5",
        stream_output="0",
        monitor_interval="1",
        enable_visualizer="TRUE",
        log_level="debug",
        visualizer_format="json",
    )
    request = record["request"]
    assert request["timeout"] == 30
    assert request["retry_on_failure"] is True
    assert request["retry_multiplier"] == 1.5
    assert request["stream_output"] is False
    assert request["enable_visualizer"] is True
    assert request["log_level"] == "DEBUG"


def test_an_empty_field_means_the_default(web):
    request = accept(web, timeout="", args="", env_vars="", retry_strategy="")[
        "request"
    ]
    assert (request["timeout"], request["args"], request["env_vars"]) == (None, [], {})
    assert request["retry_strategy"] == "exponential"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ('["a b", "", "c,d"]', ["a b", "", "c,d"]),
        ("x, y z,,w", ["x", "y z", "w"]),
        ("one", ["one"]),
        (" , ", []),
    ],
)
def test_args_take_json_or_commas(web, text, args):
    assert accept(web, args=text)["request"]["args"] == args


def test_the_environment_is_json_text(web):
    text = json.dumps({"COLOUR": "blue"})
    record = accept(web, b"import os; print(os.environ['COLOUR'])", env_vars=text)
    assert record["result"]["stdout"] == "blue\n"


@pytest.mark.parametrize(
    ("name", "text"), [("env_vars", "{bad json"), ("args", '["a"'), ("env_vars", "x")]
)
def test_text_that_is_no_json_is_400(web, name, text):
    body = refuse(web, 400, **{name: text})
    assert body["code"] == "invalid_form_json"
    assert body["detail"].startswith(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("args", "[1]"),
        ("env_vars", "[]"),
        ("env_vars", '{"A": 1}'),
        ("env_vars", '{"A": "1", "A": "2"}'),
        ("env_vars", '{"A": NaN}'),
        ("timeout", "soon"),
        ("timeout", "1.5"),
        ("retry_on_failure", "yes"),
        ("retry_max_attempts", "0"),
        ("retry_max_delay", "inf"),
        ("monitor_interval", "nan"),
        ("retry_strategy", "x"),
        ("script_path", "a.py"),
        ("nonsense", "1"),
        ("alerts", "{}"),
        ("performance_gates", '[{"metric": "cpu_max", "max_value": NaN}]'),
        ("nonsense", ""),
    ],
)
def test_a_wrong_shape_is_422(web, name, text):
    body = refuse(web, 422, **{name: text})
    assert name in {fault["loc"][1] for fault in body["detail"]}


def test_a_timeout_out_of_range_is_400(web):
    assert refuse(web, 400, timeout="0")["code"] == "invalid_timeout"


@pytest.mark.parametrize("name", ["x.sh", "x.py.txt", "X.PY", "py", ".py", "x.pyc"])
def test_only_python_files_are_taken(web, name):
    body = refuse(web, 400, HELLO, name)
    assert body["code"] == "not_python"
    assert body["detail"] == "Only Python files are allowed"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.py", "x.py"),
        ("C:\\dir\\y.pyw", "y.pyw"),
        ("/etc/passwd.py", "passwd.py"),
        ("<img onerror=1>.py", "_img onerror_1_.py"),
        ("n" * 300 + ".py", "n" * 97 + ".py"),
        ("päivä.py", "päivä.py"),
    ],
)
def test_a_hostile_name_is_only_shown(web, name, shown):
    answer = raw(
        web,
        [
            (
                f'Content-Disposition: form-data; name="file"; filename="{name}"'.replace(
                    "\\", "\\\\"
                ),
                HELLO,
            )
        ],
    )
    assert answer.status_code == 202, answer.text
    record = web.finish(answer.json()["run_id"])
    assert record["request"]["script_path"] == f"upload:{shown}"
    assert record["status"] == "completed"


def test_the_file_is_in_the_run_folder_only_and_goes_with_the_run(web):
    record = accept(web)
    folder = web.root.parent / "data" / "runs" / record["id"]
    assert (folder / "upload.py").read_bytes() == HELLO
    assert (folder / "upload.py").stat().st_mode & 0o777 == 0o400
    assert not list(web.root.glob("**/hello.py"))
    assert web.client.delete(f"/api/runs/{record['id']}").status_code == 200
    assert not folder.exists()


def test_no_file_is_422(web):
    answer = raw(web, [('Content-Disposition: form-data; name="timeout"', b"5")])
    assert answer.status_code == 422
    assert check_error(answer)["detail"][0]["loc"] == ["body", "file"]


def test_two_files_are_422(web):
    assert raw(web, [FILE_PART, FILE_PART]).status_code == 422


@pytest.mark.parametrize(
    "part",
    [
        ('Content-Disposition: form-data; name="file"', b"text"),
        ('Content-Disposition: form-data; name="timeout"; filename="t"', b"5"),
        ('Content-Disposition: form-data; name="other"; filename="b.py"', HELLO),
        ("Content-Disposition: form-data", b"no name"),
        ('Content-Disposition: form-data; name="args"', b"\xff\xfe"),
        ("X: " + "y" * 9_000, b""),
    ],
)
def test_a_strange_part_is_422(web, part):
    answer = raw(web, [FILE_PART, part])
    assert answer.status_code == 422, answer.text
    check_error(answer)


def test_a_field_given_twice_is_422(web):
    part = ('Content-Disposition: form-data; name="timeout"', b"5")
    assert raw(web, [FILE_PART, part, part]).status_code == 422


def test_more_than_64_parts_are_422(web):
    part = ('Content-Disposition: form-data; name="x"', b"")
    assert raw(web, [part] * 65).status_code == 422


def test_a_form_that_is_cut_off_is_422(web):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    for body in (
        b"",
        b"--x\r\n",
        b"nonsense",
        b"--x\r\nContent-Disposition: form-data",
    ):
        answer = web.client.post("/api/run/upload", content=body, headers=headers)
        assert answer.status_code == 422, body
        check_error(answer)


def test_a_form_without_boundary_is_422(web):
    answer = web.client.post(
        "/api/run/upload", content=b"x", headers={"content-type": "multipart/form-data"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "text/x-python"]
)
def test_another_media_type_is_415(web, kind):
    answer = web.client.post(
        "/api/run/upload", content=b"a=1&" * 10_000, headers={"content-type": kind}
    )
    assert answer.status_code == 415
    check_error(answer)


def test_ten_mebibytes_are_the_limit(web):
    body = refuse(web, 413, b"#" * (10 << 20))
    assert body["code"] == "body_too_large"


def test_a_large_script_below_the_limit_runs(web):
    record = accept(web, b"#" * (9 << 20) + b"\nprint('done')\n")
    assert record["result"]["stdout"] == "done\n"


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00nonsense", b"# coding: utf-7\nprint(1)", b"print(1)\0"]
)
def test_a_source_that_is_no_text_is_a_failed_run(web, content):
    assert accept(web, content)["status"] in {"failed", "completed"}


def test_the_same_key_and_file_make_one_run(web):
    headers = {"Idempotency-Key": "upload-one"}
    files = {"file": ("hello.py", HELLO)}
    first, second = (
        web.client.post("/api/run/upload", files=files, headers=headers)
        for _ in range(2)
    )
    assert first.json()["run_id"] == second.json()["run_id"]
    other = web.client.post(
        "/api/run/upload", files={"file": ("hello.py", b"print(2)")}, headers=headers
    )
    assert other.status_code == 409
