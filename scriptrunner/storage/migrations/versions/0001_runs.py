"""The first schema: runs, their details, results, attempts and events; tokens; audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables of the first version."""
    op.create_table(
        "audit_entries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_at", "audit_entries", ["at"])
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "deleted_runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deleted_runs"),
    )
    op.create_index("ix_deleted_runs_change", "deleted_runs", ["change"])
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "principal", "route", "key", name="pk_idempotency_keys"
        ),
    )
    op.create_index(
        "ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"]
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("run_status", sa.String(length=16)),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("duration_seconds", sa.Double()),
        sa.Column(
            "priority", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "attempts_made", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "is_started", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.Column("claimed_at", sa.BigInteger()),
        sa.Column("boot_id", sa.String(length=64)),
        sa.Column("first_start_monotonic", sa.Double()),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("correlation_id", sa.String(length=36)),
        sa.Column("script_path", sa.Text(), nullable=False),
        sa.Column("script_folded", sa.Text(), nullable=False),
        sa.Column("script_name", sa.Text(), nullable=False),
        sa.Column("script_kind", sa.String(length=16), nullable=False),
        sa.Column("script_root", sa.Text()),
        sa.Column("script_relative", sa.Text()),
        sa.Column("script_sha256", sa.String(length=64)),
        sa.Column("script_size", sa.BigInteger()),
        sa.Column("restarted_from", sa.String(length=36)),
        sa.Column("restarted_as", sa.String(length=36)),
        sa.Column("waiting_for", sa.String(length=36)),
        sa.Column("task_id", sa.String(length=128)),
        sa.Column("fire_time", sa.BigInteger()),
        sa.Column("event", sa.String(length=128)),
        sa.Column("stop_kind", sa.String(length=16)),
        sa.Column("stop_principal", sa.String(length=128)),
        sa.Column("stop_grace_seconds", sa.Double()),
        sa.Column("execution_time_seconds", sa.Double()),
        sa.Column("cpu_max", sa.Double()),
        sa.Column("memory_max_mb", sa.Double()),
        sa.Column(
            "dry_run", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("request_brief", sa.Text(), nullable=False),
        sa.Column(
            "event_count", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "transition_count",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "recovery_failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index(
        "ix_runs_active",
        "runs",
        ["phase", "next_attempt_at"],
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index("ix_runs_change", "runs", ["change"])
    op.create_index(
        "ix_runs_dry",
        "runs",
        ["queued_at"],
        sqlite_where=sa.text("phase = 'queued' AND dry_run"),
        postgresql_where=sa.text("phase = 'queued' AND dry_run"),
    )
    op.create_index(
        "ix_runs_queue",
        "runs",
        [sa.text("priority DESC"), "queued_at", "id"],
        sqlite_where=sa.text("phase = 'queued'"),
        postgresql_where=sa.text("phase = 'queued'"),
    )
    op.create_index("ix_runs_queued_at_id", "runs", ["queued_at", "id"])
    op.create_index("ix_runs_script_sha256", "runs", ["script_sha256"])
    op.create_index(
        "ix_runs_status_queued_at", "runs", ["status", "queued_at", "run_status"]
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column(
            "revoked", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("run_status", sa.String(length=16)),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("stdout_bytes", sa.BigInteger()),
        sa.Column("stderr_bytes", sa.BigInteger()),
        sa.Column("stdout_dropped_bytes", sa.BigInteger()),
        sa.Column("stderr_dropped_bytes", sa.BigInteger()),
        sa.Column("metrics", sa.Text()),
        sa.Column("visualization", sa.Text()),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_attempts_run_id_runs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "n", name="pk_attempts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_details",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("ignored_env", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
            name="fk_run_details_run_id_runs",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_details"),
    )
    op.create_table(
        "run_events",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
            name="fk_run_events_run_id_runs",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "seq", name="pk_run_events"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_results",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("error_summary", sa.Text()),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
            name="fk_run_results_run_id_runs",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", name="pk_run_results"),
    )
    op.create_table(
        "sessions",
        sa.Column("cookie_sha256", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["tokens.id"],
            name="fk_sessions_token_id_tokens",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cookie_sha256", name="pk_sessions"),
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('change', 0)")
