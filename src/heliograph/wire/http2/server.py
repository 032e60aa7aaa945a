"""A small server for stand-ins of far ends: HTTP/2 and HTTP/1.1 on the same port, with or without TLS.

Over TLS the protocol is chosen by ALPN, without it by the first bytes (RFC 9113, 3.4).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import httptools
import msgspec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from heliograph.wire.http2.frames import goaway

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
BODY_LIMIT = 1024 * 1024
STREAMS = 1_000

_CONFIG = H2Configuration(
    client_side=False, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
)


class Call(msgspec.Struct, frozen=True):
    """A request: `path` with its query, names of headers in lower case; `certificate` is the client's (DER), `link`
    the connection's number."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    certificate: bytes = b""
    link: int = 0


class Reply(msgspec.Struct, frozen=True):
    """An answer, after so many seconds; `cut` drops the connection instead."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    after: float = 0.0
    cut: bool = False


Handler = Callable[[Call], "Reply | Awaitable[Reply | None] | None"]
"""Answers a call; None never does."""


class Server:
    """Listens, and hands calls to the handler. `streams` is how many at once a connection may have; it can be changed
    for one with `allow`."""

    def __init__(
        self, handler: Handler, host: str, port: int = 0, *, tls: ssl.SSLContext | None = None, streams: int = STREAMS
    ) -> None:
        self.handler = handler
        self.links: dict[int, Link] = {}
        self.streams = streams
        self.opened = 0
        self._address = (host, port)
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["h2", "http/1.1"])
        self._listener: asyncio.Server | None = None

    async def start(self) -> tuple[str, int]:
        """Listen, and say where. Raises OSError."""
        host, port = self._address
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Link(self), host, port, ssl=self._tls)
        return host, self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        if self._listener is not None:
            self._listener.close()
        for link in list(self.links.values()):
            link.abort()
        await asyncio.sleep(0)

    def allow(self, link: int, streams: int) -> None:
        """Let a connection have so many streams from now on."""
        if (found := self.links.get(link)) is not None:
            found.allow(streams)

    def goodbye(self, taken: int | None = None, data: bytes = b"") -> None:
        """Tell every client to leave: streams behind the `taken`-th of a connection (None: the last that came) are
        not looked at."""
        for link in list(self.links.values()):
            link.goodbye(taken, data)


class Link(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        server.opened += 1
        self.number = server.opened
        self.transport: asyncio.Transport
        self._server = server
        self._speaker: _Http1 | _Http2 | None = None
        self._first = b""
        self._tasks: set[asyncio.Task[None]] = set()
        self._certificate = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)
        self._server.links[self.number] = self
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self._certificate = secured.getpeercert(True) or b""
            self._speaker = _Http2(self) if secured.selected_alpn_protocol() == "h2" else _Http1(self)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._speaker is None:
            self._first += data
            if len(self._first) < len(PREFACE) and PREFACE.startswith(self._first):
                return
            self._speaker = _Http2(self) if self._first.startswith(PREFACE) else _Http1(self)
            data = self._first
        try:
            self._speaker.feed(data)
        except (ProtocolError, httptools.HttpParserError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._server.links.pop(self.number, None)
        for task in self._tasks:
            task.cancel()

    @property
    def streams(self) -> int:
        """How many streams a new connection may have."""
        return self._server.streams

    def abort(self) -> None:
        """Drop the connection."""
        self.transport.abort()

    def allow(self, streams: int) -> None:
        """See `Server`."""
        if isinstance(self._speaker, _Http2):
            self._speaker.allow(streams)

    def goodbye(self, taken: int | None, data: bytes) -> None:
        """See `Server`."""
        if isinstance(self._speaker, _Http2):
            self._speaker.goodbye(taken, data)

    def called(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, answer: Callable[[Reply], None]
    ) -> None:
        """A whole request came; `answer` writes the reply."""
        made = self._server.handler(Call(method, path, headers, body, self._certificate, self.number))
        if isinstance(made, Reply) and not made.after and not made.cut:
            answer(made)
        elif made is not None:
            task = asyncio.get_running_loop().create_task(self._answer(made, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, made: Reply | Awaitable[Reply | None], answer: Callable[[Reply], None]) -> None:
        reply = made if isinstance(made, Reply) else await made
        if reply is None:
            return
        if reply.after:
            await asyncio.sleep(reply.after)
        if reply.cut:
            self.abort()
        else:
            answer(reply)


class _Request:
    """What came of a request so far."""

    __slots__ = ("body", "headers")

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.body = b""


class _Http1:
    """Speaks HTTP/1.1, one request after the other."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._parser = httptools.HttpRequestParser(self)
        self._path = ""
        self._request = _Request()

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._path, self._request = "", _Request()

    def on_url(self, url: bytes) -> None:
        """Called by the parser."""
        self._path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        self._request.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self._request.headers.get("expect", "").lower() == "100-continue":
            self._link.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._request.body += body
        if len(self._request.body) > BODY_LIMIT:
            self._link.abort()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        method, request = self._parser.get_method().decode(), self._request
        self._link.called(method, self._path, request.headers, request.body, self._write)

    def _write(self, reply: Reply) -> None:
        lines = [f"HTTP/1.1 {reply.status} -", *(f"{name}: {value}" for name, value in reply.headers.items())]
        lines += [f"content-length: {len(reply.body)}", "", ""]
        self._link.transport.write("\r\n".join(lines).encode("latin-1") + reply.body)


