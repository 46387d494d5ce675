"""A reader that stops reading, on a real connection of a real server."""

import contextlib
import socket
import threading

import pytest
import uvicorn

from scriptrunner.web import sse
from tests.server import find_free_port, wait_for

FLOOD = "import time\nfor _ in range(200_000): print('x' * 99)\ntime.sleep(60)\n"


@pytest.fixture
def port(web):
    """A port on which uvicorn serves the shared application."""
    found = find_free_port()
    config = uvicorn.Config(
        web.app,
        port=found,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started, what="the server")
    yield found
    server.should_exit = True
    thread.join()


def test_it_is_dropped_and_its_place_is_free_again(web, port, monkeypatch, caplog):
    monkeypatch.setattr(sse, "SLOW_READER_SECONDS", 0.3)
    workers = web.app.state.runtime.workers
    before = workers.own_streams
    run_id = web.start(FLOOD)
    with socket.create_connection(("127.0.0.1", port)) as reader:
        request = (
            f"GET /api/runs/{run_id}/logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        reader.sendall(request.encode())
        wait_for(lambda: workers.own_streams == before + 1, what="the stream")
        wait_for(lambda: workers.own_streams == before, what="the end of the stream")
        assert not read_rest(reader).endswith(b"0\r\n\r\n"), "it was not cut off"
    assert "without completing" not in caplog.text
    web.client.post(f"/api/runs/{run_id}/kill")


def read_rest(reader):
    """Return what is still on the way to a reader, up to the end of the connection."""
    reader.settimeout(5)
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := reader.recv(1 << 20):
            content += piece
    return content
