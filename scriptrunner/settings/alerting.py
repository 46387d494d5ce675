"""How the variables of alert channels are understood."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: Name of a channel, as runs write it.
CHANNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Names that are not free: the channels that are built in, and what else they are called.
TAKEN_NAMES = frozenset({"slack", "webhook", "email", "log", "stdout", "console"})
_ADDRESS = re.compile(
    r"[^\s@,;<>\"\x00-\x1f\x7f]{1,64}@[^\s@,;<>\"\x00-\x1f\x7f]{1,255}"
)


def parse_webhook(name: str, text: str) -> dict[str, Any]:
    """Return a webhook of the administrator as the setting ``name``.

    Raises:
        ValueError: If it is no address; the words do not repeat it.
    """
    problem = "must be an https address without user and password"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc:
        raise ValueError(problem)
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(problem)
    return {name: text}


def parse_addresses(name: str, texts: list[str]) -> dict[str, Any]:
    """Return mail addresses as the setting ``name``.

    Raises:
        ValueError: If one is none.
    """
    if bad := [each for each in texts if not _ADDRESS.fullmatch(each)]:
        raise ValueError(
            f"must be mail addresses separated by commas; {bad[0]!r} is none"
        )
    return {name: tuple(texts)}


def parse_channels(path: Path) -> dict[str, Any]:
    """Return the file of named channels as a setting, once it can be read.

    Raises:
        ValueError: If it cannot.
    """
    read_channels(path)
    return {"alert_channels": path}


def read_channels(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each named channel in a TOML file.

    ::

        [channels]
        ops = "discord://id/token"
        everybody = ["ntfy://topic", "tgram://bot/chat"]

    Raises:
        ValueError: If the file is missing, no TOML, or of another form. The words do
            not repeat any address.
    """
    import tomllib  # noqa: PLC0415 - only those who have named channels need it

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("must name a TOML file") from None
    channels = table.get("channels")
    if set(table) != {"channels"} or not isinstance(channels, dict):
        raise ValueError("must name a file with one table, [channels]")
    return {name: _addresses(name, value) for name, value in channels.items()}


def _addresses(name: str, value: object) -> tuple[str, ...]:
    if not CHANNEL_NAME.fullmatch(name) or name in TAKEN_NAMES:
        raise ValueError(f"has a channel that cannot be called {name[:64]!r}")
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(each, str) and "://" in each for each in texts):
        raise ValueError(f"must give an address or a list of them for {name}")
    return tuple(texts)
