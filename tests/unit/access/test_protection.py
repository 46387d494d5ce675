"""Every request of the tables below goes through the whole of protected mode."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from scriptrunner.access.answers import Receive, Send
from scriptrunner.access.facts import Scope
from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import Proof
from scriptrunner.access.peer import Peer, PeerKind
from scriptrunner.access.protection import Protection
from scriptrunner.access.rules import LocalRules
from scriptrunner.access.service import AccessService
from scriptrunner.settings import Settings
from tests.unit.access.requests import (
    OTHER_UID,
    OWN_UID,
    Answer,
    FakeLookup,
    ask,
    let_in,
    make_scope,
)

POST: dict[str, Any] = {"path": "/api/run", "method": "POST"}
UPLOAD: dict[str, Any] = {"path": "/api/run/upload", "method": "POST"}
STREAM: dict[str, Any] = {"path": "/api/stream"}
EVIL = "https://evil.example"
BAD_TOKEN = "wapi_aaaaaaaa_" + "x" * 43

LOCAL = command_line_caller()

Door = Callable[..., Answer]


@pytest.fixture
def door(access: AccessService, settings: Settings) -> Door:
    def call(
        scope: Scope, *, lookup: FakeLookup | None = None, **changes: Any
    ) -> Answer:
        rules = LocalRules(
            settings.with_changes(**changes),
            lookup=lookup or FakeLookup(),
            own_uid=OWN_UID,
        )
        return ask(Protection(let_in, service=access, rules=rules), scope)

    return call


def in_process(name: str, **more: Any) -> dict[str, Any]:
    """What TestClient and ASGITransport make of a base URL with that name."""
    return {"host": name, "server": (name.partition(":")[0], 80), **more}


NOBODY_LOCAL_IS_REFUSED: dict[str, dict[str, Any]] = {
    "curl": {},
    "curl, POST": POST,
    "by name with another port (ssh -L)": {"host": "localhost:8080", **POST},
    "by address": {"host": "127.0.0.1:9000", **POST},
    "another loopback address": {"host": "127.8.9.1:9000", **POST},
    "without port": {"host": "localhost", **POST},
    "upper case, trailing dot": {"host": "LocalHost.:9000", **POST},
    "IPv6": {
        "host": "[::1]:9000",
        "client": ("::1", 4),
        "server": ("::1", 9000),
        **POST,
    },
    "IPv4 on a dual-stack listener": {"client": ("::ffff:127.0.0.1", 4), **POST},
    "0.0.0.0 as servers print it": {"host": "0.0.0.0:9000", **POST},
    "unspecified IPv6": {"host": "[::]:9000", **POST},
    "a browser's first visit": {"headers": {"Sec-Fetch-Site": "none"}},
    "a browser following a link": {"headers": {"Sec-Fetch-Site": "cross-site"}},
    "the dashboard itself": {
        **POST,
        "headers": {
            "Sec-Fetch-Site": "same-origin",
            "Origin": "http://localhost:9000",
        },
    },
    "the dashboard through ssh -L": {
        **POST,
        "host": "127.0.0.1:18080",
        "headers": {"Origin": "http://127.0.0.1:18080"},
    },
    "its stream": {**STREAM, "headers": {"Sec-Fetch-Site": "same-origin"}},
    "a server that gives ports as text": {"server": ("127.0.0.1", "9000"), **POST},
    "TestClient": {
        **in_process("testserver"),
        "client": ("testclient", 50_000),
        **POST,
    },
    "TestClient with an address as base": {
        "client": ("testclient", 50_000),
        "host": "127.0.0.1:9000",
        **POST,
    },
    "TestClient with localhost as base": {
        **in_process("localhost:9000"),
        "client": ("testclient", 50_000),
        **POST,
    },
    "ASGITransport, base http://test": {**in_process("test"), **POST},
    "ASGITransport, any name": {**in_process("example.org"), **POST},
    "ASGITransport without port": {"host": "test", "server": ("test", None), **POST},
    "ASGITransport, base with address": {
        "host": "127.0.0.1",
        "server": ("127.0.0.1", None),
        **POST,
    },
    "a foreign cookie": {"headers": {"Cookie": "sessionid=abc; theme=dark"}, **POST},
}


@pytest.mark.parametrize("name", NOBODY_LOCAL_IS_REFUSED)
def test_nobody_local_is_refused(door: Door, name: str) -> None:
    answer = door(make_scope(**NOBODY_LOCAL_IS_REFUSED[name]))

    assert answer.status == 200, answer.body
    assert answer.caller is not None
    assert (answer.caller.principal, answer.caller.is_local) == ("local", True)


FORWARDED = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Via",
]
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "another machine": ({"client": ("192.0.2.7", 4)}, 401, "192.0.2.7"),
    "another machine, POST": ({"client": ("192.0.2.7", 4), **POST}, 401, "192.0.2.7"),
    "an IPv6 neighbour": ({"client": ("fe80::1", 4)}, 401, "fe80::1"),
    "a UNIX socket": (
        {"client": None, "server": ("run.sock", None)},
        401,
        "UNIX socket",
    ),
    "a UNIX socket that names itself": (
        {"client": None, "server": ("run.sock", None), "host": "run.sock"},
        401,
        "UNIX socket",
    ),
    "DNS rebinding": ({"host": "evil.example"}, 403, "Host"),
    "DNS rebinding, port": ({"host": "evil.example:9000", **POST}, 403, "Host"),
    "a name that begins well": ({"host": "localhost.evil.example"}, 403, "Host"),
    "a name that ends well": ({"host": "evil-localhost"}, 403, "Host"),
    "a malformed Host": ({"host": "[::1"}, 403, "Host"),
    "a Host with a user": ({"host": "localhost@evil.example"}, 403, "Host"),
    "a Host with a wild port": ({"host": "localhost:9000.evil.example"}, 403, "Host"),
    "no Host": ({"host": None}, 403, "Host"),
    "two Hosts": ({"headers": [("host", "localhost")]}, 403, "Host"),
    "TestClient with a foreign Host": (
        {
            "client": ("testclient", 5),
            "server": ("testserver", 80),
            "host": "evil.example",
        },
        403,
        "Host",
    ),
    "TestClient through a proxy": (
        {
            **in_process("testserver"),
            "client": ("testclient", 5),
            "headers": {"X-Forwarded-For": "127.0.0.1"},
        },
        401,
        "x-forwarded-for",
    ),
    "a proxy that makes the client `testclient`": (
        {"client": ("testclient", 0), "headers": {"X-Forwarded-For": "testclient"}},
        401,
        "x-forwarded-for",
    ),
    "HTTP/1.0": ({"http_version": "1.0"}, 401, "WEBAPI_RULE_HTTP10"),
    "a page of another site": ({**POST, "headers": {"Origin": EVIL}}, 403, "site"),
    "a sandboxed page": ({**POST, "headers": {"Origin": "null"}}, 403, "site"),
    "another port of this host": (
        {**POST, "headers": {"Origin": "http://localhost:3000"}},
        403,
        "site",
    ),
    "another scheme": (
        {**POST, "headers": {"Origin": "https://localhost:9000"}},
        403,
        "site",
    ),
    "another name of this host": (
        {**POST, "headers": {"Origin": "http://127.0.0.1:9000"}},
        403,
        "site",
    ),
    "two origins": (
        {
            **POST,
            "headers": [("Origin", "http://localhost:9000"), ("Origin", EVIL)],
        },
        403,
        "site",
    ),
    "cross-site": ({**POST, "headers": {"Sec-Fetch-Site": "cross-site"}}, 403, "site"),
    "same-site": ({**POST, "headers": {"Sec-Fetch-Site": "same-site"}}, 403, "site"),
    "a form upload of another site": (
        {**UPLOAD, "headers": {"Origin": EVIL, "Content-Type": "multipart/form-data"}},
        403,
        "site",
    ),
    "a stream read by another site": (
        {**STREAM, "headers": {"Sec-Fetch-Site": "cross-site"}},
        403,
        "site",
    ),
    "a stream read by its Origin": (
        {**STREAM, "headers": {"Origin": EVIL}},
        403,
        "site",
    ),
    "a page in process": (
        {**POST, **in_process("testserver"), "headers": {"Origin": EVIL}},
        403,
        "site",
    ),
    "a WebSocket handshake": (
        {"headers": {"Upgrade": "websocket", "Connection": "Upgrade"}},
        403,
        "WebSocket",
    ),
    "a wrong token": (
        {"headers": {"Authorization": f"Bearer {BAD_TOKEN}"}},
        401,
        "not valid",
    ),
    "a wrong token in process": (
        {**in_process("test"), "headers": {"Authorization": f"Bearer {BAD_TOKEN}"}},
        401,
        "not valid",
    ),
    "an empty token": ({"headers": {"Authorization": "Bearer "}}, 401, "not valid"),
    "a token with binary": (
        {"headers": {"Authorization": "Bearer \xff\x00"}},
        401,
        "valid",
    ),
    "another scheme of credentials": (
        {"headers": {"Authorization": "Basic YTpi"}},
        401,
        "Bearer",
    ),
    "two tokens": (
        {"headers": [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]},
        401,
        "Bearer",
    ),
    "an old login": (
        {"headers": {"Cookie": f"scriptrunner_session={'x' * 43}"}},
        401,
        "login has ended",
    ),
    "two logins": (
        {"headers": {"Cookie": "scriptrunner_session=a; scriptrunner_session=b"}},
        401,
        "cookie",
    ),
    "the path in other letters": (
        {"path": "/API/HEALTH", "client": ("192.0.2.7", 4)},
        401,
        "192.0.2.7",
    ),
    "more than the path": (
        {"path": "/api/health/", "client": ("192.0.2.7", 4)},
        401,
        "192.0.2.7",
    ),
    "a path that climbs": (
        {"path": "/api/health/../runs", "client": ("192.0.2.7", 4)},
        401,
        "192.0.2.7",
    ),
    "health under a foreign Host": (
        {"path": "/api/health", "host": "evil.example"},
        403,
        "Host",
    ),
    "login from another site": (
        {"path": "/login", "method": "POST", "headers": {"Origin": EVIL}},
        403,
        "site",
    ),
    **{
        f"through a proxy: {header}": (
            {"headers": {header: "127.0.0.1"}},
            401,
            header.lower(),
        )
        for header in FORWARDED
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(door: Door, name: str) -> None:
    request, status, word = REFUSED[name]

    answer = door(make_scope(**request))

    assert answer.status == status
    assert answer.caller is None
    assert word in answer.json["detail"]
    assert answer.json["request_id"]
    assert answer.headers["content-type"] == "application/json"
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "`scriptrunner token create`" in answer.json["hint"]
        # Who cloned the project has the command under its scripts only.
        assert "./scripts/scriptrunner token create" in answer.json["hint"]
        assert answer.json["code"] == "unauthenticated"


OTHER_USER = Peer(PeerKind.KNOWN, OTHER_UID)
UNKNOWN = Peer(PeerKind.UNKNOWN)
USERS: dict[str, tuple[Peer, dict[str, Any], dict[str, Any], int]] = {
    "own user": (Peer(PeerKind.KNOWN, OWN_UID), POST, {}, 200),
    "root": (Peer(PeerKind.KNOWN, 0), POST, {}, 200),
    "listed user": (OTHER_USER, POST, {"local_uids": (OTHER_UID,)}, 200),
    "in process": (Peer(PeerKind.IN_PROCESS), POST, {}, 200),
    "unknown, harmless": (UNKNOWN, {}, {}, 200),
    "other user, rule in log": (OTHER_USER, POST, {"rule_uid": "log"}, 200),
    "other user, rule off": (OTHER_USER, POST, {"rule_uid": "off"}, 200),
    "other user": (OTHER_USER, POST, {}, 401),
    "other user reads": (OTHER_USER, {}, {}, 401),
    "unknown, POST": (UNKNOWN, POST, {}, 401),
    "unknown, stream": (UNKNOWN, STREAM, {}, 401),
}


@pytest.mark.parametrize("name", USERS)
def test_user_of_the_other_process_decides(door: Door, name: str) -> None:
    peer, request, changes, status = USERS[name]

    answer = door(make_scope(**request), lookup=FakeLookup(peer), **changes)

    assert answer.status == status


def test_refusal_of_another_user_names_the_setting(door: Door) -> None:
    answer = door(make_scope(), lookup=FakeLookup(OTHER_USER))

    assert f"uid {OTHER_UID}" in answer.json["detail"]
    assert "WEBAPI_LOCAL_UIDS" in answer.json["hint"]


def test_user_is_not_asked_where_the_system_does_not_tell(door: Door) -> None:
    lookup = FakeLookup(OTHER_USER, is_available=False)

    assert door(make_scope(**POST), lookup=lookup).status == 200
    assert lookup.questions == 0


def test_no_question_is_asked_about_a_test_client(door: Door) -> None:
    lookup = FakeLookup(OTHER_USER)

    answer = door(make_scope(client=("testclient", 5), **POST), lookup=lookup)

    assert (answer.status, lookup.questions) == (200, 0)


def test_http10_passes_when_the_rule_only_logs(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    answer = door(make_scope(http_version="1.0"), rule_http10="log")

    assert answer.status == 200
    assert "would have refused" in caplog.text


def test_listed_host_is_accepted(door: Door) -> None:
    assert door(make_scope(host="Runner.Lan:9000"), hosts=("runner.lan",)).status == 200


@pytest.mark.parametrize("path", ["/api/health", "/login", "/login.css"])
def test_anonymous_pages_answer_anybody(door: Door, path: str) -> None:
    answer = door(make_scope(path, client=("192.0.2.7", 4), host="runner.lan"))

    assert answer.status == 200
    assert answer.caller is not None
    assert answer.caller.proof is Proof.ANONYMOUS


def test_anonymous_pages_are_found_below_a_mount_point(door: Door) -> None:
    scope = make_scope("/tools/api/health", client=("192.0.2.7", 4), root_path="/tools")

    assert door(scope).status == 200


def test_local_role_none_asks_everybody_for_a_token(door: Door) -> None:
    answer = door(make_scope(), local_role="none")

    assert answer.status == 401
    assert "WEBAPI_LOCAL_ROLE" in answer.json["detail"]


def test_token_is_enough_from_anywhere(door: Door, access: AccessService) -> None:
    token = make_token(access)
    scope = make_scope(
        **POST,
        host="runner.lan",
        client=("192.0.2.7", 4),
        headers={"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.9"},
    )

    answer = door(scope)

    assert answer.status == 200
    assert answer.caller is not None
    assert answer.caller.principal.startswith("token:")
    assert answer.caller.is_local is False


def test_token_does_not_excuse_a_foreign_host(
    door: Door, access: AccessService
) -> None:
    headers = {"Authorization": f"Bearer {make_token(access)}"}

    assert door(make_scope(host="evil.example", headers=headers)).status == 403


def test_token_needs_no_origin_check(door: Door, access: AccessService) -> None:
    headers = {"Authorization": f"bearer {make_token(access)}", "Origin": EVIL}

    assert door(make_scope(**POST, headers=headers)).status == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("http://runner.lan:9000", 200), (EVIL, 403)]
)
def test_login_is_bound_to_its_own_pages(
    door: Door, access: AccessService, origin: str, status: int
) -> None:
    scope = make_scope(
        **POST,
        host="runner.lan:9000",
        client=("192.0.2.7", 4),
        headers={
            "Cookie": f"a=b; scriptrunner_session={log_in(access)}",
            "Origin": origin,
        },
    )

    assert door(scope).status == status


def test_login_under_tls_is_another_cookie(door: Door, access: AccessService) -> None:
    cookie = log_in(access)
    plain = {"Cookie": f"scriptrunner_session={cookie}"}
    secure = {"Cookie": f"__Host-scriptrunner_session={cookie}"}
    remote = ("192.0.2.7", 4)

    assert door(make_scope(client=remote, headers=plain, scheme="https")).status == 401
    assert door(make_scope(client=remote, headers=secure, scheme="https")).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Forwarded-Proto": "https"}, 200),
        ({"X-Forwarded-Proto": "http"}, 401),
        ({}, 401),
    ],
)
def test_login_works_behind_a_proxy_that_ends_tls(
    door: Door, access: AccessService, headers: dict[str, str], status: int
) -> None:
    scope = make_scope(
        **POST,
        host="runner.lan",
        headers={
            "Cookie": f"__Host-scriptrunner_session={log_in(access)}",
            "Origin": "https://runner.lan",
            "X-Forwarded-For": "192.0.2.7",
            **headers,
        },
    )

    assert door(scope, hosts=("runner.lan",)).status == status


def test_useless_cookie_is_taken_away(door: Door) -> None:
    headers = {"Cookie": f"scriptrunner_session={'x' * 43}"}

    answer = door(make_scope(headers=headers))

    assert "scriptrunner_session=; Path=/; Max-Age=0" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("path", "accept", "is_page"),
    [
        ("/", "*/*", True),
        ("/runs/abc", "text/html,*/*", True),
        ("/runs/abc", "*/*", False),
        ("/api/runs", "text/html", False),
    ],
)
def test_browsers_are_shown_the_way_in(
    access: AccessService, settings: Settings, path: str, accept: str, is_page: bool
) -> None:
    rules = LocalRules(settings, lookup=FakeLookup())
    door = Protection(
        let_in,
        service=access,
        rules=rules,
        login_page=lambda _, detail: detail.encode(),
    )

    answer = ask(
        door, make_scope(path, client=("192.0.2.7", 4), headers={"Accept": accept})
    )

    assert answer.status == 401
    assert answer.headers["content-type"].startswith("text/html") is is_page


@pytest.mark.parametrize("by_login", [True, False])
def test_stream_ends_when_its_token_is_revoked(
    access: AccessService, settings: Settings, by_login: bool
) -> None:
    token = access.create_token(caller=LOCAL)
    cookie = access.log_in(token.text, caller=LOCAL, request_id="")
    login = {"Cookie": f"scriptrunner_session={cookie}"}
    headers = login if by_login else {"Authorization": f"Bearer {token.text}"}
    received: list[str] = []

    async def stream(_: Scope, receive: Receive, __: Send) -> None:
        received.append((await receive())["type"])
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0.2)
        assert not waiting.done()
        access.revoke_token(token.id, caller=LOCAL)
        received.append((await waiting)["type"])

    door = Protection(
        stream,
        service=access,
        rules=LocalRules(settings, lookup=FakeLookup()),
        recheck_seconds=0.05,
    )
    ask(door, make_scope(**STREAM, client=("192.0.2.7", 4), headers=headers))

    assert received == ["http.request", "http.disconnect"]


def test_websockets_are_refused(access: AccessService, settings: Settings) -> None:
    door = Protection(
        let_in, service=access, rules=LocalRules(settings, lookup=FakeLookup())
    )
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(door({"type": "websocket"}, receive, send))

    assert sent == ["websocket.close"]


def make_token(access: AccessService) -> str:
    return access.create_token(caller=LOCAL).text


def log_in(access: AccessService) -> str:
    return access.log_in(make_token(access), caller=LOCAL, request_id="")
