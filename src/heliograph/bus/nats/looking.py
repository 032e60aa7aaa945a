"""A look at a broker: whether it is there and can keep work."""

from __future__ import annotations

import time
from typing import NamedTuple

from nats.errors import Error

from heliograph.bus.nats.connection import BusAway, Connection, Servers
from heliograph.bus.nats.work import API_SECONDS


class Seen(NamedTuple):
    """What was found: the server's version, how long a question took, whether JetStream is switched on for us."""

    version: str
    milliseconds: float
    keeps: bool


async def look_at(servers: Servers) -> Seen:
    """See whether a broker is there and fit. Raises `BusAway`."""
    connection = Connection(servers, "heliograph doctor")
    await connection.start()
    try:
        if not connection.connected:
            raise BusAway("no connection to NATS")
        began = time.perf_counter()
        await connection.client.flush(int(API_SECONDS))
        milliseconds = (time.perf_counter() - began) * 1_000
        version = connection.client.connected_server_version
        return Seen(f"{version.major}.{version.minor}.{version.patch}", milliseconds, await _keeps(connection))
    except (TimeoutError, Error, OSError) as error:
        raise BusAway(str(error) or type(error).__name__) from error
    finally:
        await connection.stop()


async def _keeps(connection: Connection) -> bool:
    try:
        await connection.client.jetstream(timeout=API_SECONDS).account_info()
    except (TimeoutError, Error):
        return False
    return True
