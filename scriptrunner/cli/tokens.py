"""``scriptrunner token``: make, list and revoke tokens, on the machine of the service.

Works on the database itself, so that it needs no running service and no other token:
whoever can write there is the administrator.
"""

import contextlib
from collections.abc import Iterator

import click

from scriptrunner.access.first_token import command_line_caller
from scriptrunner.access.models import Role, TokenRecord
from scriptrunner.access.service import DEFAULT_NAME, NAME_LENGTH, AccessService
from scriptrunner.application.services import build_services
from scriptrunner.clock import to_text
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
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="For people.")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default=Role.ADMIN.value,
    show_default=True,
    help="What its bearer may do.",
)
@click.option("--event", help="Make a token that may fire this event and nothing else.")
def create(name: str, role: str, event: str | None) -> None:
    """Make a token and print it; it cannot be shown again."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= NAME_LENGTH or not cleaned.isprintable():
        raise click.BadParameter(
            f"1 to {NAME_LENGTH} printable characters", param_hint="--name"
        )
    if event is not None:
        if not is_name(event):
            raise click.BadParameter(NAME_WORDS, param_hint="--event")
        role = Role.EVENT.value
    with _opened() as access:
        made = access.create_token(
            caller=command_line_caller(), name=cleaned, role=Role(role), scope=event
        )
    click.echo(f"Token {made.id} ({cleaned}, {role}), shown only now:", err=True)
    click.echo(made.text)


@token.command("list")
def list_tokens() -> None:
    """List all tokens, revoked ones included; never their secrets."""
    with _opened() as access:
        records = access.list_tokens()
    if not records:
        click.echo("There are no tokens.", err=True)
        return
    click.echo(_LINE.format("ID", "ROLE", "STATE", "CREATED", "LAST USED", "NAME"))
    for record in records:
        click.echo(_format(record))


@token.command()
@click.argument("token_id", metavar="ID")
def revoke(token_id: str) -> None:
    """Make the token ID worthless and end its logins, at once.

    ID is the one of `token list`; of a whole token, the part between the underscores.
    """
    with _opened() as access:
        access.revoke_token(token_id, caller=command_line_caller())
    click.echo(f"Token {token_id} is revoked.")


_LINE = "{:10}{:8}{:10}{:21}{:21}{}"


def _format(record: TokenRecord) -> str:
    used = record.last_used_at
    return _LINE.format(
        record.id,
        record.role.value,
        "revoked" if record.revoked else "valid",
        _shorten(to_text(record.created_at)),
        _shorten(to_text(used)) if used else "never",
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
