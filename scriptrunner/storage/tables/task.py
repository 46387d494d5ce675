"""Tasks, what they wait for, their fires, and the events they listen to."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scriptrunner.storage.tables.columns import (
    JsonText,
    UtcTime,
    metadata,
    number_key,
    partial_index,
)


def _task_key() -> Column[str]:
    return Column(
        "task_id",
        String(128),
        ForeignKey("tasks.id", ondelete="CASCADE"),
        primary_key=True,
    )


#: One row per task: what it is to do, when, and how it went.
tasks = Table(
    "tasks",
    metadata,
    Column("id", String(128), primary_key=True),
    #: Value of the ``change`` counter at the last change that people see.
    Column("change", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    #: Whoever made or changed it last; its runs are theirs.
    Column("principal", String(128), nullable=False),
    Column("description", Text, nullable=False),
    Column("script_path", Text, nullable=False),
    Column("script_args", JsonText, nullable=False),
    #: Options of its runs as they were given; secret values are ``***``.
    Column("run_options", JsonText, nullable=False),
    #: Name of the file that holds the secret values, None without any.
    Column("secrets", String(64)),
    Column("schedule", Text),
    Column("cron_expr", Text),
    Column("run_at", UtcTime),
    Column("timezone", String(64), nullable=False),
    Column("start_at", UtcTime),
    Column("end_at", UtcTime),
    Column("delay_seconds", Double, nullable=False),
    Column("jitter_seconds", Double, nullable=False),
    Column("dependencies", JsonText, nullable=False),
    Column("events", JsonText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("paused_reason", Text),
    Column("misfire_policy", String(16), nullable=False),
    Column("misfire_grace_seconds", Double, nullable=False),
    Column("misfire_limit", Integer, nullable=False),
    Column("overlap_policy", String(16), nullable=False),
    Column("max_runs", Integer),
    #: The next planned time, and when it is acted on: after delay and jitter.
    Column("next_fire_at", UtcTime),
    Column("due_at", UtcTime),
    #: Something it waits for has changed: it is looked at next.
    Column("is_pending", Boolean, nullable=False, server_default=text("false")),
    #: Time of the fire that waits for dependencies.
    Column("waiting_since", UtcTime),
    Column("run_count", Integer, nullable=False, server_default=text("0")),
    Column("last_run_id", String(36)),
    Column("last_run_at", UtcTime),
    Column("last_status", String(16)),
    #: End of the run that ended last, and how it ended.
    Column("last_ended_at", UtcTime),
    Column("last_end_status", String(16)),
    Index("ix_tasks_change", "change"),
    partial_index(
        "ix_tasks_due_at",
        "due_at",
        where="enabled AND due_at IS NOT NULL",
    ),
    partial_index(
        "ix_tasks_pending",
        "id",
        where="is_pending",
    ),
)

#: ``task_id`` waits for ``depends_on``, which may have been deleted since.
task_dependencies = Table(
    "task_dependencies",
    metadata,
    _task_key(),
    Column("depends_on", String(128), primary_key=True),
    Index("ix_task_dependencies_depends_on", "depends_on"),
    sqlite_with_rowid=False,
)

#: ``task_id`` listens to ``event``.
task_subscriptions = Table(
    "task_subscriptions",
    metadata,
    _task_key(),
    Column("event", String(128), primary_key=True),
    Index("ix_task_subscriptions_event", "event"),
    sqlite_with_rowid=False,
)

#: Every decision about a fire. The unique key is what makes a fire happen once.
task_fires = Table(
    "task_fires",
    metadata,
    number_key(),
    Column(
        "task_id",
        String(128),
        ForeignKey("tasks.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("fire_time", UtcTime, nullable=False),
    #: ``schedule``, ``dependency``, ``event`` or ``manual``.
    Column("trigger", String(16), nullable=False),
    #: ``waiting``, ``started`` or ``skipped``.
    Column("state", String(16), nullable=False),
    Column("decided_at", UtcTime, nullable=False),
    #: Words for people.
    Column("reason", Text, nullable=False),
    Column("run_id", String(36)),
    Column("ended_at", UtcTime),
    #: How the run ended.
    Column("run_status", String(16)),
    Column("event", String(128)),
    Column("payload", JsonText),
    Column("principal", String(128), nullable=False),
    UniqueConstraint("task_id", "fire_time"),
    Index("ix_task_fires_fire_time", "fire_time"),
    partial_index(
        "ix_task_fires_run_id",
        "run_id",
        where="run_id IS NOT NULL",
    ),
)

#: Events that somebody has fired or may fire, by name.
task_events = Table(
    "task_events",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("last_fired_at", UtcTime),
    Column("last_principal", String(128)),
    Column("fire_count", Integer, nullable=False, server_default=text("0")),
)

#: Answers of fired events, for requests that are repeated.
event_firings = Table(
    "event_firings",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("event", String(128), nullable=False),
    Column("fired_at", UtcTime, nullable=False),
    Column("answer", JsonText, nullable=False),
    Index("ix_event_firings_fired_at", "fired_at"),
)

#: Ids of deleted tasks, so that streams can tell.
deleted_tasks = Table(
    "deleted_tasks",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("deleted_at", UtcTime, nullable=False),
    Index("ix_deleted_tasks_change", "change"),
)
