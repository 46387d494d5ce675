"""The client's commands: run, ps, logs, stop and kill, against a running service."""

import shutil
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from scriptrunner.cli.connection import Connection, connect
from scriptrunner.cli.following import Follower, exit_code_of
from scriptrunner.cli.run_options import run_options, to_request
from scriptrunner.cli.words import describe_plan, list_failures, list_findings
from scriptrunner.engine.option_forms import VISUALIZER_FORMATS

Command = TypeVar("Command", bound=Callable[..., Any])

#: Exit code of a person's Ctrl-C.
INTERRUPTED = 130
#: Options of ``run`` that want more said at the end than the script's output.
TELLING_OPTIONS = frozenset(
    {
        "dry_run",
        "enable_cost_tracking",
        "junit_output",
        "save_baseline",
        "load_baseline",
    }
)
#: Columns of ``ps`` before the script.
FIRST_COLUMNS = 94
#: Columns that the script gets on the narrowest terminal.
LEAST_COLUMNS = 30


def connection_options(command: Command) -> Command:
    """Add ``--url`` and ``--token-file``."""
    token = click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File that holds the access token (else WEBAPI_TOKEN).",
    )
    url = click.option("--url", help="Address of the service (else WEBAPI_URL).")
    return url(token(command))


def _parse_env(
    _context: click.Context, _option: object, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = {}
    for each in values:
        name, separator, value = each.partition("=")
        if not separator:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE")
        pairs[name] = value
    return pairs


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--timeout", type=click.IntRange(1, 604_800), help="Seconds per attempt.")
@click.option(
    "--env", callback=_parse_env, multiple=True, help="NAME=VALUE for the script."
)
@click.option("--working-dir", help="Folder on the service's machine to start in.")
@click.option("--retry", type=click.IntRange(1, 20), help="Attempts at most.")
@run_options
@click.option("--visualize", is_flag=True, help="Keep a report of the steps.")
@click.option(
    "--visualize-format",
    type=click.Choice(VISUALIZER_FORMATS),
    help="Form of that report; implies --visualize.  [default: text]",
)
@click.option(
    "--stream-output", is_flag=True, help="Copy each line to the service's log."
)
@click.option("--dry-run", is_flag=True, help="Check everything and start nothing.")
@click.option(
    "--upload", is_flag=True, help="Send the file along instead of naming it."
)
@click.option(
    "--follow/--detach",
    default=True,
    help="Print the output and wait, or only the run's id.",
)
@connection_options
def run(
    *,
    script: str,
    args: tuple[str, ...],
    follow: bool,
    upload: bool,
    url: str | None,
    token_file: Path | None,
    **options: Any,
) -> int:
    """Run SCRIPT with ARGS through the service.

    Followed to its end, the command ends with the script's own exit code; Ctrl-C asks the
    script to end, a second Ctrl-C leaves it to itself.
    """
    connection = connect(url, token_file)
    request = _to_request(args, options)
    run_id = _submit(connection, script, request, upload=upload)
    if not follow:
        click.echo(run_id)
        return 0
    asked = any(given for name, given in options.items() if name in TELLING_OPTIONS)
    return _follow(connection, run_id, tells_result=asked)


def _to_request(args: tuple[str, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "args": list(args),
        "env_vars": given["env"],
        "dry_run": given["dry_run"],
        **to_request(given),
    }
    for name in ("timeout", "working_dir"):
        if given[name] is not None:
            request[name] = given[name]
    if given["retry"] is not None:
        request |= {"retry_on_failure": True, "retry_max_attempts": given["retry"]}
    if given["visualize"] or given["visualize_format"]:
        request["enable_visualizer"] = True
    if given["visualize_format"]:
        request["visualizer_format"] = given["visualize_format"]
    if given["stream_output"]:
        request["stream_output"] = True
    return request


def _submit(
    connection: Connection, script: str, request: dict[str, Any], *, upload: bool
) -> str:
    local = Path(script)
    if upload:
        import json  # noqa: PLC0415 - only uploads

        if not local.is_file():
            raise click.BadParameter(f"there is no file {script}", param_hint="SCRIPT")
        fields = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in request.items()
        }
        files = {"file": (local.name, local.read_bytes())}
        answer = connection.call("POST", "/api/run/upload", data=fields, files=files)
    else:
        # What lies here is meant; anything else is for the service to find.
        path = str(local.absolute()) if local.is_file() else script
        answer = connection.call(
            "POST", "/api/run", json={"script_path": path, **request}
        )
    accepted: dict[str, Any] = answer.json()
    for warning in accepted.get("warnings", ()):
        click.echo(f"warning: {warning}", err=True)
    run_id: str = accepted["run_id"]
    return run_id


def _follow(connection: Connection, run_id: str, *, tells_result: bool) -> int:
    follower = Follower(connection, run_id)
    try:
        end = follower.follow()
    except KeyboardInterrupt:
        click.echo(f"\nstopping run {run_id}; Ctrl-C again to leave it", err=True)
        try:
            connection.call("POST", f"/api/runs/{run_id}/stop")
            end = follower.follow()
        except (KeyboardInterrupt, click.ClickException):
            return INTERRUPTED
    if tells_result:
        _tell(connection.get(f"/api/runs/{run_id}")["result"])
    _explain(connection, run_id, end)
    return exit_code_of(end)


def _tell(result: Mapping[str, Any] | None) -> None:
    """Say what was asked for besides the output: the plan of a dry run, or figures."""
    if result is None:
        return
    if result.get("dry_run"):
        click.echo(describe_plan(result).encode("utf-8", "surrogateescape"))
        return
    for line in (*list_findings(result), *list_failures(result)):
        click.echo(line, err=True)


def _explain(connection: Connection, run_id: str, end: dict[str, Any]) -> None:
    """Say on standard error why a run did not complete."""
    if end["status"] != "completed":
        record = connection.get(f"/api/runs/{run_id}")
        words = (record["error_summary"] or {}).get("message") or record["error"]
        click.echo(f"run {run_id} {record['status']}: {words}", err=True)


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 200))
@click.option(
    "--status", multiple=True, help="Only runs in this status; may be repeated."
)
@click.option("--script", help="Only runs whose script path contains this.")
@connection_options
def ps(
    *,
    limit: int,
    status: tuple[str, ...],
    script: str | None,
    url: str | None,
    token_file: Path | None,
) -> None:
    """List runs, newest first."""
    connection = connect(url, token_file)
    items = connection.get("/api/runs", limit=limit, status=list(status), script=script)
    click.echo(f"{'RUN':36}  {'STATUS':22}  {'QUEUED':19}  {'SECONDS':>9}  SCRIPT")
    width = None
    if sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
        width = max(LEAST_COLUMNS, columns - FIRST_COLUMNS)
    for item in items:
        queued = datetime.fromisoformat(item["queued_at"]).astimezone()
        seconds = item["duration_seconds"]
        click.echo(
            f"{item['id']}  {_state_of(item):22}  {queued:%Y-%m-%d %H:%M:%S}  "
            f"{'' if seconds is None else f'{seconds:.1f}':>9}  {_printable(item, width)}"
        )


