"""Which user is on the other end of a loopback connection: one question to the kernel.

Netlink ``sock_diag`` finds the client's own socket by its four addresses and tells the
user id it was made with (0.01 ms). Trap, measured: a client that has closed already is
reported with user id 0 and inode 0, so the user id counts only with an inode.
"""

import contextlib
import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
TCP_LISTEN = 10
ALL_STATES = 0xFFFFFFFF
#: Seconds to wait for the kernel, which answers at once or never.
ANSWER_SECONDS = 0.2

#: Length, type, flags, sequence number, port id.
HEADER = struct.Struct("=IHHII")
#: Family, protocol, extensions, padding, states.
REQUEST = struct.Struct("=BBBBI")
#: Source port, destination port, source, destination, interface, cookie.
SOCKET_ID = struct.Struct("!HH16s16s4s8s")
#: Family, state, timer, retransmits, socket id, expires, queues, user id, inode.
ANSWER = struct.Struct("=BBBB48sIIIII")
ANY_INTERFACE = b"\0" * 4
NO_COOKIE = b"\xff" * 8

Address = tuple[IPv4Address | IPv6Address, int]


class PeerKind(StrEnum):
    """What the kernel said about a client."""

    #: The process on the other end belongs to a user we know.
    KNOWN = "known"
    #: There is no such connection any more, or its owner is gone.
    UNKNOWN = "unknown"
    #: No server listens on that port: the request never was on a socket.
    IN_PROCESS = "in_process"


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is on the other end; ``uid`` only if ``kind`` is ``KNOWN``."""

    kind: PeerKind
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """One socket of the kernel's table."""

    state: int
    remote_port: int
    uid: int
    inode: int


class PeerLookup:
    """Asks the kernel; threads may share it. Holds one socket until ``close``."""

    def __init__(self) -> None:
        """Ask nothing yet."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._sequence = 0
        self._is_available: bool | None = None
        #: Ports of this process on which a real server was seen.
        self._real_ports: set[int] = set()

    @property
    def is_available(self) -> bool:
        """Whether this system answers; found out once, by asking about ourselves."""
        if self._is_available is None:
            try:
                self._is_available = self._finds_itself()
            except OSError:
                self._is_available = False
        return self._is_available

    def find_peer(
        self, client: tuple[str, int], server: tuple[str, int | None]
    ) -> Peer:
        """Return who holds the client's end of a loopback connection.

        Args:
            client: Address and port of the client as the server's socket tells them.
            server: Address and port of the server's end; no port: in process.

        Raises:
            OSError: If the kernel refuses to answer.
        """
        port = server[1]
        if port is None:
            return Peer(PeerKind.IN_PROCESS)
        source = (_plain(client[0]), client[1])
        for target in _list_targets(server[0], port, source):
            found = self._ask(source, target)
            if found is not None and found.state != TCP_LISTEN:
                self._real_ports.add(port)
                known = found.inode != 0 and found.remote_port == port
                return (
                    Peer(PeerKind.KNOWN, found.uid) if known else Peer(PeerKind.UNKNOWN)
                )
        if port in self._real_ports or self._is_listening(server[0], port):
            self._real_ports.add(port)
            return Peer(PeerKind.UNKNOWN)
        return Peer(PeerKind.IN_PROCESS)

    def close(self) -> None:
        """Close the socket; the next question opens another."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def __del__(self) -> None:
        """Close the socket of an application that nobody shut down."""
        if self._socket is not None:
            self._socket.close()

    def _is_listening(self, host: str, port: int) -> bool:
        nobody = _plain("0.0.0.0" if "." in host else "::")  # noqa: S104 - not bound
        found = self._ask((_plain(host), port), (nobody, 0))
        return found is not None and found.state == TCP_LISTEN

    def _ask(self, source: Address, target: Address) -> _Found | None:
        """Return the socket whose own end is ``source``, asking both families."""
        for family, own, other in _spell(source[0], target[0]):
            found = self._ask_family(family, (own, source[1]), (other, target[1]))
            if found is not None:
                return found
        return None

    def _ask_family(
        self, family: int, source: tuple[bytes, int], target: tuple[bytes, int]
    ) -> _Found | None:
        socket_id = SOCKET_ID.pack(
            source[1], target[1], source[0], target[0], ANY_INTERFACE, NO_COOKIE
        )
        body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, ALL_STATES) + socket_id
        with self._lock, self._dropping_socket_on_error():
            self._sequence = (self._sequence + 1) & 0xFFFFFFFF
            header = HEADER.pack(
                HEADER.size + len(body),
                SOCK_DIAG_BY_FAMILY,
                NLM_F_REQUEST,
                self._sequence,
                0,
            )
            netlink = self._open()
            netlink.send(header + body)
            while True:
                answer = netlink.recv(4096)
                _, kind, _, sequence, _ = HEADER.unpack_from(answer)
                if sequence == self._sequence:
                    return _parse(kind, answer[HEADER.size :])

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG
            )
            self._socket.settimeout(ANSWER_SECONDS)
        return self._socket

    @contextlib.contextmanager
    def _dropping_socket_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            raise

    def _finds_itself(self) -> bool:
        if not hasattr(socket, "AF_NETLINK"):  # pragma: not on Linux
            return False
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = server.getsockname()
            with socket.create_connection(address) as client:
                source = (_plain("127.0.0.1"), client.getsockname()[1])
                found = self._ask(source, (_plain("127.0.0.1"), address[1]))
        return found is not None and found.inode != 0 and found.uid == os.geteuid()


def _parse(kind: int, body: bytes) -> _Found | None:
    if kind == NLMSG_ERROR:
        (number,) = struct.unpack_from("=i", body)
        if number in (0, -errno.ENOENT):
            return None
        raise OSError(-number, os.strerror(-number))
    _, state, _, _, socket_id, _, _, _, uid, inode = ANSWER.unpack_from(body)
    _, remote_port, *_ = SOCKET_ID.unpack(socket_id)
    return _Found(state, remote_port, uid, inode)


@lru_cache(maxsize=256)
def _plain(host: str) -> IPv4Address | IPv6Address:
    """Return the address, an IPv4 address mapped into IPv6 as IPv4."""
    address = ip_address(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _list_targets(host: str, port: int, source: Address) -> list[Address]:
    """Return what the client may have connected to.

    Some servers tell the address they listen on instead of the connection's: with an
    unspecified one, the client's own address is the best guess on loopback.
    """
    address = _plain(host)
    if not address.is_unspecified:
        return [(address, port)]
    loopback = _plain("127.0.0.1" if source[0].version == 4 else "::1")
    return [(source[0], port), (loopback, port)]


def _spell(
    source: IPv4Address | IPv6Address, target: IPv4Address | IPv6Address
) -> list[tuple[int, bytes, bytes]]:
    """Return family and both addresses for each family that may hold the socket."""
    if isinstance(source, IPv4Address) and isinstance(target, IPv4Address):
        return [
            (
                socket.AF_INET,
                source.packed.ljust(16, b"\0"),
                target.packed.ljust(16, b"\0"),
            ),
            (socket.AF_INET6, _map(source), _map(target)),
        ]
    return [(socket.AF_INET6, _map(source), _map(target))]


def _map(address: IPv4Address | IPv6Address) -> bytes:
    if isinstance(address, IPv6Address):
        return address.packed
    return b"\0" * 10 + b"\xff\xff" + address.packed
