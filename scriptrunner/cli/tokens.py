"""``scriptrunner token``: make, list and revoke tokens, on the machine of the service.

Works on the database itself, so that it needs no running service and no other token:
whoever can write there is the administrator.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime

import click

from scriptrunner.access import expiry
from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import Role, TokenRecord
from scriptrunner.access.service import NAME_LENGTH, AccessService
from scriptrunner.application.services import build_services
from scriptrunner.clock import SystemClock, to_text
from scriptrunner.errors import ScriptRunnerError
from scriptrunner.scheduler.checking import NAME_WORDS, is_name
from scriptrunner.settings import load_settings

#: Roles a token can have.
ROLES = [Role.ADMIN.value]


@click.group()
def token() -> None:
    """Make, list and revoke access tokens.

    A token is needed for whatever does not come from this machine. It is sent as
    `Authorization: Bearer TOKEN`, or pasted into the login form.
    """


@token.command()
@click.option(
    "--name",
    show_default="admin, or the event",
    help="For people.",
)
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default=Role.ADMIN.value,
    show_default=True,
    help="What its bearer may do.",
)
@click.option("--event", help="Make a token that may fire this event and nothing else.")
@click.option(
    "--expires",
    metavar="WHEN",
    show_default="never",
    help=f"When it ends by itself: {expiry.WORDS}.",
)
def create(name: str | None, role: str, event: str | None, expires: str | None) -> None:
    """Make a token and print it; it cannot be shown again."""
    cleaned = None if name is None else _clean(name)
    expires_at = None if expires is None else _parse(expires)
    if event is not None:
        if not is_name(event):
            raise click.BadParameter(NAME_WORDS, param_hint="--event")
        role = Role.EVENT.value
    with _opened() as access:
        made = access.create_token(
            caller=command_line_caller(),
            name=cleaned,
            role=Role(role),
            scope=event,
            expires_at=expires_at,
        )
    end = "" if expires_at is None else f", until {_shorten(to_text(expires_at))}"
    click.echo(f"Token {made.id} ({made.name}, {role}{end}), shown only now:", err=True)
    click.echo(made.text)


def _clean(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= NAME_LENGTH or not cleaned.isprintable():
        raise click.BadParameter(
            f"1 to {NAME_LENGTH} printable characters", param_hint="--name"
        )
    return cleaned


def _parse(expires: str) -> datetime:
    try:
        return expiry.parse_expiry(expires, now=SystemClock().utc_now())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--expires") from None


@token.command("list")
def list_tokens() -> None:
    """List all tokens, revoked and expired ones included; never their secrets."""
    with _opened() as access:
        records = access.list_tokens()
    if not records:
        click.echo("There are no tokens.", err=True)
        return
    click.echo(_LINE.format(*_HEADS))
    now = SystemClock().utc_now()
    for record in records:
        click.echo(_format(record, now))


@token.command()
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Make the token ID worthless and end its logins, at once.

    ID is the one of `token list`; of a whole token, the part between the underscores.
    """
    with _opened() as access:
        access.revoke_token(token_id, caller=command_line_caller())
    click.echo(f"Token {token_id} is revoked.")


_LINE = "{:10}{:8}{:10}{:21}{:21}{:21}{}"
_HEADS = ("ID", "ROLE", "STATE", "CREATED", "LAST USED", "EXPIRES", "NAME")


def _format(record: TokenRecord, now: datetime) -> str:
    used, end = record.last_used_at, record.expires_at
    state = "valid" if record.is_valid(now) else "expired"
    return _LINE.format(
        record.id,
        record.role.value,
        "revoked" if record.revoked else state,
        _shorten(to_text(record.created_at)),
        _shorten(to_text(used)) if used else "never",
        _shorten(to_text(end)) if end else "never",
        record.name,
    )


def _shorten(moment: str) -> str:
    """Return a time without its fraction of a second."""
    return moment.partition(".")[0] + "Z"


@contextlib.contextmanager
def _opened() -> Iterator[AccessService]:
    try:
        services = build_services(load_settings())
        try:
            yield services.access
        finally:
            services.close()
    except ScriptRunnerError as error:
        raise click.ClickException(error.message) from error
