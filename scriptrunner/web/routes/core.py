"""Health, system status, statistics, and the description of the API."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from scriptrunner.settings.describe import describe_settings
from scriptrunner.web.answers import JSON_TYPE, json_answer
from scriptrunner.web.deps import RuntimeDep, ServicesDep
from scriptrunner.web.describe import answers
from scriptrunner.web.edge import accepts_gzip
from scriptrunner.web.host_status import describe_host
from scriptrunner.web.openapi import write_api
from scriptrunner.web.times import Since, Until

router = APIRouter(tags=["core"])

HEALTHY = b'{"status":"ok"}'


@router.get("/api/health", name="get_health", responses=answers("Health"))
async def get_health() -> Response:
    """Say that the service answers; nothing else is looked at."""
    return Response(HEALTHY, media_type=JSON_TYPE)


@router.get(
    "/api/system/status", name="get_system_status", responses=answers("SystemStatus")
)
def get_system_status(runtime: RuntimeDep) -> Response:
    """Return the state of machine, queue, supervisor and service."""
    return json_answer(describe_host(runtime))


@router.get("/api/settings", name="get_settings", responses=answers("ServiceSettings"))
def get_settings(runtime: RuntimeDep) -> Response:
    """Return the settings in force and where each comes from; no secrets."""
    found = describe_settings(runtime.settings)
    return json_answer({"settings": found, "count": len(found)})


@router.get("/api/stats", name="get_stats", responses=answers("Stats"))
def get_stats(
    services: ServicesDep, since: Since = None, until: Until = None
) -> Response:
    """Return figures over all runs, or over those queued in a span of time."""
    stats = services.runs.get_stats(since=since, until=until)
    return json_answer(
        {
            "total_runs": stats.total_runs,
            "by_status": stats.by_status,
            "by_run_status": stats.by_run_status,
            "runs_24h": stats.runs_24h,
            "success_rate": stats.success_rate,
            "success_rate_24h": stats.success_rate_24h,
            "active": stats.active,
            "p95_duration_seconds": stats.p95_duration_seconds,
        }
    )


@router.get("/openapi.json", name="openapi", include_in_schema=False)
def get_openapi(request: Request) -> Response:
    """Return the OpenAPI document, small and only when the reader's is an older one."""
    document = write_api(request.app)
    headers = {
        "ETag": document.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match", "").removeprefix("W/") == document.etag:
        return Response(status_code=304, headers=headers)
    if not accepts_gzip(request.headers.raw):
        return Response(document.content, headers=headers, media_type=JSON_TYPE)
    headers["Content-Encoding"] = "gzip"
    return Response(document.compressed, headers=headers, media_type=JSON_TYPE)
