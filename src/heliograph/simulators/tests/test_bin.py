"""The webhook bin, served by a real server: what it keeps, checks, and how it misbehaves."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from heliograph.simulators.bin import Bins
from heliograph.wire.http import Client, HttpError
from heliograph.wire.signing import signed_headers


@pytest.fixture
async def base() -> AsyncIterator[str]:
    app = Starlette(routes=[Mount("/sim/bin", routes=Bins().routes())])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    server.install_signal_handlers = lambda: None
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/sim/bin"
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
async def http(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base + "/") as http:
        yield http


async def shown(http: httpx.AsyncClient, name: str = "a") -> dict:
    return (await http.get(name)).json()


async def test_what_was_sent_is_shown_newest_last(http: httpx.AsyncClient) -> None:
    for text in ("one", "zwei ü"):
        assert (await http.post("a", content=text.encode(), headers={"x-mine": text[:3]})).status_code == 200
    body = await shown(http)
    assert [(call["body"], call["headers"]["x-mine"]) for call in body["calls"]] == [
        ("one", "one"),
        ("zwei ü", "zwe"),
    ]
    assert abs(body["calls"][1]["at"] - time.time() * 1000) < 5000
    assert (body["name"], body["received"]) == ("a", 2)


async def test_bins_are_apart(http: httpx.AsyncClient) -> None:
    await http.post("a", content=b"x")
    assert (await shown(http, "b"))["calls"] == []


async def test_delete_empties_and_keeps_the_secret(http: httpx.AsyncClient) -> None:
    await http.put("a", json={"secret": "hush"})
    await http.post("a", content=b"x")
    assert (await http.delete("a")).status_code == 204
    await http.post("a", content=b"y", headers=signed_headers("hush", b"y", int(time.time())))
    assert [(call["body"], call["signature"]) for call in (await shown(http))["calls"]] == [("y", "valid")]


@pytest.mark.parametrize(
    ("told", "sent", "verdict"),
    [
        ("hush", "hush", "valid"),
        ("hush", "other", "invalid"),
        ("hush", None, "absent"),
        (None, "hush", "unchecked"),
    ],
)
async def test_signature_verdicts(http: httpx.AsyncClient, told: str | None, sent: str | None, verdict: str) -> None:
    await http.put("a", json={"secret": told} if told else {})
    await http.post("a", content=b"{}", headers=signed_headers(sent, b"{}", int(time.time())) if sent else {})
    assert (await shown(http))["calls"][0]["signature"] == verdict


async def test_a_status_for_the_next_calls(http: httpx.AsyncClient) -> None:
    await http.post("a/behave", json={"status": 500, "times": 2})
    assert [(await http.post("a", content=b"x")).status_code for _ in range(3)] == [500, 500, 200]
    assert [call["answered"] for call in (await shown(http))["calls"]] == [500, 500, 200]


async def test_a_status_for_all_calls_until_told_otherwise(http: httpx.AsyncClient) -> None:
    await http.put("a", json={"status": 503})
    assert [(await http.post("a", content=b"x")).status_code for _ in range(3)] == [503] * 3
    await http.put("a", json={})
    assert (await http.post("a", content=b"x")).status_code == 200


async def test_hanging(http: httpx.AsyncClient) -> None:
    await http.put("a", json={"hang": 0.2, "times": 1})
    started = time.monotonic()
    await http.post("a", content=b"x")
    assert 0.2 <= time.monotonic() - started < 2


async def test_a_dropped_connection_brings_no_answer(base: str, http: httpx.AsyncClient) -> None:
    await http.put("a", json={"drop": True, "times": 1})
    client = Client()
    with pytest.raises(HttpError) as caught:
        await client.request("POST", f"{base}/a", {}, b"x", allow_private=True)
    assert (caught.value.kind, (await shown(http))["calls"][0]["answered"]) == ("closed", 0)
    assert (await client.request("POST", f"{base}/a", {}, b"x", allow_private=True)).status == 200
    await client.close()


@pytest.mark.parametrize(
    "body", ['{"status": 99}', '{"hang": -1}', '{"times": -1}', '{"mode": "x"}', "[", '{"status": "x"}']
)
async def test_nonsense_is_refused_with_a_reason(http: httpx.AsyncClient, body: str) -> None:
    answer = await http.put("a", content=body.encode())
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


async def test_of_a_long_body_64_kib_are_kept(http: httpx.AsyncClient) -> None:
    await http.post("a", content=b"x" * 100_000)
    call = (await shown(http))["calls"][0]
    assert (len(call["body"]), call["cut"], call["signature"]) == (65536, True, "absent")


async def test_the_last_thousand_calls_are_kept(http: httpx.AsyncClient) -> None:
    for batch in range(13):
        await asyncio.gather(*(http.post("a", content=json.dumps(batch * 80 + n)) for n in range(80)))
    body = await shown(http)
    assert (len(body["calls"]), body["received"]) == (1000, 1040)


async def test_old_bins_make_room() -> None:
    bins = Bins()
    first = bins.get("first")
    for number in range(100):
        bins.get(str(number))
    assert bins.get("first") is not first


async def test_a_client_that_leaves_while_the_bin_hangs_disturbs_nothing(base: str, http: httpx.AsyncClient) -> None:
    await http.put("a", json={"hang": 0.2, "times": 1})
    client = Client()
    with contextlib.suppress(HttpError):
        await client.request("POST", f"{base}/a", {}, b"x", 0.05, allow_private=True)
    await client.close()
    await asyncio.sleep(0.25)
    assert (await http.post("a", content=b"x")).status_code == 200
