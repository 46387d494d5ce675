"""What a run is asked to do: its options and its script."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from scriptrunner.engine import destinations, rules
from scriptrunner.engine.option_forms import (
    LOG_LEVELS,
    MAX_TIMEOUT_SECONDS,
    fault,
    iter_faults,
)
from scriptrunner.errors import InvalidInputError, MalformedInputError

MAX_ARGS = 50
#: Bytes (UTF-8) of one argument or of one environment value.
MAX_TEXT_BYTES = 32 << 10
MAX_ENV_NAMES = 256
#: Bytes (UTF-8) of all environment names and values together.
MAX_ENV_BYTES = 128 << 10
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
        faults = list(iter_faults(self._values()))
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

    def _values(self) -> dict[str, Any]:
        """Return the options as they are, in the order of the fields."""
        return {name: getattr(self, name) for name in _OPTION_NAMES}

    def to_json(self) -> dict[str, Any]:
        """Return all options as JSON values, the real environment values included."""
        return {
            **self._values(),
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
            fault("extra_forbidden", name, f"{name} is not an option of a run", None)
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
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


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
