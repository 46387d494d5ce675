"""Where webhooks may go."""

import threading

import pytest

from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.targets import find_addresses, is_public, to_target


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_of_the_internet_are_public(text):
    assert is_public(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::8.8.8.8",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2001:0:1::1",
        "2001:db8::1",
        "2002:808:808::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "no address",
        "",
    ],
)
def test_everything_else_is_not(text):
    assert not is_public(text)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://hooks.slack.com/services/T/B/x", "hooks.slack.com"),
        ("https://Hooks.Slack.com:443/x?y=1", "hooks.slack.com"),
        ("https://chat.example:8443/x", "chat.example:8443"),
        ("https://[2606:4700::1111]/x", "[2606:4700::1111]"),
        ("http://inside.lan:8065/x", "inside.lan:8065"),
    ],
)
def test_targets_know_what_to_call_the_host(url, place):
    assert to_target(url, internal=["inside.lan:8065"]).place == place


def test_targets_keep_path_and_query():
    assert to_target("https://a.example/b?c=d", internal=[]).resource == "/b?c=d"
    assert to_target("https://a.example", internal=[]).resource == "/"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.slack.com",
        "http://hooks.slack.com/x",
        "http://inside.lan/x",
        "ftp://inside.lan:8065/x",
        "https://user@hooks.slack.com/x",
        "https://:pw@hooks.slack.com/x",
        "https://a.example:99999/",
        "https:///x",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_https_address_is_refused_for_good(url):
    with pytest.raises(DeliveryError) as caught:
        to_target(url, internal=["inside.lan:8065"])
    assert caught.value.is_final


def resolving(*addresses):
    return lambda _host, _port: addresses


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    target = to_target("https://rebind.example/", internal=[])
    with pytest.raises(DeliveryError, match="not public") as caught:
        find_addresses(target, seconds=1, resolve=resolving("8.8.8.8", "10.0.0.1"))
    assert caught.value.is_final
    assert find_addresses(target, seconds=1, resolve=resolving("8.8.8.8")) == [
        "8.8.8.8"
    ]


def test_the_name_service_is_asked_once():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return ["8.8.8.8"]

    find_addresses(
        to_target("https://a.example/", internal=[]), seconds=1, resolve=resolve
    )
    assert asked == [("a.example", 443)]


def test_listed_hosts_of_our_own_may_have_private_addresses():
    target = to_target("http://inside.lan:8065/", internal=["inside.lan:8065"])
    assert find_addresses(target, seconds=1, resolve=resolving("10.0.0.1"))


def test_a_name_that_is_not_known_may_be_known_later():
    def resolve(_host, _port):
        raise OSError("no such name: secret.example")

    target = to_target("https://a.example/", internal=[])
    for known in (resolve, resolving()):
        with pytest.raises(DeliveryError) as caught:
            find_addresses(target, seconds=1, resolve=known)
        assert not caught.value.is_final
        assert "secret" not in caught.value.message


def test_a_slow_name_service_holds_up_nobody():
    release = threading.Event()

    def resolve(_host, _port):
        release.wait(20)
        return ["8.8.8.8"]

    target = to_target("https://a.example/", internal=[])
    with pytest.raises(DeliveryError, match="not found in time"):
        find_addresses(target, seconds=0.01, resolve=resolve)
    release.set()
