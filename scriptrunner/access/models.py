"""Values of access: the caller of a request, tokens, and the errors of refusals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scriptrunner.errors import (
    NotAllowedError,
    NotFoundError,
    ScriptRunnerError,
    ThrottledError,
    UnauthenticatedError,
)


class Role(StrEnum):
    """What a caller is to the service."""

    #: May do everything.
    ADMIN = "admin"
    #: May fire one event and do nothing else.
    EVENT = "event"
    #: May do nothing; callers of the anonymous pages have it.
    NONE = "none"


class Proof(StrEnum):
    """How the caller was known."""

    #: By where the request comes from.
    LOCAL = "local"
    #: By ``Authorization: Bearer``.
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    #: By the cookie of a login.
    SESSION = "session"
    #: Not at all.
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. Set by the protection on every request, before routing."""

    #: Stable name: ``local``, ``token:<id>`` or ``anonymous``; stored with runs.
    principal: str
    role: Role
    #: Known by where the request comes from, without credentials.
    is_local: bool
    #: Address of the other end as the socket tells it; ``in-process`` without one.
    peer: str
    proof: Proof = Proof.LOCAL
    #: The one event that it may fire, None for callers without such a bound.
    scope: str | None = None
    #: Of the token that it was known by, also by way of a login; None without one.
    token_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """What is stored about a token; never its secret."""

    id: str
    secret_sha256: str
    name: str
    role: Role
    owner: str
    created_at: datetime
    #: None: never used. Updated at most once a minute.
    last_used_at: datetime | None
    revoked: bool
    #: The one event that its bearer may fire (role ``event``), else None.
    scope: str | None = None
    #: When it becomes worthless by itself, UTC; None: never.
    expires_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether it proves anybody now."""
        has_expired = self.expires_at is not None and self.expires_at <= now
        return not self.revoked and not has_expired


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token just made: the only time its text is known."""

    id: str
    text: str
    name: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A browser login, with the token it rests on."""

    cookie_sha256: str
    token: TokenRecord
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the audit trail."""

    at: datetime
    principal: str
    peer: str
    #: What was asked, such as ``run.start``.
    action: str
    #: What it was asked of: a run id, a token id, a path; may be empty.
    object: str
    #: ``allowed``, ``refused`` or ``failed``.
    decision: str
    request_id: str
    #: How many requests this line stands for; more than 1 for counted refusals.
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines of the audit trail are wanted; None asks for all."""

    #: Exactly this caller.
    principal: str | None = None
    #: This action, or all below it: ``run`` means ``run.start``, ``run.stop`` ...
    action: str | None = None
    decision: str | None = None
    #: Part of the object, the peer or the request id, upper and lower case alike.
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines of the audit trail, newest first."""

    #: Number of each line and the line.
    rows: tuple[tuple[int, AuditEntry], ...]
    #: Number before which the next page begins, or None on the last one.
    next_before: int | None


class ForbiddenError(NotAllowedError):
    """The caller's role does not allow this."""

    code = "forbidden"


class BadHostError(NotAllowedError):
    """The Host header does not name this service."""

    code = "bad_host"


class CrossSiteError(NotAllowedError):
    """The request comes from a page of another site."""

    code = "cross_site"


class UnknownTokenError(UnauthenticatedError):
    """The token is not valid."""

    code = "unauthenticated"


class RateLimitedError(ThrottledError):
    """Too many requests in a short time; try again later."""

    code = "rate_limited"


class TokenNotFoundError(NotFoundError):
    """There is no such token."""

    code = "token_not_found"


class AccessSetupError(ScriptRunnerError):
    """The settings of access cannot be used; the message says what to change."""

    code = "invalid_settings"
