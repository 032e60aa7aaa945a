"""The writing connection to PostgreSQL, on a thread with an event loop of its own.

A write is durable or failed. When the connection breaks, what was under way was not kept, unless it broke while the
commit was on its way: then the transaction's number tells on the next connection whether it was
(`pg_xact_status`), and callers are answered by that. What was not kept is tried once more. A commit is thus never
taken for failed and written twice; were it so all the same, the keys of the rows would refuse the second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import asyncpg

from heliograph.store.engines.base import StoreAway, StoreUnavailable
from heliograph.store.engines.committer import Committer, Operation, planned
from heliograph.store.engines.postgres.connection import (
    AGAIN,
    ERRORS,
    GONE,
    NO_TEXT,
    WRITER,
    close,
    connect,
    drive,
    text_of,
)
from heliograph.store.steps import Plan, Write

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 3.0  # how long callers wait for a database that went away; later ones fail at once
FATE_SECONDS = 30.0  # how long they wait to learn whether a commit was kept
PAUSE_SECONDS = 0.1
# Begins and says which transaction this is in one round trip: the server reports every change of that setting.
BEGIN = "BEGIN; SELECT set_config('application_name', 'heliograph ' || pg_current_xact_id()::text, true)"


class PostgresWriter:
    """One connection behind group commit."""

    def __init__(self, url: str, writes: Mapping[str, Write]) -> None:
        self._url = url
        self._writes = writes
        self._db: asyncpg.Connection | None = None
        self._away_since: float | None = None
        self._runner: asyncio.Runner | None = None
        self.committer = Committer(self._apply)

    async def start(self) -> None:
        """Connect, and begin on the running event loop. Raises `StoreAway`."""
        kind: Callable[[], asyncio.AbstractEventLoop] = type(asyncio.get_running_loop())
        self._runner = asyncio.Runner(loop_factory=kind)
        await asyncio.to_thread(self._run, self._connected())
        self.committer.start()

    async def stop(self) -> None:
        """Write what waits and let go of the connection."""
        await self.committer.stop()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._runner is not None:
            if self._db is not None:
                self._run(close(self._db))
            self._runner.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """On the loop of this connection, by whichever thread has it now."""
        assert self._runner is not None, "the writer is not started"  # noqa: S101
        return self._runner.run(work)

    def _apply(self, group: list[Operation]) -> list[Any]:
        results: list[Any] = self._run(self._write(group))
        return results

    async def _write(self, group: list[Operation]) -> list[Any]:
        clean, last = False, False
        while True:
            transaction = Transaction(await self._connected())
            try:
                return await transaction.run(planned(self._writes, group), clean=clean)
            except ERRORS as error:
                if transaction.broken(error):
                    if transaction.committing and await self._was_kept(transaction.number):
                        return transaction.results
                    if last:
                        raise StoreAway(text_of(error)) from error
                elif isinstance(error, NO_TEXT) and len(group) == 1 and not last:
                    clean = True
                elif last or not isinstance(error, AGAIN):
                    raise StoreUnavailable(text_of(error)) from error
                last = True

    async def _connected(self) -> asyncpg.Connection:
        """The writing connection, a new one when the last is gone. Raises `StoreAway`."""
        while self._db is None or self._db.is_closed():
            try:
                self._db = await connect(self._url, WRITER)
            except StoreAway as error:
                if self._away_since is None:
                    self._away_since = time.monotonic()
                    log.error("the database is away: %s", error)
                if time.monotonic() - self._away_since >= PATIENCE_SECONDS:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        if self._away_since is not None:
            self._away_since = None
            log.warning("the database is back")
        return self._db

    async def _was_kept(self, number: str) -> bool:
        """Whether the transaction whose commit was not answered was kept. Raises `StoreAway` when that cannot be
        learnt in time."""
        end = time.monotonic() + FATE_SECONDS
        while True:
            try:
                db = await self._connected()
                status = await db.fetchval("SELECT pg_xact_status($1::text::xid8)", number)
                if status != "in progress":
                    return bool(status == "committed")
            except asyncpg.InvalidParameterValueError:
                return False  # a standby took over that never heard of it
            except (StoreAway, *ERRORS) as error:
                self.committer.refuse(StoreAway(text_of(error)))
                if time.monotonic() >= end:
                    raise StoreAway(f"it is not known whether a commit was kept: {text_of(error)}") from error
            if time.monotonic() >= end:
                raise StoreAway("it is not known whether a commit was kept")
            await asyncio.sleep(PAUSE_SECONDS)


class Transaction:
    """One group on its way: `number` is PostgreSQL's name for it, `committing` says that it was asked to keep it."""

    def __init__(self, db: asyncpg.Connection) -> None:
        self._db = db
        self.number = ""
        self.committing = False
        self.results: list[Any] = []

    async def run(self, plan: Plan[list[Any]], *, clean: bool) -> list[Any]:
        """Write the group and commit; its results."""
        db = self._db
        try:
            await db.execute(BEGIN)
            self.number = db.get_settings().application_name.rpartition(" ")[2]
            self.results = await drive(db, plan, clean=clean)
            self.committing = True
            await db.execute("COMMIT")
        finally:
            if not db.is_closed() and db.is_in_transaction():
                await self._roll_back()
        return self.results

    async def _roll_back(self) -> None:
        try:
            await self._db.execute("ROLLBACK")
        except ERRORS:
            self._db.terminate()

    def broken(self, error: BaseException) -> bool:
        """Whether the connection is of no more use; it is let go of then."""
        if self._db.is_closed() or isinstance(error, GONE):
            self._db.terminate()
            return True
        return False
