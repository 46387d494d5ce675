"""Callers that are not local: a host of its own in a network namespace, another user.

Both work by threads: a thread may enter another namespace or take another file-system
user id, open a socket there, and hand it out; a socket stays what it was made as.
"""

import contextlib
import ctypes
import http.client
import itertools
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CLONE_NEWNET = 0x40000000
#: A user id that no test runs as.
NOBODY_UID = 65534

_numbers = itertools.count()


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.body)


def send_request(
    connect: Callable[[], socket.socket],
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    host: str | None = None,
) -> Reply:
    """Send one request over the socket that ``connect`` makes and read the answer."""
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = connect()
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        content = body.encode() if isinstance(body, str) else body
        given = {"Host": host or peer_name(connection.sock), **(headers or {})}
        if content is not None:
            given.setdefault("Content-Length", str(len(content)))
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(content)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, answer.read())
    finally:
        connection.close()


def send_raw(connect: Callable[[], socket.socket], data: bytes) -> bytes:
    """Send bytes as they are and return what comes back before the connection ends."""
    with connect() as connection:
        connection.sendall(data)
        with contextlib.suppress(ConnectionError):
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                received += piece
        return received


def peer_name(connection: socket.socket) -> str:
    """Return the other end as a Host header writes it."""
    host, port = connection.getpeername()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class RemoteHost:
    """Another host: a network namespace joined to this one by two addresses.

    Needs root and ``ip``. ``close`` removes it.
    """

    def __init__(self) -> None:
        number = next(_numbers)
        self.name = f"sr{os.getpid()}n{number}"
        block = (os.getpid() * 7 + number) % 64
        #: Address of this machine as the other host sees it.
        self.server_address = f"198.18.{block}.{4 * (os.getpid() % 60) + 1}"
        #: Address of the other host.
        self.address = self.server_address.rpartition(".")[0] + (
            f".{4 * (os.getpid() % 60) + 2}"
        )
        near, far = f"{self.name}a"[:15], f"{self.name}b"[:15]
        run_ip("netns", "add", self.name)
        run_ip("link", "add", near, "type", "veth", "peer", far, "netns", self.name)
        run_ip("addr", "add", f"{self.server_address}/30", "dev", near)
        run_ip("link", "set", near, "up")
        run_ip("-n", self.name, "addr", "add", f"{self.address}/30", "dev", far)
        run_ip("-n", self.name, "link", "set", far, "up")
        run_ip("-n", self.name, "link", "set", "lo", "up")

    def close(self) -> None:
        """Remove the namespace, and with it both ends of the cable."""
        run_ip("netns", "delete", self.name)

    def connect(self, port: int) -> socket.socket:
        """Return a connection from the other host to a port of this machine."""
        return in_thread(lambda: self._connect(port))

    def _connect(self, port: int) -> socket.socket:
        with Path(f"/run/netns/{self.name}").open() as namespace:
            call_libc("setns", namespace.fileno(), CLONE_NEWNET)
        return socket.create_connection((self.server_address, port), timeout=15)

    def request(self, port: int, method: str, path: str, **options: Any) -> Reply:
        """Send one request from the other host; options as ``send_request``."""
        return send_request(lambda: self.connect(port), method, path, **options)


def connect_as(uid: int, port: int, host: str = "127.0.0.1") -> socket.socket:
    """Return a connection that belongs to the user ``uid``; needs root."""

    def connect() -> socket.socket:
        ctypes.CDLL(None).setfsuid(uid)
        return socket.create_connection((host, port), timeout=15)

    return in_thread(connect)


def in_thread(action: Callable[[], socket.socket]) -> socket.socket:
    """Return what ``action`` makes in a thread that ends afterwards."""
    made: list[socket.socket] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            made.append(action())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return made[0]


def call_libc(name: str, *arguments: int) -> None:
    """Call a function of libc that returns 0, or raise its error."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def run_ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)


@pytest.fixture(scope="session")
def remote_host() -> Iterator[RemoteHost]:
    """Another host; skips where none can be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("another host is a network namespace: run as root, with iproute2")
    host = RemoteHost()
    yield host
    host.close()
