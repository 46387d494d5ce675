"""The settings in force, for people: each variable, its value, where it comes from.

Nothing that is secret is told: of a password or a webhook only that there is one.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from scriptrunner.settings import Settings
from scriptrunner.settings.environment import PLAIN_VARIABLES, PREFIX, Environment

#: Variables whose field of ``Settings`` has another name, without the prefix.
OTHER_FIELDS = {"run_db": "database_url", "allowed_root": "allowed_roots"}
SECRET_NAME = re.compile(
    r"pass(?!_env)|secret|token|credential|webhook$", re.IGNORECASE
)
PASSWORD_IN_URL = re.compile(r"(://[^:/@\s]*):[^@\s]*@")
HIDDEN = "***"


def describe_settings(
    settings: Settings, environ: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return name, value and source of each variable, in the order of the reference.

    Args:
        settings: Those in force.
        environ: Tells what was set; by default that of this process. An empty value
            counts as not set.
    """
    environ = os.environ if environ is None else environ
    return [
        {
            "name": f"{PREFIX}{name.upper()}",
            "value": _shown(name, getattr(settings, field_of(name))),
            "source": "environment"
            if environ.get(f"{PREFIX}{name.upper()}")
            else "default",
        }
        for name in Environment.model_fields
    ]


def field_of(name: str) -> str:
    """Return the field of ``Settings`` that a variable (without prefix) decides.

    Raises:
        LookupError: If there is none.
    """
    found = OTHER_FIELDS.get(name) or PLAIN_VARIABLES.get(name, name)
    if found not in {each.name for each in fields(Settings)}:
        raise LookupError(f"no field of Settings for the variable {name}")
    return found


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, (tuple, list, frozenset, set)):
        return [_shown(name, each) for each in value]
    if isinstance(value, Mapping):
        return [f"{key}={_shown(str(key), each)}" for key, each in value.items()]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    is_file = isinstance(value, Path)
    if SECRET_NAME.search(name) and not is_file:
        return HIDDEN if value else None
    return PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", str(value))
