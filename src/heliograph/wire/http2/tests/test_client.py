"""The HTTP/2 client against our server, against one on bare frames, and our server against a foreign client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamEnded

from heliograph.wire.addresses import HttpError
from heliograph.wire.http2 import connection as connections
from heliograph.wire.http2.client import Client, NotTaken
from heliograph.wire.http2.frames import goaway
from heliograph.wire.http2.server import Call, Handler, Reply, Server

HEADERS = {"x-name": "value"}


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[tuple[Server, str]]:
    server = Server(handler, "127.0.0.1", **options)
    host, port = await server.start()
    try:
        yield server, f"http://{host}:{port}"
    finally:
        await server.stop()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that only does what `talk` does."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
            await reader.read()
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(one, "127.0.0.1", ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(answer: Callable[[H2Connection, int], None], came: list[int]) -> Talk:
    """Answers each stream its own way, on the bare codec; `came` are the streams that came."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        codec = H2Connection(H2Configuration(client_side=False))
        codec.initiate_connection()
        writer.write(codec.data_to_send())
        while data := await reader.read(65_536):
            for event in codec.receive_data(data):
                if isinstance(event, RequestReceived):
                    came.append(event.stream_id)
                elif isinstance(event, StreamEnded):
                    answer(codec, event.stream_id)
            writer.write(codec.data_to_send())

    return talk


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    await made.close()


async def post(client: Client, url: str, body: bytes = b"hi", **more: Any) -> Any:
    return await client.request("POST", f"{url}/path?x=1", HEADERS, body, allow_private=True, **more)


async def test_a_call_and_its_answer_arrive_whole(client: Client) -> None:
    seen: list[Call] = []

    def handler(call: Call) -> Reply:
        seen.append(call)
        return Reply(201, {"x-echo": call.headers["x-name"]}, call.body[::-1])

    async with serving(handler) as (_, url):
        answer = await post(client, url, b"abc")

    assert (answer.status, answer.headers["x-echo"], answer.body) == (201, "value", b"cba")
    assert (seen[0].method, seen[0].path, seen[0].headers["content-length"]) == ("POST", "/path?x=1", "3")


async def test_many_calls_share_one_connection(client: Client) -> None:
    async with serving(lambda call: Reply(200, {}, call.body, after=0.05)) as (server, url):
        answers = await asyncio.gather(*(post(client, url, b"%d" % number) for number in range(200)))

    assert [answer.body for answer in answers] == [b"%d" % number for number in range(200)]
    assert server.opened == 1


async def test_more_calls_than_a_connection_takes_open_another_and_then_wait(client: Client) -> None:
    most = busy = 0

    async def handler(call: Call) -> Reply:
        nonlocal most, busy
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.02)
        busy -= 1
        return Reply()

    async with serving(handler, streams=5) as (server, url):
        answers = await asyncio.gather(*(post(client, url) for _ in range(100)))

    assert {answer.status for answer in answers} == {200}
    assert (server.opened, most) == (4, 20)


async def test_a_careful_client_opens_one_stream_until_it_was_let_in() -> None:
    most = busy = 0
    refusing = True

    async def handler(call: Call) -> Reply:
        nonlocal most, busy
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        return Reply(403 if refusing else 200)

    client = Client(careful=True)
    async with serving(handler) as (server, url):
        await asyncio.gather(*(post(client, url) for _ in range(10)))
        assert (server.opened, most) == (1, 1)
        refusing = False
        await asyncio.gather(*(post(client, url) for _ in range(10)))
        assert (server.opened, most) == (1, 9)
    await client.close()


async def test_bodies_larger_than_the_window_go_in_pieces(client: Client) -> None:
    sizes: list[int] = []

    def handler(call: Call) -> Reply:
        sizes.append(len(call.body))
        return Reply(200, {}, b"y" * 100_000)

    async with serving(handler) as (_, url):
        answers = await asyncio.gather(*(post(client, url, b"x" * 200_000) for _ in range(3)))

    assert sizes == [200_000] * 3
    assert {(len(answer.body), answer.cut) for answer in answers} == {(65_536, True)}