class _Http2:
    """Speaks HTTP/2."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._h2 = H2Connection(_CONFIG)
        self._requests: dict[int, _Request] = {}
        self._unsent: dict[int, bytes] = {}
        self._came = 0
        self._last = 0
        self._until: int | None = None
        self._flushing = False
        self._h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: link.streams}
        )
        self._h2.initiate_connection()
        self._flush()

    def feed(self, data: bytes) -> None:
        """Bytes came."""
        for event in self._h2.receive_data(data):
            self._handle(event)
        self._flush()

    def allow(self, streams: int) -> None:
        """See `Server`."""
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})
        self._flush()

    def goodbye(self, taken: int | None, data: bytes) -> None:
        """The frame goes past the codec, which would count the connection as closed."""
        self._until = self._last if taken is None else 2 * taken - 1 if taken else 0
        self._flush()
        self._link.transport.write(goaway(self._until, 0, data))

    def _handle(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._came += 1
            self._last = event.stream_id
            request = self._requests[event.stream_id] = _Request()
            for name, value in event.headers:
                request.headers[name.decode("latin-1")] = value.decode("latin-1")
        elif isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if (found := self._requests.get(event.stream_id)) is not None:
                found.body += event.data
                if len(found.body) > BODY_LIMIT:
                    self._link.abort()
        elif isinstance(event, StreamEnded):
            self._called(event.stream_id)
        elif isinstance(event, StreamReset):
            self._requests.pop(event.stream_id, None)
            self._unsent.pop(event.stream_id, None)
        elif isinstance(event, WindowUpdated):
            for stream in list(self._unsent):
                self._send(stream)

    def _called(self, stream: int) -> None:
        request = self._requests.pop(stream, None)
        if request is None or (self._until is not None and stream > self._until):
            return
        headers = request.headers
        method, path = headers.pop(":method", ""), headers.pop(":path", "")
        self._link.called(method, path, headers, request.body, lambda reply: self._answer(stream, reply))

    def _answer(self, stream: int, reply: Reply) -> None:
        head = [(b":status", str(reply.status).encode())]
        head += [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        try:
            self._h2.send_headers(stream, head, end_stream=not reply.body)
        except ProtocolError:
            return  # the client gave the call up
        if reply.body:
            self._unsent[stream] = reply.body
            self._send(stream)
        self._flush_soon()

    def _send(self, stream: int) -> None:
        while body := self._unsent.get(stream):
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if size <= 0:
                return
            self._unsent[stream] = body[size:]
            self._h2.send_data(stream, body[:size], end_stream=len(body) <= size)
        self._unsent.pop(stream, None)

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if data := self._h2.data_to_send():
            self._link.transport.write(data)
