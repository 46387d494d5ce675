"""What a run is asked to do: its options, its script, and how a dry run describes both."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from scriptrunner.engine import destinations, retry, rules
from scriptrunner.errors import InvalidInputError, MalformedInputError

RETRY_STRATEGIES = retry.RETRY_STRATEGIES
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
VISUALIZER_FORMATS = ("text", "json")

#: Seconds of the longest timeout and of the longest ``retry_max_time``: seven days.
MAX_TIMEOUT_SECONDS = 604_800
#: Seconds of the longest single delay before a retry.
MAX_DELAY_SECONDS = 86_400
MAX_ATTEMPTS = 20
MAX_ARGS = 50
#: Bytes (UTF-8) of one argument or of one environment value.
MAX_TEXT_BYTES = 32 << 10
MAX_ENV_NAMES = 256
#: Bytes (UTF-8) of all environment names and values together.
MAX_ENV_BYTES = 128 << 10
#: Characters or digits of a wrong value that an error repeats.
MAX_ECHO = 200
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class InvalidTimeoutError(InvalidInputError):
    """Timeout must be a positive integer."""

    code = "invalid_timeout"


class TooManyArgsError(InvalidInputError):
    """Too many arguments supplied."""

    code = "too_many_args"


class InvalidArgError(InvalidInputError):
    """An argument may not be used."""

    code = "invalid_arg"


class InvalidEnvError(InvalidInputError):
    """An environment variable may not be used."""

    code = "invalid_env"


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_int_or_none(value: object) -> bool:
    return value is None or _is_int(value)


def _is_attempt_count(value: Any) -> bool:
    return _is_int(value) and 1 <= value <= MAX_ATTEMPTS


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_text_by_name(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    )


#: How to tell a good value from a wrong one, the kind of fault, and what is wanted.
_Form = tuple[Callable[[Any], bool], str, str]


def _choice(choices: Sequence[str]) -> _Form:
    return choices.__contains__, "enum", f"one of {', '.join(choices)}"


def _range(low: float, high: float) -> _Form:
    def is_in_range(value: object) -> bool:
        return isinstance(value, float) and low <= value <= high

    return is_in_range, "float_range", f"a number from {low:g} to {high:.10g}"


def _list_of_rules(most: int, what: str) -> _Form:
    def is_list(value: object) -> bool:
        return isinstance(value, tuple) and len(value) <= most

    return is_list, "list_type", f"a list of at most {most} {what}"


_SWITCH: _Form = (_is_bool, "bool_type", "true or false")
_SECONDS = _range(0.0, float(MAX_DELAY_SECONDS))

#: The form of every option; ranges of 400 errors are checked afterwards.
_FORMS: dict[str, _Form] = {
    "args": (_is_texts, "list_type", "a list of texts"),
    "timeout": (_is_int_or_none, "int_type", "a whole number of seconds or null"),
    "log_level": _choice(LOG_LEVELS),
    "retry_on_failure": _SWITCH,
    "retry_max_attempts": (
        _is_attempt_count,
        "int_range",
        f"a whole number from 1 to {MAX_ATTEMPTS}",
    ),
    "retry_strategy": _choice(RETRY_STRATEGIES),
    "retry_initial_delay": _SECONDS,
    "retry_max_delay": _SECONDS,
    "retry_multiplier": _range(1.0, 100.0),
    "retry_max_time": _range(0.0, float(MAX_TIMEOUT_SECONDS)),
    "working_dir": (_is_text_or_none, "string_type", "a path or null"),
    "stream_output": _SWITCH,
    "monitor_interval": _range(0.05, 60.0),
    "env_vars": (_is_text_by_name, "dict_type", "an object of texts by name"),
    "dry_run": _SWITCH,
    "enable_visualizer": _SWITCH,
    "visualizer_format": _choice(VISUALIZER_FORMATS),
    "history_db": (_is_text_or_none, "string_type", "a name or null"),
    "enable_history": _SWITCH,
    "performance_gates": _list_of_rules(rules.MAX_GATES, "gates"),
    "junit_output": (_is_text_or_none, "string_type", "a path or null"),
    "save_baseline": (_is_text_or_none, "string_type", "a path or null"),
    "load_baseline": (_is_text_or_none, "string_type", "a name or null"),
    "alerts": _list_of_rules(rules.MAX_ALERTS, "alerts"),
    "slack_webhook": (_is_text_or_none, "string_type", "an https address or null"),
    "enable_code_analysis": _SWITCH,
    "enable_secret_scanning": _SWITCH,
    "enable_dependency_scanning": _SWITCH,
    "enable_cost_tracking": _SWITCH,
}
#: What is wrong with one entry of a list, by the name of the list.
_ENTRY_FAULTS = {
    "performance_gates": rules.iter_gate_faults,
    "alerts": rules.iter_alert_faults,
}
#: Options whose values are never repeated.
_SECRET_NAMES = ("env_vars", "slack_webhook")
#: Options whose whole numbers are stored as floats.
_REAL_NAMES = (
    "retry_initial_delay",
    "retry_max_delay",
    "retry_multiplier",
    "retry_max_time",
    "monitor_interval",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run by the names of the API, with their defaults.

    Making one normalises (log level in capitals, whole floats as integers, copies of
    sequences) and refuses nothing; ``check`` does that.
    """

    #: Passed to the script as they are.
    args: tuple[str, ...] = ()
    #: Seconds per attempt, or None for no limit.
    timeout: int | None = None
    #: Lowest level of the run's diagnostic events.
    log_level: str = "INFO"
    retry_on_failure: bool = False
    #: The first attempt included.
    retry_max_attempts: int = 3
    retry_strategy: str = "exponential"
    #: Seconds; what it means depends on the strategy.
    retry_initial_delay: float = 1.0
    #: Seconds; cap of every single delay.
    retry_max_delay: float = 60.0
    retry_multiplier: float = 2.0
    #: Seconds from the start of the first attempt; no retry starts later.
    retry_max_time: float = 300.0
    #: Folder the script starts in, or None for its own.
    working_dir: str | None = None
    #: Whether each line is also copied to the service log.
    stream_output: bool = False
    #: Seconds between two samples of CPU and memory.
    monitor_interval: float = 0.1
    env_vars: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    enable_visualizer: bool = False
    visualizer_format: str = "text"
    #: Name of a history besides the service's own, or None.
    history_db: str | None = None
    enable_history: bool = True
    #: Bounds of metrics: ``metric``, ``max_value``, ``min_value`` each.
    performance_gates: tuple[rules.Rule, ...] = ()
    #: Where the JUnit report goes, below the outputs of the run.
    junit_output: str | None = None
    #: Name under which the metrics are kept, and of the file below the outputs.
    save_baseline: str | None = None
    #: Name of the baseline to compare with.
    load_baseline: str | None = None
    #: ``name``, ``condition``, ``channels``, ``severity`` each.
    alerts: tuple[rules.Rule, ...] = ()
    #: Where alerts for the channel ``slack`` go; a secret.
    slack_webhook: str | None = None
    enable_code_analysis: bool = False
    enable_secret_scanning: bool = False
    enable_dependency_scanning: bool = False
    enable_cost_tracking: bool = False

    def __post_init__(self) -> None:
        """Bring the values into the one form that is stored and compared.

        Every run passes here several times, mostly with values that are as they should be.
        """
        for name in ("timeout", "retry_max_attempts"):
            value = getattr(self, name)
            if type(value) is float:
                self._replace(name, _whole(value))
        for name in _REAL_NAMES:
            value = getattr(self, name)
            if type(value) is not float:
                self._replace(name, _real(value))
        if self.log_level not in LOG_LEVELS and isinstance(self.log_level, str):
            self._replace("log_level", self.log_level.upper())
        given: Any = self.args
        if isinstance(given, list):
            self._replace("args", tuple(given))
        if isinstance(self.env_vars, Mapping):
            self._replace("env_vars", dict(self.env_vars))
        if self.performance_gates != ():
            self._normalise_entries("performance_gates", rules.normalise_gate)
        if self.alerts != ():
            self._normalise_entries("alerts", rules.normalise_alert)

    def _normalise_entries(self, name: str, normalise: Callable[[Any], Any]) -> None:
        given = getattr(self, name)
        if isinstance(given, list | tuple):
            self._replace(name, tuple(normalise(each) for each in given))

    def _replace(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def check(self, *, is_local: bool = False) -> None:
        """Refuse options that may not be used.

        Args:
            is_local: Whether they come from the user of this process. Then the number
                and size of arguments and variables are the system's affair, and bytes
                that are not UTF-8 (as ``surrogateescape``) may occur, as by a shell.

        Raises:
            MalformedInputError: With every wrong type, range and choice at once.
            InvalidTimeoutError: If the timeout is not 1..604 800 s.
            TooManyArgsError: If there are more than 50 arguments.
            InvalidArgError: If one has a NUL, is too long or cannot be encoded.
            InvalidEnvError: If a name is malformed, or a size over its limit.
            InvalidOutputPathError: If a path of an output is malformed.
            InvalidHistoryDbError: If the name of the history is.
            WebhookNotAllowedError: If the webhook is no https address.
        """
        faults = list(self._iter_faults())
        if faults:
            raise MalformedInputError(faults)
        if self.timeout is not None and not 1 <= self.timeout <= MAX_TIMEOUT_SECONDS:
            raise InvalidTimeoutError
        self._check_args(is_local=is_local)
        self._check_env(is_local=is_local)
        if not is_local:
            self._check_sizes()
        self._check_destinations(is_local=is_local)

    def _check_destinations(self, *, is_local: bool) -> None:
        """Refuse malformed places; whether they are allowed is for the service to say."""
        for name in ("junit_output", "save_baseline"):
            path = getattr(self, name)
            if path is not None:
                destinations.check_output_path(name, path, is_local=is_local)
        if self.junit_output is not None and self.junit_output == self.save_baseline:
            raise destinations.InvalidOutputPathError(
                "junit_output and save_baseline must be different files"
            )
        if self.load_baseline is not None:
            destinations.check_input_name("load_baseline", self.load_baseline)
        if self.history_db is not None:
            destinations.check_history_db(self.history_db)
        if self.slack_webhook is not None:
            destinations.check_webhook(self.slack_webhook, hosts=None)

    def _check_args(self, *, is_local: bool) -> None:
        for number, text in enumerate(self.args):
            problem = _find_problem(text, is_local=is_local)
            if problem:
                raise InvalidArgError(f"args[{number}] {problem}")

    def _check_env(self, *, is_local: bool) -> None:
        for name, value in self.env_vars.items():
            if not ENV_NAME.fullmatch(name):
                raise InvalidEnvError(
                    f"env_vars: {name[:60]!a} is not a valid name; use letters, digits"
                    " and _, not beginning with a digit, at most 128 characters"
                )
            problem = _find_problem(value, is_local=is_local)
            if problem:
                raise InvalidEnvError(f"env_vars: the value of {name} {problem}")

    def _check_sizes(self) -> None:
        if len(self.args) > MAX_ARGS:
            raise TooManyArgsError
        if len(self.env_vars) > MAX_ENV_NAMES:
            raise InvalidEnvError(f"env_vars may have at most {MAX_ENV_NAMES} names")
        sizes = (
            len(name) + len(value.encode("utf-8"))
            for name, value in self.env_vars.items()
        )
        if sum(sizes) > MAX_ENV_BYTES:
            raise InvalidEnvError("env_vars may take at most 128 KiB together")

    def _iter_faults(self) -> Iterable[dict[str, Any]]:
        """Yield a fault per wrong field, in the order of the fields."""
        for each in fields(self):
            value = getattr(self, each.name)
            is_good, kind, wanted = _FORMS[each.name]
            if not is_good(value):
                message = f"{each.name} must be {wanted}"
                shown = None if each.name in _SECRET_NAMES else value
                yield _fault(kind, each.name, message, shown)
            elif each.name in _ENTRY_FAULTS and value:
                yield from _entry_faults(each.name, value)

    def to_json(self) -> dict[str, Any]:
        """Return all options as JSON values, the real environment values included."""
        return {
            **{name: getattr(self, name) for name in _OPTION_NAMES},
            "args": list(self.args),
            "env_vars": dict(self.env_vars),
            "performance_gates": [dict(each) for each in self.performance_gates],
            "alerts": [dict(each) for each in self.alerts],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RunOptions":
        """Return the options in ``data``; what is not named has its default.

        Raises:
            MalformedInputError: If a name is unknown; nothing is ignored.
        """
        faults = [
            _fault("extra_forbidden", name, f"{name} is not an option of a run", None)
            for name in data
            if name not in _OPTION_NAMES
        ]
        if faults:
            raise MalformedInputError(faults)
        return cls(**data)


#: In the order of the fields.
_OPTION_NAMES = dict.fromkeys(each.name for each in fields(RunOptions))


def _whole(value: Any) -> Any:
    """Return a float with zero fraction as an integer, anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _real(value: Any) -> Any:
    """Return an integer as a float, anything else as it is."""
    if not _is_int(value):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _fault(kind: str, name: str, message: str, value: object) -> dict[str, Any]:
    """Return a fault as answers show it; only short scalars are echoed."""
    fault: dict[str, Any] = {"type": kind, "loc": ["body", name], "msg": message}
    if _can_be_echoed(value):
        fault["input"] = value
    return fault


def _entry_faults(name: str, entries: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Yield the faults of the entries of a list, each with its place."""
    for number, entry in enumerate(entries):
        for kind, place, message in _ENTRY_FAULTS[name](entry):
            words = f"{name}[{number}]: {message}"
            yield {"type": kind, "loc": ["body", name, number, *place], "msg": words}


def _can_be_echoed(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_ECHO
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 10**MAX_ECHO


def _find_problem(text: str, *, is_local: bool) -> str | None:
    """Return what keeps ``text`` from being handed to a process, or None."""
    if "\0" in text:
        return "must not contain a NUL character"
    try:
        size = len(text.encode("utf-8", "surrogateescape" if is_local else "strict"))
    except UnicodeEncodeError:
        return "must be valid Unicode text without lone surrogates"
    is_too_long = size > MAX_TEXT_BYTES and not is_local
    return "must be at most 32 KiB" if is_too_long else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRef:
    """A script that has passed the path rules."""

    #: ``file``, ``upload`` or ``snapshot``.
    kind: str
    #: As the caller gave it; ``upload:<name>`` for uploads.
    shown_path: str
    #: Last path component, for people.
    name: str
    #: Real path of the allowed root (kind ``file``), else None.
    root: str | None = None
    #: Path below ``root`` without ``..`` and links, else None.
    relative: str | None = None
    #: What the bytes must hash to (uploads and snapshots), else None.
    sha256: str | None = None
    #: Absolute path (kind ``file``); None as long as the run folder is not known.
    path: str | None = None


def describe(
    script: ScriptRef,
    options: RunOptions,
    *,
    command: Sequence[str],
    environment: Iterable[str],
    ignored_env: Sequence[str],
    working_dir: str,
    sha256: str | None,
) -> dict[str, Any]:
    """Return what a run would do: the result of a dry run.

    Args:
        script: The script, checked.
        options: The options, checked.
        command: Interpreter, script and arguments.
        environment: Names (or the mapping) of the script's environment; no value is shown.
        ignored_env: Names of the caller that were dropped.
        working_dir: Folder the script would start in.
        sha256: Of the script's bytes as they are now, or None if they were not read.
    """
    return {
        "dry_run": True,
        "message": "Dry run: script validated but not executed.",
        "script_path": script.shown_path,
        "args": list(options.args),
        "timeout": options.timeout,
        "command": list(command),
        "working_dir": working_dir,
        "environment": sorted(environment),
        "ignored_env": list(ignored_env),
        "retry_config": {
            "enabled": options.retry_on_failure,
            "strategy": options.retry_strategy,
            "max_attempts": options.retry_max_attempts,
            "initial_delay": options.retry_initial_delay,
            "max_delay": options.retry_max_delay,
            "multiplier": options.retry_multiplier,
            "delays": retry.planned_delays(options),
            "max_time": options.retry_max_time,
        },
        "performance_gates": [dict(each) for each in options.performance_gates],
        "alerts": [dict(each) for each in options.alerts],
        "junit_output": options.junit_output,
        "save_baseline": options.save_baseline,
        "load_baseline": options.load_baseline,
        "cost_tracking": options.enable_cost_tracking,
        "visualizer": options.enable_visualizer,
        "monitor_interval": options.monitor_interval,
        "history": _history_of(options),
        "scans": {},
        "would_be_blocked": False,
        "sha256": sha256,
    }


def _history_of(options: RunOptions) -> str | None:
    """Return where the metrics of a run would be kept, None for nowhere."""
    if not options.enable_history:
        return None
    return "default" if options.history_db is None else options.history_db
