"""Tasks, their fires and the events they wait for; tokens for a single event."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    _make_tasks()
    _make_links()
    _make_fires()
    _make_events()
    op.add_column("tokens", sa.Column("scope", sa.String(length=128)))
    op.add_column("run_details", sa.Column("event_payload", sa.Text()))
    op.create_index(
        "ix_runs_task_id",
        "runs",
        ["task_id", "queued_at"],
        sqlite_where=sa.text("task_id IS NOT NULL"),
        postgresql_where=sa.text("task_id IS NOT NULL"),
    )


def _make_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("script_path", sa.Text(), nullable=False),
        sa.Column("script_args", sa.Text(), nullable=False),
        sa.Column("run_options", sa.Text(), nullable=False),
        sa.Column("secrets", sa.String(length=64)),
        sa.Column("schedule", sa.Text()),
        sa.Column("cron_expr", sa.Text()),
        sa.Column("run_at", sa.BigInteger()),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("start_at", sa.BigInteger()),
        sa.Column("end_at", sa.BigInteger()),
        sa.Column("delay_seconds", sa.Double(), nullable=False),
        sa.Column("jitter_seconds", sa.Double(), nullable=False),
        sa.Column("dependencies", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("paused_reason", sa.Text()),
        sa.Column("misfire_policy", sa.String(length=16), nullable=False),
        sa.Column("misfire_grace_seconds", sa.Double(), nullable=False),
        sa.Column("misfire_limit", sa.Integer(), nullable=False),
        sa.Column("overlap_policy", sa.String(length=16), nullable=False),
        sa.Column("max_runs", sa.Integer()),
        sa.Column("next_fire_at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column(
            "is_pending", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("waiting_since", sa.BigInteger()),
        sa.Column(
            "run_count", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("last_run_id", sa.String(length=36)),
        sa.Column("last_run_at", sa.BigInteger()),
        sa.Column("last_status", sa.String(length=16)),
        sa.Column("last_ended_at", sa.BigInteger()),
        sa.Column("last_end_status", sa.String(length=16)),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_change", "tasks", ["change"])
    is_due = sa.text("enabled AND due_at IS NOT NULL")
    op.create_index(
        "ix_tasks_due_at",
        "tasks",
        ["due_at"],
        sqlite_where=is_due,
        postgresql_where=is_due,
    )
    op.create_index(
        "ix_tasks_pending",
        "tasks",
        ["id"],
        sqlite_where=sa.text("is_pending"),
        postgresql_where=sa.text("is_pending"),
    )


def _make_links() -> None:
    for table, column in (
        ("task_dependencies", "depends_on"),
        ("task_subscriptions", "event"),
    ):
        op.create_table(
            table,
            sa.Column("task_id", sa.String(length=128), nullable=False),
            sa.Column(column, sa.String(length=128), nullable=False),
            sa.ForeignKeyConstraint(
                ["task_id"],
                ["tasks.id"],
                name=f"fk_{table}_task_id_tasks",
                ondelete="CASCADE",
            ),
            sa.PrimaryKeyConstraint("task_id", column, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{table}_{column}", table, [column])


def _make_fires() -> None:
    op.create_table(
        "task_fires",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("task_id", sa.String(length=128), nullable=False),
        sa.Column("fire_time", sa.BigInteger(), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=36)),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("run_status", sa.String(length=16)),
        sa.Column("event", sa.String(length=128)),
        sa.Column("payload", sa.Text()),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"],
            ["tasks.id"],
            name="fk_task_fires_task_id_tasks",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_task_fires"),
        sa.UniqueConstraint(
            "task_id", "fire_time", name="uq_task_fires_task_id_fire_time"
        ),
    )
    op.create_index("ix_task_fires_fire_time", "task_fires", ["fire_time"])
    op.create_index(
        "ix_task_fires_run_id",
        "task_fires",
        ["run_id"],
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )


def _make_events() -> None:
    op.create_table(
        "task_events",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("last_fired_at", sa.BigInteger()),
        sa.Column("last_principal", sa.String(length=128)),
        sa.Column(
            "fire_count", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name="pk_task_events"),
    )
    op.create_table(
        "event_firings",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=128), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_firings"),
    )
    op.create_index("ix_event_firings_fired_at", "event_firings", ["fired_at"])
    op.create_table(
        "deleted_tasks",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deleted_tasks"),
    )
    op.create_index("ix_deleted_tasks_change", "deleted_tasks", ["change"])
