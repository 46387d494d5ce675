"""What the history says: trends, anomalies, usual values, charts, all scripts at once."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from scriptrunner.analytics.anomalies import AnomalyMethod
from scriptrunner.analytics.baselines import BaselineMethod
from scriptrunner.analytics.models import LIMIT, Question
from scriptrunner.history.errors import HistoryDbNotFoundError, InvalidHistoryDbError
from scriptrunner.history.models import Outcome
from scriptrunner.web.answers import json_answer
from scriptrunner.web.deps import ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.schemas.analytics import METRIC_PATTERN
from scriptrunner.web.times import Since, Until

router = APIRouter(tags=["analytics"])

HISTORY_ERRORS = (InvalidHistoryDbError, HistoryDbNotFoundError)

HistoryName = Annotated[
    str | None, Query(description="Name of a history; by default the service's own")
]
Metric = Annotated[
    str, Query(pattern=METRIC_PATTERN, description="Name or alias of a metric")
]
Limit = Annotated[int, Query(ge=2, le=5_000, description="Values at most, the newest")]
FlagThreshold = Annotated[
    float | None,
    Query(
        ge=0.5,
        le=10,
        allow_inf_nan=False,
        description="Score above which a value is an anomaly; by default the method's own",
    ),
]
Percent = Annotated[
    float,
    Query(
        ge=0.1,
        le=1_000,
        allow_inf_nan=False,
        description="Percent by which the last runs may be worse than those before",
    ),
]


async def read_question(
    script_path: Annotated[
        str | None, Query(description="Exactly this script, as in a run request")
    ] = None,
    days: Annotated[int, Query(ge=1, le=365, description="How far back")] = 30,
    since: Since = None,
    until: Until = None,
    outcome: Outcome = Outcome.ALL,
    history_db: HistoryName = None,
) -> Question:
    """Return which executions a query means."""
    return Question(
        script_path=script_path or None,
        days=days,
        since=since,
        until=until,
        outcome=outcome,
        history_db=history_db or None,
    )


async def read_series_question(
    question: Annotated[Question, Depends(read_question)], limit: Limit = LIMIT
) -> Question:
    """Return which values of a series a query means."""
    return replace(question, limit=limit)


QuestionDep = Annotated[Question, Depends(read_question)]
SeriesDep = Annotated[Question, Depends(read_series_question)]


@router.get(
    "/api/analytics/trends",
    name="get_trends",
    responses=answers("TrendAnswer", *HISTORY_ERRORS),
)
def get_trends(
    services: ServicesDep, metric: Metric, question: SeriesDep, threshold: Percent = 10
) -> Response:
    """Return where a metric is heading, and where its level shifted and why."""
    return json_answer(
        services.analytics.find_trend(metric, question, threshold=threshold)
    )


@router.get(
    "/api/analytics/anomalies",
    name="get_anomalies",
    responses=answers("AnomalyAnswer", *HISTORY_ERRORS),
)
def get_anomalies(
    services: ServicesDep,
    metric: Metric,
    question: SeriesDep,
    method: AnomalyMethod = AnomalyMethod.IQR,
    threshold: FlagThreshold = None,
) -> Response:
    """Return the runs whose value lies far from the usual ones, on either side."""
    found = services.analytics.find_anomalies(
        metric, question, method=method, threshold=threshold
    )
    return json_answer(found)


@router.get(
    "/api/analytics/baseline",
    name="get_baseline",
    responses=answers("BaselineAnswer", *HISTORY_ERRORS),
)
def get_baseline(
    services: ServicesDep,
    question: SeriesDep,
    metric: Metric = "execution_time_seconds",
    method: BaselineMethod = BaselineMethod.INTELLIGENT,
    percentile: Annotated[float, Query(ge=1, le=99, allow_inf_nan=False)] = 75,
) -> Response:
    """Return the usual value of a metric."""
    found = services.analytics.find_baseline(
        metric, question, method=method, percentile=percentile
    )
    return json_answer(found)


@router.get(
    "/api/analytics/series",
    name="get_series",
    responses=answers("SeriesAnswer", *HISTORY_ERRORS),
)
def get_series(
    services: ServicesDep,
    metric: Metric,
    question: SeriesDep,
    method: AnomalyMethod = AnomalyMethod.IQR,
    flag_threshold: FlagThreshold = None,
    threshold: Percent = 10,
) -> Response:
    """Return all that a chart shows: points, line, band, shifts and anomalies."""
    found = services.analytics.get_series(
        metric,
        question,
        method=method,
        flag_threshold=flag_threshold,
        threshold=threshold,
    )
    return json_answer(found)


@router.get(
    "/api/analytics/overview",
    name="get_overview",
    responses=answers("Overview", *HISTORY_ERRORS),
)
def get_overview(services: ServicesDep, question: QuestionDep) -> Response:
    """Return every script in one line, with what stands out."""
    return json_answer(services.analytics.get_overview(question))


@router.get(
    "/api/analytics/metrics",
    name="list_metrics",
    responses=answers("MetricCatalogue"),
)
def list_metrics(services: ServicesDep) -> Response:
    """Return every metric with unit, meaning, other names, and what is better."""
    return json_answer(services.analytics.describe_metrics())
