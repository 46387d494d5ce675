"""The schema as SQLAlchemy Core tables: one truth that the migrations must equal.

Every module of this package declares the tables of one subject; importing the package
declares them all.
"""

from scriptrunner.storage.tables.access import audit_entries, sessions, tokens
from scriptrunner.storage.tables.alert import (
    alert_deliveries,
    alert_mutes,
    alerts,
)
from scriptrunner.storage.tables.benchmark import benchmarks
from scriptrunner.storage.tables.columns import JsonText, UtcTime, metadata
from scriptrunner.storage.tables.execution import executions
from scriptrunner.storage.tables.run import (
    attempts,
    counters,
    deleted_runs,
    idempotency_keys,
    run_details,
    run_events,
    run_results,
    runs,
)
from scriptrunner.storage.tables.script import (
    content_bands,
    folder_roots,
    library_scans,
    script_contents,
    script_folders,
    script_tags,
    script_versions,
    scripts,
    tags,
)
from scriptrunner.storage.tables.step import baselines
from scriptrunner.storage.tables.task import (
    deleted_tasks,
    event_firings,
    task_dependencies,
    task_events,
    task_fires,
    task_subscriptions,
    tasks,
)

__all__ = [
    "JsonText",
    "UtcTime",
    "alert_deliveries",
    "alert_mutes",
    "alerts",
    "attempts",
    "audit_entries",
    "baselines",
    "benchmarks",
    "content_bands",
    "counters",
    "deleted_runs",
    "deleted_tasks",
    "event_firings",
    "executions",
    "folder_roots",
    "idempotency_keys",
    "library_scans",
    "metadata",
    "run_details",
    "run_events",
    "run_results",
    "runs",
    "script_contents",
    "script_folders",
    "script_tags",
    "script_versions",
    "scripts",
    "sessions",
    "tags",
    "task_dependencies",
    "task_events",
    "task_fires",
    "task_subscriptions",
    "tasks",
    "tokens",
]
