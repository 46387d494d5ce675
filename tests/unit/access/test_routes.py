"""The table of permissions and the routes of the application are the same list."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from scriptrunner.access.protection import ANONYMOUS_PATHS
from scriptrunner.access.roles import PERMISSION_BY_ROUTE, Permission
from scriptrunner.web.app import create_app, route_names


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app()


def iter_routes(app: FastAPI) -> Iterator[APIRoute]:
    for context in iter_route_contexts(app.routes):
        assert isinstance(context.original_route, APIRoute), "a route of another kind"
        yield context.original_route


def test_every_route_has_a_permission_and_none_is_left_over(app: FastAPI) -> None:
    assert set(route_names(app)) == set(PERMISSION_BY_ROUTE)


def test_names_and_ways_are_unambiguous(app: FastAPI) -> None:
    ways = [
        (route.path, method)
        for route in iter_routes(app)
        for method in route.methods or ()
    ]

    assert len(set(route_names(app))) == len(route_names(app))
    assert len(set(ways)) == len(ways)


def test_what_anybody_may_do_is_what_anybody_reaches(app: FastAPI) -> None:
    open_paths = {
        route.path
        for route in iter_routes(app)
        if PERMISSION_BY_ROUTE[route.name] is Permission.ANYBODY
    }

    assert open_paths == ANONYMOUS_PATHS


def test_streams_are_known_by_the_end_of_their_path(app: FastAPI) -> None:
    streams = {
        route.path for route in iter_routes(app) if route.name.startswith("stream_")
    }

    assert streams == {"/api/stream", "/api/runs/{run_id}/logs/stream"}
    assert all(
        ("stream" in route.name) == route.path.endswith("/stream")
        for route in iter_routes(app)
    )
