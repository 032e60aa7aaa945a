"""`/rt/{tenant}/{way}`: the WebSocket that apps hold. One coroutine per connection reads; writing needs another only
while there is something to write."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.types import Receive, Scope, Send

from heliograph.api.inapp.protocol import WIRE, AppSocket
from heliograph.realtime.doors import enter
from heliograph.realtime.frames import CLOSED, PROTOCOL, BadFrame, Close, Hello, read_frame
from heliograph.realtime.hub import Hub
from heliograph.realtime.rooms import Room, admits
from heliograph.realtime.saying import Sayings
from heliograph.realtime.session import Session

log = logging.getLogger(__name__)

RT_PATH = "/rt"
HELLO_SECONDS = 10.0
STRANGERS = 5_000  # connections that have not said hello yet
SLOW_SECONDS = 15.0  # for a peer to read what is written


Event = MutableMapping[str, Any]


class Connection:
    """The socket under a session."""

    def __init__(self, send: Send, wire: AppSocket | None) -> None:
        self._send = send
        self._wire = wire
        self.session: Session | None = None
        self.why: Close | None = None
        self._writing: asyncio.Task[None] | None = None
        self.reading: asyncio.Task[Any] | None = None

    def flush(self) -> None:
        """See `Line`."""
        session, wire = self.session, self._wire
        if self._writing is not None or session is None or self.why is not None:
            return
        if wire is not None:
            while session.out and wire.write(session.out[0]):
                session.out.popleft()
        if session.out:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        session = self.session
        try:
            while session is not None and session.out and self.why is None:
                text = session.out.popleft()
                async with asyncio.timeout(SLOW_SECONDS):
                    await self._send({"type": "websocket.send", "text": text})
        except TimeoutError:
            if session is not None:
                session.end(Close.TOO_SLOW)
            if self._wire is not None:
                self._wire.abort()
        except (OSError, RuntimeError):  # the peer is gone; whoever reads finds out
            if session is not None:
                session.out.clear()
        finally:
            self._writing = None

    def end(self, why: Close) -> None:
        """See `Line`."""
        self.why = why
        if self.reading is not None:
            self.reading.cancel()


class Socket:
    """The endpoint, an ASGI application for `websocket` scopes."""

    def __init__(self, hub: Hub, sayings: Sayings, clock: Callable[[], float] = time.time) -> None:
        self._hub = hub
        self._sayings = sayings
        self._clock = clock
        self._strangers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from its handshake to its end."""
        parameters = scope["path_params"]
        room = self._hub.rooms.get(f"{parameters['tenant']}/{parameters['way']}")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        await receive()  # websocket.connect
        if (
            self._strangers >= STRANGERS
            or room is None
            or not admits(room, headers.get(b"origin", ""), headers.get(b"host", ""))
        ):
            await send({"type": "websocket.close", "code": Close.NO_APP})  # before it is accepted: HTTP 403
            return
        subprotocol = PROTOCOL if PROTOCOL in scope.get("subprotocols", ()) else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        connection = Connection(send, scope.get("state", {}).get(WIRE))
        connection.reading = asyncio.current_task()
        why: Close | None = None
        try:
            why = await self._serve(room, connection, receive)
        except asyncio.CancelledError:
            if connection.why is None:
                raise
            why = connection.why
            if connection.reading is not None:
                connection.reading.uncancel()
        finally:
            connection.reading = None
            if connection.session is not None:
                connection.session.closed = True
                self._hub.leave(connection.session)
        if why is not None:
            await _close(send, why)

    async def _serve(self, room: Room, connection: Connection, receive: Receive) -> Close | None:
        """Until somebody ends it; why we do, None where the peer did."""
        self._strangers += 1
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                first = await receive()
        except TimeoutError:
            return Close.SILENT
        finally:
            self._strangers -= 1
        if first["type"] != "websocket.receive":
            return None
        try:
            hello = read_frame(first.get("text"))
        except BadFrame:
            return Close.BAD_FRAME
        if not isinstance(hello, Hello):
            return Close.BAD_FRAME
        if (refused := await enter(self._hub, room, hello, connection, self._clock())) is not None:
            return refused
        return await self._attend(connection, receive)

    async def _attend(self, connection: Connection, receive: Receive) -> Close | None:
        session = connection.session
        assert session is not None  # noqa: S101 - it has entered
        while connection.why is None:
            event = await receive()
            if event["type"] != "websocket.receive":
                return None
            try:
                await self._sayings.heard(session, read_frame(event.get("text")))
            except BadFrame:
                return Close.BAD_FRAME
        return connection.why


async def _close(send: Send, why: Close) -> None:
    try:
        async with asyncio.timeout(1.0):
            await send({"type": "websocket.close", "code": int(why), "reason": CLOSED[why]})
    except (OSError, TimeoutError, RuntimeError):  # it is gone already
        log.debug("a connection ended before it was closed")
