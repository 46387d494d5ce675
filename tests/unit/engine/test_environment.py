import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scriptrunner.engine import environment
from scriptrunner.engine.environment import (
    build_environment,
    is_secret_name,
    mask,
    split_environment,
)

#: Every name of the rule, with examples for the patterns.
DENIED = re.findall(
    r"\w+",
    """
PATH IFS ENV BASH_ENV SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND CDPATH GLOBIGNORE HOME
LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH LD_X DYLD_INSERT_LIBRARIES DYLD_X GLIBC_TUNABLES
GCONV_PATH LOCPATH NLSPATH MALLOC_CHECK_ MALLOC_X RES_OPTIONS HOSTALIASES
PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONINSPECT PYTHONWARNINGS PYTHON_GIL
PYTHONBREAKPOINT VIRTUAL_ENV PERL5LIB PERL5OPT RUBYOPT RUBYLIB NODE_OPTIONS NODE_PATH
JAVA_TOOL_OPTIONS _JAVA_OPTIONS DOTNET_STARTUP_HOOKS GIT_SSH_COMMAND GIT_X SSH_AUTH_SOCK
SSH_X OPENSSL_CONF SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
HTTP_PROXY HTTPS_PROXY ALL_PROXY WEBAPI_ALLOWED_ROOT WEBAPI_X RUN_ID SCRIPT_RUNNER_ACTIVE
SCRIPT_RUNNER_X
""",
)
KEPT = re.findall(
    r"\w+",
    """
PYTHONUNBUFFERED PYTHONUTF8 PYTHONIOENCODING PYTHONHASHSEED TZ LANG LC_ALL TMPDIR USER
MY_PATH OLD_LD_PRELOAD XPATH RUN_IDS NO_PROXY API_KEY _ DATABASE_URL
""",
)


@pytest.mark.parametrize("name", DENIED)
def test_names_that_load_code_or_forge_ours_are_dropped_in_any_case(name):
    for spelling in (name, name.lower(), name.title(), name.swapcase()):
        assert split_environment({spelling: "x"}) == ({}, [spelling])


@pytest.mark.parametrize("name", KEPT)
def test_other_names_are_kept(name):
    assert split_environment({name: "x"}) == ({name: "x"}, [])


def test_ignored_names_come_in_their_order():
    kept, ignored = split_environment({"Path": "1", "A": "2", "ld_preload": "3"})
    assert (kept, ignored) == ({"A": "2"}, ["Path", "ld_preload"])


def test_an_administrator_may_permit_home_and_proxies_only():
    wanted = {"HOME": "/h", "https_proxy": "http://p", "PATH": "/x", "LD_PRELOAD": "x"}
    kept, ignored = split_environment(
        wanted, permitted=["home", "HTTPS_PROXY", "PATH", "LD_PRELOAD"]
    )
    assert kept == {"HOME": "/h", "https_proxy": "http://p"}
    assert ignored == ["PATH", "LD_PRELOAD"]


@given(st.dictionaries(st.from_regex(r"[A-Za-z_]\w{0,20}", fullmatch=True), st.text()))
def test_every_name_is_either_kept_or_ignored(variables):
    kept, ignored = split_environment(variables)
    assert kept.keys() | set(ignored) == variables.keys()
    assert kept.keys().isdisjoint(ignored)


def test_later_sources_win_and_the_services_names_win_always():
    built = build_environment(
        settings_pass={"TZ": "Europe/Berlin", "A": "settings", "RUN_ID": "settings"},
        caller={"A": "caller", "TMPDIR": "/mine", "RUN_ID": "caller"},
        service={"RUN_ID": "service"},
        temporary_dir="/run/tmp",
    )
    assert built["TZ"] == "Europe/Berlin"
    assert built["A"] == "caller"
    assert built["TMPDIR"] == "/mine"
    assert built["RUN_ID"] == "service"


def test_nothing_is_inherited(monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVICE", "x")
    monkeypatch.setenv("PATH", "/evil")
    built = build_environment(settings_pass={}, caller={}, service={})
    assert built.keys() == {
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "USER",
        "PYTHONUNBUFFERED",
        "PYTHONIOENCODING",
    }
    assert built["PATH"] == environment.FIXED_PATH
    assert built["PYTHONIOENCODING"] == "utf-8:backslashreplace"


def test_a_user_without_an_entry_gets_a_number_and_no_home(monkeypatch):
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    built = environment.fixed_environment()
    assert (built["USER"], built["HOME"]) == ("4000000000", "/")


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "db_pass", "ApiKey", "MY_TOKEN", "credentials", "AUTH", "SENTRY_DSN"],
)
def test_values_of_telling_names_are_masked(name):
    assert is_secret_name(name)
    assert mask({name: "value", "PLAIN": "value"}) == {name: "***", "PLAIN": "value"}
