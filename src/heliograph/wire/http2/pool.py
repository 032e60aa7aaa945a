"""The connections of one origin, and who waits for a place on them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from heliograph.wire.addresses import HttpError
from heliograph.wire.http2.connection import Connection

IDLE_SECONDS = 900.0  # Apple asks for connections to be kept; a quarter of an hour of silence ends one

Connect = Callable[[tuple[str, ...], "Pool"], Awaitable[Connection]]


class Pool:
    """Opens connections as they are wanted, `most` at the same time, and hands out places in the order of asking.

    A place that was handed out is counted in `Connection.reserved` until its call starts.
    """

    def __init__(self, connect: Connect, most: int, careful: bool) -> None:
        self._connect = connect
        self._most = most
        self._careful = careful
        self._addresses: tuple[str, ...] = ()
        self._connections: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection]] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._closed = False

    def at_once(self, addresses: tuple[str, ...]) -> Connection | None:
        """A place on a connection to one of the addresses, if one is free and nobody waits for it."""
        if not self._waiting:
            for connection in self._connections:
                if connection.room() > 0 and connection.address in addresses:
                    connection.reserved += 1
                    return connection
        return None

    async def wait(self, addresses: tuple[str, ...], deadline: float) -> Connection:
        """A place, once there is one; raises HttpError when there is none in time or no way to connect."""
        loop = asyncio.get_running_loop()
        self._addresses = addresses
        self._tidy(loop.time())
        turn: asyncio.Future[Connection] = loop.create_future()
        self._waiting.append(turn)
        self._grow()
        try:
            async with asyncio.timeout_at(deadline):
                return await turn
        except TimeoutError:
            self._give_back(turn)
            raise HttpError("timeout", "no connection took the call in time") from None
        except asyncio.CancelledError:
            self._give_back(turn)
            raise

    def changed(self) -> None:
        """There may be room: those who wait longest get it; a connection that takes no more is forgotten."""
        if any(connection.draining for connection in self._connections):
            self._connections = [connection for connection in self._connections if not connection.draining]
        if not self._waiting:
            return
        for connection in self._connections:
            for _ in range(connection.room()):
                turn = self._next()
                if turn is None:
                    return
                connection.reserved += 1
                turn.set_result(connection)
        if self._waiting:
            self._grow()

    def close(self) -> None:
        """Close the connections; those who wait are told."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        for connection in self._connections:
            connection.close()
        self._refuse(HttpError("closed", "the client was closed"))

    def _next(self) -> asyncio.Future[Connection] | None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None

    def _give_back(self, turn: asyncio.Future[Connection]) -> None:
        """Whoever waited went away, maybe just when the place came."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            turn.result().reserved -= 1
            self.changed()

    def _tidy(self, now: float) -> None:
        """Let go of connections to addresses that the name has no more, and of those long idle."""
        for connection in self._connections:
            stale = connection.address not in self._addresses or now - connection.idle_since > IDLE_SECONDS
            if stale and not connection.in_use and not connection.reserved:
                connection.close()
        self._connections = [connection for connection in self._connections if not connection.draining]

    def _grow(self) -> None:
        if self._opening is not None or len(self._connections) >= self._most or self._closed:
            return
        if any(connection.unproven for connection in self._connections):
            return  # until our credentials are taken on one there is no use in another
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        try:
            connection = await self._connect(self._addresses, self)
        except HttpError as error:
            self._opening = None
            if not self._connections:
                self._refuse(error)
            return
        self._opening = None
        if self._closed:
            connection.close()
            return
        self._connections.append(connection)
        self.changed()

    def _refuse(self, error: HttpError) -> None:
        while (turn := self._next()) is not None:
            turn.set_exception(HttpError(error.kind, error.detail))
