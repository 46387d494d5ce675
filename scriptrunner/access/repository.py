"""SQL of access: tokens, logins and audit rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from scriptrunner.access.models import (
    AuditEntry,
    AuditFilter,
    AuditPage,
    Role,
    SessionRecord,
    TokenRecord,
)
from scriptrunner.storage.database import Database
from scriptrunner.storage.tables import audit_entries, sessions, tokens


class AccessRepository:
    """Rows of access in one database; threads may share it."""

    def __init__(self, database: Database) -> None:
        """Use ``database``, which the caller opens, migrates and closes."""
        self._database = database

    def find_token(self, token_id: str) -> TokenRecord | None:
        """Return the token of that id, revoked or not."""
        with self._database.read() as connection:
            row = connection.execute(
                select(tokens).where(tokens.c.id == token_id)
            ).first()
        return None if row is None else _to_token(row)

    def list_tokens(self) -> list[TokenRecord]:
        """Return all tokens, oldest first, revoked ones included."""
        query = select(tokens).order_by(tokens.c.created_at, tokens.c.id)
        with self._database.read() as connection:
            return [_to_token(row) for row in connection.execute(query)]

    def add_token(self, token: TokenRecord) -> None:
        """Store a token."""
        with self._database.write() as connection:
            connection.execute(insert(tokens).values(_token_values(token)))

    def add_first_token(self, token: TokenRecord) -> bool:
        """Store a token if there is none at all; return whether it was stored.

        Two services that start at once cannot both succeed: SQLite's write lock, or a
        lock of the table, is held while looking.
        """
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                lock = "LOCK TABLE tokens IN SHARE ROW EXCLUSIVE MODE"
                connection.execute(text(lock))
            if connection.scalar(select(func.count()).select_from(tokens)):
                return False
            connection.execute(insert(tokens).values(_token_values(token)))
            return True

    def count_valid_tokens(self, now: datetime) -> int:
        """Return how many tokens are neither revoked nor expired."""
        is_alive = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
        valid = (~tokens.c.revoked, is_alive)
        query = select(func.count()).select_from(tokens).where(*valid)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def revoke_token(self, token_id: str) -> bool:
        """Revoke a token and end its logins; return whether it was valid before."""
        change = (
            update(tokens)
            .where(tokens.c.id == token_id, ~tokens.c.revoked)
            .values(revoked=True)
        )
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_id == token_id))
            return connection.execute(change).rowcount == 1

    def mark_used(self, token_id: str, used_at: datetime) -> None:
        """Note when a token was used last."""
        change = (
            update(tokens).where(tokens.c.id == token_id).values(last_used_at=used_at)
        )
        with self._database.write() as connection:
            connection.execute(change)

    def find_session(self, cookie_sha256: str) -> SessionRecord | None:
        """Return the login of that cookie with its token."""
        query = (
            select(tokens, sessions.c.used_at)
            .join(sessions, sessions.c.token_id == tokens.c.id)
            .where(sessions.c.cookie_sha256 == cookie_sha256)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return SessionRecord(
            cookie_sha256=cookie_sha256, token=_to_token(row), used_at=row.used_at
        )

    def add_session(
        self,
        cookie_sha256: str,
        token_id: str,
        *,
        now: datetime,
        expired_before: datetime,
    ) -> None:
        """Store a login, and forget those not used since ``expired_before``."""
        row = {
            "cookie_sha256": cookie_sha256,
            "token_id": token_id,
            "created_at": now,
            "used_at": now,
        }
        with self._database.write() as connection:
            old = delete(sessions).where(sessions.c.used_at < expired_before)
            connection.execute(old)
            connection.execute(insert(sessions).values(row))

    def mark_session_used(self, cookie_sha256: str, used_at: datetime) -> None:
        """Note when a login was used last."""
        change = (
            update(sessions)
            .where(sessions.c.cookie_sha256 == cookie_sha256)
            .values(used_at=used_at)
        )
        with self._database.write() as connection:
            connection.execute(change)

    def delete_session(self, cookie_sha256: str) -> None:
        """End a login; an unknown one is no error."""
        old = delete(sessions).where(sessions.c.cookie_sha256 == cookie_sha256)
        with self._database.write() as connection:
            connection.execute(old)

    def add_audit_entries(self, entries: Sequence[AuditEntry]) -> None:
        """Append rows in one transaction; nothing here changes or removes one."""
        if not entries:
            return
        with self._database.write() as connection:
            rows = [_audit_values(entry) for entry in entries]
            connection.execute(insert(audit_entries), rows)

    def list_audit_entries(self, *, limit: int = 1_000) -> list[AuditEntry]:
        """Return the newest ``limit`` rows, newest first."""
        query = select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings()
            return [
                AuditEntry(**{k: v for k, v in row.items() if k != "id"})
                for row in rows
            ]

    def find_audit_page(
        self, wanted: AuditFilter, *, limit: int, before: int | None
    ) -> AuditPage:
        """Return the newest ``limit`` rows that match, older than number ``before``."""
        conditions = _audit_conditions(wanted)
        if before is not None:
            conditions.append(audit_entries.c.id < before)
        query = (
            select(audit_entries)
            .where(*conditions)
            .order_by(audit_entries.c.id.desc())
            .limit(limit + 1)
        )
        with self._database.read() as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        rows = tuple((row.pop("id"), AuditEntry(**row)) for row in found[:limit])
        more = len(found) > limit
        return AuditPage(rows=rows, next_before=rows[-1][0] if more else None)


def _audit_conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter; texts are taken literally."""
    columns = audit_entries.c
    found: list[ColumnElement[bool]] = []
    if wanted.principal is not None:
        found.append(columns.principal == wanted.principal)
    if wanted.action is not None:
        below = columns.action.startswith(f"{wanted.action}.", autoescape=True)
        found.append(or_(columns.action == wanted.action, below))
    if wanted.decision is not None:
        found.append(columns.decision == wanted.decision)
    if wanted.text is not None:
        places = (columns.object, columns.peer, columns.request_id)
        found.append(
            or_(*(each.icontains(wanted.text, autoescape=True) for each in places))
        )
    if wanted.since is not None:
        found.append(columns.at >= wanted.since)
    if wanted.until is not None:
        found.append(columns.at < wanted.until)
    return found


def _to_token(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        id=row.id,
        secret_sha256=row.secret_sha256,
        name=row.name,
        role=Role(row.role),
        owner=row.owner,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked=row.revoked,
        scope=row.scope,
        expires_at=row.expires_at,
    )


def _token_values(token: TokenRecord) -> dict[str, Any]:
    return {column.name: getattr(token, column.name) for column in tokens.columns}


def _audit_values(entry: AuditEntry) -> dict[str, Any]:
    names = [column.name for column in audit_entries.columns if column.name != "id"]
    return {name: getattr(entry, name) for name in names}
