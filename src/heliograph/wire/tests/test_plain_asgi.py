"""Applications that are one function, served by the server that simulators have."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from heliograph.wire import plain_asgi
from heliograph.wire.http import Client, HttpError, Limits
from heliograph.wire.plain_asgi import Asked, Reply, application, said
from heliograph.wire.standin import HttpStandIn


async def echo(asked: Asked) -> Reply:
    """Says what it was asked."""
    match asked.path:
        case "/cut":
            return Reply(200, b"half", cut=True)
        case "/silent":
            return Reply(silent=True)
        case "/long":
            return Reply(200, b"x" * 200_000)
    return said(
        [asked.method, asked.path, asked.query, asked.headers.get("x-one"), len(asked.body)], 201, (("a", "b"),)
    )


@pytest.fixture
async def url() -> AsyncIterator[str]:
    server = HttpStandIn(application(echo), "127.0.0.1", 0)
    yield (await server.start()).url()
    await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    found = Client(limits=Limits(answer=100_000, request=6_000_000))
    yield found
    await found.close()


async def test_a_request_is_whole(client: Client, url: str) -> None:
    answer = await client.request("POST", f"{url}/p?a=b%20c", {"X-One": "1"}, b"y" * 5_000_000, allow_private=True)

    assert (answer.status, answer.headers["a"]) == (201, "b")
    assert answer.body == b'["POST","/p",{"a":"b c"},"1",5000000]'


async def test_too_long_a_body_is_refused(client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_asgi, "BODY_LIMIT", 10)

    assert (await client.request("POST", url, {}, b"y" * 11, allow_private=True)).status == 413


@pytest.mark.parametrize(("path", "kind"), [("/cut", "closed"), ("/silent", "timeout")])
async def test_an_answer_can_fail_to_come(client: Client, url: str, path: str, kind: str) -> None:
    with pytest.raises(HttpError) as caught:
        await client.request("POST", url + path, {}, timeout=0.3, allow_private=True)

    assert (caught.value.kind, caught.value.written) == (kind, True)


async def test_of_an_answer_as_much_is_kept_as_the_client_was_made_for(client: Client, url: str) -> None:
    answer = await client.request("GET", f"{url}/long", {}, allow_private=True)

    assert (len(answer.body), answer.cut) == (100_000, True)


async def test_a_client_was_made_for_so_long_a_request(client: Client, url: str) -> None:
    with pytest.raises(HttpError):
        await client.request("POST", url, {}, b"y" * 6_000_001, allow_private=True)
