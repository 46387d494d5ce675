"""``scriptrunner token …`` as an administrator uses it, before the service ever ran."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scriptrunner.cli.tokens import token


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEBAPI_RUN_DB", str(tmp_path / "data" / "runs.db"))
    monkeypatch.setenv("WEBAPI_ALLOWED_ROOT", str(tmp_path))
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(token, arguments)


def create(*options: str) -> str:
    result = run("create", *options)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_created_token_stands_alone_on_standard_output() -> None:
    assert re.fullmatch(r"wapi_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", create())


def test_list_tells_all_but_the_secret() -> None:
    first, second = create("--name", "laptop"), create("--role", "admin")
    run("revoke", first.split("_")[1])

    lines = run("list").stdout.splitlines()

    assert lines[0].split() == [
        "ID",
        "ROLE",
        "STATE",
        "CREATED",
        "LAST",
        "USED",
        "EXPIRES",
        "NAME",
    ]
    assert lines[1].split()[:3] == [first.split("_")[1], "admin", "revoked"]
    assert lines[1].split()[4:] == ["never", "never", "laptop"]
    assert lines[2].split()[:3] == [second.split("_")[1], "admin", "valid"]
    assert first.strip()[-43:] not in "\n".join(lines)


def test_a_token_may_end_by_itself() -> None:
    result = run("create", "--event", "deploy", "--expires", "2030-01-31")
    lines = run("list").stdout.splitlines()

    assert "(event deploy, event, until 2030-01-31T00:00:00Z)" in result.stderr
    assert lines[1].endswith("never                2030-01-31T00:00:00Z event deploy")


def test_empty_list_says_so() -> None:
    result = run("list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "no tokens" in result.stderr


def test_unknown_token_cannot_be_revoked() -> None:
    result = run("revoke", "nothing")

    assert result.exit_code == 1
    assert "There is no valid token nothing" in result.output


@pytest.mark.parametrize(
    "options",
    [
        ("--role", "king"),
        ("--name", ""),
        ("--name", "x" * 101),
        ("--expires", "soon"),
        ("--expires", "2020-01-01"),
    ],
)
def test_poor_options_make_no_token(options: tuple[str, str]) -> None:
    result = run("create", *options)

    assert result.exit_code == 2
    assert options[0] in result.output
    assert run("list").stdout == ""


def test_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBAPI_RULE_UID", "maybe")

    result = run("list")

    assert result.exit_code == 1
    assert "WEBAPI_RULE_UID" in result.output


def test_database_is_for_the_administrator_alone(data_folder: Path) -> None:
    create()

    assert (data_folder / "runs.db").stat().st_mode & 0o077 == 0
    assert data_folder.stat().st_mode & 0o077 == 0
