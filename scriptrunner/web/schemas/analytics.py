"""Shapes of the analytics: what is asked in bodies, and what is answered."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from scriptrunner.web.schemas.answers import Answer, Count, RunStatusWord
from scriptrunner.web.schemas.run_request import Whole
from scriptrunner.web.schemas.texts import Storable
from scriptrunner.web.times import parse_bound, parse_moment

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
#: Form of the name of a metric.
METRIC_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"

_Start = Annotated[
    datetime | None, BeforeValidator(parse_moment, json_schema_input_type=str | None)
]
_End = Annotated[
    datetime | None, BeforeValidator(parse_bound, json_schema_input_type=str | None)
]


class ExportRequest(BaseModel):
    """What an export is to hold; nothing said means everything."""

    model_config = _STRICT

    format: Annotated[
        Literal["json", "csv", "parquet"],
        Field(description="`parquet` needs the extra of that name"),
    ] = "json"
    script_path: Annotated[
        str | None, Field(description="Only of this script, exactly")
    ] = None
    metric_name: Annotated[
        str | None,
        Field(
            pattern=METRIC_PATTERN, description="Only this metric, or an alias of it"
        ),
    ] = None
    start_date: Annotated[_Start, Field(description="A time, or the first day")] = None
    end_date: Annotated[_End, Field(description="A time, or the last day")] = None
    history_db: Annotated[
        str | None, Field(description="Name of a history; null for the service's own")
    ] = None


class BenchmarkRequest(BaseModel):
    """A benchmark to make from the newest successful executions."""

    model_config = _STRICT

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}$",
            description="Letters, digits, blank, dot, _ and -; at most 100",
        ),
    ]
    script_path: Annotated[
        str, Field(min_length=1, max_length=4_096, description="Of which script")
    ]
    version_id: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:+-]{0,99}$",
            description="Name of the version; by default the time",
        ),
    ] = None
    notes: Annotated[Storable | None, Field(max_length=10_000)] = None
    days: Annotated[Whole, Field(ge=1, le=365, description="How far back")] = 30
    sample_size: Annotated[
        Whole, Field(ge=1, le=1_000, description="Executions at most, the newest")
    ] = 20
    history_db: Annotated[
        str | None, Field(description="Name of a history; null for the service's own")
    ] = None


class HistoryItem(Answer):
    """One execution. ``metrics`` has every known number; booleans are 1 and 0."""

    id: int
    run_id: str
    correlation_id: str | None
    script_path: str
    script_sha256: str | None
    script_args: list[str]
    start_time: datetime
    end_time: datetime
    execution_time_seconds: float | None
    exit_code: int | None
    success: bool | None
    status: Literal["completed", "failed", "cancelled"]
    run_status: RunStatusWord | None
    reason: str | None
    trigger: str
    attempt_number: int | None
    timeout_seconds: float | None
    timed_out: bool | None
    stdout_lines: int | None
    stderr_lines: int | None
    python_version: str | None
    platform: str | None
    created_at: datetime
    metrics: dict[str, float]


class HistoryPage(Answer):
    """Executions, newest first."""

    items: list[HistoryItem]
    count: Count
    days: int
    total: Count
    next_before: str | None = Field(description="`before` of the next page")


class HistoryFigures(Answer):
    """Figures over a whole history."""

    total_executions: Count
    total_metrics: Count
    total_alerts: Count
    unique_scripts: Count
    total_execution_time_seconds: float
    database_file: str | None
    database_size_mb: float
    oldest: datetime | None
    newest: datetime | None


class MetricWords(Answer):
    """A metric: its unit, its meaning, and which direction is better."""

    name: str
    unit: str | None
    description: str
    kind: Literal["number", "boolean", "text"]
    less_is_better: bool | None
    aliases: list[str]


class MetricCatalogue(Answer):
    """Every metric that is known."""

    metrics: list[MetricWords]
    count: Count


class SeriesPoint(Answer):
    """A value of a run; thinned-out ones also have ``count``, ``min`` and ``max``."""

    run_id: str
    time: datetime
    value: float


class Trend(Answer):
    """Where a metric is heading. Slopes are per run unless their name says per day."""

    trend: Literal["increasing", "decreasing", "stable"]
    direction: Literal["increasing", "decreasing", "stable"]
    slope: float
    intercept: float
    r_squared: float
    p_value: float | None
    slope_pct_per_run: float | None
    slope_interval: list[float] | None
    slope_per_day: float | None
    r_squared_per_day: float | None
    p_value_per_day: float | None
    slope_interval_per_day: list[float] | None
    confidence: float
    robust_slope: float | None
    robust_intercept: float | None
    robust_interval: list[float] | None


class MetricRegression(Answer):
    """The last runs against all before; with too few only ``reason``."""

    regression_detected: bool


class ChangeCause(Answer):
    """What changed where a level shifted."""

    kind: Literal["version", "arguments", "interpreter"]
    index: int
    run_id: str
    time: datetime
    last_run_before: str
    first_seen: datetime | None
    first_run_id: str | None


class ChangePoint(Answer):
    """A place where the level of a metric shifted."""

    index: int
    run_id: str
    time: datetime
    earliest_index: int
    latest_index: int
    before: float
    after: float
    difference: float
    percent_change: float | None
    runs_before: Count
    runs_after: Count
    p_value: float
    direction: Literal["increase", "decrease"]
    is_worse: bool | None
    causes: list[ChangeCause]
    blamed: ChangeCause | None
    summary: str


class TrendAnswer(Answer):
    """A series with its trend; with too few values ``message`` and ``needed``."""

    metric: str
    script_path: str | None
    days: int
    value_count: Count
    values: list[float]
    points: list[SeriesPoint]
    trend: Trend | None
    regression: MetricRegression | None
    change_points: list[ChangePoint]
    drifts: bool


class Bounds(Answer):
    """Between them a value is usual."""

    lower: float | None
    upper: float | None


class AnomalyPoint(Answer):
    """A run whose value is not usual."""

    index: int
    run_id: str
    time: datetime
    value: float
    score: float
    lower: float
    upper: float
    direction: Literal["high", "low"]
    type: Literal["outlier"]


class AnomalyAnswer(Answer):
    """The runs whose value is not usual, in the order of time."""

    metric: str
    script_path: str | None
    days: int
    method: Literal["iqr", "zscore", "mad"]
    formula: str
    threshold: float
    value_count: Count
    bounds: Bounds
    count: Count
    percentage: float
    anomalies: list[AnomalyPoint]


class BaselineAnswer(Answer):
    """The usual value; each method has keys of its own."""

    metric: str
    script_path: str | None
    days: int
    method: Literal["percentile", "iqr", "intelligent"]
    baseline: float | None
    data_points: Count
    min: float | None
    max: float | None


class Level(Answer):
    """A stretch of runs between two shifts."""

    from_index: int
    to_index: int
    from_time: datetime
    to_time: datetime
    median: float


class FitBand(Answer):
    """95 % bounds of the fitted line, a number per point."""

    low: list[float]
    high: list[float]


class SeriesAnswer(Answer):
    """All that a chart shows: at most a thousand points, line, band, shifts, anomalies."""

    metric: str
    script_path: str | None
    days: int
    unit: str | None
    less_is_better: bool | None
    value_count: Count
    points: list[SeriesPoint]
    aggregated: bool
    fit: list[float] | None
    fit_band: FitBand | None
    trend: Trend | None
    regression: MetricRegression | None
    band: Bounds
    method: Literal["iqr", "zscore", "mad"]
    threshold: float
    anomalies: list[AnomalyPoint]
    anomaly_message: str | None
    anomalies_needed: int | None
    change_points: list[ChangePoint]
    levels: list[Level]
    drifts: bool


class LastRun(Answer):
    """The newest execution of a script."""

    run_id: str
    time: datetime
    success: bool


class ScriptLine(Answer):
    """One script of the overview."""

    script_path: str
    executions: Count
    success_rate: float
    median_execution_time_seconds: float | None
    median_memory_max_mb: float | None
    recent_change_percent: float | None
    versions: Count
    last_run: LastRun
    flags: list[Literal["failing", "unstable", "slower", "faster"]]


class Overview(Answer):
    """Every script in one line."""

    days: int
    medians_of: Count
    scripts: list[ScriptLine]
    count: Count
    executions: Count
    success_rate: float | None
    flagged: Count


class SampleFigures(Answer):
    """One metric of a benchmark."""

    mean: float | None
    stdev: float | None


class BenchmarkMade(Answer):
    """A version of a benchmark that was stored."""

    status: Literal["success"]
    benchmark_id: int
    name: str
    version: str
    samples: Count
    cpu: SampleFigures
    memory: SampleFigures
    execution_time: SampleFigures


class BenchmarkList(Answer):
    """The names of all benchmarks, or the versions of one, newest first."""

    status: Literal["success"]


class BenchmarkChange(Answer):
    """How a metric changed from one version to the next."""

    from_version: str
    to_version: str
    metric: Literal["cpu_percent", "memory_mb", "execution_time_seconds"]
    previous: float
    current: float
    percent_change: float | None
    severity: Literal["critical", "warning"] | None
    p_value: float
    effect_size: float
    effect: str
    significant: bool
    verdict: str
    reason: str


class BenchmarkRegressions(Answer):
    """What got worse, and better, from version to version."""

    status: Literal["success", "insufficient_data"]
    benchmark_name: str
    threshold_percent: float
    regression_count: Count
    regressions: list[BenchmarkChange]
    improvements: list[BenchmarkChange]


class RemovedCounts(Answer):
    """How much was removed, or would be."""

    executions: Count
    metrics: Count
    alerts: Count


class CleanedUp(Answer):
    """What came of a clean-up."""

    status: Literal["ok"]
    days_kept: int
    message: str
    deleted: RemovedCounts
    dry_run: bool
    cutoff: datetime


class RetentionPreview(Answer):
    """What a policy would remove."""

    policy: dict[str, int | None]
    automatic: bool
    cutoff: datetime | None
    would_delete: RemovedCounts
    by_rule: dict[str, int]
    total_executions: Count
    would_keep: Count
    estimated_mb: float
    estimated_mb_after: float


class ExportedValue(Answer):
    """One value of one execution."""

    timestamp: datetime
    metric_name: str
    value: float
    script_path: str
    exit_code: int | None
    run_id: str
    status: str


#: Bodies, which are described as they are sent.
REQUESTS: tuple[type[BaseModel], ...] = (ExportRequest, BenchmarkRequest)


def describe_requests() -> dict[str, Any]:
    """Return the schemas of the bodies by name."""
    return {each.__name__: each.model_json_schema() for each in REQUESTS}
