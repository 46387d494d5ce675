"""A service that was killed leaves the port to the next one."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.server import running_server, wait_for

pytestmark = pytest.mark.slow


@pytest.mark.timeout(60)
def test_workers_end_with_the_parent_that_was_killed(tmp_path: Path) -> None:
    """Seen in the fault tests: they went on and held the port, so nothing could start."""
    with running_server(tmp_path, workers=2) as server:
        server.kill()
        wait_for(lambda: is_free(server.port), what="a free port")


def is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
