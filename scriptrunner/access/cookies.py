"""The login cookie as it travels: its name, its attributes, and how it is read."""

import re

from scriptrunner.access.facts import Facts

#: Name over plain HTTP; under TLS it gets the prefix that ties it to this very host.
COOKIE_NAME = "scriptrunner_session"
SECURE_PREFIX = "__Host-"
#: Seconds the browser keeps it without a new answer; the server decides by itself.
COOKIE_SECONDS = 12 * 3600
VALUE_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")


class MalformedCookieError(ValueError):
    """There is a login cookie, but it cannot be one of ours."""


def cookie_name(scheme: str) -> str:
    """Return the name of the cookie for a URL scheme."""
    return f"{SECURE_PREFIX}{COOKIE_NAME}" if scheme == "https" else COOKIE_NAME


def find_cookie(facts: Facts) -> str | None:
    """Return the value of the login cookie, or None if there is none.

    Raises:
        MalformedCookieError: If there are several, or it has another shape: nobody who
            logged in here sends that.
    """
    name = cookie_name(facts.scheme)
    found = []
    for header in facts.values(b"cookie"):
        for part in header.decode("latin-1").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                found.append(value)
    if not found:
        return None
    if len(found) > 1 or not VALUE_PATTERN.fullmatch(found[0]):
        raise MalformedCookieError
    return found[0]


def format_cookie(value: str, *, scheme: str) -> str:
    """Return the ``Set-Cookie`` header that stores the cookie."""
    return f"{cookie_name(scheme)}={value}; {_attributes(scheme, COOKIE_SECONDS)}"


def format_removal(scheme: str) -> str:
    """Return the ``Set-Cookie`` header that removes the cookie."""
    return f"{cookie_name(scheme)}=; {_attributes(scheme, 0)}"


def _attributes(scheme: str, seconds: int) -> str:
    secure = "; Secure" if scheme == "https" else ""
    return f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
