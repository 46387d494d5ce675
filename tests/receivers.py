"""Receivers of alerts that a test starts: an HTTP server and a mail server, both real."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Receiver:
    """An HTTP server that keeps what it gets and answers as it is told."""

    port: int
    #: Answers in order, the last one for ever: a status, ``drip`` or ``hang``.
    answers: list[Any] = field(default_factory=lambda: [200])
    #: Headers of every answer.
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    #: Connections made, whether anything was asked or not.
    connections: int = 0
    #: Name that the TLS client asked for.
    server_names: list[str | None] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/services/T0/B0/hidden-part"

    def next_answer(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    @property
    def receiver(self) -> Receiver:
        assert isinstance(self.server, _Server)
        return self.server.receiver

    def setup(self) -> None:
        self.receiver.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received = Received(self.path, dict(self.headers), json.loads(body))
        self.receiver.requests.append(received)
        answer = self.receiver.next_answer()
        with contextlib.suppress(OSError):
            self._answer(answer)

    def _answer(self, answer: Any) -> None:
        if answer == "hang":
            self.receiver.closing.wait(30)
        elif answer == "drip":
            for byte in b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000:
                self.wfile.write(bytes([byte]))
                if self.receiver.closing.wait(0.02):
                    return
        else:
            self.send_response(answer)
            for name, value in self.receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def handle_error(self, *_: object) -> None:
        """A client that gives up is what some tests are about."""


@contextlib.contextmanager
def http_receiver(
    *answers: Any, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Yield a receiver that listens on a port of its own, on 127.0.0.1 alone."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = receiver = Receiver(server.server_address[1])
    if answers:
        receiver.answers = list(answers)
    if tls is not None:
        tls.sni_callback = lambda _, name, __: receiver.server_names.append(name)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@dataclass
class Mailbox:
    """What a mail server has taken."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    #: Answer to a mail instead of taking it, or None.
    refusal: str | None = None

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        if self.refusal is not None:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: Any
    ) -> AuthResult:
        del server, session, envelope, kind
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@contextlib.contextmanager
def mail_receiver(*, login: bool = False) -> Iterator[Mailbox]:
    """Yield a mailbox behind a mail server on 127.0.0.1."""
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options: dict[str, Any] = {}
    if login:
        options = {
            "authenticator": mailbox.authenticate,
            "auth_require_tls": False,
            "auth_required": True,
        }
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    mailbox.port = port
    try:
        yield mailbox
    finally:
        controller.stop()
