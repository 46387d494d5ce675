"""The history of runs: one wide row per finished run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WHOLE_METRICS = (
    "success",
    "timed_out",
    "exit_code",
    "attempt_number",
    "attempts",
    "max_memory_kb",
    "page_faults_minor",
    "page_faults_major",
    "voluntary_context_switches",
    "involuntary_context_switches",
    "block_input_ops",
    "block_output_ops",
    "io_read_bytes",
    "io_write_bytes",
    "process_count_max",
    "num_threads_max",
    "num_fds_max",
    "stdout_lines",
    "stderr_lines",
    "stdout_bytes",
    "stderr_bytes",
    "stdout_dropped_bytes",
    "stderr_dropped_bytes",
    "sample_count",
)
REAL_METRICS = (
    "timeout_seconds",
    "execution_time_seconds",
    "total_time_seconds",
    "queue_time_seconds",
    "user_time_seconds",
    "system_time_seconds",
    "cpu_time_seconds",
    "cpu_avg",
    "cpu_max",
    "cpu_min",
    "max_memory_mb",
    "memory_max_mb",
    "memory_avg_mb",
    "memory_min_mb",
    "sampling_efficiency",
    "cost_total",
)


def upgrade() -> None:
    """Make the table of executions."""
    op.create_table(
        "executions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("script_key", sa.BigInteger(), nullable=False),
        sa.Column("script_path", sa.Text(), nullable=False),
        sa.Column("script_sha256", sa.String(length=64)),
        sa.Column("script_args", sa.Text(), nullable=False),
        sa.Column("args_key", sa.BigInteger(), nullable=False),
        sa.Column("python_version", sa.String(length=32)),
        sa.Column("platform", sa.Text()),
        sa.Column("correlation_id", sa.String(length=36)),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("run_status", sa.String(length=16)),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("metric_count", sa.Integer(), nullable=False),
        sa.Column(
            "alert_count", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        *(sa.Column(name, sa.BigInteger()) for name in WHOLE_METRICS),
        *(sa.Column(name, sa.Double()) for name in REAL_METRICS),
        sa.PrimaryKeyConstraint("id", name="pk_executions"),
        sa.UniqueConstraint("run_id", name="uq_executions_run_id"),
    )
    op.create_index(
        "ix_executions_script_key",
        "executions",
        ["script_key", "started_at", "status", "success", "execution_time_seconds"],
    )
    op.create_index(
        "ix_executions_started_at",
        "executions",
        [
            "started_at",
            "status",
            "execution_time_seconds",
            "metric_count",
            "alert_count",
        ],
    )
