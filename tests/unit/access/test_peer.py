import os
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from scriptrunner.access.peer import Peer, PeerKind, PeerLookup

with closing(PeerLookup()) as probe:
    IS_AVAILABLE = probe.is_available
pytestmark = pytest.mark.skipif(
    not IS_AVAILABLE,
    reason="this system does not tell who holds a connection (Linux with sock_diag does)",
)
SELF = Peer(PeerKind.KNOWN, os.geteuid())
UNKNOWN = Peer(PeerKind.UNKNOWN)


@pytest.fixture
def lookup() -> Iterator[PeerLookup]:
    found = PeerLookup()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("listen", "connect"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.9"),
        ("::1", "::1"),
        ("::", "::1"),
        ("::", "127.0.0.1"),
    ],
)
def test_own_connection_is_ours(lookup: PeerLookup, listen: str, connect: str) -> None:
    with make_server(listen) as server, make_client(server, connect) as client:
        accepted, peer = server.accept()
        with accepted:
            own = accepted.getsockname()[:2]
            assert lookup.find_peer(peer[:2], own) == SELF
            client.close()
            assert lookup.find_peer(peer[:2], own) == UNKNOWN


def test_server_that_tells_where_it_listens_is_understood(lookup: PeerLookup) -> None:
    with make_server("0.0.0.0") as server, make_client(server, "127.0.0.1"):
        accepted, peer = server.accept()
        with accepted:
            assert lookup.find_peer(peer[:2], server.getsockname()[:2]) == SELF


def test_made_up_connection_to_a_real_server_is_unknown(lookup: PeerLookup) -> None:
    with make_server("127.0.0.1") as server:
        assert lookup.find_peer(("127.0.0.1", 1), server.getsockname()) == UNKNOWN


def test_listener_on_the_port_of_the_client_is_not_taken_for_it(
    lookup: PeerLookup,
) -> None:
    with make_server("127.0.0.1") as server, make_server("127.0.0.1") as other:
        found = lookup.find_peer(other.getsockname(), server.getsockname())

    assert found == UNKNOWN


def test_port_without_a_server_is_in_process(lookup: PeerLookup) -> None:
    with make_server("127.0.0.1") as server:
        port = server.getsockname()[1]

    in_process = Peer(PeerKind.IN_PROCESS)
    assert lookup.find_peer(("127.0.0.1", 123), ("127.0.0.1", port)) == in_process
    assert lookup.find_peer(("127.0.0.1", 123), ("127.0.0.1", None)) == in_process


def test_port_that_had_a_server_is_never_in_process_again(lookup: PeerLookup) -> None:
    with make_server("127.0.0.1") as server:
        address = server.getsockname()
        lookup.find_peer(("127.0.0.1", 1), address)

    assert lookup.find_peer(("127.0.0.1", 1), address) == UNKNOWN


def make_server(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::")


def make_client(server: socket.socket, host: str) -> socket.socket:
    return socket.create_connection((host, server.getsockname()[1]))
