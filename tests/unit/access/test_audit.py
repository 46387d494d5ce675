import logging
from collections.abc import Sequence

import pytest

from scriptrunner.access.audit import REFUSAL_KINDS, AuditLog
from scriptrunner.access.background import BackgroundWriter
from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import AuditEntry, Caller, Proof, Role
from scriptrunner.access.service import AccessService
from tests.clocks import FakeClock

LOCAL = command_line_caller()


def make_stranger(peer: str = "192.0.2.7") -> Caller:
    return Caller(
        principal="anonymous",
        role=Role.NONE,
        is_local=False,
        peer=peer,
        proof=Proof.ANONYMOUS,
    )


class MemoryStore:
    """Keeps rows; fails as often as it is told."""

    def __init__(self, *, failures: int = 0) -> None:
        self.rows: list[AuditEntry] = []
        self.failures = failures

    def add_audit_entries(self, entries: Sequence[AuditEntry]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("database is locked")
        self.rows.extend(entries)


def make_log(store: MemoryStore) -> tuple[AuditLog, BackgroundWriter]:
    writer = BackgroundWriter()
    return AuditLog(store, clock=FakeClock(), writer=writer), writer


def test_everything_is_written_at_the_end() -> None:
    store = MemoryStore()
    audit, writer = make_log(store)

    for number in range(5_000):
        audit.record(LOCAL, "run.start", f"run-{number}", "allowed", "request")
    writer.close()

    assert [row.object for row in store.rows] == [f"run-{n}" for n in range(5_000)]
    assert store.rows[0].principal == LOCAL.principal


def test_flood_of_refusals_is_one_row_with_a_count() -> None:
    store = MemoryStore()
    audit, writer = make_log(store)

    for _ in range(10_000):
        audit.count_refusal(make_stranger(), "unauthenticated", "peer", "first")
    audit.count_refusal(make_stranger(), "bad_host", "host")
    writer.close()

    assert [(row.action, row.count) for row in store.rows] == [
        ("unauthenticated", 10_000),
        ("bad_host", 1),
    ]


def test_flood_from_many_addresses_stays_small() -> None:
    store = MemoryStore()
    audit, writer = make_log(store)

    for number in range(1_000):
        audit.count_refusal(
            make_stranger(f"192.0.2.{number}"), "unauthenticated", "peer"
        )
    writer.close()

    assert len(store.rows) == REFUSAL_KINDS + 1
    assert sum(row.count for row in store.rows) == 1_000
    assert store.rows[-1].peer == "(others)"


def test_refusals_are_logged_with_their_count(caplog: pytest.LogCaptureFixture) -> None:
    audit, writer = make_log(MemoryStore())
    for _ in range(3):
        audit.count_refusal(make_stranger(), "unauthenticated", "peer")

    with caplog.at_level(logging.WARNING):
        writer.close()

    assert "refused 3 requests: unauthenticated" in caplog.text


def test_rows_wait_for_a_database_that_fails() -> None:
    store = MemoryStore(failures=1)
    audit, _ = make_log(store)
    audit.record(LOCAL, "run.stop", "run")

    with pytest.raises(OSError, match="locked"):
        audit.flush(final=False)
    audit.flush(final=False)

    assert [row.action for row in store.rows] == ["run.stop"]


def test_rows_beyond_the_buffer_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scriptrunner.access.audit.BUFFER_ROWS", 2)
    store = MemoryStore()
    audit, writer = make_log(store)
    monkeypatch.setattr(writer, "wake", lambda: None)

    for number in range(5):
        audit.record(LOCAL, "run.start", str(number))
    audit.flush(final=False)
    audit.flush(final=False)

    assert [(row.action, row.count) for row in store.rows] == [
        ("run.start", 1),
        ("run.start", 1),
        ("audit.dropped", 3),
    ]


def test_hostile_text_becomes_one_printable_line() -> None:
    store = MemoryStore()
    audit, writer = make_log(store)

    audit.record(LOCAL, "run.start", "a\nb\x00\ud800\x1b[31m" + "x" * 10_000)
    writer.close()

    assert store.rows[0].object.startswith(r"a\nb\x00\ud800\x1b[31mxxx")
    assert len(store.rows[0].object) == 500


def test_tokens_and_logins_are_on_record(access: AccessService) -> None:
    token = access.create_token(caller=LOCAL)
    cookie = access.log_in(token.text, caller=make_stranger(), request_id="abc")
    access.log_out(cookie, caller=make_stranger(), request_id="abd")
    access.revoke_token(token.id, caller=LOCAL)
    access.close()

    rows = access.list_audit_entries()
    assert [(row.action, row.object, row.peer) for row in reversed(rows)] == [
        ("token.create", token.id, "command line"),
        ("login", token.id, "192.0.2.7"),
        ("logout", "", "192.0.2.7"),
        ("token.revoke", token.id, "command line"),
    ]
