"""Logging in and out with a browser: a form, a cookie, and redirects. No script needed."""

from urllib.parse import parse_qs

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from scriptrunner.access.cookies import (
    MalformedCookieError,
    find_cookie,
    format_cookie,
    format_removal,
)
from scriptrunner.access.facts import Facts, read_facts
from scriptrunner.access.models import UnknownTokenError
from scriptrunner.web.body import read_body, require_media_type
from scriptrunner.web.deps import Actor, ActorDep
from scriptrunner.web.login_page import clean_next, render_login

router = APIRouter(include_in_schema=False)

FORM_TYPE = "application/x-www-form-urlencoded"
#: Bytes of the form: a token and a path.
FORM_BYTES = 8 << 10
#: Sent as one file, so that strangers get the colours and nothing else.
STYLES = ("css/tokens.css", "css/login.css")


@router.get("/login", name="get_login_page")
async def get_login_page(request: Request) -> Response:
    """Show the form."""
    return _page(request, next_path=request.query_params.get("next", "/"))


@router.get("/login.css", name="get_login_style")
async def get_login_style(request: Request) -> Response:
    """The form's style sheet, which strangers may see too."""
    files = request.scope["state"]["assets"].current().files
    content = b"\n".join(files[name].content for name in STYLES)
    headers = {"Cache-Control": "no-cache"}
    return Response(content, media_type="text/css; charset=utf-8", headers=headers)


@router.post("/login", name="log_in")
async def log_in(request: Request, actor: ActorDep) -> Response:
    """Exchange a token for a cookie and go where the browser wanted to."""
    require_media_type(request, FORM_TYPE)
    fields = _parse(await read_body(request, limit_bytes=FORM_BYTES))
    next_path = fields.get("next", "/")
    try:
        cookie = await run_in_threadpool(
            actor.services.access.log_in,
            fields.get("token", ""),
            caller=actor.caller,
            request_id=actor.request_id,
        )
    except UnknownTokenError as error:
        page = _page(request, next_path=next_path, message=error.message, status=401)
        page.headers["WWW-Authenticate"] = "Bearer"
        return page
    facts = read_facts(request.scope)
    await _end_login(facts, actor)
    answer = RedirectResponse(
        clean_next(next_path, root_path=_root(request)), status_code=303
    )
    answer.headers["Set-Cookie"] = format_cookie(cookie, scheme=facts.scheme)
    return answer


@router.post("/logout", name="log_out")
async def log_out(request: Request, actor: ActorDep) -> Response:
    """Forget the login, on the server first."""
    facts = read_facts(request.scope)
    await _end_login(facts, actor)
    answer = RedirectResponse(f"{_root(request)}/login", status_code=303)
    answer.headers["Set-Cookie"] = format_removal(facts.scheme)
    return answer


async def _end_login(facts: Facts, actor: Actor) -> None:
    try:
        cookie = find_cookie(facts)
    except MalformedCookieError:
        return
    if cookie is not None:
        await run_in_threadpool(
            actor.services.access.log_out,
            cookie,
            caller=actor.caller,
            request_id=actor.request_id,
        )


def _parse(body: bytes) -> dict[str, str]:
    """Return the first value of each field; what is no form has none."""
    try:
        fields = parse_qs(body.decode("utf-8"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _page(
    request: Request, *, next_path: str, message: str = "", status: int = 200
) -> Response:
    page = render_login(root_path=_root(request), next_path=next_path, message=message)
    return Response(page, status_code=status, media_type="text/html; charset=utf-8")


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "").rstrip("/")
    return root
