"""Use cases of access: prove a caller, make and revoke tokens, log in and out."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from scriptrunner.access import tokens
from scriptrunner.access.audit import AuditLog
from scriptrunner.access.background import BackgroundWriter
from scriptrunner.access.models import (
    AuditEntry,
    AuditFilter,
    AuditPage,
    Caller,
    NewToken,
    Proof,
    Role,
    TokenNotFoundError,
    TokenRecord,
    UnknownTokenError,
)
from scriptrunner.access.repository import AccessRepository
from scriptrunner.access.usage import UsageLog
from scriptrunner.clock import Clock, to_text
from scriptrunner.storage.database import Database

#: How long a login lasts without being used.
SESSION_IDLE = timedelta(hours=12)
#: Name of admin tokens made without one; tokens for an event are called after it.
DEFAULT_NAME = "admin"
#: Longest name of a token, in characters.
NAME_LENGTH = 100

logger = logging.getLogger(__name__)


class AccessService:
    """Tokens, logins and the audit trail over one database; threads may share it.

    Whoever made it calls ``close``, before the database is closed.
    """

    def __init__(self, repository: AccessRepository, *, clock: Clock) -> None:
        """Use ``repository``; nothing is read or written yet."""
        self._repository = repository
        self._clock = clock
        self._writer = BackgroundWriter()
        self._usage = UsageLog(repository, writer=self._writer)
        #: Where every layer above notes what was done.
        self.audit = AuditLog(repository, clock=clock, writer=self._writer)

    def check_token(self, text: str, *, peer: str) -> Caller:
        """Return the caller that the token ``text`` proves.

        Raises:
            UnknownTokenError: If it proves nobody. Unknown, wrong, revoked and expired
                tokens take the same work and get the same answer.
        """
        token = self._prove(text)
        self._usage.note_token(
            token.id, now=self._clock.utc_now(), last=token.last_used_at
        )
        return _make_caller(token, peer=peer, proof=Proof.TOKEN)

    def check_cookie(self, cookie: str, *, peer: str) -> Caller:
        """Return the caller that the login ``cookie`` proves.

        Raises:
            UnknownTokenError: If there is no such login, it was idle for too long, or
                its token was revoked or has expired.
        """
        found = self._repository.find_session(tokens.digest(cookie))
        now = self._clock.utc_now()
        is_known = found is not None and found.token.is_valid(now)
        if found is None or not is_known or now - found.used_at > SESSION_IDLE:
            raise UnknownTokenError("The login has ended")
        self._usage.note_session(found.cookie_sha256, now=now, last=found.used_at)
        return _make_caller(found.token, peer=peer, proof=Proof.SESSION)

    def is_welcome(self, caller: Caller) -> bool:
        """Return whether what ``caller`` was known by at first is still worth anything.

        For connections that stay open for long; logins count as long as their token.
        """
        if caller.token_id is None:
            return True
        token = self._repository.find_token(caller.token_id)
        return token is not None and token.is_valid(self._clock.utc_now())

    def log_in(self, text: str, *, caller: Caller, request_id: str) -> str:
        """Return the value of a new login cookie for whoever has the token ``text``.

        Raises:
            UnknownTokenError: If the token proves nobody.
        """
        try:
            token = self._prove(text.strip())
        except UnknownTokenError:
            self.audit.record(caller, "login", "", "refused", request_id)
            raise
        cookie = tokens.make_cookie()
        now = self._clock.utc_now()
        self._repository.add_session(
            tokens.digest(cookie), token.id, now=now, expired_before=now - SESSION_IDLE
        )
        known = _make_caller(token, peer=caller.peer, proof=Proof.SESSION)
        self.audit.record(known, "login", token.id, "allowed", request_id)
        return cookie

    def log_out(self, cookie: str, *, caller: Caller, request_id: str) -> None:
        """End the login of ``cookie``; an unknown one is no error."""
        self._repository.delete_session(tokens.digest(cookie))
        self.audit.record(caller, "logout", "", "allowed", request_id)

    def create_token(
        self,
        *,
        caller: Caller,
        name: str | None = None,
        role: Role = Role.ADMIN,
        scope: str | None = None,
        expires_at: datetime | None = None,
    ) -> NewToken:
        """Make, store and return a token; its text cannot be had again.

        Args:
            caller: Who makes it; recorded as its owner.
            name: For people, 1 to 100 characters; None: after what it is for.
            role: What its bearer may do.
            scope: The event that it may fire, with the role ``event`` only.
            expires_at: When it becomes worthless by itself, UTC; None: never.
        """
        text, parts = tokens.make_token()
        if name is None:
            name = DEFAULT_NAME if scope is None else f"event {scope}"
        record = self._make_record(parts, name=name, role=role, owner=caller.principal)
        record = replace(record, scope=scope, expires_at=expires_at)
        self._repository.add_token(record)
        end = "" if expires_at is None else f", expires {to_text(expires_at)}"
        self.audit.record(caller, "token.create", f"{parts.id}{end}")
        return NewToken(id=parts.id, text=text, name=record.name, expires_at=expires_at)

    def create_first_token(self, *, caller: Caller) -> NewToken | None:
        """Make an admin token if there has never been a token; else return None."""
        text, parts = tokens.make_token()
        record = self._make_record(
            parts, name=DEFAULT_NAME, role=Role.ADMIN, owner=caller.principal
        )
        if not self._repository.add_first_token(record):
            return None
        self.audit.record(caller, "token.create", parts.id)
        return NewToken(id=parts.id, text=text, name=record.name)

    def adopt_first_token(self, text: str, *, caller: Caller) -> bool:
        """Store ``text`` as an admin token if there has never been a token.

        Returns:
            Whether ``text`` is a valid token now.

        Raises:
            ValueError: If ``text`` is too short or has signs no header can carry.
        """
        parts = tokens.parse_token(text)
        if parts is None:
            raise ValueError("a token is 32 to 200 visible ASCII characters")
        record = self._make_record(
            parts, name=DEFAULT_NAME, role=Role.ADMIN, owner=caller.principal
        )
        if self._repository.add_first_token(record):
            self.audit.record(caller, "token.create", parts.id)
            return True
        return self._find_valid(text) is not None

    def list_tokens(self) -> list[TokenRecord]:
        """Return all tokens, oldest first, revoked and expired ones included."""
        return self._repository.list_tokens()

    def count_valid_tokens(self) -> int:
        """Return how many tokens are neither revoked nor expired."""
        return self._repository.count_valid_tokens(self._clock.utc_now())

    def revoke_token(self, token_id: str, *, caller: Caller) -> None:
        """Make a token worthless and end its logins, at once on every worker.

        Raises:
            TokenNotFoundError: If there is no valid token of that id.
        """
        if not self._repository.revoke_token(token_id):
            raise TokenNotFoundError(f"There is no valid token {token_id}")
        self.audit.record(caller, "token.revoke", token_id)

    def list_audit_entries(self, *, limit: int = 1_000) -> list[AuditEntry]:
        """Return the newest ``limit`` rows of the audit trail, newest first."""
        return self._repository.list_audit_entries(limit=limit)

    def find_audit_page(
        self, wanted: AuditFilter, *, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return a page of the audit trail, newest first.

        Args:
            wanted: Which lines.
            limit: Most lines of one page.
            before: Only lines with a smaller number; None begins with the newest.
        """
        return self._repository.find_audit_page(wanted, limit=limit, before=before)

    def close(self) -> None:
        """Write what is pending; the service must not be used afterwards."""
        self._writer.close()

    def _prove(self, text: str) -> TokenRecord:
        token = self._find_valid(text)
        if token is None:
            raise UnknownTokenError("The token is not valid")
        return token

    def _find_valid(self, text: str) -> TokenRecord | None:
        """Return the valid token of that text; the same work whatever is wrong."""
        parts = tokens.parse_token(text) or tokens.TokenText("", "")
        token = self._repository.find_token(parts.id)
        expected = token.secret_sha256 if token else tokens.NO_SECRET_SHA256
        matches = tokens.is_secret(parts.secret, expected)
        is_valid = token is not None and token.is_valid(self._clock.utc_now())
        return token if matches and is_valid else None

    def _make_record(
        self, parts: tokens.TokenText, *, name: str, role: Role, owner: str
    ) -> TokenRecord:
        return TokenRecord(
            id=parts.id,
            secret_sha256=tokens.digest(parts.secret),
            name=name[:NAME_LENGTH],
            role=role,
            owner=owner,
            created_at=self._clock.utc_now(),
            last_used_at=None,
            revoked=False,
        )


def open_access(database: Database, *, clock: Clock) -> AccessService:
    """Return the access service of ``database``, which must be migrated."""
    return AccessService(AccessRepository(database), clock=clock)


def _make_caller(token: TokenRecord, *, peer: str, proof: Proof) -> Caller:
    return Caller(
        principal=f"token:{token.id}",
        role=token.role,
        is_local=False,
        peer=peer,
        proof=proof,
        scope=token.scope,
        token_id=token.id,
    )
