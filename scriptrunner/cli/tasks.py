"""``scriptrunner task``: the schedules of a running service."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import click

from scriptrunner.cli.client import connection_options
from scriptrunner.cli.connection import connect

Command = TypeVar("Command", bound=Callable[..., Any])

_LINE = "{:28}  {:10}  {:19}  {:10}  {:>6}  {}"


@click.group()
def task() -> None:
    """Make, look at and run the tasks of a service.

    A task starts a script by time, by event, after other tasks, or by hand.
    """


def _path(task_id: str, what: str = "") -> str:
    return f"/api/scheduler/tasks/{quote(task_id, safe='')}{what}"


@task.command("list")
@click.option("--q", help="Only tasks whose id, script or description contains this.")
@connection_options
def list_tasks(*, q: str | None, url: str | None, token_file: Path | None) -> None:
    """List tasks with their next and last runs."""
    found = connect(url, token_file).get("/api/scheduler/tasks", q=q)["tasks"]
    click.echo(_LINE.format("TASK", "STATE", "NEXT RUN", "LAST", "RUNS", "SCRIPT"))
    for each in found:
        click.echo(
            _LINE.format(
                each["task_id"],
                each["state"],
                _local(each["next_run"]),
                each["last_status"] or "",
                each["run_count"],
                " ".join([each["script_path"], *each["script_args"]]),
            )
        )


def _local(moment: str | None) -> str:
    if moment is None:
        return ""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"


@task.command()
@click.argument("task_id")
@connection_options
def show(*, task_id: str, url: str | None, token_file: Path | None) -> None:
    """Say where TASK_ID stands, why, and what it did last."""
    connection = connect(url, token_file)
    found = connection.get(_path(task_id))
    why = connection.get(_path(task_id, "/why"))
    click.echo(why["summary"])
    for name in ("script_path", "schedule", "cron_expr", "run_at", "timezone"):
        if found[name] is not None:
            click.echo(f"{name}: {found[name]}")
    for name in ("dependencies", "events"):
        if found[name]:
            click.echo(f"{name}: {', '.join(found[name])}")
    for moment in found["next_runs"]:
        click.echo(f"next: {_local(moment)}")
    for fire in why["recent"]:
        click.echo(f"{_local(fire['fire_time'])} {fire['state']}: {fire['reason']}")


@task.command(context_settings={"allow_interspersed_args": False})
@click.argument("task_id")
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--every", "schedule", help="Such as `5 minutes` or `daily at 14:30`.")
@click.option("--cron", "cron_expr", help="Five fields, or an alias such as @daily.")
@click.option("--at", "run_at", help="A single time, such as 2026-12-24T18:00Z.")
@click.option("--timezone", help="IANA zone of the times; UTC without it.")
@click.option("--after", "dependencies", multiple=True, help="Task that must succeed.")
@click.option("--event", "events", multiple=True, help="Event that starts it.")
@click.option(
    "--overlap",
    "overlap_policy",
    type=click.Choice(["skip", "queue", "allow", "cancel_running"]),
    help="What to do while a run is active.",
)
@click.option(
    "--misfire",
    "misfire_policy",
    type=click.Choice(["run_once", "skip", "run_all"]),
    help="What to do about missed times.",
)
@click.option("--timeout", type=click.IntRange(1, 604_800), help="Seconds per attempt.")
@click.option("--description", help="For people.")
@connection_options
def add(
    *,
    task_id: str,
    script: str,
    args: tuple[str, ...],
    timeout: int | None,
    url: str | None,
    token_file: Path | None,
    **fields: Any,
) -> None:
    """Make the task TASK_ID, which runs SCRIPT with ARGS."""
    schedule = fields["schedule"]
    if schedule and schedule.lstrip()[:1].isdigit():
        fields["schedule"] = f"every {schedule}"
    local = Path(script)
    body: dict[str, Any] = {
        "task_id": task_id,
        # What lies here is meant; anything else is for the service to find.
        "script_path": str(local.absolute()) if local.is_file() else script,
        "script_args": list(args),
    }
    for name, value in fields.items():
        if value:
            body[name] = list(value) if isinstance(value, tuple) else value
    if timeout is not None:
        body["run_options"] = {"timeout": timeout}
    connection = connect(url, token_file)
    made = connection.call("POST", "/api/scheduler/tasks", json=body).json()
    click.echo(f"{task_id} is registered")
    for moment in made["next_runs"]:
        click.echo(f"next: {_local(moment)}")


def _simple(name: str, words: str, method: str, what: str, done: str) -> None:
    """Add a command that sends one request about one task."""

    @task.command(name, help=words)
    @click.argument("task_id")
    @connection_options
    def command(*, task_id: str, url: str | None, token_file: Path | None) -> None:
        answer = connect(url, token_file).call(method, _path(task_id, what)).json()
        click.echo(done.format(task_id=task_id, **_shown(answer)))


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    paused = answer.get("disabled_dependents") or []
    words = f"; paused, since they depend on it: {', '.join(paused)}" if paused else ""
    return {"run_id": answer.get("run_id"), "paused": words}


_simple("run", "Run TASK_ID now and print the run's id.", "POST", "/run", "{run_id}")
_simple("pause", "Switch TASK_ID off.", "POST", "/pause", "{task_id} is paused")
_simple("resume", "Switch TASK_ID on.", "POST", "/resume", "{task_id} is on again")
_simple(
    "delete",
    "Delete TASK_ID; runs under way go on.",
    "DELETE",
    "",
    "{task_id} is deleted{paused}",
)


@task.command()
@connection_options
def export(*, url: str | None, token_file: Path | None) -> None:
    """Print all tasks as YAML; secret values are masked."""
    connect(url, token_file).download("/api/scheduler/export", _write)


def _write(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.flush()


@task.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--crontab", is_flag=True, help="FILE is a crontab, not YAML.")
@click.option("--timezone", help="Zone of the crontab's times; UTC without it.")
@click.option("--replace", is_flag=True, help="Change tasks that are there already.")
@click.option("--dry-run", is_flag=True, help="Check everything and store nothing.")
@connection_options
def import_tasks(
    *,
    file: Any,
    crontab: bool,
    timezone: str | None,
    replace: bool,
    dry_run: bool,
    url: str | None,
    token_file: Path | None,
) -> None:
    """Store the tasks of FILE, all or none; `-` reads standard input."""
    if timezone and not crontab:
        raise click.UsageError("--timezone is for a crontab")
    body = {"text": file.read(), "replace": replace, "dry_run": dry_run}
    place = "/api/scheduler/import"
    if crontab:
        place += "/crontab"
        body |= {"timezone": timezone} if timezone else {}
    found = connect(url, token_file).call("POST", place, json=body).json()
    would = "would be " if dry_run else ""
    for name, words in (("created", "added"), ("updated", "changed")):
        for task_id in found[name]:
            click.echo(f"{task_id} {would}{words}")
    for each in found["skipped"]:
        what = each["task_id"] or f"line {each['line']}"
        click.echo(f"{what} left out: {each['reason']}", err=True)
    for warning in found["warnings"]:
        click.echo(f"warning: {warning}", err=True)


@task.command()
@click.argument("event")
@click.option("--payload", help="JSON for the scripts; other text goes as it is.")
@connection_options
def fire(
    *, event: str, payload: str | None, url: str | None, token_file: Path | None
) -> None:
    """Fire EVENT and print what it started."""
    body = {} if payload is None else {"payload": _parse(payload)}
    path = f"/api/scheduler/events/{quote(event, safe='')}"
    answer = connect(url, token_file).call("POST", path, json=body).json()
    for each in answer["runs"]:
        click.echo(f"{each['task_id']}: {each['run_id']}")
    for task_id in answer["waiting"]:
        click.echo(f"{task_id}: waits for others first")
    for each in answer["skipped"]:
        click.echo(f"{each['task_id']}: {each['reason']}", err=True)


def _parse(text: str) -> Any:
    import json  # noqa: PLC0415 - only here

    try:
        return json.loads(text)
    except ValueError:
        return text
