"""WebSockets as our HTTP server speaks them: uvicorn's protocol on the state machine of `websockets`, from which a
connection whose peer reads nothing can be cut off."""

from __future__ import annotations

import asyncio
import logging
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT = "heliograph.abort"
"""Member of a scope's state: ends the connection without waiting for what its peer has not read."""

HIGH_WATER = 64 * 1024  # bytes unread by a peer before writing waits


class AppSocket(WebSocketsSansIOProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        plain = cast(asyncio.Transport, transport)
        plain.set_write_buffer_limits(HIGH_WATER)
        self.app_state = {**self.app_state, ABORT: plain.abort}


logging.getLogger("websockets").setLevel(logging.WARNING)  # it logs frames, and with them what people write
