"""``POST /api/run`` a second from eight clients, each run committed before its 202.

All slots are taken by scripts that sleep, so that the figure is that of accepting and not
of two cores shared with two hundred interpreters. The queue is emptied between rounds.
"""

import json
import socket
import subprocess
import sys
import threading
import time

from benchmarks.report import print_claim, print_machine, print_values
from benchmarks.service import Client, Service, running

CLIENTS = 8
PER_CLIENT = 250
ROUNDS = 5


def main() -> None:
    """Print accepted runs a second, beside bare process starts a second."""
    print_machine()
    rates, floors = [], []
    with running(WEBAPI_STOP_GRACE="0") as service:
        service.add_script("sleep.py", "import time; time.sleep(3600)\n")
        service.add_script("hello.py", 'print("hello")\n')
        client = service.connect()
        _fill_slots(client)
        for _ in range(ROUNDS):
            floors.append(1 / _time_bare(service))
            rates.append(CLIENTS * PER_CLIENT / _time_round(service))
            _empty_queue(client)
        _stop_all(client)
    rate = print_values("accepted", rates, "/s")
    bare = print_values("bare subprocess.run, one by one", floors, "/s")
    print_values("ratio", [rate / bare], "")
    print_claim("POST /api/run", rate, "/s", claim="at least 800 a second")


def _time_bare(service: Service) -> float:
    script = service.scripts / "hello.py"
    started = time.perf_counter()
    subprocess.run([sys.executable, script], capture_output=True, check=True)
    return time.perf_counter() - started


def _fill_slots(client: Client) -> None:
    slots = client.get("/api/system/status")["queue"]["slots"]
    ids = [client.submit("sleep.py") for _ in range(slots)]
    while any(client.get(f"/api/runs/{each}")["phase"] != "running" for each in ids):
        pass


def _time_round(service: Service) -> float:
    sockets = [_connect(service.port) for _ in range(CLIENTS)]
    threads = [threading.Thread(target=_post_many, args=(each,)) for each in sockets]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - started
    for each in sockets:
        each.close()
    return passed


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _post_many(connection: socket.socket) -> None:
    """Post by hand: a client library would take more of the cores than the service."""
    body = json.dumps({"script_path": "hello.py"}).encode()
    head = (
        "POST /api/run HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    for _ in range(PER_CLIENT):
        connection.sendall(request)
        answer = b""
        while b"}" not in answer:
            answer += connection.recv(65536)
        if b" 202 " not in answer[:20]:
            raise RuntimeError(answer[:300].decode())


def _empty_queue(client: Client) -> None:
    while True:
        items = client.get("/api/runs?status=queued&limit=200")
        if not items:
            return
        for each in items:
            client.request("POST", f"/api/runs/{each['id']}/kill")


def _stop_all(client: Client) -> None:
    for each in client.get("/api/runs?status=running"):
        client.request("POST", f"/api/runs/{each['id']}/kill")
