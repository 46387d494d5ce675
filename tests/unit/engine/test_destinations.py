"""Where runs may write and send: the form of paths, histories and webhooks."""

import pytest

from scriptrunner.engine.destinations import (
    InvalidHistoryDbError,
    InvalidOutputPathError,
    WebhookNotAllowedError,
    check_history_db,
    check_output_path,
    check_webhook,
    mask_webhook,
    relative_output,
)
from scriptrunner.engine.plan import RunOptions


@pytest.mark.parametrize(
    "path", ["a.xml", "a b/c-1.json", "é/ü.xml", "a/b/c/d.xml", "/srv/out/a.xml"]
)
def test_plain_output_paths_pass(path):
    check_output_path("junit_output", path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "../../x.xml",
        "a/../b.xml",
        "./a.xml",
        "a//b.xml",
        "a/",
        ".xml",
        "a/.json",
        "a.txt",
        "a.XML",
        "a\0.xml",
        "a\n.xml",
        "a\x7f.xml",
        "\ud800.xml",
        "a" * 252 + ".xml",
        "a/" * 600 + "b.xml",
        "/etc/cron.d/x",
    ],
)
def test_other_output_paths_are_refused(path):
    with pytest.raises(InvalidOutputPathError, match=r"^save_baseline "):
        check_output_path("save_baseline", path)


def test_an_absolute_path_needs_the_output_root_in_either_spelling():
    roots = ("/srv/out", "/mnt/disk/out")
    assert relative_output("x", "/srv/out/a/b.xml", roots) == "a/b.xml"
    assert relative_output("x", "/mnt/disk/out/b.xml", roots) == "b.xml"
    assert relative_output("x", "a/b.xml", roots) == "a/b.xml"
    for path in ("/srv/outside/b.xml", "/srv/out", "/etc/x.xml"):
        with pytest.raises(InvalidOutputPathError):
            relative_output("x", path, roots)
    with pytest.raises(InvalidOutputPathError):
        relative_output("x", "/srv/out/a.xml", ())


def test_two_outputs_are_two_files():
    with pytest.raises(InvalidOutputPathError):
        RunOptions(junit_output="a.xml", save_baseline="a.xml").check()


@pytest.mark.parametrize("name", ["\0", "", "a\nb", "x" * 1025])
def test_no_baseline_has_such_a_name(name):
    with pytest.raises(InvalidOutputPathError, match="load_baseline"):
        RunOptions(load_baseline=name).check()


@pytest.mark.parametrize("name", ["team", "a/b.db", "x.sqlite", "/srv/h/x.sqlite3"])
def test_aliases_and_history_files_pass(name):
    check_history_db(name)


@pytest.mark.parametrize(
    "name",
    ["", ":memory:", "file:x.db", "sqlite:///x.db", "a/b", "x y", "a\0.db", "é"],
)
def test_other_histories_are_refused(name):
    with pytest.raises(InvalidHistoryDbError):
        check_history_db(name)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T/B/x",
        "https://HOOKS.slack.com/x",
        "https://hooks.slack.com:443/x",
        "https://chat.example.org/hook",
        "https://chat.example.org:8443/hook",
    ],
)
def test_webhooks_of_allowed_hosts_pass(url):
    check_webhook(url, hosts=("chat.example.org", "chat.example.org:8443"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://hooks.slack.com/x",
        "http://169.254.169.254/",
        "http://127.0.0.1:9000/api/runs/x/kill",
        "https://127.0.0.1/x",
        "https://evil.example/x",
        "https://hooks.slack.com.evil.example/x",
        "https://hooks.slack.com@evil.example/x",
        "https://u:p@hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "https://hooks.slack.com:99999/x",
        "https://evil.example\\@hooks.slack.com/x",
        "https://hooks.slack.com/x y",
        "https://hooks.slack.com/\r\nHost: x",
        "https://[::1]/x",
        "https://[/x",
        "https:///x",
        "//hooks.slack.com/x",
        "https://hooks.slack.com/" + "x" * 2048,
    ],
)
def test_other_webhooks_are_refused_and_not_repeated(url):
    with pytest.raises(WebhookNotAllowedError) as caught:
        check_webhook(url, hosts=("chat.example.org",))
    assert "evil" not in caught.value.message


def test_of_a_webhook_only_the_host_is_shown():
    shown = mask_webhook("https://hooks.slack.com/services/T000/B000/secret?x=1")
    assert shown == "https://hooks.slack.com/***"
    assert mask_webhook("nonsense") == "***"
