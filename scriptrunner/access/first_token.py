"""The first admin token: by file in containers, by a look at the terminal elsewhere.

Setup is possible once: as soon as there has ever been a token, only the command line on
the machine of the service makes another. Nothing resets it over HTTP.
"""

import getpass
import logging
import os

from scriptrunner.access.facts import is_loopback
from scriptrunner.access.models import AccessSetupError, Caller, Proof, Role
from scriptrunner.access.service import AccessService
from scriptrunner.settings import Settings

#: Characters that a token file may hold, line end included.
FILE_LENGTH = 1_000

logger = logging.getLogger(__name__)


def command_line_caller() -> Caller:
    """Return the caller that a person at the command line of this machine is."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        name = str(os.geteuid())
    return Caller(
        principal=f"cli:{name}"[:128],
        role=Role.ADMIN,
        is_local=True,
        peer="command line",
        proof=Proof.LOCAL,
    )


def adopt_token_file(service: AccessService, settings: Settings) -> None:
    """Make the content of ``WEBAPI_ADMIN_TOKEN_FILE`` the first admin token.

    Safe to call by every worker at every start: later calls change nothing. A file whose
    content is not (any more) a valid token, although there are others, is warned about.

    Raises:
        AccessSetupError: If the file cannot be read or its content cannot be a token.
    """
    file = settings.admin_token_file
    if file is None:
        return
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(FILE_LENGTH).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise AccessSetupError(
            f"WEBAPI_ADMIN_TOKEN_FILE cannot be read: {reason}"
        ) from error
    try:
        is_valid = service.adopt_first_token(text, caller=command_line_caller())
    except ValueError as error:
        raise AccessSetupError(
            f"WEBAPI_ADMIN_TOKEN_FILE: {error}; `openssl rand -hex 32` makes a good one"
        ) from None
    if not is_valid:
        logger.warning(
            "WEBAPI_ADMIN_TOKEN_FILE is ignored: there are tokens already, and this is "
            "none of them; use `scriptrunner token list` and `token create`"
        )


def announce_first_token(
    service: AccessService, *, host: str, is_terminal: bool
) -> str | None:
    """Make the first admin token of a service that others can reach.

    Args:
        service: Where the token is stored.
        host: Address the service listens on; nothing happens for a loopback one.
        is_terminal: Whether a person reads the standard output. If not, no token is
            made; the log names the command, since logs are read by many.

    Returns:
        Text to print once, or None.
    """
    if host.lower() == "localhost" or is_loopback(host):
        return None
    if is_terminal:
        token = service.create_first_token(caller=command_line_caller())
        if token is not None:
            return (
                "Other machines need a token. This is the first one, shown only now:\n"
                f"\n    {token.text}\n\n"
                "Send it as `Authorization: Bearer <token>`, or log in with it."
            )
    if service.count_valid_tokens() == 0:
        logger.warning(
            "nobody can reach this service from another machine yet: make a token with "
            "`scriptrunner token create` (in a checkout "
            "`./scripts/scriptrunner token create`)"
        )
    return None
