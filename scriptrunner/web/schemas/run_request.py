"""What may be asked of a run: the RunRequest, checked strictly.

Types and ranges are checked here, all faults at once; what a well-formed value may not be
used for (paths, timeouts, sizes) is decided by the engine and answered with 400.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from scriptrunner.engine.plan import LOG_LEVELS, RunOptions
from scriptrunner.errors import MalformedInputError

#: Fields of later versions. They are refused by name, never accepted and ignored.
LATER_FIELDS = frozenset(
    {
        "history_db",
        "enable_history",
        "performance_gates",
        "junit_output",
        "save_baseline",
        "load_baseline",
        "alerts",
        "slack_webhook",
        "enable_code_analysis",
        "enable_secret_scanning",
        "enable_dependency_scanning",
        "enable_cost_tracking",
    }
)


def _whole(value: object) -> object:
    """Return a float with zero fraction as the integer it is, others as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _capitals(value: object) -> object:
    """Return a log level in capitals, anything else as it is."""
    if isinstance(value, str) and value.upper() in LOG_LEVELS:
        return value.upper()
    return value


def _any_text(value: object) -> str:
    """Let every text pass, also one that cannot be encoded: the path rules judge it."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "Input should be a valid string")
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Delay = Annotated[float, Field(ge=0, le=86_400)]
Text = Annotated[str, PlainValidator(_any_text), WithJsonSchema({"type": "string"})]


class RunOptionsBody(BaseModel):
    """Every option of a run; all have defaults."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

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

    def to_options(self) -> RunOptions:
        """Return the options as the engine takes them."""
        values = {name: getattr(self, name) for name in RunOptionsBody.model_fields}
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
        MalformedInputError: With every fault there is: wrong types and ranges, unknown
            fields, and fields of later versions.
    """
    faults: list[dict[str, Any]] = []
    if isinstance(value, dict):
        later = [name for name in value if name in LATER_FIELDS]
        faults += [_not_yet(name) for name in later]
        value = {name: each for name, each in value.items() if name not in LATER_FIELDS}
    try:
        body = model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        faults += [{**each, "loc": ("body", *each["loc"])} for each in found]
        raise MalformedInputError(faults) from None
    if faults:
        raise MalformedInputError(faults)
    return body


def _not_yet(name: str) -> dict[str, Any]:
    return {
        "type": "not_available",
        "loc": ("body", name),
        "msg": f"{name} is not available yet in this version",
    }
