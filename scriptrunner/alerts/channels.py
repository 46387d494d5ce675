"""The channels of one service: which there are, which are configured, how each sends.

Runs name channels; where these lead is the administrator's business. Only ``slack`` may
also lead to an address of the run's own, which then has to be of an allowed host.
"""

import difflib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from scriptrunner.alerts import mail, messages, named
from scriptrunner.alerts.errors import ChannelNotFoundError, DeliveryError
from scriptrunner.alerts.http import post_json
from scriptrunner.alerts.models import DeliveryStatus, NewDelivery, Notice
from scriptrunner.alerts.targets import Resolve, to_target
from scriptrunner.engine.destinations import WebhookNotAllowedError, check_webhook
from scriptrunner.engine.rules import Rule
from scriptrunner.engine.steps.alerts import (
    BUILT_IN_CHANNELS,
    CHANNEL_ALIASES,
    channels_of,
)
from scriptrunner.settings import Settings
from scriptrunner.settings.alerting import read_channels

logger = logging.getLogger("scriptrunner.alerts.log")

_LEVELS = {
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}
#: Port of the mail server by how the connection is secured.
_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel as people see it."""

    name: str
    #: ``slack``, ``webhook``, ``email``, ``log`` or ``named``.
    kind: str
    #: Why nothing can be sent by it; None if it is configured.
    problem: str | None


class Channels:
    """All channels by the settings of one service. Threads may share it.

    Args:
        settings: The service's settings.
        resolve: Asks the name service; tests hand in their own.
    """

    def __init__(self, settings: Settings, *, resolve: Resolve | None = None) -> None:
        """Read which named channels there are."""
        self._settings = settings
        self._resolve = resolve
        self._named: Mapping[str, Sequence[str]] = {}
        if settings.alert_channels is not None:
            self._named = read_channels(settings.alert_channels)
        self._mail_server = mail_server_of(settings)

    @property
    def names(self) -> tuple[str, ...]:
        """All names that a run may use, aliases left out."""
        return (*BUILT_IN_CHANNELS, *self._named)

    def find_unknown(self, rules: Sequence[Rule]) -> list[tuple[int, int, str]]:
        """Return place of rule, place of channel, and words for each unknown name."""
        return [
            (number, place, self._unknown(name))
            for number, rule in enumerate(rules)
            for place, name in enumerate(rule["channels"])
            if CHANNEL_ALIASES.get(name, name) not in self.names
        ]

    def _unknown(self, name: str) -> str:
        known = [*self.names, *CHANNEL_ALIASES]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"
        return f"no channel is called {name}; {hint}"

    def describe(self, name: str) -> Channel:
        """Return what people are told of a channel.

        Raises:
            ChannelNotFoundError: If there is none of that name.
        """
        name = CHANNEL_ALIASES.get(name, name)
        if name not in self.names:
            raise ChannelNotFoundError
        kind = name if name in BUILT_IN_CHANNELS else "named"
        return Channel(name=name, kind=kind, problem=self.find_problem(name))

    def find_problem(self, name: str, *, has_webhook: bool = False) -> str | None:
        """Return why nothing can be sent by a known channel, or None.

        Args:
            name: Its own name.
            has_webhook: Whether the run brought an address for ``slack``.
        """
        settings = self._settings
        if name == "slack" and not (has_webhook or settings.slack_webhook):
            return (
                "slack has no address: give slack_webhook or set WEBAPI_SLACK_WEBHOOK"
            )
        if name == "slack" and not has_webhook:
            return self._find_fault(settings.slack_webhook)
        if name == "webhook":
            if not settings.alert_webhook:
                return "webhook has no address: set WEBAPI_ALERT_WEBHOOK"
            return self._find_fault(settings.alert_webhook)
        if name == "email" and self._mail_server is None:
            return "email is not set up: WEBAPI_SMTP_HOST and WEBAPI_ALERT_EMAIL_TO"
        if name in self._named and not named.is_available():
            return named.MISSING
        return None

    def _find_fault(self, url: str | None) -> str | None:
        try:
            to_target(url or "", internal=self._settings.webhook_internal_hosts)
        except DeliveryError as error:
            return error.message
        return None

    def plan(self, rule: Rule, *, has_webhook: bool) -> list[NewDelivery]:
        """Return the deliveries of a rule that was met.

        A channel that is gone since the run was submitted is skipped like one that is
        not configured.
        """
        planned = []
        for name in channels_of(rule):
            problem = (
                self.find_problem(name, has_webhook=has_webhook)
                if name in self.names
                else f"no channel is called {name} any more"
            )
            status = DeliveryStatus.SKIPPED if problem else DeliveryStatus.PENDING
            to_run_webhook = name == "slack" and has_webhook
            planned.append(
                NewDelivery(str(uuid4()), name, status, problem, to_run_webhook)
            )
        return planned

    def find_warnings(self, rules: Sequence[Rule], *, has_webhook: bool) -> list[str]:
        """Return a sentence for each channel of ``rules`` that is not configured."""
        found = (
            each.error
            for rule in rules
            for each in self.plan(rule, has_webhook=has_webhook)
        )
        return [f"alerts: {words}" for words in dict.fromkeys(found) if words]

    def send(self, name: str, notice: Notice, *, slack_webhook: str | None) -> None:
        """Send by a channel; return when the receiver has taken it.

        Args:
            name: The channel's own name.
            notice: What is told.
            slack_webhook: The run's own address for ``slack``, or None.

        Raises:
            DeliveryError: If it was not taken.
        """
        problem = (
            self.find_problem(name, has_webhook=bool(slack_webhook))
            if name in self.names
            else f"no channel is called {name} any more"
        )
        if problem:
            raise DeliveryError(problem, is_final=True)
        if name == "slack":
            self._send_to_slack(notice, slack_webhook)
        elif name == "webhook":
            self._post(
                self._settings.alert_webhook, messages.to_webhook(notice), notice
            )
        elif name == "email":
            assert self._mail_server is not None  # noqa: S101 - no problem found
            mail.send_mail(self._mail_server, notice)
        elif name == "log":
            log(notice)
        else:
            named.send_named(self._named[name], notice)

    def _send_to_slack(self, notice: Notice, own: str | None) -> None:
        if own is not None:
            try:
                self.check_webhook(own)
            except WebhookNotAllowedError as error:
                raise DeliveryError(error.message, is_final=True) from None
        url = own or self._settings.slack_webhook
        self._post(url, messages.to_slack(notice), notice)

    def check_webhook(self, url: str) -> None:
        """Refuse an address of a run that is not of an allowed host.

        Raises:
            WebhookNotAllowedError: Without repeating the address.
        """
        settings = self._settings
        check_webhook(
            url,
            hosts=settings.webhook_hosts,
            internal=settings.webhook_internal_hosts,
        )

    def _post(
        self, url: str | None, body: Mapping[str, object], notice: Notice
    ) -> None:
        post_json(
            url or "",
            body,
            internal=self._settings.webhook_internal_hosts,
            headers={"X-Delivery-ID": notice.delivery_id},
            resolve=self._resolve,
        )


def log(notice: Notice) -> None:
    """Write an alert to the log of this process, at the level of its severity."""
    logger.log(_LEVELS[notice.severity], "%s", messages.to_log_line(notice))


def mail_server_of(settings: Settings) -> mail.MailServer | None:
    """Return the mail server of the settings, or None if mail is not set up."""
    if settings.smtp_host is None or not settings.alert_email_to:
        return None
    return mail.MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port or _MAIL_PORTS[settings.smtp_tls],
        security=settings.smtp_tls,
        user=settings.smtp_user,
        password_file=settings.smtp_password_file,
        sender=settings.alert_email_from or settings.alert_email_to[0],
        recipients=settings.alert_email_to,
    )
