"""The ESME's end of one SMPP connection on asyncio: a Session with a socket and a clock."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.codec import SubmitTemplate
from heliograph.wire.smpp.pdus import Bind, Body, ShortMessage
from heliograph.wire.smpp.session import DEFAULTS, Role, Session, Settings, State

TICK = 1.0
"""Seconds between two looks at the clock."""

BURST = 16  # submits written at once within a turn of the loop, so that the far end works on while we do
MAX_UNSENT = 4 * 1024 * 1024
"""Octets of answers that may wait for a peer that does not read, before it is cut off."""


BindOutcome = ev.Bound | ev.BindRefused | ev.Closed
"""What can come of a bind."""


class Link(asyncio.Protocol):
    """One connection in either role: events go to a callback, writes of one loop turn go out together.

    The callback must not raise: the events that came with the one it failed on would be lost.
    """

    role = Role.ESME

    def __init__(self, settings: Settings, on_event: Callable[[ev.Event], None], tick: float = TICK) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = Session(self.role, self._loop.time(), settings)
        self.peer: tuple[Any, ...] = ()
        self.paused = False
        self.closed: ev.Closed | None = None
        """How the link ended, once it has."""
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._flush_due = False
        self._burst = 0
        self._tick = tick
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = self._last_call = False
        self._drained = asyncio.Event()
        self._ended = self._loop.create_future()

    @property
    def room(self) -> int:
        """How many requests may be sent now; 0 unless bound, while the network is paused, when closing."""
        return self.session.room if self.session.is_bound and not (self.paused or self._leaving) else 0

    def request(self, command_id: int, body: Body | None, context: Any = None) -> int:
        """Send a request of any kind and return its sequence number; raises LocalProtocolError."""
        sequence = self.session.request(command_id, body, self._loop.time(), context)
        self._flush_soon()
        return sequence

    def answer(self, command_id: int, sequence: int, status: int = c.ESME_ROK, message_id: str = "") -> bool:
        """Answer a request that arrived, now or later; False when the link is gone."""
        heard = self.session.answer(command_id, sequence, status, message_id)
        self._flush_soon()
        return heard

    def answer_with(self, command_id: int, sequence: int, body: Body | None, status: int = 0) -> bool:
        """Answer with a body of one's own making, as for query_sm; False when the link is gone."""
        heard = self.session.answer_with(command_id, sequence, body, status)
        self._flush_soon()
        return heard

    async def close(self, within: float = 5.0) -> None:
        """Wait for the answers still due, unbind and disconnect; after so many seconds just disconnect."""
        self._leaving = True
        try:
            async with asyncio.timeout(within):
                await self._leave()
        except TimeoutError:
            self.abort(f"not unbound within {within} s")

    def abort(self, reason: str) -> None:
        """Disconnect at once; unanswered requests are told in Closed."""
        self._handle(self.session.lost(reason))
        if self._transport is not None:
            self._transport.abort()

    async def _leave(self) -> None:
        if self.session.is_bound and self.session.pending:
            self._drained.clear()
            await self._drained.wait()
        if self.session.is_bound:
            self.session.unbind(self._loop.time())
            self._flush_soon()
        elif self.session.state is State.OPEN:
            self._handle(self.session.lost("closed before it was bound"))
        await asyncio.shield(self._ended)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the connection stands."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self.peer = transport.get_extra_info("peername") or ()
        self._timer = self._loop.call_later(self._tick, self._on_tick)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio with bytes of the peer."""
        self._handle(self.session.receive_data(data, self._loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio when the connection has ended, for whatever reason."""
        if self._timer is not None:
            self._timer.cancel()
        reason = f"connection lost: {exc}" if exc else "the peer disconnected"
        self._handle(self.session.lost(reason, by_peer=exc is None))
        if not self._ended.done():
            self._ended.set_result(None)

    def pause_writing(self) -> None:
        """Called by asyncio when too much waits to be written."""
        self.paused = True
        self._on_event(ev.Paused())

    def resume_writing(self) -> None:
        """Called by asyncio when the peer reads again."""
        self.paused = False
        self._on_event(ev.Resumed())
        self._flush_soon()

    def _handle(self, events: list[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.Closed):
                self.closed = event
            self._on_event(event)
        if not self.session.pending:
            self._drained.set()
        if self.session.has_output or self.closed:
            self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        self._burst = 0
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self.session.has_output:
            transport.write(self.session.data_to_send())
        if self.session.state is State.CLOSED:
            transport.close()
        elif self.paused and transport.get_write_buffer_size() > MAX_UNSENT:
            self.abort("the peer does not read")

    def _on_tick(self) -> None:
        self._timer = self._loop.call_later(self._tick, self._on_tick)
        self._handle(self.session.tick(self._loop.time()))
        if self._last_call and self._transport is not None:
            self._transport.abort()  # a dead peer takes no last bytes, and close() would wait for that
        self._last_call = self.session.state is State.CLOSED


class Client(Link):
    """One bind to an SMSC. It does not reconnect: Closed is its last event."""

    _bind_outcome: asyncio.Future[BindOutcome] | None = None

    async def bind(self, bind: Bind, command_id: int = c.BIND_TRANSCEIVER) -> BindOutcome:
        """Bind and wait for what comes of it: bound, refused with a status, or the link gone."""
        if self.closed:
            return self.closed
        self._bind_outcome = self._loop.create_future()
        self.session.bind(command_id, bind, self._loop.time())
        self._flush_soon()
        return await self._bind_outcome

    def submit(self, message: ShortMessage, context: Any = None) -> int:
        """Send a submit_sm; its SubmitAnswered brings the context back. Raises LocalProtocolError."""
        return self.request(c.SUBMIT_SM, message, context)

    def submit_template(self, template: SubmitTemplate, destination: str, context: Any = None) -> int:
        """Send a ready-made submit_sm to one destination, the fast way. Raises LocalProtocolError."""
        sequence = self.session.submit_template(template, destination, self._loop.time(), context)
        self._burst += 1
        if self._burst >= BURST:
            self._flush()
        elif not self._flush_due:
            self._flush_soon()
        return sequence

    def _handle(self, events: list[ev.Event]) -> None:
        waiting = self._bind_outcome
        if waiting is not None and not waiting.done():
            for event in events:
                if isinstance(event, BindOutcome):
                    waiting.set_result(event)
                    break
        super()._handle(events)


async def connect(
    host: str,
    port: int,
    on_event: Callable[[ev.Event], None],
    *,
    tls: ssl.SSLContext | None = None,
    settings: Settings = DEFAULTS,
    within: float = 10.0,
) -> Client:
    """Connect to an SMSC within so many seconds; the caller binds next.

    Raises OSError (of which TimeoutError and ssl.SSLError are kinds).
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(within):
        _, client = await loop.create_connection(lambda: Client(settings, on_event), host, port, ssl=tls)
    return client
