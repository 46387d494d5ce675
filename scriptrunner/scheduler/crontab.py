"""A crontab as tasks: each line becomes one, or says why it cannot.

Only what a run can be is taken: a Python script with its arguments. What a shell would do
besides (pipes, several commands) has no counterpart and is left out with its reason;
redirected output is kept anyway, so redirections are dropped with a warning.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scriptrunner.scheduler.cron import InvalidCronError, parse_cron
from scriptrunner.scheduler.zones import UnknownZoneError, get_zone

_SETTING = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
#: Characters of a line.
MAX_LINE = 10_000
_PYTHON = re.compile(r"(?:.*/)?python(?:[0-9](?:\.[0-9]+)?)?")
_REDIRECTION = re.compile(r"(?:[0-9]|&)?>>?(?:&[0-9-]|\s*[^\s;|&<>]+)|<\s*/dev/null")
_SCRIPT = re.compile(r".*\.pyw?")
#: Signs of a shell at work, outside quotes.
_SHELL_SIGNS = frozenset("|&;<>()$`")
#: Names that are meant for cron itself.
_FOR_CRON = frozenset({"MAILTO", "MAILFROM", "SHELL", "LOGNAME"})
#: Switches of the interpreter that change nothing here.
_HARMLESS_SWITCHES = frozenset({"-u", "-B", "-O", "-OO", "-E", "-s", "-I"})


@dataclass(slots=True)
class Conversion:
    """What a crontab has become."""

    #: Fields of tasks by their names.
    tasks: list[dict[str, Any]] = field(default_factory=list)
    #: Line number and reason of what was left out.
    left_out: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class _UnusableLineError(ValueError):
    """The line cannot become a task."""


def convert(text: str, *, timezone: str = "UTC") -> Conversion:
    """Return the tasks of a crontab of one user.

    Args:
        text: Its lines: settings, comments, five fields or an alias, and a command.
        timezone: Zone of its times; a line ``CRON_TZ=`` changes it for what follows.
    """
    result = Conversion()
    environment: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if len(line) > MAX_LINE:
            result.left_out.append((number, f"longer than {MAX_LINE} characters"))
            continue
        setting = _SETTING.fullmatch(line)
        try:
            if setting is not None:
                name, value = setting[1], setting[2].strip().strip("\"'")
                if name == "CRON_TZ":
                    timezone = value  # a wrong one, too: it holds what follows
                    get_zone(timezone)
                elif name not in _FOR_CRON:
                    environment[name] = value
            else:
                get_zone(timezone)
                task = _convert_line(words, number, result)
                task["timezone"] = timezone
                _add_environment(task, environment)
                result.tasks.append(task)
        except (_UnusableLineError, InvalidCronError, UnknownZoneError) as error:
            result.left_out.append((number, str(error)))
    _make_ids_unique(result.tasks)
    return result


def _add_environment(task: dict[str, Any], environment: dict[str, str]) -> None:
    own = task.pop("env_vars")
    if environment or own:
        task["run_options"] = {"env_vars": {**environment, **own}}


def _convert_line(words: str, number: int, result: Conversion) -> dict[str, Any]:
    expression, command = _split_time(words)
    parse_cron(expression)
    if "%" in command.replace("\\%", ""):
        raise _UnusableLineError(
            "% hands input to the command, which a run does not get"
        )
    command = command.replace("\\%", "%")
    plain = _REDIRECTION.sub(" ", command)
    if plain != command:
        result.warnings.append(
            f"line {number}: the redirection was dropped; output is kept with each run"
        )
    env_vars, folder, arguments = _take_apart(plain)
    script, args = _find_script(arguments)
    task: dict[str, Any] = {
        "task_id": _name_of(script),
        "script_path": _join(folder, script),
        "cron_expr": expression,
        "description": f"from line {number} of a crontab",
        "env_vars": env_vars,
    }
    if args:
        task["script_args"] = args
    return task


def _split_time(words: str) -> tuple[str, str]:
    count = 1 if words.startswith("@") else 5
    parts = words.split(None, count)
    if len(parts) <= count:
        raise _UnusableLineError("there is no command behind the time")
    return " ".join(parts[:count]), parts[count]


def _take_apart(command: str) -> tuple[dict[str, str], str, list[str]]:
    """Return variables, folder and words of a simple command."""
    folder = ""
    first, sign, rest = command.partition("&&")
    if sign and first.split()[:1] == ["cd"]:
        folder = " ".join(_split(first)[1:])
        command = rest
    words = _split(command)
    env_vars = {}
    while words and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", words[0], re.DOTALL):
        name, _, value = words.pop(0).partition("=")
        env_vars[name] = value
    return env_vars, folder, words


def _split(command: str) -> list[str]:
    """Return the words of a command that needs no shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise _UnusableLineError(f"the command cannot be read: {error}") from None
    unquoted = re.sub(r"'[^']*'|\"[^\"$`]*\"|\\.", "", command)
    signs = sorted(_SHELL_SIGNS & set(unquoted))
    if signs:
        shown = " ".join(signs)
        raise _UnusableLineError(f"the command needs a shell ({shown}); a run has none")
    return words


def _find_script(words: list[str]) -> tuple[str, list[str]]:
    """Return the script and its arguments."""
    if words and _PYTHON.fullmatch(words[0]):
        words = words[1:]
        while words and words[0] in _HARMLESS_SWITCHES:
            words = words[1:]
        if words and words[0].startswith("-"):
            raise _UnusableLineError(f"python {words[0]} is not a script")
    if not words or not _SCRIPT.fullmatch(words[0]):
        shown = words[0] if words else "nothing"
        raise _UnusableLineError(f"{shown[:100]!a} is not a Python script")
    return words[0], words[1:]


def _join(folder: str, script: str) -> str:
    if not folder or script.startswith("/"):
        return script
    return f"{folder.rstrip('/')}/{script.removeprefix('./')}"


def _name_of(script: str) -> str:
    """Return an id for a task from the name of its script."""
    stem = script.rpartition("/")[2].rpartition(".")[0]
    cleaned = re.sub(r"[^A-Za-z0-9._:-]+", "-", stem).strip("-._:")
    return cleaned[:100] or "task"


def _make_ids_unique(tasks: list[dict[str, Any]]) -> None:
    for task, name in zip(tasks, _unique([t["task_id"] for t in tasks]), strict=True):
        task["task_id"] = name


def _unique(names: list[str]) -> Iterator[str]:
    taken: set[str] = set()
    #: The number to try next, by name: the same script may be there very often.
    numbers: dict[str, int] = {}
    for name in names:
        candidate = name
        while candidate in taken:
            number = numbers.get(name, 2)
            candidate, numbers[name] = f"{name}-{number}", number + 1
        taken.add(candidate)
        yield candidate
