"""The SQL of benchmarks."""

from typing import Any

from sqlalchemy import Connection, insert, select

from scriptrunner.analytics.models import Benchmark
from scriptrunner.history.rows import path_key
from scriptrunner.storage.tables import benchmarks

_C = benchmarks.c
_NAMES = (
    "id",
    "name",
    "version",
    "script_path",
    "history_db",
    "notes",
    "created_at",
    "days",
    "sample_count",
    "summary",
    "samples",
)
_SELECT = select(*(_C[name] for name in _NAMES))


def list_names(connection: Connection) -> list[str]:
    """Return the names of all benchmarks, sorted."""
    names = select(_C.name).distinct().order_by(_C.name)
    return list(connection.execute(names).scalars())


def list_versions(connection: Connection, name: str) -> list[Benchmark]:
    """Return the versions of a benchmark, newest first; none if it is not known."""
    if "\0" in name:
        return []  # PostgreSQL refuses even the question
    statement = _SELECT.where(_C.name == name).order_by(
        _C.created_at.desc(), _C.id.desc()
    )
    return [_to_benchmark(row) for row in connection.execute(statement)]


def _to_benchmark(row: Any) -> Benchmark:
    return Benchmark(**dict(zip(_NAMES, row, strict=True)))


def add(connection: Connection, benchmark: Benchmark) -> int:
    """Store a version and return its number."""
    values = {name: getattr(benchmark, name) for name in _NAMES if name != "id"}
    values["script_key"] = path_key(benchmark.script_path)
    values["summary"] = {name: dict(each) for name, each in benchmark.summary.items()}
    values["samples"] = {name: list(each) for name, each in benchmark.samples.items()}
    statement = insert(benchmarks).values(values).returning(_C.id)
    number: int = connection.execute(statement).scalar_one()
    return number
