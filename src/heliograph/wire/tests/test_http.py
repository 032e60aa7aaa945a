"""The client over real loopback connections: answers, pooling, limits, deadlines and the guard."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from heliograph.wire.http import Client, HttpError

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
CHUNKED = b"HTTP/1.1 201 C\r\ntransfer-encoding: chunked\r\n\r\n"
Script = Callable[["Far", asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@dataclass
class Far:
    """A scripted far end: `script` meets each request; what came is kept."""

    script: Script
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dr"

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                self.requests.append(head + await reader.readexactly(length))
                await self.script(self, reader, writer, number)
        writer.close()


@contextlib.asynccontextmanager
async def far(script: Script | bytes) -> AsyncIterator[Far]:
    async def write(_: Far, __: asyncio.StreamReader, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.write(script)

    end = Far(write if isinstance(script, bytes) else script)
    server = await asyncio.start_server(end.meet, "127.0.0.1", 0)
    end.port = server.sockets[0].getsockname()[1]
    try:
        yield end
    finally:
        server.close()
        await asyncio.sleep(0)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(max_connections_per_origin=4, connect_timeout=1)
    yield client
    await client.close()


async def post(client: Client, end: Far | str, body: bytes = b"{}", **more):
    url = end if isinstance(end, str) else end.url
    timeout = more.pop("timeout", 5)
    headers, private = more.pop("headers", {}), more.pop("private", True)
    return await client.request("POST", url, headers, body, timeout, private, **more)


async def failure(client: Client, end: Far | str, **more) -> HttpError:
    with pytest.raises(HttpError) as caught:
        await post(client, end, **more)
    return caught.value


async def test_request_bytes_on_the_wire(client: Client) -> None:
    async with far(OK) as end:
        await post(client, end.url + "?a=b", b"{1}", headers={"content-type": "application/json"})
        assert end.requests == [
            b"POST /dr?a=b HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
            b"content-length: 3\r\n\r\n{1}" % end.port
        ]


@pytest.mark.parametrize(
    ("case", "wire", "status", "body"),
    [
        ("length", OK, 200, b"hi"),
        ("chunks", CHUNKED + b"2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nt: v\r\n\r\n", 201, b"hi!"),
        ("no body", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        ("error", b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 503, b""),
        (
            "redirect is not followed",
            b"HTTP/1.1 302 F\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
            302,
            b"",
        ),
        ("interim first", b"HTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + OK, 200, b"hi"),
        ("closing", b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi"),
        ("old protocol", b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", 200, b"hi"),
    ],
)
async def test_answers(client: Client, case: str, wire: bytes, status: int, body: bytes) -> None:
    async with far(wire) as end:
        for _ in range(2):
            answer = await post(client, end)
            assert (answer.status, answer.body, answer.cut) == (status, body, False)


async def test_a_body_without_length_ends_with_the_connection(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        writer.close()

    async with far(script) as end:
        assert (await post(client, end)).body == b"all of it"


async def test_repeated_headers_are_joined_and_names_lower_case(client: Client) -> None:
    async with far(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n") as end:
        assert (await post(client, end)).headers == {"x-a": "1, 2", "content-length": "0"}


async def test_head_has_no_body_whatever_the_length(client: Client) -> None:
    async with far(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n") as end:
        answer = await client.request("HEAD", end.url, {}, timeout=2, allow_private=True)
        assert (answer.status, answer.body) == (200, b"")


async def test_an_answer_arriving_byte_by_byte_is_read(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        for byte in OK:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async with far(script) as end:
        assert (await post(client, end)).body == b"hi"


async def test_the_connection_is_kept_for_the_next_call(client: Client) -> None:
    async with far(OK) as end:
        for _ in range(5):
            await post(client, end)
        assert end.connections == 1


async def test_no_more_connections_than_allowed_to_an_origin(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        await asyncio.sleep(0.01)
        writer.write(OK)

    async with far(script) as end:
        await asyncio.gather(*(post(client, end) for _ in range(20)))
        assert end.connections == 4
        assert len(end.requests) == 20


async def test_waiting_for_a_connection_counts_towards_the_timeout(client: Client) -> None:
    async def script(*_: object) -> None:
        await asyncio.sleep(5)

    async with far(script) as end:
        calls = [asyncio.create_task(failure(client, end, timeout=0.4)) for _ in range(4)]
        await asyncio.sleep(0.05)
        error = await failure(client, end, timeout=0.1)
        assert (error.kind, error.detail) == ("timeout", "no connection became free in time")
        assert {(await call).kind for call in calls} == {"timeout"}


async def test_a_stale_kept_connection_is_replaced_once(client: Client) -> None:
    async def script(end: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if number == 1 and len(end.requests) == 2:
            writer.transport.abort()  # dies just as the second request comes
        else:
            writer.write(OK)

    async with far(script) as end:
        assert [(await post(client, end)).status for _ in range(2)] == [200, 200]
        assert (end.connections, len(end.requests)) == (2, 3)


async def test_what_must_be_written_once_is_not_written_again_on_a_fresh_connection(client: Client) -> None:
    async def script(end: Far, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        if len(end.requests) == 2:
            writer.transport.abort()
        else:
            writer.write(OK)

    async with far(script) as end:
        await post(client, end, once=True)
        error = await failure(client, end, once=True)
        assert (error.kind, error.written, len(end.requests)) == ("closed", True, 2)


async def test_a_call_that_never_went_out_says_so(client: Client) -> None:
    async with far(OK) as end:
        url = end.url
    error = await failure(client, url)

    assert (error.kind, error.written) == ("connect", False)


async def test_a_call_that_is_not_answered_in_time_says_that_it_went_out(client: Client) -> None:
    async def script(_: Far, __, ___, ____: int) -> None:
        await asyncio.sleep(5)

    async with far(script) as end:
        error = await failure(client, end, timeout=0.1)

        assert (error.kind, error.written) == ("timeout", True)


async def test_a_fresh_connection_that_closes_is_not_tried_again(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.close()

    async with far(script) as end:
        assert (await failure(client, end)).kind == "closed"
        assert len(end.requests) == 1


async def test_a_kept_connection_that_closes_within_the_answer_is_not_tried_again(client: Client) -> None:
    async def script(end: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.write(OK if len(end.requests) == 1 else OK[:20])
        if len(end.requests) > 1:
            writer.close()

    async with far(script) as end:
        await post(client, end)
        assert (await failure(client, end)).kind == "closed"
        assert len(end.requests) == 2


@pytest.mark.parametrize("rest", [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"HTTP/1.1 2", b"\x00garbage"])
async def test_bytes_behind_an_answer_are_never_taken_for_the_next_one(client: Client, rest: bytes) -> None:
    async with far(OK + rest) as end:
        for _ in range(2):
            assert (await post(client, end)).body == b"hi"
        assert end.connections == 2


async def test_an_answer_nobody_asked_for_ends_the_connection(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.write(OK)
        await asyncio.sleep(0.02)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil")

    async with far(script) as end:
        await post(client, end)
        await asyncio.sleep(0.06)
        assert (await post(client, end)).body == b"hi"


async def test_of_a_long_body_64_kib_are_kept_and_the_rest_is_not_awaited(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        writer.write(CHUNKED)
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            await writer.drain()

    async with far(script) as end:
        answer = await post(client, end)
        assert (answer.status, len(answer.body), answer.cut) == (201, 64 * 1024, True)


async def test_a_body_of_exactly_64_kib_is_whole(client: Client) -> None:
    async with far(b"HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n" + b"x" * 65536) as end:
        answer = await post(client, end)
        assert (len(answer.body), answer.cut) == (65536, False)


@pytest.mark.parametrize(
    ("case", "wire"),
    [
        ("no HTTP", b"SSH-2.0-OpenSSH\r\n"),
        ("long header", b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000),
        ("many headers", b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 9_000),
        ("length twice", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        (
            "length and chunks",
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("bad chunk", CHUNKED + b"zz\r\n"),
        ("upgrade", b"HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nxx"),
        ("long trailers", CHUNKED + b"0\r\n" + b"t: v\r\n" * 20_000),
        ("interim for ever", b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000),
    ],
)
async def test_no_valid_answer(client: Client, case: str, wire: bytes) -> None:
    async with far(wire) as end:
        assert (await failure(client, end, timeout=2)).kind == "protocol"


async def test_a_hanging_endpoint_ends_with_the_timeout(client: Client) -> None:
    async def script(*_: object) -> None:
        await asyncio.sleep(5)

    async with far(script) as end:
        started = asyncio.get_running_loop().time()
        error = await failure(client, end, timeout=0.2)
        assert (error.kind, error.detail) == ("timeout", "nothing came in time")
        assert asyncio.get_running_loop().time() - started < 1


async def test_a_slow_loris_ends_with_the_timeout(client: Client) -> None:
    async def script(_: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async with far(script) as end:
        error = await failure(client, end, timeout=0.3)
        assert (error.kind, error.detail) == ("timeout", "no complete answer came in time")


async def test_after_a_timeout_the_connection_is_not_used_again(client: Client) -> None:
    async def script(end: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        late = len(end.requests) == 1
        await asyncio.sleep(0.2 if late else 0)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate" if late else OK)

    async with far(script) as end:
        assert (await failure(client, end, timeout=0.1)).kind == "timeout"
        await asyncio.sleep(0.15)
        assert (await post(client, end)).body == b"hi"
        assert end.connections == 2


async def test_a_cancelled_call_gives_its_place_back(client: Client) -> None:
    async def script(end: Far, __, writer: asyncio.StreamWriter, ___: int) -> None:
        if len(end.requests) <= 4:
            await asyncio.sleep(5)
        writer.write(OK)

    async with far(script) as end:
        calls = [asyncio.create_task(post(client, end)) for _ in range(6)]
        await asyncio.sleep(0.05)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert [answer.status for answer in await asyncio.gather(*(post(client, end) for _ in range(4)))] == [200] * 4


async def test_idle_connections_are_closed_after_a_while() -> None:
    client = Client(idle_timeout=0.05)
    async with far(OK) as end:
        await post(client, end)
        await asyncio.sleep(0.15)
        await post(client, end)
        assert end.connections == 2
    await client.close()


async def test_nobody_listening_is_a_connect_error(client: Client) -> None:
    async with far(OK) as end:
        pass
    error = await failure(client, end)
    assert error.kind == "connect"


async def test_an_unknown_name_is_a_resolve_error() -> None:
    async def lookup(_: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    client = Client(lookup=lookup)
    error = await failure(client, "http://nowhere.example/")
    assert (error.kind, error.detail) == ("resolve", "the host was not found (Name or service not known)")
    await client.close()


async def test_a_hanging_look_up_ends_with_the_timeout() -> None:
    async def lookup(_: str) -> list[str]:
        await asyncio.sleep(5)
        return []

    client = Client(lookup=lookup)
    assert (await failure(client, "http://slow.example/", timeout=0.1)).kind == "timeout"
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await client.close()


async def test_many_callers_share_one_look_up_and_it_is_remembered() -> None:
    asked = []

    async def lookup(host: str) -> list[str]:
        asked.append(host)
        await asyncio.sleep(0.01)
        return ["127.0.0.1"]

    client = Client(lookup=lookup)
    async with far(OK) as end:
        url = f"http://many.example:{end.port}/"
        await asyncio.gather(*(post(client, url) for _ in range(5)))
        await post(client, url)
    assert asked == ["many.example"]
    await client.close()


async def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    async def lookup(_: str) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    client = Client(lookup=lookup)
    async with far(OK) as end:  # listens on 127.0.0.1 only
        assert (await post(client, f"http://two.example:{end.port}/")).status == 200
    await client.close()


@pytest.mark.parametrize(
    ("case", "host", "addresses"),
    [
        ("literal", "127.0.0.1", None),
        ("short literal", "127.1", None),
        ("number", "2130706433", None),
        ("hexadecimal", "0x7f.0.0.1", None),
        ("IPv6", "[::1]", None),
        ("mapped", "[::ffff:127.0.0.1]", None),
        ("localhost", "localhost", None),
        ("a name that leads to loopback", "evil.example", ["127.0.0.1"]),
        ("a name that leads to metadata", "evil.example", ["169.254.169.254"]),
        ("one private among public ones", "evil.example", ["8.8.8.8", "10.0.0.1"]),
    ],
)
async def test_refused_targets(case: str, host: str, addresses: list[str] | None) -> None:
    async def lookup(_: str) -> list[str]:
        return addresses or []

    client = Client(lookup=lookup) if addresses else Client()
    async with far(OK) as end:
        error = await failure(client, f"http://{host}:{end.port}/", private=False)
        assert error.kind == "refused_target"
        assert end.connections == 0
    await client.close()


async def test_a_connection_kept_for_one_who_may_does_not_serve_one_who_may_not(client: Client) -> None:
    async with far(OK) as end:
        await post(client, end)
        assert (await failure(client, end, private=False)).kind == "refused_target"


async def test_the_resolved_address_is_what_is_called_even_if_the_name_moves() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def lookup(_: str) -> list[str]:
        return answers.pop(0)

    client = Client(lookup=lookup)
    async with far(OK) as end:
        for _ in range(3):
            await post(client, f"http://rebind.example:{end.port}/")
    assert len(answers) == 1
    await client.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"x": "a\r\ny: b"},
        {"x": "a\nb"},
        {"x\r\ny": "a"},
        {"x": "a\x00"},
        {"x y": "a"},
        {"": "a"},
        {"x:": "a"},
        {"x": "☃"},
        {"Host": "evil"},
        {"content-length": "1"},
        {"Transfer-Encoding": "chunked"},
    ],
)
async def test_headers_cannot_smuggle(client: Client, headers: dict[str, str]) -> None:
    async with far(OK) as end:
        assert (await failure(client, end, headers=headers)).kind == "protocol"
        assert end.connections == 0


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\nx:", "PO ST"])
async def test_methods_cannot_smuggle(client: Client, method: str) -> None:
    with pytest.raises(HttpError) as caught:
        await client.request(method, "http://127.0.0.1:1/", {}, allow_private=True)
    assert caught.value.kind == "protocol"


async def test_too_long_a_request_is_refused(client: Client) -> None:
    assert (await failure(client, "http://127.0.0.1:1/", body=b"x" * (4 * 1024 * 1024 + 1))).kind == "protocol"