@pytest.mark.parametrize("body", [b"", b"hi"])
async def test_no_answer_in_time_is_a_timeout_and_harms_no_other_call(client: Client, body: bytes) -> None:
    async with serving(lambda call: None if call.headers["x-name"] == "value" else Reply()) as (_, url):
        with pytest.raises(HttpError, match="timeout"):
            await post(client, url, body, timeout=0.1)
        answer = await client.request("POST", url, {"x-name": "other"}, allow_private=True)

    assert answer.status == 200


async def test_private_addresses_are_refused_unless_they_are_allowed(client: Client) -> None:
    async with serving(lambda call: Reply()) as (server, url):
        with pytest.raises(HttpError, match="refused_target"):
            await client.request("POST", url, {})

    assert server.opened == 0


async def test_nobody_listening_is_said_to_all_who_wait(client: Client) -> None:
    async with serving(lambda call: Reply()) as (_, url):
        pass
    failures = await asyncio.gather(*(post(client, url) for _ in range(5)), return_exceptions=True)

    assert [getattr(failure, "kind", "") for failure in failures] == ["connect"] * 5


async def test_a_connection_that_breaks_leaves_the_fate_of_its_calls_open(client: Client) -> None:
    async with serving(lambda call: Reply(cut=True)) as (_, url):
        with pytest.raises(HttpError, match="closed") as failure:
            await post(client, url)

    assert not isinstance(failure.value, NotTaken)


@pytest.mark.parametrize(
    "headers", [{"X-Upper": "a"}, {"x-line": "a\r\nb"}, {"host": "a"}, {"content-length": "1"}, {"": "a"}]
)
async def test_headers_that_could_forge_a_request_are_refused(client: Client, headers: dict[str, str]) -> None:
    with pytest.raises(HttpError, match="protocol"):
        await client.request("POST", "http://127.0.0.1:1/", headers, allow_private=True)


# Goodbyes


async def test_calls_behind_a_goodbye_are_made_again_and_those_before_it_are_answered(client: Client) -> None:
    """Nothing is lost and nothing comes twice."""
    seen: list[bytes] = []
    told = asyncio.Event()

    async def handler(call: Call) -> Reply:
        seen.append(call.body)
        if call.link == 1:
            await told.wait()
        return Reply(200, {}, call.body)

    async with serving(handler) as (server, url):
        calls = [asyncio.create_task(post(client, url, b"%d" % number)) for number in range(10)]
        while len(seen) < 10:
            await asyncio.sleep(0.005)
        del seen[4:]  # the server did not look at those
        server.goodbye(taken=4)
        await asyncio.sleep(0.05)
        told.set()
        answers = await asyncio.gather(*calls)

    assert [answer.body for answer in answers] == [b"%d" % number for number in range(10)]
    assert sorted(seen) == [b"%d" % number for number in range(10)]
    assert server.opened == 2


async def test_a_far_end_that_only_says_goodbye_is_left_alone_after_some_tries(client: Client) -> None:
    """A stand-in on bare frames: settings, then GOAWAY for whatever comes."""
    opened = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        writer.write(b"\0\0\0\x04\0\0\0\0\0")  # SETTINGS, empty
        await reader.read(1000)
        await asyncio.sleep(0.02)
        await reader.read(1000)
        writer.write(goaway(0, 0, b'{"reason":"Shutdown"}'))

    async with talking(talk) as url:
        with pytest.raises(NotTaken) as failure:
            await post(client, url)

    assert failure.value.reason == "Shutdown"
    assert opened == 3


