"""Secret values of tasks: in files of our own, never in the database or in an answer.

Each version of a task has a file of its own, which the row names. So the change of a row
is the change of its secrets, and a reader never sees half of both.
"""

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from scriptrunner.engine.environment import MASK, is_secret_name
from scriptrunner.errors import MalformedInputError
from scriptrunner.scheduler.errors import fault

WEBHOOK = "slack_webhook"


class TaskSecrets:
    """The files below ``tasks/`` of one data folder. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Touch nothing yet."""
        self._folder = folder

    def write(self, secrets: Mapping[str, Any]) -> str | None:
        """Keep secret values and return the name of their file; None if there are none."""
        if not secrets:
            return None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{uuid4().hex}.json"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._folder / name, flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(dict(secrets), file)
        return name

    def read(self, name: str | None) -> dict[str, Any]:
        """Return the secret values of a file, empty if there is none."""
        if name is None:
            return {}
        try:
            found: dict[str, Any] = json.loads((self._folder / name).read_text("ascii"))
        except FileNotFoundError:
            return {}
        return found

    def remove_unknown(self, known: Collection[str], *, before: float) -> None:
        """Remove files that no task names: a service died while it changed a task.

        Args:
            known: Names of the files that tasks have.
            before: Only files that were written before this, in seconds since 1970.
        """
        with suppress(FileNotFoundError):
            for entry in list(os.scandir(self._folder)):
                if entry.name not in known and entry.stat().st_mtime < before:
                    self.remove(entry.name)

    def remove(self, name: str | None) -> None:
        """Remove a file that no row names any more."""
        if name is not None:
            with suppress(OSError):
                (self._folder / name).unlink()


def split(
    options: Mapping[str, Any], earlier: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options as they may be shown, and the secret values that they had.

    Args:
        options: As they were given; a masked value stands for the earlier one.
        earlier: Secret values that the task has had so far.

    Raises:
        MalformedInputError: If a value is masked and there is no earlier one.
    """
    shown = dict(options)
    secrets: dict[str, Any] = {}
    faults: list[dict[str, object]] = []
    if isinstance(shown.get("env_vars"), Mapping):
        shown["env_vars"] = dict(shown["env_vars"])
        for name, value in options["env_vars"].items():
            if is_secret_name(name):
                _keep(secrets, faults, earlier, name, value)
                shown["env_vars"][name] = MASK
    webhook = shown.get(WEBHOOK)
    if webhook is not None:
        _keep(secrets, faults, earlier, WEBHOOK, webhook)
        shown[WEBHOOK] = MASK
    if faults:
        raise MalformedInputError(faults)
    return shown, secrets


def _keep(
    secrets: dict[str, Any],
    faults: list[dict[str, object]],
    earlier: Mapping[str, Any],
    name: str,
    value: Any,
) -> None:
    if value != MASK:
        secrets[name] = value
    elif name in earlier:
        secrets[name] = earlier[name]
    else:
        words = f"the value of {name} is masked; give the real one"
        faults.append(fault("run_options", words))


def join(shown: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with their real values."""
    options = dict(shown)
    if options.get("env_vars"):
        options["env_vars"] = {
            name: secrets.get(name, value) if is_secret_name(name) else value
            for name, value in options["env_vars"].items()
        }
    if options.get(WEBHOOK) is not None:
        options[WEBHOOK] = secrets.get(WEBHOOK, options[WEBHOOK])
    return options
