"""Alerts by e-mail, over the administrator's mail server."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scriptrunner.alerts import messages
from scriptrunner.alerts.errors import DeliveryError
from scriptrunner.alerts.models import Notice

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

#: Seconds for all of a try.
SECONDS = 5.0
#: Characters of a subject.
MAX_SUBJECT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How mail is sent, and to whom."""

    host: str
    port: int
    #: ``starttls``, ``tls`` (from the first byte) or ``none``.
    security: str
    user: str | None
    password_file: Path | None
    sender: str
    recipients: tuple[str, ...]


def send_mail(server: MailServer, notice: Notice, *, seconds: float = SECONDS) -> None:
    """Hand an alert to the mail server.

    Raises:
        DeliveryError: If it was not taken, in words without the server's own text.
    """
    import smtplib  # noqa: PLC0415 - only those who send need it
    import ssl  # noqa: PLC0415 - likewise

    message = to_message(server, notice)
    try:
        with _connected(server, seconds) as smtp:
            if server.user is not None:
                smtp.login(server.user, _read_password(server))
            refused = smtp.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise DeliveryError("The mail server refused the login") from None
    except smtplib.SMTPResponseException as error:
        words = f"The mail server answered {error.smtp_code}"
        raise DeliveryError(words) from None
    except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
        words = f"The mail server cannot be used ({type(error).__name__})"
        raise DeliveryError(words) from None
    if refused:
        words = f"The mail server refused {len(refused)} of the recipients"
        raise DeliveryError(words)


@contextlib.contextmanager
def _connected(server: MailServer, seconds: float) -> "Iterator[smtplib.SMTP]":
    """Yield a session that ends at the deadline, however slow the other side is."""
    import smtplib  # noqa: PLC0415 - only those who send need it
    import ssl  # noqa: PLC0415 - likewise

    deadline = time.monotonic() + seconds
    context = ssl.create_default_context()
    if server.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=seconds, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=seconds)
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _cut_off, (smtp,))
    timer.daemon = True
    timer.start()
    try:
        with smtp:
            if server.security == "starttls":
                smtp.starttls(context=context)
            yield smtp
    finally:
        timer.cancel()


def _cut_off(smtp: "smtplib.SMTP") -> None:
    if smtp.sock is not None:
        with contextlib.suppress(OSError):
            smtp.sock.shutdown(socket.SHUT_RDWR)


def _read_password(server: MailServer) -> str:
    if server.password_file is None:
        return ""
    return server.password_file.read_text(encoding="utf-8").strip("\r\n")


def to_message(server: MailServer, notice: Notice) -> "EmailMessage":
    """Return the mail: the same at every try, so that a repetition can be told."""
    from email.message import EmailMessage  # noqa: PLC0415 - only for a mail
    from email.utils import format_datetime  # noqa: PLC0415 - likewise

    subject = "".join(c if c.isprintable() else " " for c in messages.title_of(notice))
    message = EmailMessage()
    message["Subject"] = subject[:MAX_SUBJECT]
    message["From"] = server.sender
    message["To"] = ", ".join(server.recipients)
    message["Date"] = format_datetime(notice.triggered_at)
    message["Message-ID"] = f"<{notice.delivery_id}@scriptrunner>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(messages.to_plain_text(notice))
    return message
