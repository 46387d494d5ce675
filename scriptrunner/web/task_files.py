"""Tasks in files: YAML out and in, crontabs in."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from scriptrunner.errors import MalformedInputError
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.representation import definition_to_json
from scriptrunner.web.json_text import fault
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.schemas.task import TaskFile

YAML_TYPE = "application/yaml; charset=utf-8"
_HEAD = "# Tasks of Script Runner. Values that look secret are shown as ***.\n"


def write_tasks(definitions: Iterable[TaskDefinition]) -> str:
    """Return tasks as YAML; what has its default is left out."""
    from scriptrunner.web.yaml_text import write_yaml  # noqa: PLC0415 - a large library

    plain = definition_to_json(TaskDefinition(task_id="", script_path=""))
    tasks = [
        {
            name: value
            for name, value in definition_to_json(each).items()
            if value != plain[name] or name in ("task_id", "script_path")
        }
        for each in definitions
    ]
    return _HEAD + write_yaml({"tasks": tasks})


def read_tasks(text: str) -> list[TaskDefinition]:
    """Return the tasks of a YAML text.

    Raises:
        MalformedInputError: If it is no YAML, or a task in it is none.
    """
    from scriptrunner.web.yaml_text import (  # noqa: PLC0415 - a large library
        RefusedYamlError,
        parse_yaml,
    )

    try:
        value = parse_yaml(text)
    except RefusedYamlError as error:
        raise _refusal(f"Not YAML that can be used: {error}") from None
    return to_definitions(value)


def to_definitions(value: Any) -> list[TaskDefinition]:
    """Return the tasks of plain values, ``{"tasks": [...]}``.

    Raises:
        MalformedInputError: With every fault of every task.
    """
    tasks = validate(TaskFile, value).tasks
    names = Counter(each.task_id for each in tasks)
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        raise _refusal(f"The file has {', '.join(twice[:5])} more than once")
    return [each.to_definition() for each in tasks]


def _refusal(words: str) -> MalformedInputError:
    return MalformedInputError([fault("yaml", ["text"], words)])
