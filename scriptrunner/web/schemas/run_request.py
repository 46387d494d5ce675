"""What may be asked of a run: the RunRequest, checked strictly.

Types and ranges are checked here, all faults at once; what a well-formed value may not be
used for (paths, timeouts, sizes) is decided by the engine and answered with 400.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scriptrunner.engine import rules
from scriptrunner.engine.metric_names import METRIC_NAME
from scriptrunner.engine.option_forms import LOG_LEVELS
from scriptrunner.engine.plan import RunOptions
from scriptrunner.errors import MalformedInputError


def _whole(value: object) -> object:
    """Return a float with zero fraction as the integer it is, others as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _capitals(value: object) -> object:
    """Return a log level or severity in capitals, anything else as it is."""
    if isinstance(value, str) and value.upper() in (*LOG_LEVELS, *rules.SEVERITIES):
        return value.upper()
    return value


def _any_text(value: object) -> str:
    """Let every text pass, also one that cannot be encoded: the path rules judge it."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    return value


def _refused_by(find_problem: Callable[[Any], str | None]) -> AfterValidator:
    """Return a validator that refuses what ``find_problem`` finds a problem with."""

    def check(value: Any) -> Any:
        problem = find_problem(value)
        if problem:
            raise PydanticCustomError("alert_rule", "{problem}", {"problem": problem})
        return value

    return AfterValidator(check)


def _any_text_or_none(value: object) -> str | None:
    """As ``_any_text``, and nothing at all."""
    return None if value is None else _any_text(value)


Whole = Annotated[int, BeforeValidator(_whole)]
Delay = Annotated[float, Field(ge=0, le=86_400)]
Text = Annotated[str, PlainValidator(_any_text), WithJsonSchema({"type": "string"})]
MaybeText = Annotated[
    str | None,
    PlainValidator(_any_text_or_none),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
]
Bound = Annotated[float, Field(allow_inf_nan=False)]

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Gate(BaseModel):
    """Bounds of one metric; at least one of them."""

    model_config = _STRICT

    metric: Annotated[
        str,
        Field(
            pattern=f"^{METRIC_NAME.pattern}$",
            description="A metric or one of its other names",
        ),
    ]
    max_value: Annotated[Bound | None, Field(description="Largest good value")] = None
    min_value: Annotated[Bound | None, Field(description="Smallest good value")] = None

    @model_validator(mode="after")
    def _check_bounds(self) -> "Gate":
        problem = rules.find_bounds_problem(self.max_value, self.min_value)
        if problem:
            raise PydanticCustomError("gate_bounds", "{problem}", {"problem": problem})
        return self


class Alert(BaseModel):
    """What to tell whom when a condition holds at the end of a run."""

    model_config = _STRICT

    name: Annotated[
        str,
        _refused_by(rules.find_name_problem),
        Field(description="Name for people, up to 100 characters"),
    ] = "api_alert"
    condition: Annotated[
        str,
        _refused_by(rules.find_condition_problem),
        Field(description="Such as `execution_time_seconds > 10 and not timed_out`"),
    ]
    channels: Annotated[
        list[Annotated[str, _refused_by(rules.find_channel_problem)]],
        Field(max_length=rules.MAX_CHANNELS, description="Where it is told"),
    ] = []
    severity: Annotated[
        Literal["INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_capitals)
    ] = "WARNING"


class RunOptionsBody(BaseModel):
    """Every option of a run; all have defaults."""

    model_config = _STRICT

    args: Annotated[
        list[str],
        Field(description="Arguments, passed as they are; at most 50 of 32 KiB each"),
    ] = []
    timeout: Annotated[
        Whole | None,
        Field(description="Seconds per attempt, 1 to 604800; null means no limit"),
    ] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(_capitals),
        Field(description="Lowest level of the run's diagnostic events"),
    ] = "INFO"
    retry_on_failure: Annotated[
        bool, Field(description="Whether a failed attempt is followed by another")
    ] = False
    retry_max_attempts: Annotated[
        Whole, Field(ge=1, le=20, description="Attempts at most, the first included")
    ] = 3
    retry_strategy: Annotated[
        Literal["linear", "exponential", "fibonacci", "exponential_jitter"],
        Field(description="How the pauses between attempts grow"),
    ] = "exponential"
    retry_initial_delay: Annotated[
        Delay, Field(description="Seconds of the first pause")
    ] = 1.0
    retry_max_delay: Annotated[
        Delay, Field(description="Seconds of any pause at most")
    ] = 60.0
    retry_multiplier: Annotated[
        float, Field(ge=1, le=100, description="Growth of the exponential strategies")
    ] = 2.0
    retry_max_time: Annotated[
        float,
        Field(
            ge=0, le=604_800, description="Seconds in which the last attempt must begin"
        ),
    ] = 300.0
    working_dir: Annotated[
        str | None,
        Field(description="Folder below an allowed root; null means the script's own"),
    ] = None
    stream_output: Annotated[
        bool, Field(description="Copy finished lines to the service log, too")
    ] = False
    monitor_interval: Annotated[
        float,
        Field(ge=0.05, le=60, description="Seconds between samples of CPU and memory"),
    ] = 0.1
    env_vars: Annotated[
        dict[str, str], Field(description="Environment variables for the script")
    ] = {}
    dry_run: Annotated[
        bool, Field(description="Check everything and start nothing")
    ] = False
    enable_visualizer: Annotated[
        bool, Field(description="Keep the report of steps")
    ] = False
    visualizer_format: Annotated[
        Literal["text", "json"],
        Field(description="Whether the report of steps also has a text rendering"),
    ] = "text"
    history_db: Annotated[
        MaybeText,
        Field(description="History besides the service's own: an alias or a file name"),
    ] = None
    enable_history: Annotated[
        bool, Field(description="Keep the metrics in the history")
    ] = True
    performance_gates: Annotated[
        list[Gate],
        Field(
            max_length=rules.MAX_GATES,
            description="Bounds of metrics; a run that breaks one has failed",
        ),
    ] = []
    junit_output: Annotated[
        MaybeText, Field(description="Where the JUnit report goes, such as `junit.xml`")
    ] = None
    save_baseline: Annotated[
        MaybeText, Field(description="Name under which the metrics are kept")
    ] = None
    load_baseline: Annotated[
        MaybeText, Field(description="Name of the baseline to compare with")
    ] = None
    alerts: Annotated[
        list[Alert],
        Field(
            max_length=rules.MAX_ALERTS,
            description="Conditions that are judged at the end, and who is told",
        ),
    ] = []
    slack_webhook: Annotated[
        MaybeText,
        Field(description="Address for the channel `slack`; never shown again"),
    ] = None
    enable_code_analysis: Annotated[
        bool, Field(description="Look for dangerous code before the start")
    ] = False
    enable_secret_scanning: Annotated[
        bool, Field(description="Look for secrets in the script before the start")
    ] = False
    enable_dependency_scanning: Annotated[
        bool, Field(description="Look for known holes in what the script requires")
    ] = False
    enable_cost_tracking: Annotated[
        bool, Field(description="Estimate what the run has cost")
    ] = False

    def to_options(self) -> RunOptions:
        """Return the options as the engine takes them."""
        values = {name: getattr(self, name) for name in RunOptionsBody.model_fields}
        for name in ("performance_gates", "alerts"):
            values[name] = [each.model_dump() for each in values[name]]
        return RunOptions(**values)


class RunRequest(RunOptionsBody):
    """A script that lies below an allowed root, and the options of its run."""

    script_path: Annotated[
        Text, Field(description="The script: absolute, or relative to an allowed root")
    ]


Body = TypeVar("Body", bound=BaseModel)


def validate(model: type[Body], value: Any) -> Body:
    """Return ``value`` (parsed JSON or form fields) as ``model``.

    Raises:
        MalformedInputError: With every fault there is: wrong types and ranges, and
            unknown fields.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        faults = [{**each, "loc": ("body", *each["loc"])} for each in found]
        raise MalformedInputError(faults) from None
