"""WebSockets as our HTTP server speaks them: uvicorn's protocol on the state machine of `websockets`, with what a
server that pushes to many needs besides: frames are written at once, a peer that reads nothing can be cut off."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

WIRE = "heliograph.wire"
"""Member of a scope's state: the `AppSocket`."""

HIGH_WATER = 64 * 1024  # bytes unread by a peer before writing waits
READ_AHEAD = 16  # messages of a peer that wait for us before nothing more is read


class AppSocket(WebSocketsSansIOProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        cast(asyncio.Transport, transport).set_write_buffer_limits(HIGH_WATER)
        self.app_state = {**self.app_state, WIRE: self}

    def write(self, text: str) -> bool:
        """Send a text now; False where it must wait for the peer to read, or the connection ends."""
        if not self.writable.is_set() or self.close_sent or self.disconnected or not self.handshake_complete:
            return False
        data = text.encode()
        size = len(data)
        # RFC 6455, 5.2: a final text frame, not masked
        if size < 126:
            head = struct.pack(">BB", 0x81, size)
        elif size < 65_536:
            head = struct.pack(">BBH", 0x81, 126, size)
        else:
            head = struct.pack(">BBQ", 0x81, 127, size)
        self.transport.write(head + data)
        return True

    def abort(self) -> None:
        """End the connection without waiting for what its peer has not read."""
        self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Hand over a message; reading pauses only when several wait."""
        few, self.read_paused = self.queue.qsize() < READ_AHEAD and not self.read_paused, True
        super().send_receive_event_to_app()  # it pauses reading unless that is done already
        if few:
            self.read_paused = False
        elif not self.close_sent:
            self.transport.pause_reading()


logging.getLogger("websockets").setLevel(logging.WARNING)  # it logs frames, and with them what people write
