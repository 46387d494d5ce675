"""Starting uvicorn: the socket, the banner, the workers, and an end within ten seconds."""

import contextlib
import errno
import gc
import socket
import sys
from dataclasses import dataclass

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from scriptrunner.access.facts import is_loopback
from scriptrunner.cli.service_log import make_log_config
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.settings import Settings, load_settings
from scriptrunner.supervisor.election import election_for

#: The application that further worker processes load.
FACTORY = "scriptrunner.web.app:create_app"
#: Seconds a connection without a request is kept.
KEEP_ALIVE_SECONDS = 15
#: Seconds that open requests get when the service ends.
GRACEFUL_SECONDS = 10
#: Bytes of an unfinished request head.
HEAD_BYTES = 16 << 10
#: Connections that may wait to be accepted.
BACKLOG = 2048


class CannotServeError(Exception):
    """The service cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    host: str
    port: int
    workers: int
    log_level: str
    access_log: bool


def run(options: Options) -> int:
    """Serve until a signal ends it; return the exit code.

    Raises:
        CannotServeError: If a setting cannot be used or the port is taken.
    """
    try:
        settings = load_settings()
    except ScriptRunnerError as error:
        raise CannotServeError(error.message) from None
    with bind(options.host, options.port) as listener:
        if options.workers == 1:
            return _serve_alone(options, settings, listener)
        return _serve_together(options, settings, listener)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``.

    Raises:
        CannotServeError: If that is not possible; nobody else is asked to go.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        raise CannotServeError(f"{host} is no address of this machine") from None
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        remedy = (
            "name one of this machine with --host"
            if error.errno == errno.EADDRNOTAVAIL
            else "choose another with --port, or end what listens there"
        )
        raise CannotServeError(
            f"port {port} of {host} cannot be used ({error.strerror}); {remedy}"
        ) from None
    listener.set_inheritable(True)
    return listener


def _config(options: Options, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an application or the name of its factory
        factory=isinstance(app, str),
        host=options.host,
        port=options.port,
        workers=options.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        # Nobody but the socket says who is calling.
        proxy_headers=False,
        server_header=False,
        access_log=options.access_log,
        log_level=options.log_level.lower(),
        log_config=make_log_config(options.log_level),
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES,
    )


def _serve_alone(options: Options, settings: Settings, listener: socket.socket) -> int:
    """Serve in this very process.

    The supervisor is started first, so that both load at the same time.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        election_for(settings).start()
    except (ScriptRunnerError, OSError) as error:
        raise CannotServeError(str(error)) from None
    # Loaded after the supervisor was started: they take most of the time until the
    # service is ready.
    from scriptrunner.access.first_token import announce_first_token  # noqa: PLC0415
    from scriptrunner.web.app import create_app  # noqa: PLC0415

    app = create_app(settings)
    try:
        runtime = app.state.runtime
        runtime.open()
        welcome = announce_first_token(
            runtime.services.access, host=options.host, is_terminal=sys.stdout.isatty()
        )
    except ScriptRunnerError as error:
        raise CannotServeError(error.message) from None
    gc.freeze()
    gc.enable()
    show_banner(options, settings, listener, welcome)
    server = uvicorn.Server(_config(options, app))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0 if server.started else 1


def _serve_together(
    options: Options, settings: Settings, listener: socket.socket
) -> int:
    """Serve by several processes under one parent."""
    try:
        welcome = _prepare(options, settings)
    except ScriptRunnerError as error:
        raise CannotServeError(error.message) from None
    gc.enable()
    show_banner(options, settings, listener, welcome)
    config = _config(options, FACTORY)
    Multiprocess(config, sockets=[listener]).run()
    return 0


def _prepare(options: Options, settings: Settings) -> str | None:
    """See to the first token of a service that others can reach; the rest is theirs."""
    if options.host == "localhost" or is_loopback(options.host):
        return None
    # Loads the database: not for nothing.
    from scriptrunner.access.first_token import announce_first_token  # noqa: PLC0415
    from scriptrunner.application.services import build_services  # noqa: PLC0415

    services = build_services(settings)
    try:
        return announce_first_token(
            services.access, host=options.host, is_terminal=sys.stdout.isatty()
        )
    finally:
        services.close()


def show_banner(
    options: Options, settings: Settings, listener: socket.socket, welcome: str | None
) -> None:
    """Say where the service is, who may do what, and where it keeps things."""
    from scriptrunner.access.peer import PeerLookup  # noqa: PLC0415 - see above
    from scriptrunner.access.rules import LocalRules  # noqa: PLC0415 - see above

    port = listener.getsockname()[1]
    name = f"[{options.host}]" if ":" in options.host else options.host
    rules = ", ".join(
        f"{rule.name}: {rule.state}"
        for rule in LocalRules(settings, lookup=PeerLookup()).describe()
    )
    who = (
        "callers on this machine may do everything without a token; others need a token"
        if settings.local_role == "admin"
        else "everybody needs a token"
    )
    lines = [
        f"Script Runner at http://{name}:{port}",
        f"  protected mode  {who}",
        f"  rules           {rules}",
        f"  scripts below   {', '.join(str(root) for root in settings.allowed_roots)}",
        "  containment     level 0: a script may do what this user may",
        f"  data in         {settings.data_dir}",
    ]
    click.echo("\n".join(lines))
    if welcome:
        click.echo(f"\n{welcome}\n")
