"""Triggered alerts, the outbox of their deliveries, and what is muted."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from scriptrunner.storage.tables.columns import (
    JsonText,
    UtcTime,
    metadata,
    number_key,
    partial_index,
)

#: One row per rule of a run that was met. It outlives the run, like the history.
alerts = Table(
    "alerts",
    metadata,
    number_key(),
    #: Value of the ``change`` counter at the last change of it or of a delivery.
    Column("change", BigInteger, nullable=False),
    Column("run_id", String(36), nullable=False),
    #: Place of the rule among those of the run, from 0.
    Column("rule", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("severity", String(8), nullable=False),
    Column("condition", Text, nullable=False),
    #: The metrics of the condition as they were, by name.
    Column("measured", JsonText, nullable=False),
    Column("triggered_at", UtcTime, nullable=False),
    #: Whether the script was still running.
    Column("is_early", Boolean, nullable=False),
    Column("script_path", Text, nullable=False),
    #: ``script_path`` in folded case, for the search of lists.
    Column("script_folded", Text, nullable=False),
    #: What receivers are told of the run, and all its metrics.
    Column("run", JsonText, nullable=False),
    Column("metrics", JsonText, nullable=False),
    Column("acknowledged_at", UtcTime),
    Column("acknowledged_by", String(128)),
    # A rule is met once per run: whoever finds that out a second time writes nothing.
    UniqueConstraint("run_id", "rule"),
    Index("ix_alerts_triggered_at_id", "triggered_at", "id"),
    Index("ix_alerts_change", "change"),
)

#: One row per alert and channel; those that are ``pending`` are still to be sent.
alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    #: The ``delivery_id`` that receivers see, the same at every try.
    Column("id", String(36), primary_key=True),
    Column(
        "alert_id",
        ForeignKey("alerts.id", ondelete="CASCADE"),
        nullable=False,
    ),
    #: Place among the channels of the rule, from 0.
    Column("place", Integer, nullable=False),
    Column("channel", String(64), nullable=False),
    #: Whether it goes to the address that the run brought, which goes with the run.
    Column("to_run_webhook", Boolean, nullable=False),
    #: ``pending``, ``sent``, ``failed``, ``skipped`` or ``muted``.
    Column("status", String(16), nullable=False),
    #: Tries begun.
    Column("tries", Integer, nullable=False),
    Column("next_try_at", UtcTime),
    Column("finished_at", UtcTime),
    #: Why the last try failed, without addresses.
    Column("error", Text),
    UniqueConstraint("alert_id", "channel"),
    partial_index(
        "ix_alert_deliveries_due",
        "next_try_at",
        where="status = 'pending'",
    ),
)

#: One row per script, or rule of a script, of which nobody is told for a time. Rows whose
#: time is over mean nothing; the next one that is made removes them.
alert_mutes = Table(
    "alert_mutes",
    metadata,
    number_key(),
    #: Hash of what is muted, as PostgreSQL cannot index paths of any length.
    Column("target_key", String(64), nullable=False),
    #: Absolute where the script was found, else as it was given.
    Column("script_path", Text, nullable=False),
    #: Name of the rule; None: every rule.
    Column("rule", Text),
    #: The condition, letter by letter; None: every condition.
    Column("condition", Text),
    Column("muted_at", UtcTime, nullable=False),
    Column("muted_by", String(128), nullable=False),
    #: None: until somebody unmutes it.
    Column("until", UtcTime),
    #: Why, for people.
    Column("note", Text),
    UniqueConstraint("target_key"),
    # Who unmutes what is over must not hit what was muted since.
    sqlite_autoincrement=True,
)
