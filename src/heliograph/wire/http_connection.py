"""One HTTP/1.1 connection: a request written, its answer parsed under limits, then ready for the next."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

import httptools

from heliograph.wire.addresses import HttpError, Kind

BODY_KEPT = 64 * 1024
HEADERS_LIMIT = 32 * 1024

_BODYLESS = frozenset({204, 304})  # RFC 9110 6.4.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What the far end answered: header names in lower case, repeated ones joined by a comma. `cut` says that
    the body was longer than what is kept (64 KiB, where the client was not made for more)."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; `reusable` once a whole answer was read and it stays open."""

    def __init__(self, address: str, body_kept: int = BODY_KEPT) -> None:
        self.address = address
        self._body_kept = body_kept
        self.reusable = False
        self.used = 0
        self.idle_since = 0.0
        self.untouched = True  # nothing of the present answer was read
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._head_only = False
        self._begin()

    async def exchange(self, payload: bytes, head_only: bool, deadline: float) -> Answer:
        """Write a whole request and await its answer until `deadline` (loop time); raises HttpError."""
        transport = self._transport
        self.untouched = True
        if transport is None or transport.is_closing():
            raise HttpError("closed", "the connection was closed before the request was sent")
        self.reusable = False
        self.used += 1
        self._head_only = head_only
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting = waiting
        timer = self._loop.call_at(deadline, self._expire)
        transport.write(payload)
        try:
            return await waiting
        finally:
            timer.cancel()
            self._waiting = None

    def close(self) -> None:
        """Drop the connection at once; what is not written yet is lost."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclass

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self.untouched = False
        if self._unasked():
            self.close()
            return
        if not self._in_body:
            self._header_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("protocol", "the endpoint switched to another protocol")
        except httptools.HttpParserError as error:
            self._fail("protocol", f"the answer is no valid HTTP ({type(error).__name__})")
        if not self._in_body and self._header_bytes > HEADERS_LIMIT:
            self._fail("protocol", "the answer's headers are too long")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.reusable = False
        if self._in_body and self._until_close and exc is None:
            self._finish(reusable=False)
        elif isinstance(exc, ssl.SSLError):
            self._fail("tls", f"the TLS connection broke ({exc.reason or 'unknown reason'})")
        else:
            self._fail("closed", "the connection was closed before the answer was complete")

    # httptools callbacks

    def on_message_begin(self) -> None:
        """Called by the parser."""
        if self._unasked():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if self._in_body:  # trailers are read and dropped; they too are bounded
            self._trailer_bytes += len(name) + len(value)
            if self._trailer_bytes > HEADERS_LIMIT:
                self._fail("protocol", "the answer's trailers are too long")
            return
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self._status = self._parser.get_status_code()
        if self._status < 200:
            return
        self._in_body = True
        self._until_close = not self._framed()
        if self._head_only:  # RFC 9110 9.3.2: never a body, whatever the length says
            self._finish(reusable=False)

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        room = self._body_kept - self._body_bytes
        self._body.append(data if len(data) <= room else data[:room])
        self._body_bytes += len(data)
        if self._body_bytes > self._body_kept:
            self._cut = True
            self._finish(reusable=False)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._status < 200:  # RFC 9110 15.2: interim answers precede the final one
            self._headers.clear()
            return
        self._finish(reusable=self._parser.should_keep_alive())

    # inside

    def _begin(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_bytes = 0
        self._trailer_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._in_body = False
        self._until_close = False
        self._cut = False

    def _unasked(self) -> bool:
        """RFC 9112 9.2: an answer that nobody asked for makes the connection unusable."""
        return self._waiting is None or self._waiting.done()

    def _framed(self) -> bool:
        if self._status in _BODYLESS:
            return True
        return any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers)

    def _finish(self, reusable: bool) -> None:
        waiting = self._waiting
        if waiting is None or waiting.done():
            self.reusable = False
            return
        waiting.set_result(Answer(self._status, _joined(self._headers), b"".join(self._body), self._cut))
        self.reusable = reusable
        self._begin()
        if not reusable:
            self.close()

    def _expire(self) -> None:
        heard = "nothing" if self.untouched else "no complete answer"
        self._fail("timeout", f"{heard} came in time")

    def _fail(self, kind: Kind, detail: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(HttpError(kind, detail, written=True))
        self.close()


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        joined[key] = f"{joined[key]}, {text}" if key in joined else text
    return joined
