"""``scriptrunner serve``: the web server, set up so that it keeps its promises."""

import gc
import sys

import click

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on."
)
@click.option(
    "--port",
    default=9000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Web worker processes. One is enough for most.",
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    help="Lowest level of the service log.",
)
@click.option(
    "--access-log", is_flag=True, help="Log a line per request, without its query."
)
def serve(
    *, host: str, port: int, workers: int, log_level: str, access_log: bool
) -> int:
    """Serve the API and the dashboard.

    Settings come from variables that begin with WEBAPI_; see docs/reference/settings.md.
    """
    # Thousands of objects are made now and kept: looking for garbage only costs time.
    gc.disable()
    # Loaded here, so that the other commands start quickly.
    from scriptrunner.cli import server  # noqa: PLC0415

    options = server.Options(
        host=host,
        port=port,
        workers=workers,
        log_level=log_level,
        access_log=access_log,
    )
    try:
        return server.run(options)
    except server.CannotServeError as error:
        click.echo(f"Script Runner cannot start: {error}", err=True)
        return 1
    finally:
        sys.stdout.flush()
