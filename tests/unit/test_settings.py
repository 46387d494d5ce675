"""Settings are read once, strictly, and every variable is documented."""

import re
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from scriptrunner.settings import (
    PROJECT_FOLDER,
    Settings,
    SettingsError,
    default_slots,
    environment,
    load_settings,
)
from scriptrunner.settings.environment import known_variables, warn_of_unknown

REFERENCE = PROJECT_FOLDER / "docs" / "reference" / "settings.md"


def test_defaults_need_no_variable():
    settings = load_settings({})
    assert settings.data_dir == PROJECT_FOLDER / "data"
    assert settings.database_url == f"sqlite:///{PROJECT_FOLDER}/data/runs.db"
    assert settings.allowed_roots == (PROJECT_FOLDER,)
    assert settings.python == sys.executable
    assert settings.slots == default_slots()


def test_a_file_decides_the_data_folder(tmp_path):
    settings = load_settings({"WEBAPI_RUN_DB": str(tmp_path / "in" / "runs.db")})
    assert settings.data_dir == tmp_path / "in"
    assert settings.database_url == f"sqlite:///{tmp_path}/in/runs.db"
    assert not (tmp_path / "in").exists()


def test_an_odd_file_name_survives_the_url(tmp_path):
    file = tmp_path / "a b%20?#é.db"
    with pytest.raises(SettingsError):
        load_settings({"WEBAPI_RUN_DB": str(file)})
    file = tmp_path / "a b%20é.db"
    settings = load_settings({"WEBAPI_RUN_DB": str(file)})
    assert make_url(settings.database_url).database == str(file)


def test_relative_paths_do_not_depend_on_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(
        {"WEBAPI_RUN_DB": "x/runs.db", "WEBAPI_ALLOWED_ROOT": "docs"}
    )
    assert settings.data_dir == PROJECT_FOLDER / "x"
    assert settings.allowed_roots == (PROJECT_FOLDER / "docs",)


def test_an_installed_package_works_in_the_home(tmp_path, monkeypatch):
    """Beside the installed package there is nobody's folder."""
    monkeypatch.setattr(environment, "PROJECT_FOLDER", tmp_path / "site-packages")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    settings = load_settings({})
    assert settings.data_dir == tmp_path / ".local/share/scriptrunner"
    assert settings.allowed_roots == (tmp_path,)
    (tmp_path / "jobs").mkdir()
    settings = load_settings({"WEBAPI_ALLOWED_ROOT": "jobs"})
    assert settings.allowed_roots == (tmp_path / "jobs",)


def test_a_server_url_is_kept_and_the_data_folder_is_apart(tmp_path):
    settings = load_settings(
        {"WEBAPI_RUN_DB": "postgres://u:p@db/x", "WEBAPI_DATA_DIR": str(tmp_path)}
    )
    assert settings.database_url == "postgresql://u:p@db/x"
    assert settings.data_dir == tmp_path


def test_several_roots_are_split_like_a_search_path(tmp_path):
    (tmp_path / "b").mkdir()
    settings = load_settings({"WEBAPI_ALLOWED_ROOT": f"{tmp_path}:{tmp_path / 'b'}"})
    assert settings.allowed_roots == (tmp_path, tmp_path / "b")


def test_a_severity_may_be_written_in_any_case():
    assert load_settings({"WEBAPI_SCAN_BLOCK": "medium"}).scan_block == "MEDIUM"


def test_advisories_are_in_the_data_folder_unless_said_otherwise(tmp_path):
    there = load_settings({"WEBAPI_DATA_DIR": str(tmp_path)})
    assert there.advisory_path == tmp_path / "advisories.json.gz"
    settings = load_settings({"WEBAPI_ADVISORY_DB": "osv"})
    assert settings.advisory_path == PROJECT_FOLDER / "osv"


def test_histories_are_named_files(tmp_path):
    text = f"nightly={tmp_path}/a.db:ci={tmp_path}/b.bin"
    settings = load_settings({"WEBAPI_HISTORY_DBS": text, "WEBAPI_HISTORY_DAYS": "90"})
    assert settings.history_dbs == (
        ("nightly", tmp_path / "a.db"),
        ("ci", tmp_path / "b.bin"),
    )
    assert settings.history_days == 90
    assert Settings.from_json(settings.to_json()) == settings


