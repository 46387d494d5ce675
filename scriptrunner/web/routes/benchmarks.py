"""Benchmarks: make a version, list them, and see what got worse."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from scriptrunner.analytics.benchmarks import Order
from scriptrunner.analytics.errors import (
    BenchmarkNotFoundError,
    BenchmarkScriptMismatchError,
    NotEnoughDataError,
    VersionExistsError,
)
from scriptrunner.errors import UnsupportedMediaTypeError
from scriptrunner.web.answers import json_answer
from scriptrunner.web.body import BodyTooLargeError
from scriptrunner.web.deps import ActorDep, ServicesDep
from scriptrunner.web.describe import answers, ref
from scriptrunner.web.requests import read_json
from scriptrunner.web.routes.analytics import HISTORY_ERRORS
from scriptrunner.web.routes.runs import Text
from scriptrunner.web.schemas.analytics import BenchmarkRequest
from scriptrunner.web.schemas.run_request import validate

router = APIRouter(tags=["analytics"])


@router.get(
    "/api/analytics/benchmarks",
    name="list_benchmarks",
    responses=answers("BenchmarkList"),
)
def list_benchmarks(
    services: ServicesDep,
    name: Annotated[Text, Query(description="Only the versions of this one")] = None,
) -> Response:
    """Return the names of all benchmarks, or the versions of one, newest first."""
    benchmarks = services.analytics.benchmarks
    return json_answer(
        benchmarks.list_versions(name) if name else benchmarks.list_all()
    )


async def read_benchmark_request(request: Request) -> BenchmarkRequest:
    """Return what benchmark the body asks for."""
    return validate(BenchmarkRequest, await read_json(request))


@router.post(
    "/api/analytics/benchmarks",
    name="create_benchmark",
    status_code=201,
    responses=answers(
        "BenchmarkMade",
        *HISTORY_ERRORS,
        NotEnoughDataError,
        VersionExistsError,
        BenchmarkScriptMismatchError,
        BodyTooLargeError,
        UnsupportedMediaTypeError,
        status=201,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ref("BenchmarkRequest")}},
        }
    },
)
def create_benchmark(
    actor: ActorDep,
    wanted: Annotated[BenchmarkRequest, Depends(read_benchmark_request)],
) -> Response:
    """Store what the newest successful runs of a script cost, as a version."""
    made = actor.services.analytics.benchmarks.create(
        Order(
            name=wanted.name,
            script_path=wanted.script_path,
            version=wanted.version_id,
            notes=wanted.notes,
            days=wanted.days,
            sample_size=wanted.sample_size,
            history_db=wanted.history_db or None,
        )
    )
    actor.note(f"{made['name']} {made['version']}")
    return json_answer(made, status=201)


@router.get(
    "/api/analytics/benchmarks/{name}/regressions",
    name="list_regressions",
    responses=answers("BenchmarkRegressions", BenchmarkNotFoundError),
)
def list_regressions(
    name: str,
    services: ServicesDep,
    threshold: Annotated[
        float,
        Query(
            ge=0.1,
            le=1_000,
            allow_inf_nan=False,
            description="Percent from which a rise counts",
        ),
    ] = 10,
) -> Response:
    """Return what got worse from version to version, and how sure that is."""
    found = services.analytics.benchmarks.find_regressions(name, threshold=threshold)
    return json_answer(found)
