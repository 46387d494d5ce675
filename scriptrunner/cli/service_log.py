"""The service log: one JSON line per event, or plain lines where a person looks on.

Never headers, bodies, query strings or the values of environment variables; control
characters are escaped, so nothing that a caller sends can forge a line.
"""

import json
import logging
import sys
from typing import Any

from scriptrunner.clock import SystemClock, to_text

#: What every log record has; anything else was given as ``extra``.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without line end."""
        line: dict[str, Any] = {
            "time": to_text(SystemClock().utc_now()),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        line |= {
            name: value if isinstance(value, str | int | float | None) else str(value)
            for name, value in vars(record).items()
            if name not in _USUAL
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class PlainFormatter(logging.Formatter):
    """Formats a record for a terminal; control characters are shown as escapes."""

    def __init__(self) -> None:
        """Show time, level and message."""
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line with everything unprintable escaped."""
        line = super().formatMessage(record)
        return "".join(
            char if char.isprintable() else ascii(char)[1:-1] for char in line
        )


class PathOnly(logging.Filter):
    """Takes the query out of uvicorn's access lines: it may hold anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the address; every record passes."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, address, version, status = record.args
            path = str(address).partition("?")[0]
            record.args = (client, method, path, version, status)
        return True


def make_log_config(level: str) -> dict[str, Any]:
    """Return the configuration of logging for a service that logs to standard error."""
    kind = PlainFormatter if sys.stderr.isatty() else JsonFormatter
    name = level.upper()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"service": {"()": kind}},
        "filters": {"path_only": {"()": PathOnly}},
        "handlers": {
            "service": {
                "class": "logging.StreamHandler",
                "formatter": "service",
                "stream": "ext://sys.stderr",
            },
            "access": {
                "class": "logging.StreamHandler",
                "formatter": "service",
                "filters": ["path_only"],
                "stream": "ext://sys.stderr",
            },
        },
        "root": {"handlers": ["service"], "level": "WARNING"},
        "loggers": {
            "scriptrunner": {
                "handlers": ["service"],
                "level": name,
                "propagate": False,
            },
            "uvicorn": {"handlers": ["service"], "level": name, "propagate": False},
            "uvicorn.access": {
                "handlers": ["access"],
                "level": name,
                "propagate": False,
            },
        },
    }
