"""Who counts as local? Requests through real proxies and tunnels, as users set them up.

``python -m tests.trials.local_rules`` prints a table: the way a request took, what the
service must answer, what it did answer, and which rule saw it. Needs root, and ``curl``,
``nginx``, ``haproxy``, ``caddy``, ``socat``, ``sshd``, ``wget`` for their lines; a way
whose program is missing is named. The service runs as a user of its own, ``SERVICE_UID``,
who must be able to run this interpreter.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.network import RemoteHost
from tests.server import Server, find_free_port, wait_for

#: An account without a name that runs the service, and one that runs what is foreign.
SERVICE_UID = 61234
OTHER_UID = 61235
AS_SERVICE = ["setpriv", f"--reuid={SERVICE_UID}", "--clear-groups"]
LOCAL, REFUSED = "local", "refused"
NGINX = """
daemon off; user www-data; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{target}; {more} }} }}
}}
"""
HAPROXY = """
global
  user nobody
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{target}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{target}
}}
"""
SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_%u
StrictModes no
UsePAM no
PasswordAuthentication no
"""


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    way: str
    expected: str
    answers: tuple[str, ...]

    @property
    def is_as_written(self) -> bool:
        wanted = "2" if self.expected == LOCAL else "4"
        return all(answer.startswith(wanted) for answer in self.answers)


class Trial:
    """One service and everything that stands between it and a request."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        self.results: list[Result] = []

    def ask(
        self,
        way: str,
        expected: str,
        port: int,
        *options: str,
        uid: int = 0,
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Send a GET and a POST by curl to ``port`` and note the answers."""
        url = f"http://127.0.0.1:{port}/api/runs"
        delete = ("-X", "DELETE", "-H", "Content-Type: application/json", "-d", "[]")
        answers = [
            self._curl([*options, *more, url], uid=uid, prefix=prefix)
            for more in ((), delete)
        ]
        self.note(way, expected, *answers)

    def note(self, way: str, expected: str, *answers: str) -> None:
        result = Result(way, expected, answers)
        self.results.append(result)
        mark = "as written" if result.is_as_written else "DIFFERENT"
        say(f"{way:58} {expected:8} {mark:10} {' | '.join(answers)}")

    def _curl(self, arguments: list[str], *, uid: int, prefix: tuple[str, ...]) -> str:
        answer = subprocess.run(
            [*prefix, "curl", "-sS", "-m", "10", "-w", "\n%{http_code}", *arguments],
            capture_output=True,
            text=True,
            user=uid,
            check=False,
            cwd="/",
        )
        body, _, status = answer.stdout.rpartition("\n")
        return f"{status} {find_rule(body)}".strip() + answer.stderr.strip()[:60]

    @contextlib.contextmanager
    def running(
        self, command: list[str], port: int, *, uid: int = 0, group: int | None = None
    ) -> Iterator[int]:
        """Run a proxy until the end of the ``with``; yields its port."""
        log = self.folder / "proxies.log"
        with log.open("a") as output:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                user=uid,
                group=uid if group is None else group,
                extra_groups=[],
                env={**os.environ, "HOME": str(self.folder)},
            )
        try:
            wait_for(lambda: is_listening(port), what=f"{command[0]} on port {port}")
            yield port
        finally:
            process.terminate()
            process.wait(10)

    def write(self, name: str, template: str, **values: object) -> Path:
        file = self.folder / name
        file.write_text(template.format(folder=self.folder, **values))
        return file


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def find_rule(body: str) -> str:
    """Return what the refusal names."""
    words = {
        "another user": "user",
        "HTTP/1.0": "HTTP/1.0",
        "header x-forwarded": "header",
        "header via": "header",
        "another address": "address",
        "Host header": "host",
        "cannot be found": "unknown",
    }
    return ", ".join(name for word, name in words.items() if word in body)


def is_listening(port: int) -> bool:
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        for line in table.splitlines()
        if ":" in line and line.split()[0] != "sl"
    )


def try_clients(trial: Trial) -> None:
    port = trial.server.port
    trial.ask("curl by the same user", LOCAL, port, uid=SERVICE_UID)
    trial.ask("curl by root", LOCAL, port)
    trial.ask("curl, Host localhost:8080", LOCAL, port, "-H", "Host: localhost:8080")
    trial.ask("curl, Host 0.0.0.0", LOCAL, port, "-H", f"Host: 0.0.0.0:{port}")
    trial.ask("curl --http1.0", REFUSED, port, "--http1.0", uid=SERVICE_UID)
    trial.ask("curl by another user", REFUSED, port, uid=OTHER_UID)
    if shutil.which("wget"):
        wget = ["wget", "-q", "-O", "-", f"http://127.0.0.1:{port}/api/runs"]
        done = subprocess.run(wget, check=False, capture_output=True, user=SERVICE_UID)
        trial.note("wget", LOCAL, "200" if done.returncode == 0 else "4xx")
    for name in ("httpx", "httpx2"):
        code = f"import {name}; print({name}.get('http://localhost:{port}/api/runs').status_code)"
        done = subprocess.run(
            [*AS_SERVICE, sys.executable, "-c", code], check=False, capture_output=True
        )
        trial.note(f"{name}, by name", LOCAL, done.stdout.decode().strip())


