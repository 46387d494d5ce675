"""Attack 5: nobody in this very process is refused, whatever client and base URL."""

import asyncio
from collections.abc import Iterator
from types import ModuleType

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from scriptrunner.settings import load_settings
from scriptrunner.web.app import create_app
from tests.server import find_free_port

BASES = [
    "http://test",
    "http://testserver:8000",
    "http://example.org",
    "http://localhost",
    "http://127.0.0.1",
    "http://[::1]:8000",
]


def list_clients() -> list[ModuleType]:
    """httpx, and its successor where it is installed."""
    try:
        import httpx2  # noqa: PLC0415 - may be missing
    except ImportError:
        return [httpx]
    return [httpx, httpx2]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    tmp_path = tmp_path_factory.mktemp("in-process")
    settings = load_settings(
        {
            "WEBAPI_RUN_DB": str(tmp_path / "data" / "runs.db"),
            "WEBAPI_ALLOWED_ROOT": str(tmp_path),
            "WEBAPI_LINGER": "0",
        }
    )
    made = create_app(settings)
    yield made
    made.state.runtime.close()


def assert_local(me: dict[str, object]) -> None:
    assert (me["principal"], me["role"], me["local"]) == ("local", "admin", True)


@pytest.mark.parametrize("base", BASES)
def test_test_client_is_local_with_any_base(app: FastAPI, base: str) -> None:
    client = TestClient(app, base_url=base)

    assert_local(client.get("/api/me").json())
    assert client.request("DELETE", "/api/runs", json=[]).json()["deleted"] == 0


def test_test_client_is_local_with_lifespan(app: FastAPI) -> None:
    with TestClient(app) as client:
        assert_local(client.get("/api/me").json())


@pytest.mark.parametrize("library", list_clients(), ids=lambda each: each.__name__)
@pytest.mark.parametrize("base", BASES)
def test_asgi_transport_is_local_with_any_base(
    app: FastAPI, library: ModuleType, base: str
) -> None:
    async def ask() -> None:
        transport = library.ASGITransport(app=app)
        async with library.AsyncClient(transport=transport, base_url=base) as client:
            assert_local((await client.get("/api/me")).json())
            answer = await client.request("DELETE", "/api/runs", json=[])
            assert answer.json()["deleted"] == 0

    asyncio.run(ask())


def test_base_with_a_port_where_nobody_listens_is_in_process(app: FastAPI) -> None:
    base = f"http://127.0.0.1:{find_free_port()}"

    async def ask() -> int:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            answer = await client.request("DELETE", "/api/runs", json=[])
        return answer.status_code

    assert asyncio.run(ask()) == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"X-Forwarded-For": "127.0.0.1"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer nonsense"}, 401),
    ],
)
def test_attacks_are_seen_in_process_too(
    app: FastAPI, headers: dict[str, str], status: int
) -> None:
    answer = TestClient(app).request("DELETE", "/api/runs", json=[], headers=headers)

    assert answer.status_code == status