def test_an_empty_value_is_no_value():
    names = dict.fromkeys(known_variables(), "")
    assert load_settings(names) == load_settings({})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("WEBAPI_RUN_DB", ":memory:", "database in memory"),
        ("WEBAPI_RUN_DB", "mysql://x/y", "postgresql://"),
        ("WEBAPI_RUN_DB", "/tmp", "not a folder"),
        ("WEBAPI_ALLOWED_ROOT", "/no/such/folder", "/no/such/folder"),
        ("WEBAPI_PYTHON", "/no/such/python", "executable"),
        ("WEBAPI_SLOTS", "many", "integer"),
        ("WEBAPI_SLOTS", "0", "greater than or equal to 1"),
        ("WEBAPI_QUEUE_LIMIT", "-1", "greater than or equal to 1"),
        ("WEBAPI_STOP_GRACE", "nan", "finite"),
        ("WEBAPI_MAX_OUTPUT", "10MB", "integer"),
        ("WEBAPI_PASS_ENV", "A;B", "commas"),
        ("WEBAPI_HOSTS", "https://example.org", "without scheme"),
        ("WEBAPI_LOCAL_UIDS", "root", "numbers"),
        ("WEBAPI_LOCAL_ROLE", "viewer", "'admin' or 'none'"),
        ("WEBAPI_RULE_UID", "true", "'on', 'log' or 'off'"),
        ("WEBAPI_SCAN_BLOCK", "severe", "'CRITICAL' or 'NONE'"),
        ("WEBAPI_DURABILITY", "yes", "'process' or 'power'"),
        ("WEBAPI_ADMIN_TOKEN_FILE", "/no/such/file", "existing file"),
        ("WEBAPI_HISTORY_DBS", "/tmp/x.db", "name=file"),
        ("WEBAPI_HISTORY_DBS", "a b=/tmp/x.db", "name=file"),
        ("WEBAPI_HISTORY_DBS", "a=/no/such/folder/x.db", "existing folder"),
        ("WEBAPI_HISTORY_DBS", "a=/tmp", "existing folder"),
        ("WEBAPI_HISTORY_DBS", "a=/tmp/x.db:a=/tmp/y.db", "twice"),
        ("WEBAPI_HISTORY_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_an_ambiguous_value_is_refused_by_name(name, text, words):
    with pytest.raises(SettingsError) as caught:
        load_settings({name: text})
    assert name in str(caught.value)
    assert words in str(caught.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(SettingsError) as caught:
        load_settings({"WEBAPI_HOSTS": "a/b", "WEBAPI_LOCAL_UIDS": "x"})
    assert len(caught.value.problems) == 2


def test_a_refused_secret_is_not_repeated():
    with pytest.raises(SettingsError) as caught:
        load_settings({"WEBAPI_RUN_DB": "mysql://u:hunter2@x/y"})
    assert "hunter2" not in str(caught.value)


def test_a_misspelt_name_is_warned_about_with_the_nearest_one():
    (sentence,) = warn_of_unknown(
        {"WEBAPI_ALOWED_ROOT": "x", "WEBAPI_URL": "y", "PATH": "z"}
    )
    assert "WEBAPI_ALOWED_ROOT" in sentence
    assert "WEBAPI_ALLOWED_ROOT?" in sentence


def test_settings_survive_the_way_to_the_supervisor(tmp_path):
    settings = Settings(
        database_url="sqlite:///x",
        data_dir=tmp_path,
        allowed_roots=(tmp_path,),
        local_uids=(5,),
    )
    assert Settings.from_json(settings.to_json()) == settings


def test_every_variable_is_documented_and_no_other():
    rows = re.findall(r"^\| `(WEBAPI_[A-Z0-9_]+)`", REFERENCE.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(known_variables())


def test_documented_defaults_are_the_real_ones():
    table = dict(
        re.findall(
            r"^\| `(WEBAPI_[A-Z0-9_]+)` \| `([^`]*)` \|",
            REFERENCE.read_text(),
            re.MULTILINE,
        )
    )
    plain = load_settings(table)
    assert plain == load_settings({}), "a documented default differs from the real one"
    assert {"WEBAPI_QUEUE_LIMIT", "WEBAPI_STOP_GRACE", "WEBAPI_RULE_UID"} <= set(table)
    assert Path(table["WEBAPI_RUN_DB"]) == Path("data/runs.db")