async def test_an_empty_last_frame_ends_an_answer_and_repeats_nothing(client: Client) -> None:
    """Some servers end a stream with an empty DATA frame; a client is known that sends the same again then."""

    def answer(codec: H2Connection, stream: int) -> None:
        codec.send_headers(stream, [(":status", "410"), ("content-type", "application/json")])
        codec.send_data(stream, b'{"reason":"Unregistered"}')
        codec.send_data(stream, b"", end_stream=True)

    came: list[int] = []
    async with talking(answering(answer, came)) as url:
        found = await post(client, url)

    assert (found.status, found.body) == (410, b'{"reason":"Unregistered"}')
    assert came == [1]


async def test_a_refused_stream_is_sent_again_and_a_reset_one_is_not(client: Client) -> None:
    def answer(codec: H2Connection, stream: int) -> None:
        if stream == 1:
            codec.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        elif stream == 3:
            codec.send_headers(stream, [(":status", "200")], end_stream=True)
        else:
            codec.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)

    came: list[int] = []
    async with talking(answering(answer, came)) as url:
        assert (await post(client, url)).status == 200
        with pytest.raises(HttpError, match="closed"):
            await post(client, url)

    assert came == [1, 3, 5]


async def test_what_is_no_http2_is_said_to_be_none(client: Client) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with talking(talk) as url:
        with pytest.raises(HttpError, match="protocol"):
            await post(client, url)


async def test_a_connection_that_answers_no_ping_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PING_SECONDS", 0.05)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\0\0\0\x04\0\0\0\0\0")

    async with talking(talk) as url:
        with pytest.raises(HttpError, match="ping"):
            await post(client, url, timeout=5)


async def test_a_call_that_is_cancelled_is_told_to_the_far_end_and_frees_its_place() -> None:
    client = Client(connections=1)
    async with serving(lambda call: None if call.body else Reply(), streams=1) as (_, url):
        hanging = asyncio.create_task(post(client, url))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(post(client, url, b"", timeout=5))
        hanging.cancel()
        assert (await waiting).status == 200
    await client.close()


# TLS, and other people's clients


def contexts(folder: Path, authority: Callable[[], tuple[str, str]]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate, both = authority()
    path = folder / "server.pem"
    path.write_text(both)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=certificate)


async def test_over_tls_the_protocol_is_agreed_on(tmp_path: Path, authority: Callable[[], tuple[str, str]]) -> None:
    server_side, client_side = contexts(tmp_path, authority)
    client = Client(tls=client_side)
    async with serving(lambda call: Reply(200, {}, call.body), tls=server_side) as (_, url):
        assert (await post(client, url.replace("http:", "https:"))).body == b"hi"
    await client.close()


async def test_a_far_end_without_http2_is_refused(tmp_path: Path, authority: Callable[[], tuple[str, str]]) -> None:
    server_side, client_side = contexts(tmp_path, authority)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    client = Client(tls=client_side)
    async with talking(talk, server_side) as url:
        with pytest.raises(HttpError, match="does not speak HTTP/2"):
            await post(client, url)
    await client.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, client: Client, authority: Callable[[], tuple[str, str]]
) -> None:
    server_side, _ = contexts(tmp_path, authority)
    async with serving(lambda call: Reply(), tls=server_side) as (_, url):
        with pytest.raises(HttpError, match="tls"):
            await post(client, url.replace("http:", "https:"))


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("secure", [False, True])
async def test_a_foreign_client_gets_the_same_answers_in_both_versions(
    tmp_path: Path, authority: Callable[[], tuple[str, str]], http2: bool, secure: bool
) -> None:
    server_side, client_side = contexts(tmp_path, authority)

    def echo(call: Call) -> Reply:
        return Reply(200, {"x-a": "b"}, call.body)

    async with (
        serving(echo, tls=server_side if secure else None) as (_, url),
        httpx.AsyncClient(http1=not http2, http2=http2, verify=client_side, trust_env=False) as foreign,
    ):
        for body in (b"one", b"two" * 30_000):
            answer = await foreign.post(url.replace("http:", "https:") if secure else url, content=body)
            assert (answer.content, answer.headers["x-a"]) == (body, "b")

    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