def try_proxies(trial: Trial) -> None:
    target = trial.server.port
    keep = 'proxy_http_version 1.1; proxy_set_header Connection "";'
    host = f"{keep} proxy_set_header Host localhost:{target};"
    shown = "proxy_set_header X-Forwarded-For $remote_addr;"
    for way, more in (
        ("nginx, default", ""),
        ("nginx, HTTP/1.1 and no headers", keep),
        ("nginx, HTTP/1.1, Host localhost", host),
        ("nginx, with X-Forwarded-For", keep + shown),
    ):
        port = find_free_port()
        config = trial.write("nginx.conf", NGINX, port=port, target=target, more=more)
        with trial.running(["nginx", "-c", str(config)], port):
            trial.ask(way, REFUSED, port)
    port = find_free_port()
    config = trial.write("haproxy.cfg", HAPROXY, port=port, target=target)
    with trial.running(["haproxy", "-f", str(config)], port):
        trial.ask("haproxy, default", REFUSED, port)
    for way, uid in (("another user", OTHER_UID), ("the same user", SERVICE_UID)):
        port = find_free_port()
        config = trial.write("Caddyfile", CADDY, port=port, target=target)
        command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]
        with trial.running(command, port, uid=uid):
            trial.ask(f"caddy by {way}", REFUSED, port)


def try_tunnels(trial: Trial, remote: RemoteHost) -> None:
    target = trial.server.port
    for way, uid, expected in (
        ("another user", OTHER_UID, REFUSED),
        ("the same user (cannot be told apart)", SERVICE_UID, LOCAL),
    ):
        port = find_free_port()
        command = [
            "socat",
            f"TCP-LISTEN:{port},fork,reuseaddr",
            f"TCP:127.0.0.1:{target}",
        ]
        with trial.running(command, port, uid=uid):
            trial.ask(f"socat by {way}", expected, port)
            reply = remote.request(port, "GET", "/api/runs", host="localhost")
            trial.note(
                f"socat by {way}, visitor from outside", expected, str(reply.status)
            )


def try_ssh(trial: Trial) -> None:
    """Forward by ssh both ways, as the user of the service and as another."""
    folder, target = trial.folder, trial.server.port
    names = {SERVICE_UID: "trialservice", OTHER_UID: "trialother"}
    made = [add_user(name, uid) for uid, name in names.items()]
    try:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host_key"],
            check=True,
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        sshd_port = find_free_port()
        config = trial.write("sshd_config", SSHD, port=sshd_port)
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(config)]
        with trial.running(command, sshd_port):
            for uid, name in names.items():
                expected = LOCAL if uid == SERVICE_UID else REFUSED
                key = make_key(folder, name, uid)
                login = ["ssh", "-N", "-o", "StrictHostKeyChecking=no", "-i", str(key)]
                login += ["-o", "UserKnownHostsFile=/dev/null", "-p", str(sshd_port)]
                for flag in ("-L", "-R"):
                    port = find_free_port()
                    forward = [flag, f"127.0.0.1:{port}:127.0.0.1:{target}"]
                    ssh = [*login, *forward, f"{name}@127.0.0.1"]
                    who = "the service's user" if expected == LOCAL else "another user"
                    with trial.running(ssh, port, uid=uid):
                        trial.ask(f"ssh {flag} by {who}", expected, port)
    finally:
        for name in filter(None, made):
            subprocess.run(["userdel", "-f", name], check=False, capture_output=True)


def add_user(name: str, uid: int) -> str:
    subprocess.run(
        [
            "useradd",
            "-M",
            "-N",
            "-u",
            str(uid),
            "-p",
            "*",
            "-s",
            "/bin/sh",
            "-d",
            "/",
            name,
        ],
        check=True,
        capture_output=True,
    )
    return name


def make_key(folder: Path, name: str, uid: int) -> Path:
    key = folder / f"key_{name}"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True
    )
    public = key.with_suffix(".pub").read_text()
    (folder / f"authorized_{name}").write_text(public)
    (folder / f"authorized_{name}").chmod(0o644)
    os.chown(key, uid, -1)
    return key


def try_container(trial: Trial, remote: RemoteHost) -> None:
    """A published container port reaches the service from the bridge's address."""
    reply = remote.request(trial.server.port, "GET", "/api/runs", host="localhost")
    trial.note("another address (bridge of a container)", REFUSED, str(reply.status))


def main() -> int:
    """Run the trial; 0 if every answer is as written."""
    if os.geteuid() != 0:
        sys.exit("This trial changes users and networks: run it as root.")
    programs = ("curl", "nginx", "haproxy", "caddy", "socat", "ssh-keygen", "sshd")
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        sys.exit(f"This trial needs {', '.join(missing)}.")
    folder = Path(tempfile.mkdtemp(prefix="trial-"))
    folder.chmod(0o777)
    (folder / "scripts").mkdir()
    (folder / "data").mkdir()
    os.chown(folder / "data", SERVICE_UID, SERVICE_UID)
    server = Server(
        folder,
        host="0.0.0.0",
        prefix=AS_SERVICE,
        environment={"WEBAPI_RULE_UID": "on", "WEBAPI_RULE_HTTP10": "on", "HOME": "/"},
    )
    remote = RemoteHost()
    try:
        trial = Trial(folder, server.start())
        say(f"service: uid {SERVICE_UID}; kernel {os.uname().release}")
        try_clients(trial)
        try_proxies(trial)
        try_tunnels(trial, remote)
        try_ssh(trial)
        try_container(trial, remote)
    finally:
        server.close()
        remote.close()
        shutil.rmtree(folder, ignore_errors=True)
    different = [result.way for result in trial.results if not result.is_as_written]
    say(f"{len(trial.results)} ways, {len(different)} different: {different}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
