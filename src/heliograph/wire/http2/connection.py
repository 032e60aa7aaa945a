"""One HTTP/2 connection of a client: many calls at once, each a stream with its own deadline."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from heliograph.wire.addresses import HttpError, Kind
from heliograph.wire.http2.frames import FrameTooLong, Goaway, Splitter
from heliograph.wire.http_connection import BODY_KEPT, Answer

PING_SECONDS = 30.0  # a connection that did not answer one ping when the next is due is dead
UNLIMITED = 1_000  # calls at once where the far end names no limit
REASON_BYTES = 256

Headers = Sequence[tuple[bytes, bytes]]

_CONFIG = H2Configuration(
    client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
)


class NotTaken(HttpError):
    """The far end did not look at the call: it may be made again elsewhere (RFC 9113, 8.7). `reason` is the word
    with which it said goodbye, if it did."""

    def __init__(self, detail: str, reason: str = "") -> None:
        super().__init__("closed", detail)
        self.reason = reason


class _Exchange:
    """A call under way."""

    __slots__ = ("body", "cut", "future", "headers", "started", "status", "timer", "unsent")

    def __init__(self, future: asyncio.Future[Answer], unsent: bytes, started: float) -> None:
        self.future = future
        self.unsent = unsent
        self.started = started
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.cut = False
        self.timer: asyncio.TimerHandle | None = None

    def begin(self, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """The head of the answer came."""
        for raw_name, raw_value in headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.status = int(self.headers.pop(":status", "0"))

    def take(self, data: bytes) -> None:
        """A piece of its body came."""
        room = BODY_KEPT - len(self.body)
        self.body += data[:room]
        self.cut = self.cut or len(data) > room

    def finish(self) -> None:
        """It is whole."""
        if not self.future.done():
            self.future.set_result(Answer(self.status, self.headers, self.body, self.cut))

    def fail(self, error: HttpError) -> None:
        """It will not come."""
        if not self.future.done():
            self.future.set_exception(error)


class Connection(asyncio.Protocol):
    """Carries exchanges. `changed` is called when there is room again, or never will be.

    With `careful` there is one stream until a first call was answered otherwise than by a refusal of who we are.
    """

    def __init__(self, address: str, changed: Callable[[], None], careful: bool = False) -> None:
        self.address = address
        self.draining = False  # takes no more calls
        self.reason = ""  # the far end's word for saying goodbye
        self.reserved = 0  # places given away whose calls did not start yet
        self.idle_since = 0.0
        self._changed = changed
        self.unproven = careful  # it still has to show that our credentials are taken
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()  # done once it said how many streams it takes
        self._h2 = H2Connection(_CONFIG)
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, _Exchange] = {}
        self._blocked: list[int] = []  # streams whose bodies wait for the far end's window
        self._limit = 1
        self._last_heard = 0.0
        self._ping_sent = False
        self._pinging: asyncio.TimerHandle | None = None
        self._flushing = False

    def room(self) -> int:
        """How many more calls may start."""
        if self.draining or not self.ready.done():
            return 0
        limit = 1 if self.unproven else self._limit
        return limit - len(self._streams) - self.reserved

    @property
    def in_use(self) -> int:
        """Calls under way."""
        return len(self._streams)

    async def exchange(self, headers: Headers, body: bytes, deadline: float) -> Answer:
        """Make a call and await its answer until `deadline` (loop time); raises HttpError."""
        loop = self._loop
        if self.draining:
            raise NotTaken("the connection was closed before the call was made", self.reason)
        future: asyncio.Future[Answer] = loop.create_future()
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, headers, end_stream=not body)
        except ProtocolError as error:  # no streams are left, say: nothing of it was written
            self.draining = True
            raise NotTaken(f"the connection takes no more calls ({type(error).__name__})") from None
        exchange = _Exchange(future, body, loop.time())
        self._streams[stream] = exchange
        exchange.timer = loop.call_at(deadline, self._expire, stream)
        if body:
            self._send_body(stream, exchange)
        self._flush_soon()
        try:
            return await future
        finally:
            exchange.timer.cancel()
            if self._streams.pop(stream, None) is not None:  # cancelled, or its time is over
                self._reset(stream)
            self._left()

    def close(self) -> None:
        """Drop the connection at once."""
        self.draining = True
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._h2.local_settings = Settings(client=True, initial_values={SettingCodes.ENABLE_PUSH: 0})
        self._h2.initiate_connection()
        self._last_heard = self.idle_since = self._loop.time()
        self._flush()
        self._pinging = self._loop.call_later(PING_SECONDS, self._ping)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._last_heard = self._loop.time()
        self._ping_sent = False
        try:
            frames, goodbyes = self._splitter.feed(data)
            for event in self._h2.receive_data(frames) if frames else ():
                self._handle(event)
        except (ProtocolError, FrameTooLong, ValueError) as error:  # a status that is no number is the last
            self._lose("protocol", f"the answer is no valid HTTP/2 ({type(error).__name__})")
            return
        for goodbye in goodbyes:
            self._leave(goodbye)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if isinstance(exc, ssl.SSLError):
            self._lose("tls", f"the TLS connection broke ({exc.reason or 'unknown reason'})")
        else:
            said = f"; the far end said {self.reason}" if self.reason else ""
            self._lose("closed", f"the connection was closed before the answer was complete{said}")

    # what came

    def _handle(self, event: Event) -> None:
        if isinstance(event, ResponseReceived):
            if (exchange := self._streams.get(event.stream_id)) is not None:
                exchange.begin(event.headers)
        elif isinstance(event, DataReceived):
            self._data(event)
        elif isinstance(event, StreamEnded):
            self._end(event.stream_id)
        elif isinstance(event, StreamReset):
            self._was_reset(event)
        elif isinstance(event, RemoteSettingsChanged):
            self._settings(event)
        elif isinstance(event, WindowUpdated):
            self._unblock()

    def _data(self, event: DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        if event.data and (exchange := self._streams.get(event.stream_id)) is not None:
            exchange.take(event.data)

    def _end(self, stream: int) -> None:
        exchange = self._streams.pop(stream, None)
        if exchange is None:
            return
        if exchange.unsent:  # answered before it was read whole (RFC 9113, 8.1): the rest is not wanted
            self._reset(stream)
        if self.unproven and exchange.status not in (401, 403):
            self.unproven = False
        exchange.finish()

    def _was_reset(self, event: StreamReset) -> None:
        exchange = self._streams.pop(event.stream_id, None)
        if exchange is None:
            return
        if event.error_code == ErrorCodes.REFUSED_STREAM:
            exchange.fail(NotTaken("the far end refused the stream"))
        else:
            exchange.fail(HttpError("closed", f"the far end reset the stream (code {event.error_code:d})"))

    def _settings(self, event: RemoteSettingsChanged) -> None:
        changed = event.changed_settings.get(SettingCodes.MAX_CONCURRENT_STREAMS)
        first = not self.ready.done()
        if changed is not None:
            self._limit = changed.new_value
        elif first:
            self._limit = UNLIMITED
        if first:
            self.ready.set_result(None)
        self._unblock()
        self._changed()

    def _leave(self, goodbye: Goaway) -> None:
        """The far end takes no more streams; those behind the last it looked at may be made again."""
        self.reason = _reason(goodbye.data) or self.reason
        detail = "the far end closes the connection" + (f" ({self.reason})" if self.reason else "")
        self.draining = True
        for stream in [stream for stream in self._streams if stream > goodbye.last]:
            self._streams.pop(stream).fail(NotTaken(detail, self.reason))
        self._close_if_idle()
        self._changed()

    # what goes

    def _send_body(self, stream: int, exchange: _Exchange) -> None:
        codec = self._h2
        while exchange.unsent:
            size = min(codec.local_flow_control_window(stream), codec.max_outbound_frame_size)
            if size <= 0:
                self._blocked.append(stream)
                return
            piece, exchange.unsent = exchange.unsent[:size], exchange.unsent[size:]
            codec.send_data(stream, piece, end_stream=not exchange.unsent)

    def _unblock(self) -> None:
        waiting, self._blocked = self._blocked, []
        for stream in waiting:
            if (exchange := self._streams.get(stream)) is not None:
                self._send_body(stream, exchange)

    def _flush_soon(self) -> None:
        """One write for all calls of this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        data = self._h2.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _reset(self, stream: int) -> None:
        try:
            self._h2.reset_stream(stream, ErrorCodes.CANCEL)
        except ProtocolError:
            return  # it is over on the far side
        self._flush_soon()

    # ends

    def _expire(self, stream: int) -> None:
        exchange = self._streams.get(stream)
        if exchange is None:
            return
        if self._last_heard <= exchange.started:  # not a word since: more than this call is lost
            self.draining = True
        exchange.fail(HttpError("timeout", "the far end did not answer in time"))

    def _ping(self) -> None:
        self._pinging = None
        if self._ping_sent:
            self._lose("closed", "the far end answers no ping")
            self.close()
            return
        self._h2.ping(b"heliogrf")
        self._ping_sent = True
        self._flush()
        self._pinging = self._loop.call_later(PING_SECONDS, self._ping)

    def _left(self) -> None:
        """A call ended."""
        self.idle_since = self._loop.time()
        self._close_if_idle()
        self._changed()

    def _close_if_idle(self) -> None:
        if self.draining and not self._streams and self._transport is not None:
            self._transport.close()

    def _lose(self, kind: Kind, detail: str) -> None:
        self.draining = True
        if self._pinging is not None:
            self._pinging.cancel()
            self._pinging = None
        if not self.ready.done():
            self.ready.set_exception(HttpError(kind, detail))
            self.ready.exception()  # whoever connects looks at it again, or went away
        streams, self._streams = self._streams, {}
        for exchange in streams.values():
            exchange.fail(HttpError(kind, detail))
        if self._transport is not None:
            self._transport.abort()
        self._changed()


def _reason(data: bytes) -> str:
    """The word of a goodbye: APNs writes the same JSON as in an answer."""
    try:
        found = msgspec.json.decode(data[:REASON_BYTES], type=dict[str, object]).get("reason")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return found[:64] if isinstance(found, str) and found.isprintable() else ""
