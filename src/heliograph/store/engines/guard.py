"""Who serves a PostgreSQL database: one process alone, or several that know of each other; never both at once.

The lock is one of the session that writes. Whoever lost that session has lost the lock and can write nothing before
it has it again, and whatever ends the process or its machine ends the session.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import asyncpg

from heliograph.store.engines.base import StoreAway

SERVING = 0x48454C494F04  # the advisory lock of those who serve
PATIENCE_SECONDS = 5.0  # for the session of a process that ended just now
PAUSE_SECONDS = 0.1
# A machine that is gone keeps its sessions, and with them the lock, for 25 seconds instead of hours.
KEEPALIVE = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
_HOLDERS = """
SELECT a.pid, a.application_name, coalesce(host(a.client_addr), 'this machine')
FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.classid::bigint = $1::bigint >> 32 AND l.objid::bigint = $1::bigint & 4294967295
"""


class StoreTaken(StoreAway):
    """Another process serves the database, and this one may not."""


class Guard:
    """The place of one process among those who serve; `together` says that the others know of it. `lost` is set for
    good once another process came in between: this one must end."""

    def __init__(self, *, together: bool) -> None:
        self._together = together
        self.settings = {"application_name": f"heliograph {secrets.token_hex(4)}", **KEEPALIVE}
        self.lost = asyncio.Event()

    async def hold(self, db: asyncpg.Connection) -> None:
        """Take the lock in the session that is to write. Raises `StoreTaken`."""
        if self.lost.is_set():
            raise StoreTaken(self.refusal())
        kind = "pg_try_advisory_lock_shared" if self._together else "pg_try_advisory_lock"
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_SECONDS
        while not await db.fetchval(f"SELECT {kind}($1)", SERVING):
            others = await self._others(db)
            if others and loop.time() >= end:
                self.lost.set()
                raise StoreTaken(self.refusal(others))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _others(self, db: asyncpg.Connection) -> list[str]:
        """Where those are who hold the lock. A session of our own that the server takes for alive is ended."""
        found = []
        for process, name, host in await db.fetch(_HOLDERS, SERVING):
            if name == self.settings["application_name"]:
                await db.fetchval("SELECT pg_terminate_backend($1)", process)
            else:
                found.append(host)
        return found

    def refusal(self, others: Sequence[str] = ()) -> str:
        """What is wrong and what mends it."""
        where = f" ({', '.join(sorted(set(others)))})" if others else ""
        if self._together:
            return f"a process with HELIOGRAPH_BUS=local serves this database{where}: stop it, or give it the broker"
        return (
            f"another process serves this database{where}, and with HELIOGRAPH_BUS=local there may be one: stop the "
            f"other, or give all of them the nats:// URL of a broker"
        )
