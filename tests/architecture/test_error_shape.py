"""Whatever goes wrong in the admin API is told in the one shape."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route

from heliograph import config
from heliograph.api.app import Endpoints, admin_routes
from heliograph.cli.data import Secrets
from heliograph.cli.platform import Platform
from heliograph.store.vault import new_secret

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "the-token-of-this-test"
RIGHT = {"authorization": f"Bearer {TOKEN}"}
SECONDS = 5.0

VALUES = ("x", "0", "-1", "1.1.1", "99999999999999999999.1.1", "01a20e8d-4cc1-7000-800f-326589786f56", "%00", "é")
QUERIES = (
    "limit=x", "limit=0", "limit=-1", "limit=99999999999999999999", "from=x", "from=99999999999999999999",
    "to=9999999999999999", "to=0", "code=9999", "code=x", "state=x", "cursor=x", "cursor=99999999999999999999.0",
    "cursor=1.99999999999999999999", "api=x", "plan=x",
)  # fmt: skip
BODIES = (
    b"", b"{", b"[]", b"nonsense", b"\xff", b'{"tenants": 1}', b'{"tenants": [{"id": ""}]}', b'{"more": 1}',
    b'{"tenants": [{"id": [1]}]}', b'{"tenants": [{"name": {}}]}', b'{"from": "x"}', b'{"to": true}',
    b'{"from": 99999999999999999999999}', b"[" * 5_000,
)  # fmt: skip


class Nothing:
    """Stands for any part of the endpoints while only their paths are asked for."""

    def __getattr__(self, name: str) -> Any:
        return Nothing()


def admin_calls() -> list[tuple[str, str]]:
    """Every method and path of the admin API."""
    endpoints = cast(Endpoints, Nothing())
    routes = [route for route in admin_routes(endpoints) if isinstance(route, Route)]
    return [(method, route.path) for route in routes for method in sorted((route.methods or set()) - {"HEAD"})]


CALLS = admin_calls()
WHOLE = [(method, path) for method, path in CALLS if not path.endswith("/tail")]  # a stream has no end to wait for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """A platform that sends nothing. No call here changes what it answers to the next."""
    settings = config.load({"DATA": str(tmp_path_factory.mktemp("data")), "ROLES": "api"}, {})
    made = Platform(settings, Secrets(TOKEN, new_secret(), made=False))
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sees answers, not exceptions."""
    transport = httpx.ASGITransport(platform.surface.app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://heliograph") as made:
        yield made


def check(answer: httpx.Response, ours: bool = False) -> None:
    """A success, or an error of the one shape; a fault of `ours` only where one was made."""
    assert (answer.status_code == 500) == ours
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/json", answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert {"key", "message", "field"} <= set(error) <= {"key", "message", "field", "faults"}
    assert all(isinstance(error[name], str) for name in ("key", "message", "field"))
    assert error["key"]
    assert error["message"]


async def call(client: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    """One call that must end."""
    async with asyncio.timeout(SECONDS):
        return await client.request(method, f"/{path.lstrip('/')}", headers=RIGHT, **more)


def filled(path: str, value: str) -> str:
    """The path with its parameters."""
    for name in ("tenant", "transid", "id", "name:path", "service", "key"):
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_a_call_without_the_token_is_refused(client: httpx.AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"key": TOKEN}):
        answer = await client.request(method, filled(path, "x"), headers=headers)

        assert answer.status_code == 401
        check(answer)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("method", "path"), [one for one in WHOLE if "{" in one[1]])
async def test_any_path(client: httpx.AsyncClient, method: str, path: str, value: str) -> None:
    check(await call(client, method, filled(path, value)))


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", [path for method, path in WHOLE if method == "GET"])
async def test_any_query(client: httpx.AsyncClient, path: str, query: str) -> None:
    check(await call(client, "GET", f"{filled(path, 'x')}?{query}"))


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:24]))
@pytest.mark.parametrize(("method", "path"), [one for one in WHOLE if one[0] in ("PUT", "POST")])
async def test_any_body(client: httpx.AsyncClient, method: str, path: str, body: bytes, kind: str) -> None:
    async with asyncio.timeout(SECONDS):
        answer = await client.request(
            method, filled(path, "1.1.1"), headers={**RIGHT, "content-type": kind}, content=body
        )

    check(answer)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_path_that_is_not_there(client: httpx.AsyncClient, method: str) -> None:
    answer = await call(client, method, "/admin/v1/nothing")

    assert answer.status_code == 404
    check(answer)


@pytest.mark.parametrize("path", sorted({path for _, path in CALLS}))
async def test_a_method_that_is_not_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await call(client, "PATCH", filled(path, "x"))

    assert answer.status_code == 405
    check(answer)


async def test_a_fault_of_ours(
    client: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> dict[int, int]:
        raise RuntimeError("the store is broken in this test")

    monkeypatch.setattr(platform.store, "counts", broken)

    answer = await call(client, "GET", "/admin/v1/stats")

    check(answer, ours=True)
