"""Where a run may write and send besides its own folder: the form of what is asked for.

Only forms are judged here. What lies below ``WEBAPI_OUTPUT_ROOT`` is looked at by
``engine/publishing.py``; which histories and hosts there are, by the service.
"""

import re
from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import SplitResult, urlsplit

from scriptrunner.errors import InvalidInputError

OUTPUT_SUFFIXES = (".xml", ".json")
HISTORY_SUFFIXES = (".db", ".sqlite", ".sqlite3")
#: Bytes (UTF-8) of one name and of a whole path.
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1_024
MAX_URL_CHARACTERS = 2_048
#: The host that needs no word of the administrator.
SLACK_HOST = "hooks.slack.com"
_PORTS = {"https": 443, "http": 80}
#: What is shown in place of the secret part of an address.
MASK = "***"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_URL = re.compile(r"[!-~]+")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class InvalidOutputPathError(InvalidInputError):
    """An output path may not be used."""

    code = "invalid_output_path"


class InvalidHistoryDbError(InvalidInputError):
    """This history database may not be used."""

    code = "invalid_history_db"


class WebhookNotAllowedError(InvalidInputError):
    """A webhook must be an https address of an allowed host."""

    code = "webhook_not_allowed"


def check_output_path(name: str, text: str, *, is_local: bool = False) -> None:
    """Refuse an output path whose form is wrong, wherever it leads.

    Args:
        name: The option, for the message.
        text: Relative, or absolute: then it has to lie below the output root, which is
            for the service to judge.
        is_local: Whether it comes from the user of this process, who may write where
            they may.

    Raises:
        InvalidOutputPathError: If it is malformed or has none of the two suffixes.
    """
    problem = _find_path_problem(text, may_climb=is_local)
    if problem is None and not text.endswith(OUTPUT_SUFFIXES):
        problem = "must end in .xml or .json"
    if problem:
        raise InvalidOutputPathError(f"{name} {problem}")


def check_input_name(name: str, text: str) -> None:
    """Refuse the name of a baseline to load that cannot be one at all.

    Raises:
        InvalidOutputPathError: If it is empty, too long or has control characters.
    """
    if not text or _is_unprintable(text) or _size(text) > MAX_PATH_BYTES:
        raise InvalidOutputPathError(f"{name} is not the name of a baseline")


def _find_path_problem(text: str, *, may_climb: bool) -> str | None:
    if not text or _is_unprintable(text):
        return "must be a path without control characters"
    parts = text.removeprefix("/").split("/")
    if not may_climb and any(part in ("", ".", "..") for part in parts):
        return "must be plain names, without . and .. and empty ones"
    if any(_size(part) > MAX_NAME_BYTES for part in parts):
        return f"may have at most {MAX_NAME_BYTES} bytes per name"
    if _size(text) > MAX_PATH_BYTES:
        return f"may have at most {MAX_PATH_BYTES} bytes"
    if PurePosixPath(text).name in OUTPUT_SUFFIXES:
        return "needs a name before the suffix"
    return None


def _is_unprintable(text: str) -> bool:
    return _CONTROL.search(text) is not None


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def relative_output(name: str, text: str, roots: Collection[str] = ()) -> str:
    """Return where below the outputs an accepted path lies.

    Args:
        name: The option, for the message.
        text: The path; ``check_output_path`` has passed it.
        roots: Spellings of the output root; empty if there is none.

    Raises:
        InvalidOutputPathError: If it is absolute and not below the output root.
    """
    if not text.startswith("/"):
        return text
    for root in roots:
        inner = text.removeprefix(root.rstrip("/") + "/")
        if inner != text:
            return inner
    raise InvalidOutputPathError(f"{name} must be a relative path")


def check_history_db(text: str) -> None:
    """Refuse what can be neither an alias nor the path of a history database.

    Raises:
        InvalidHistoryDbError: For URIs, databases in memory, and other suffixes.
    """
    is_malformed = (
        not text
        or _is_unprintable(text)
        or _size(text) > MAX_PATH_BYTES
        or "://" in text
        or text.startswith("file:")
        or ":memory:" in text
    )
    if is_malformed or not (_ALIAS.fullmatch(text) or text.endswith(HISTORY_SUFFIXES)):
        raise InvalidHistoryDbError


def check_webhook(
    url: str, *, hosts: Collection[str] | None, internal: Collection[str] = ()
) -> None:
    """Refuse a webhook that is no https address of an allowed host.

    Args:
        url: As it was given.
        hosts: Whole names besides ``hooks.slack.com``, each for port 443, or with a port
            (``name:8443``); None if any host will do, and plain http, too.
        internal: The same on our own network, where plain http will do.

    Raises:
        WebhookNotAllowedError: Without repeating any part of the address.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS or "@" in parts.netloc:
        raise WebhookNotAllowedError
    place = _place_of(parts)
    if place is None:
        raise WebhookNotAllowedError
    if hosts is None or place in internal:
        return
    if parts.scheme != "https" or place not in {SLACK_HOST, *hosts}:
        raise WebhookNotAllowedError


def _split(url: str) -> SplitResult | None:
    if len(url) > MAX_URL_CHARACTERS or not _URL.fullmatch(url) or "\\" in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _place_of(parts: SplitResult) -> str | None:
    """Return host, or host and port if it is not 443, as the administrator lists them."""
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host:
        return None
    port = port or _PORTS[parts.scheme]
    return host if port == 443 else f"{host}:{port}"


def mask_webhook(url: str) -> str:
    """Return a webhook as it may be shown: the host, and nothing of the rest."""
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS:
        return MASK
    place = _place_of(parts)
    return MASK if place is None else f"{parts.scheme}://{place}/{MASK}"
