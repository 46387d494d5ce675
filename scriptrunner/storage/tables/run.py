"""Runs: their rows, details, results, attempts and events, and what orders changes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from scriptrunner.storage.tables.columns import (
    JsonText,
    UtcTime,
    metadata,
    partial_index,
    run_id_key,
)

#: One row per run: what lists, filters and the supervisor need. Nothing bulky.
runs = Table(
    "runs",
    metadata,
    Column("id", String(36), primary_key=True),
    #: Value of the ``change`` counter at the last change: the offset of the event stream.
    Column("change", BigInteger, nullable=False),
    Column("queued_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("status", String(16), nullable=False),
    Column("run_status", String(16)),
    Column("phase", String(16), nullable=False),
    Column("reason", String(32)),
    Column("exit_code", Integer),
    Column("error", Text),
    Column("duration_seconds", Double),
    Column("priority", Integer, nullable=False, server_default=text("0")),
    #: Number of the last claim; one that was put back used its number up if a shim may
    #: have heard of it.
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    #: Attempts that are more than a claim: rows in ``attempts``.
    Column("attempts_made", Integer, nullable=False, server_default=text("0")),
    #: Whether the current attempt's script is known to have been started.
    Column("is_started", Boolean, nullable=False, server_default=text("false")),
    Column("next_attempt_at", UtcTime),
    #: When the current attempt was claimed.
    Column("claimed_at", UtcTime),
    #: Boot id under which the current attempt was claimed.
    Column("boot_id", String(64)),
    #: CLOCK_MONOTONIC seconds at the first start, meaningful within ``boot_id`` only.
    Column("first_start_monotonic", Double),
    Column("trigger", String(16), nullable=False),
    Column("principal", String(128), nullable=False),
    Column("correlation_id", String(36)),
    #: As the caller gave it; ``upload:<name>`` for uploads.
    Column("script_path", Text, nullable=False),
    #: ``script_path`` in folded case, for the search of lists.
    Column("script_folded", Text, nullable=False),
    Column("script_name", Text, nullable=False),
    Column("script_kind", String(16), nullable=False),
    Column("script_root", Text),
    Column("script_relative", Text),
    Column("script_sha256", String(64)),
    Column("script_size", BigInteger),
    Column("restarted_from", String(36)),
    Column("restarted_as", String(36)),
    #: Run that must be over before this one may be claimed.
    Column("waiting_for", String(36)),
    Column("task_id", String(128)),
    Column("fire_time", UtcTime),
    Column("event", String(128)),
    #: The script of the library that was asked for.
    Column("library_id", BigInteger),
    #: What a person asked for: ``stop``, ``cancel``, ``kill`` or ``restart``.
    Column("stop_kind", String(16)),
    Column("stop_principal", String(128)),
    Column("stop_grace_seconds", Double),
    Column("execution_time_seconds", Double),
    Column("cpu_max", Double),
    Column("memory_max_mb", Double),
    #: Nothing is started: the run is only described.
    Column("dry_run", Boolean, nullable=False, server_default=text("false")),
    #: The request as lists show it, at most some KiB.
    Column("request_brief", JsonText, nullable=False),
    Column("event_count", Integer, nullable=False, server_default=text("0")),
    Column("transition_count", Integer, nullable=False, server_default=text("0")),
    #: Failed tries of the supervisor to recover this run.
    Column("recovery_failures", Integer, nullable=False, server_default=text("0")),
    Index("ix_runs_queued_at_id", "queued_at", "id"),
    #: ``run_status`` is there so that the figures of all runs need no table.
    Index("ix_runs_status_queued_at", "status", "queued_at", "run_status"),
    Index("ix_runs_change", "change"),
    Index("ix_runs_script_sha256", "script_sha256"),
    partial_index(
        "ix_runs_task_id",
        "task_id",
        "queued_at",
        where="task_id IS NOT NULL",
    ),
    #: By the name, as PostgreSQL cannot index paths of any length.
    Index("ix_runs_script_name_queued_at", "script_name", "queued_at"),
    # By phase, not by status: SQLite would take the index above for the status.
    partial_index(
        "ix_runs_queue",
        text("priority DESC"),
        "queued_at",
        "id",
        where="phase = 'queued'",
    ),
    partial_index(
        "ix_runs_dry",
        "queued_at",
        where="phase = 'queued' AND dry_run",
    ),
    partial_index(
        "ix_runs_active",
        "phase",
        "next_attempt_at",
        where="status = 'running'",
    ),
)

#: What only the record of one run shows, as it was submitted.
run_details = Table(
    "run_details",
    metadata,
    run_id_key(),
    #: Path and arguments in folded case, at most 64 KiB, for the search of lists.
    Column("search_text", Text, nullable=False),
    #: The whole request; values of secret names are ``***``.
    Column("request", JsonText, nullable=False),
    Column("ignored_env", JsonText, nullable=False),
    Column("warnings", JsonText, nullable=False),
    #: What came with the event that made the run.
    Column("event_payload", JsonText),
)

#: What came of a run; one row, written once with the terminal state. It may be large.
run_results = Table(
    "run_results",
    metadata,
    run_id_key(),
    Column("result", JsonText),
    Column("error_summary", JsonText),
    Column("outputs", JsonText, nullable=False),
)

#: One row per attempt, written when its script started (or could not be started).
attempts = Table(
    "attempts",
    metadata,
    run_id_key(),
    Column("n", Integer, primary_key=True),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("exit_code", Integer),
    Column("run_status", String(16)),
    Column("reason", String(32)),
    #: As written by the script; what lies beyond the cap was dropped.
    Column("stdout_bytes", BigInteger),
    Column("stderr_bytes", BigInteger),
    Column("stdout_dropped_bytes", BigInteger),
    Column("stderr_dropped_bytes", BigInteger),
    Column("metrics", JsonText),
    #: The step report, kept when the visualizer is on.
    Column("visualization", JsonText),
    sqlite_with_rowid=False,
)

#: The event list of each run, in order of ``seq`` from 1.
run_events = Table(
    "run_events",
    metadata,
    run_id_key(),
    Column("seq", Integer, primary_key=True),
    Column("timestamp", UtcTime, nullable=False),
    Column("event_type", String(32), nullable=False),
    Column("level", String(8), nullable=False),
    Column("data", JsonText, nullable=False),
    sqlite_with_rowid=False,
)

#: Ids of deleted runs, so that streams can tell and nobody brings one back.
deleted_runs = Table(
    "deleted_runs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("deleted_at", UtcTime, nullable=False),
    Index("ix_deleted_runs_change", "change"),
)

#: Named numbers that only grow; ``change`` orders all changes of the service.
counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: Answers of POSTs that carried an ``Idempotency-Key``, for 24 hours.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("principal", String(128), primary_key=True),
    Column("route", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("run_id", String(36), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
)
