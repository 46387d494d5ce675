import pytest

from scriptrunner.engine.scans.code_analysis import scan

#: What bandit calls when it is loaded; in the service only its own process sees that.
pytestmark = pytest.mark.filterwarnings("ignore:The verify_requirements argument")


def rules(source: str) -> dict[str, str]:
    return {each["id"]: each["severity"] for each in scan(source.encode())["findings"]}


@pytest.mark.parametrize(
    ("source", "rule", "severity"),
    [
        ("import os\nos.system('ls ' + x)", "B605", "HIGH"),
        ("import subprocess as s\ns.run('ls ' + x, shell=True)", "B602", "HIGH"),
        ("import yaml\nyaml.load(x)", "B506", "HIGH"),
        ("import requests\nrequests.get(x, verify=False, timeout=1)", "B501", "HIGH"),
        ("import ssl\nssl._create_unverified_context()", "B323", "HIGH"),
        ("eval(x)", "B307", "MEDIUM"),
        ("exec(x)", "B102", "MEDIUM"),
        ("import pickle\npickle.loads(x)", "B301", "MEDIUM"),
        ("c.execute('select * from t where a = ' + x)", "B608", "MEDIUM"),
        ("import hashlib\nhashlib.md5(x)", "B324", "HIGH"),
        ("import tempfile\ntempfile.mktemp()", "B306", "MEDIUM"),
        ("s.bind(('0.0.0.0', 1))", "B104", "MEDIUM"),
        ("try:\n    f()\nexcept:\n    pass", "B110", "LOW"),
        ("assert x", "B101", "LOW"),
        ("def f(:\n    pass", "syntax_error", "HIGH"),
        ("x = '\0'", "syntax_error", "HIGH"),
    ],
)
def test_what_is_dangerous_is_found(source, rule, severity):
    assert rules(source)[rule] == severity


def test_a_harmless_script_is_clean():
    report = scan(b"print('hello')\n")
    assert report["status"] == "clean"
    assert report["counts"] == {}
    assert report["findings"] == []


def test_a_finding_says_where_and_what():
    report = scan(b"import os\nif x:\n    os.system('ls ' + x)\n")
    finding = report["findings"][0]
    assert finding["id"] == "B605"
    assert (finding["line"], finding["column"]) == (3, 5)
    assert finding["snippet"] == "os.system('ls ' + x)"
    assert finding["cwe"] == "CWE-78"
    assert finding["confidence"] == 0.9
    assert finding["message"]


@pytest.mark.parametrize("source", [b"# \xff\n", b"x = 1\n" * 9 + b"# \xe9\n"])
def test_bytes_that_python_cannot_read_are_a_syntax_error(source):
    (finding,) = scan(source)["findings"]
    assert (finding["id"], finding["severity"]) == ("syntax_error", "HIGH")


def test_a_syntax_error_says_its_line():
    (finding,) = scan(b"x = 1\ny = (\n")["findings"]
    assert (finding["line"], finding["column"]) == (2, 5)
    assert finding["message"].startswith("Syntax error: ")


@pytest.mark.parametrize("line", ["# nosec", "# nosec B307", "#nosec:B307,B101"])
def test_a_comment_suppresses_and_is_counted(line):
    report = scan(f"eval(x)  {line}\n".encode())
    assert (report["status"], report["suppressed"]) == ("clean", 1)


@pytest.mark.parametrize(
    "source", ["eval(x)  # nosec B101", "eval('# nosec')", "# nosec\neval(x)"]
)
def test_nothing_else_suppresses(source):
    report = scan(source.encode())
    assert (report["status"], report["suppressed"]) == ("findings", 0)


def test_a_comment_at_the_end_of_a_long_call_counts():
    source = b"import subprocess\nsubprocess.run(\n    x,\n    shell=True,\n)  # nosec B602\n"
    assert "B602" not in [each["id"] for each in scan(source)["findings"]]


def test_no_password_is_repeated():
    source = (
        b'password = "hunter2"\n'
        b'login(password="hunter2")\n'
        b'import os\nos.system("mysql -p" + x + " postgres://u:hunter2@h/d")\n'
    )
    report = scan(source)
    assert {"B105", "B106", "B605"} <= {each["id"] for each in report["findings"]}
    assert "hunter2" not in str(report)


def test_a_function_with_many_branches_is_reported():
    branches = "\n".join(f"    if x == {n}:\n        return {n}" for n in range(10))
    assert rules(f"def f(x):\n{branches}\n") == {"C901": "LOW"}
    fewer = "\n".join(f"    if x == {n}:\n        return {n}" for n in range(9))
    assert rules(f"def f(x):\n{fewer}\n") == {}


def test_an_inner_function_counts_by_itself():
    branches = "\n".join(f"        if x == {n}:\n            x()" for n in range(6))
    source = f"def f(x):\n    def g():\n{branches}\n    def h():\n{branches}\n"
    assert rules(source) == {}


def test_a_rule_that_fails_is_an_error_and_not_a_clean_script(monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError

    monkeypatch.setattr("bandit.core.tester.BanditTester.run_tests", fail)
    report = scan(b"print(1)\n")
    assert (report["status"], report["reason"]) == (
        "error",
        "bandit could not read the script",
    )
