"""Callers on this machine, with and without manners."""

import os
import socket

import pytest

from tests.network import Reply, send_request
from tests.server import Server

EVIL = "https://evil.example"


JSON = {"Content-Type": "application/json"}


needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="run as root: another user's process is needed"
)


def list_runs(server: Server) -> list[str]:
    return [run["id"] for run in server.client.get("/api/runs?limit=200").json()]


def ask(server: Server, method: str, path: str, **options) -> Reply:
    """Send one request over loopback, with exactly these headers."""
    return send_request(lambda: connect(server), method, path, **options)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=15)
