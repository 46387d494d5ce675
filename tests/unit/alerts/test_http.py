"""Posting to a webhook: a real server on this machine takes it, or does not."""

import logging
import shutil
import ssl
import subprocess

import pytest

from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.http import post_json
from tests.receivers import http_receiver

BODY = {"text": "hello"}


def test_the_body_arrives_as_json():
    with http_receiver() as receiver:
        post_json(
            receiver.url,
            BODY,
            internal=[receiver.place],
            headers={"X-Delivery-ID": "42"},
        )
    (request,) = receiver.requests
    assert request.body == BODY
    assert request.path == "/services/T0/B0/hidden-part"
    assert request.headers["Host"] == receiver.place
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Delivery-ID"] == "42"


@pytest.mark.parametrize("status", [200, 201, 204])
def test_every_good_status_counts_as_taken(status):
    with http_receiver(status) as receiver:
        post_json(receiver.url, BODY, internal=[receiver.place])


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_other_statuses_do_not(status):
    with (
        http_receiver(status) as receiver,
        pytest.raises(DeliveryError, match=f"answered {status}") as caught,
    ):
        post_json(receiver.url, BODY, internal=[receiver.place])
    assert not caught.value.is_final


def test_a_redirect_is_not_followed():
    with http_receiver() as other, http_receiver(302) as receiver:
        receiver.headers["Location"] = other.url
        with pytest.raises(DeliveryError, match="302: no redirects"):
            post_json(receiver.url, BODY, internal=[receiver.place, other.place])
    assert other.connections == 0


def test_the_receiver_may_ask_for_a_longer_pause():
    with http_receiver(429) as receiver:
        receiver.headers["Retry-After"] = "30"
        with pytest.raises(DeliveryError) as caught:
            post_json(receiver.url, BODY, internal=[receiver.place])
    assert caught.value.retry_after_seconds == 30


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_a_receiver_that_never_comes_to_an_end_is_cut_off(answer):
    with (
        http_receiver(answer) as receiver,
        pytest.raises(DeliveryError, match="did not answer in time"),
    ):
        post_json(receiver.url, BODY, internal=[receiver.place], seconds=0.3)


def test_nobody_connects_to_an_address_that_is_not_listed():
    """Not listed as internal, 127.0.0.1 is refused before any connection."""
    with http_receiver() as receiver:
        for url in (receiver.url, f"https://{receiver.place}/x"):
            with pytest.raises(DeliveryError) as caught:
                post_json(url, BODY)
            assert caught.value.is_final
    assert receiver.connections == 0


def test_a_name_that_leads_inside_is_refused_whatever_it_is_called():
    with http_receiver() as receiver:
        url = f"https://hooks.slack.com:{receiver.port}/x"
        with pytest.raises(DeliveryError, match="not public"):
            post_json(url, BODY, resolve=lambda *_: ["127.0.0.1"])
    assert receiver.connections == 0


def test_a_proxy_of_the_environment_does_not_count(monkeypatch):
    with http_receiver() as proxy, http_receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.place}")
        monkeypatch.setenv("no_proxy", "")
        post_json(receiver.url, BODY, internal=[receiver.place])
    assert (proxy.connections, len(receiver.requests)) == (0, 1)


def test_a_dead_address_is_passed_over_for_the_next():
    with http_receiver() as receiver:
        post_json(
            f"http://two.example:{receiver.port}/x",
            BODY,
            internal=[f"two.example:{receiver.port}"],
            resolve=lambda *_: ["127.0.0.2", "127.0.0.1"],
        )
    assert receiver.requests[0].headers["Host"] == f"two.example:{receiver.port}"


def test_nobody_there_is_said_without_the_address(caplog):
    caplog.set_level(logging.DEBUG)
    with http_receiver() as receiver:
        pass
    with pytest.raises(DeliveryError, match="cannot be reached") as caught:
        post_json(receiver.url, BODY, internal=[receiver.place])
    assert str(receiver.port) not in caught.value.message


def test_the_secret_part_of_an_address_is_in_no_log(caplog):
    caplog.set_level(logging.DEBUG)
    with http_receiver() as receiver:
        post_json(receiver.url, BODY, internal=[receiver.place])
    assert "hidden-part" not in caplog.text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for hooks.example and its key."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("the program openssl is not installed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    wanted = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = "-subj /CN=hooks.example -addext subjectAltName=DNS:hooks.example"
    files = f"-keyout {folder}/key.pem -out {folder}/cert.pem"
    command = [program, "req", *f"{wanted} {names} {files}".split()]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture
def trust(certificate):
    return ssl.create_default_context(cafile=str(certificate / "cert.pem"))


def post_over_tls(receiver, name, trust):
    place = f"{name}:{receiver.port}"
    post_json(
        f"https://{place}/x",
        BODY,
        internal=[place],
        resolve=lambda *_: ["127.0.0.1"],
        trust=trust,
    )


def test_the_certificate_is_that_of_the_name_and_not_of_the_address(tls, trust):
    with http_receiver(tls=tls) as receiver:
        post_over_tls(receiver, "hooks.example", trust)
    assert receiver.server_names == ["hooks.example"]
    assert receiver.requests[0].headers["Host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused(name, tls, trust):
    with (
        http_receiver(tls=tls) as receiver,
        pytest.raises(DeliveryError, match="certificate"),
    ):
        post_over_tls(receiver, name, trust)
    assert receiver.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tls):
    with (
        http_receiver(tls=tls) as receiver,
        pytest.raises(DeliveryError, match="certificate"),
    ):
        post_over_tls(receiver, "hooks.example", None)
    assert receiver.requests == []
