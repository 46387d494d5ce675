"""The settings as the dashboard shows them: all variables, no secrets."""

from pathlib import Path

import pytest

from scriptrunner.settings import Settings
from scriptrunner.settings.describe import describe_settings, field_of
from scriptrunner.settings.environment import Environment, known_variables

SETTINGS = Settings(
    database_url="postgresql://runner:hunter2@db/runs",
    data_dir=Path("/data"),
    allowed_roots=(Path("/srv/a"), Path("/srv/b")),
    slots=3,
    admin_token_file=Path("/run/secrets/token"),
)


def described(name: str, **environ: str) -> dict[str, object]:
    found = {each["name"]: each for each in describe_settings(SETTINGS, environ)}
    return found[name]


def test_every_variable_is_there() -> None:
    names = [each["name"] for each in describe_settings(SETTINGS, {})]
    assert names == list(known_variables())


@pytest.mark.parametrize("name", Environment.model_fields)
def test_every_variable_has_a_field(name: str) -> None:
    assert hasattr(SETTINGS, field_of(name))


def test_a_password_is_not_told() -> None:
    value = described("WEBAPI_RUN_DB")["value"]
    assert value == "postgresql://runner:***@db/runs"


def test_lists_numbers_and_files_are_told() -> None:
    assert described("WEBAPI_ALLOWED_ROOT")["value"] == ["/srv/a", "/srv/b"]
    assert described("WEBAPI_SLOTS")["value"] == 3
    assert described("WEBAPI_ADMIN_TOKEN_FILE")["value"] == "/run/secrets/token"
    assert described("WEBAPI_HOSTS")["value"] == []


def test_the_source_is_the_environment_only_if_it_says_something() -> None:
    assert described("WEBAPI_SLOTS")["source"] == "default"
    assert described("WEBAPI_SLOTS", WEBAPI_SLOTS="")["source"] == "default"
    assert described("WEBAPI_SLOTS", WEBAPI_SLOTS="3")["source"] == "environment"
