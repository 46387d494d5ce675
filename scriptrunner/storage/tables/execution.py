"""What past runs measured: one wide row per finished run, a column per metric (ADR 0017).

The rows outlive the runs they tell of, so nothing here refers to another table.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from scriptrunner.storage.tables.columns import JsonText, UtcTime, metadata

#: Metrics that are whole numbers; booleans are 1 and 0.
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
#: Metrics that are measured on a scale.
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

#: One row per finished run that kept its history.
executions = Table(
    "executions",
    metadata,
    #: In the service's database the number of the change that ended the run.
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("run_id", String(36), nullable=False),
    #: First 8 bytes of the SHA-256 of ``script_path``, as a signed number.
    Column("script_key", BigInteger, nullable=False),
    #: Canonical: absolute and without links; ``upload:<name>`` for uploads.
    Column("script_path", Text, nullable=False),
    #: Of the bytes that ran: the script's version.
    Column("script_sha256", String(64)),
    #: The first 4 KiB of the arguments; ``args_key`` is made from all of them.
    Column("script_args", JsonText, nullable=False),
    Column("args_key", BigInteger, nullable=False),
    Column("python_version", String(32)),
    Column("platform", Text),
    Column("correlation_id", String(36)),
    Column("trigger", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("run_status", String(16)),
    Column("reason", String(32)),
    #: Start of the last attempt.
    Column("started_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    #: Metrics of this row that are known, and alerts that the run triggered.
    Column("metric_count", Integer, nullable=False),
    Column("alert_count", Integer, nullable=False, server_default=text("0")),
    *(Column(name, BigInteger) for name in WHOLE_METRICS),
    *(Column(name, Double) for name in REAL_METRICS),
    UniqueConstraint("run_id"),
    # Both hold all that their usual questions need, so that the wide rows stay unread.
    Index(
        "ix_executions_script_key",
        "script_key",
        "started_at",
        "status",
        "success",
        "execution_time_seconds",
    ),
    Index(
        "ix_executions_started_at",
        "started_at",
        "status",
        "execution_time_seconds",
        "metric_count",
        "alert_count",
    ),
)