def _state_of(item: dict[str, Any]) -> str:
    word: str = item["status"]
    if word == "failed" and item["reason"]:
        return f"failed, {item['reason']}"
    if word == "running" and item["phase"] != "running":
        return f"running, {item['phase']}"
    return word


def _printable(item: dict[str, Any], width: int | None) -> str:
    """Return script and arguments on one line; too long a path loses its beginning."""
    request = item["request"]
    path, *rest = ("".join(map(_visible, each)) for each in _words(request))
    text = " ".join([path, *rest])
    if width is None or len(text) <= width:
        return text
    path = path if len(path) <= width else f"…{path[1 - width :]}"
    return " ".join([path, *rest])[:width]


def _words(request: dict[str, Any]) -> list[str]:
    return [request["script_path"], *request["args"]]


def _visible(character: str) -> str:
    return character if character.isprintable() else "?"


@click.command()
@click.argument("run_id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run is over.")
@click.option(
    "--stream",
    default="both",
    show_default=True,
    type=click.Choice(["stdout", "stderr", "both"]),
)
@connection_options
def logs(
    *, run_id: str, follow: bool, stream: str, url: str | None, token_file: Path | None
) -> int:
    """Print what RUN_ID wrote."""
    connection = connect(url, token_file)
    if follow:
        try:
            Follower(connection, run_id, stream=stream).follow()
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0
    connection.download(
        f"/api/runs/{run_id}/logs", sys.stdout.buffer.write, stream=stream
    )
    sys.stdout.flush()
    return 0


@click.command()
@click.argument("run_id")
@click.option("--grace", type=click.FloatRange(0, 300), help="Seconds until SIGKILL.")
@connection_options
def stop(
    *, run_id: str, grace: float | None, url: str | None, token_file: Path | None
) -> None:
    """Ask RUN_ID to end (SIGTERM), and end it after the grace."""
    query = {} if grace is None else {"grace": grace}
    connect(url, token_file).call("POST", f"/api/runs/{run_id}/stop", params=query)
    click.echo(f"stopping {run_id}")


@click.command()
@click.argument("run_id")
@connection_options
def kill(*, run_id: str, url: str | None, token_file: Path | None) -> None:
    """End all processes of RUN_ID at once (SIGKILL)."""
    connect(url, token_file).call("POST", f"/api/runs/{run_id}/kill")
    click.echo(f"killed {run_id}")
