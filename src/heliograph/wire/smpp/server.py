"""The SMSC's end of SMPP on asyncio: accepts binds, takes submit_sm, sends deliver_sm."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.client import Link
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.session import DEFAULTS, Role, Settings

Authorise = Callable[[str, str, int], int]
"""(system_id, password, command id of the bind) to the status of the answer; 0 accepts."""

OnEvent = Callable[["ServerLink", ev.Event], None]
"""What is told, and on which connection."""


class ServerLink(Link):
    """One ESME connected to us."""

    role = Role.SMSC

    def __init__(self, server: "Server") -> None:
        super().__init__(server.settings, self._told)
        self._server = server
        self.system_id = ""
        """The name the ESME is bound under; empty before."""
        self.bind_kind = 0
        """The command id of its bind; 0 before."""

    def deliver(self, message: ShortMessage, context: Any = None) -> int:
        """Send a receipt or an inbound message; DeliverAnswered brings the context back.

        Raises LocalProtocolError: not bound as receiver, window full, or a value that does not fit.
        """
        return self.request(c.DELIVER_SM, message, context)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the connection stands."""
        super().connection_made(transport)
        self._server.links.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the connection has ended."""
        super().connection_lost(exc)
        self._server.links.discard(self)

    def _told(self, event: ev.Event) -> None:
        if isinstance(event, ev.BindArrived):
            self._decide(event)
        else:
            self._server.on_event(self, event)

    def _decide(self, event: ev.BindArrived) -> None:
        server, bind = self._server, event.bind
        status = server.authorise(bind.system_id, bind.password, event.command_id)
        if status == c.ESME_ROK:
            self.system_id, self.bind_kind = bind.system_id, event.command_id
        for told in self.session.answer_bind(event, status, server.system_id):
            server.on_event(self, told)


class Server:
    """A listening SMSC: who is connected, and what to do with what they send."""

    def __init__(
        self,
        authorise: Authorise,
        on_event: OnEvent,
        system_id: str = "heliograph",
        settings: Settings = DEFAULTS,
    ) -> None:
        self.authorise = authorise
        self.on_event = on_event
        self.system_id = system_id
        self.settings = settings
        self.links: set[ServerLink] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen, and return the port; 0 asks the system for a free one. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: ServerLink(self), host, port, ssl=tls)
        bound_to: int = self._listener.sockets[0].getsockname()[1]
        return bound_to

    async def close(self, within: float = 5.0) -> None:
        """Stop listening and unbind every ESME, within so many seconds."""
        if self._listener is not None:
            self._listener.close()
        await asyncio.gather(*(link.close(within) for link in tuple(self.links)))
