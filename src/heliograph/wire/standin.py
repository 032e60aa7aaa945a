"""What a simulator is to those who run it, and the HTTP server that most of them speak through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import uvicorn

from heliograph.model.channel import Peer

STOP_SECONDS = 2
TICK_SECONDS = 0.1  # as uvicorn has it


class StandIn(Protocol):
    """A stand-in of a far end: speaks the provider's own protocol on a port."""

    async def start(self) -> Peer:
        """Listen, and say where; port 0 asks the system for a free one. Raises OSError."""

    async def stop(self) -> None:
        """Stop listening."""


@dataclass(frozen=True, slots=True)
class StandInKind:
    """One simulator of a channel: its name, the port it takes by default, and how to make it for `(host, port, url)`,
    the URL being the platform's own, where a provider would be told to call back."""

    name: str
    port: int
    make: Callable[[str, int, str], StandIn]


class HttpServer(uvicorn.Server):
    """An HTTP/1.1 server that leaves signals to others."""

    def __init__(self, app: Any, **settings: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", interface="asgi3", http="httptools",
                loop="none", server_header=False, proxy_headers=False, **{"ws": "none", **settings},
            )
        )  # fmt: skip
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Serve what is under way and no more."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """As uvicorn's, but over as soon as it is told to end."""
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but first it takes in nobody any more: whom asyncio has accepted and given no transport yet
        when a server closes would have neither an answer nor an end."""
        loop = asyncio.get_running_loop()
        for listener in sockets or ():
            loop.remove_reader(listener)
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured here."""
        yield


class HttpStandIn:
    """A simulator that is an ASGI application."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self.app = app
        self._address = (host, port)
        self._server: HttpServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> Peer:
        """See `StandIn`."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self._address)
        except OSError:
            listener.close()
            raise
        self._server = HttpServer(self.app, timeout_graceful_shutdown=STOP_SECONDS)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0.005)
        return Peer(self._address[0], listener.getsockname()[1])

    async def stop(self) -> None:
        """See `StandIn`."""
        if self._server is not None and self._serving is not None:
            self._server.end()
            await self._serving
