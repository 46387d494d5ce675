"""Tasks in files: YAML out and in, crontabs in.

PyYAML is loaded by whoever needs it; only its safe half is used, so a file can make
nothing but plain values.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from scriptrunner.errors import MalformedInputError
from scriptrunner.scheduler.models import TaskDefinition
from scriptrunner.scheduler.representation import definition_to_json
from scriptrunner.web.json_text import MAX_DEPTH, fault
from scriptrunner.web.schemas.run_request import validate
from scriptrunner.web.schemas.task import TaskFile, TaskRequest

YAML_TYPE = "application/yaml; charset=utf-8"
_HEAD = "# Tasks of Script Runner. Values that look secret are shown as ***.\n"


def write_yaml(definitions: Iterable[TaskDefinition]) -> str:
    """Return tasks as YAML; what has its default is left out."""
    import yaml  # noqa: PLC0415 - heavy, and rarely needed

    plain = definition_to_json(TaskDefinition(task_id="", script_path=""))
    tasks = [
        {
            name: value
            for name, value in definition_to_json(each).items()
            if value != plain[name] or name in ("task_id", "script_path")
        }
        for each in definitions
    ]
    text: str = yaml.safe_dump(
        {"tasks": tasks}, sort_keys=False, allow_unicode=True, width=88
    )
    return _HEAD + text


def read_yaml(text: str) -> list[TaskDefinition]:
    """Return the tasks of a YAML text.

    Raises:
        MalformedInputError: If it is no YAML, or a task in it is none.
    """
    return to_definitions(_parse_yaml(text))


def _parse_yaml(text: str) -> Any:
    import yaml  # noqa: PLC0415 - heavy, and rarely needed

    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            # One that names another can blow up to any size.
            if isinstance(token, yaml.AliasToken):
                raise _refusal("A YAML file of tasks may have no aliases (*name)")
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _refusal(f"Not YAML: {_first_line(error)}") from None
    except (RecursionError, ValueError) as error:
        raise _refusal(f"Not YAML that can be used: {_first_line(error)}") from None
    if _depth(value) > MAX_DEPTH:
        raise _refusal(f"Nested deeper than {MAX_DEPTH}")
    return value


def _refusal(words: str) -> MalformedInputError:
    return MalformedInputError([fault("yaml", ["text"], words)])


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    words = str(getattr(error, "problem", None) or error).splitlines()[0][:200]
    return words if mark is None else f"{words} in line {mark.line + 1}"


def _depth(value: Any) -> int:
    deepest, todo = 0, [(value, 1)]
    while todo:
        each, depth = todo.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH:
            break
        if isinstance(each, Mapping):
            todo += [(part, depth + 1) for part in each.values()]
        elif isinstance(each, list):
            todo += [(part, depth + 1) for part in each]
    return deepest


def to_definitions(value: Any) -> list[TaskDefinition]:
    """Return the tasks of plain values, ``{"tasks": [...]}``.

    Raises:
        MalformedInputError: With every fault of every task.
    """
    found = validate_file(value)
    return [each.to_definition() for each in found]


def validate_file(value: Any) -> list[TaskRequest]:
    """Return the tasks of a file, checked one by one."""
    tasks = validate(TaskFile, value).tasks
    names = [each.task_id for each in tasks]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise _refusal(f"The file has {', '.join(twice[:5])} more than once")
    return tasks
