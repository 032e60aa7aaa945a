"""PostgreSQL over asyncpg: one writing connection behind group commit, a pool for reads.

A write is durable or failed. When the connection breaks, what was under way was not kept, unless it broke while the
commit was on its way: then the transaction's number tells on the next connection whether it was
(`pg_xact_status`), and callers are answered by that. What was not kept is tried once more. A commit is thus never
taken for failed and written twice; were it so all the same, the keys of the rows would refuse the second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import asyncpg

from heliograph.store.engines import partitions
from heliograph.store.engines.base import StoreAway, StoreUnavailable
from heliograph.store.engines.committer import LoopCommitter, Operation, planned
from heliograph.store.engines.guard import Guard, StoreTaken
from heliograph.store.statements import load, migrations
from heliograph.store.steps import Answer, Plan, Step, Write

log = logging.getLogger(__name__)

T = TypeVar("T")

READERS = 4
CONNECT_SECONDS = 3.0
COMMAND_SECONDS = 20.0
PATIENCE_SECONDS = 3.0  # how long callers wait for a database that went away; later ones fail at once
FATE_SECONDS = 30.0  # how long they wait to learn whether a commit was kept
PAUSE_SECONDS = 0.1
MIGRATION = 0x48454C494F01  # the advisory lock of whoever migrates

_COMMON = {"application_name": "heliograph", "jit": "off", "timezone": "UTC"}
# The writer's statements find rows by key, whatever the statistics of a partition that is a minute old say; they are
# planned once, for planning over a month of partitions costs more than running.
_WRITER = {
    **_COMMON,
    "synchronous_commit": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "idle_in_transaction_session_timeout": "5s",  # a process that was paused keeps no row from the others
}
_READER = {**_COMMON, "default_transaction_read_only": "on"}
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_GONE = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.ReadOnlySQLTransactionError,
)  # fmt: skip
_NO_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)

STATEMENTS = load("postgres")


async def connect(url: str, settings: Mapping[str, str] = _COMMON) -> asyncpg.Connection:
    """A connection with our settings. Raises `StoreAway`."""
    try:
        return await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=dict(settings),
            statement_cache_size=256, max_cached_statement_lifetime=0,
        )  # fmt: skip
    except (*_ERRORS, ValueError) as error:
        raise StoreAway(f"no connection to PostgreSQL: {_text(error)}") from error


async def migrate(db: asyncpg.Connection, now_ms: int) -> list[str]:
    """Bring the schema up to date, one node at a time; the names of the migrations that were applied."""
    await db.execute("SELECT pg_advisory_lock($1)", MIGRATION, timeout=None)
    try:
        known = await db.fetchval("SELECT to_regclass('migrations') IS NOT NULL")
        done = {row[0] for row in await db.fetch("SELECT name FROM migrations")} if known else set()
        applied = [(name, script) for name, script in migrations("postgres") if name not in done]
        for name, script in applied:
            async with db.transaction():
                await db.execute(script, timeout=None)
                await db.execute("INSERT INTO migrations (name, applied) VALUES ($1, $2)", name, now_ms)
    finally:
        await db.execute("SELECT pg_advisory_unlock($1)", MIGRATION)
    return [name for name, _ in applied]


class Seen(NamedTuple):
    """What a look at a server found: `careless` are settings by which a commit may be lost, `missing` the migrations
    that are not applied."""

    version: str
    milliseconds: float
    careless: list[str]
    missing: list[str]


async def look_at(url: str) -> Seen:
    """See whether a server is there and fit. Raises `StoreUnavailable`."""
    db = await connect(url)
    try:
        version = await db.fetchval("SHOW server_version")
        began = time.perf_counter()
        await db.fetchval("SELECT 1")
        milliseconds = (time.perf_counter() - began) * 1_000
        wanted = ("fsync", "full_page_writes")
        careless = [f"{name} = off" for name in wanted if await db.fetchval(f"SHOW {name}") == "off"]
        known = await db.fetchval("SELECT to_regclass('migrations') IS NOT NULL")
        done = {row[0] for row in await db.fetch("SELECT name FROM migrations")} if known else set()
    except _ERRORS as error:
        raise StoreUnavailable(_text(error)) from error
    finally:
        await _close(db)
    return Seen(version, milliseconds, careless, [name for name, _ in migrations("postgres") if name not in done])


async def drive(db: asyncpg.Connection, plan: Plan[T], *, clean: bool = False) -> T:
    """Carry out a plan inside the connection's transaction."""
    try:
        step = next(plan)
        while True:
            step = plan.send(await carry_out(db, step, clean=clean))
    except StopIteration as end:
        result: T = end.value
        return result


async def carry_out(db: asyncpg.Connection, step: Step, *, clean: bool = False) -> Any:
    """One step; its answer. `clean` takes out of texts what PostgreSQL cannot keep."""
    parameters: Sequence[Any] = step.parameters
    if step.rows is not None:
        if not step.rows:
            return None
        parameters = (*map(list, zip(*step.rows, strict=True)), *parameters)
    if clean:
        parameters = [cleaned(item) for item in parameters]
    sql = STATEMENTS[step.name]
    if step.answer is Answer.VALUE:
        return await db.fetchval(sql, *parameters)
    status = await db.execute(sql, *parameters)
    return int(status.rpartition(" ")[2]) if step.answer is Answer.COUNT else None


def cleaned(value: Any) -> Any:
    """Without NUL characters, which PostgreSQL's texts cannot have."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


class PostgresEngine:
    """One database."""

    def __init__(self, url: str, writes: Mapping[str, Write], now_ms: int = 0, guard: Guard | None = None) -> None:
        self._url = url
        self._guard = guard
        self._writes = writes
        self._now_ms = now_ms
        self._writer: asyncpg.Connection | None = None
        self._pool: asyncpg.Pool | None = None
        self._away_since: float | None = None
        self._committer = LoopCommitter(self._apply)

    async def open(self) -> list[str]:
        """Connect, migrate, prepare partitions for the days ahead, and begin to write. Raises `StoreTaken` where the
        guard does, before anything was done."""
        self._writer = await self._writing()
        db = await connect(self._url)
        try:
            applied = await migrate(db, self._now_ms)
            await partitions.prepare(db, partitions.days_ahead(self._now_ms))
            self._pool = await asyncpg.create_pool(
                self._url, min_size=0, max_size=READERS, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS,
                server_settings=_READER, statement_cache_size=256, max_cached_statement_lifetime=0,
            )  # fmt: skip
        except _ERRORS as error:
            raise StoreUnavailable(_text(error)) from error
        finally:
            await _close(db)
        self._committer.start()
        return applied

    async def close(self) -> None:
        """Write what waits and let go of the connections."""
        await self._committer.stop()
        if self._pool is not None:
            self._pool.terminate()
        if self._writer is not None:
            await _close(self._writer)

    def statistics(self) -> dict[str, int]:
        """Commits made and operations in them."""
        return {"commits": self._committer.commits, "operations": self._committer.operations}

    def write(self, name: str, payload: Any) -> Awaitable[Any]:
        """Hand over one operation."""
        return self._committer.write(name, payload)

    async def fetch(self, name: str, *parameters: Any) -> str:
        """One JSON text."""
        assert self._pool is not None, "the engine is not open"  # noqa: S101
        try:
            try:
                return str(await self._pool.fetchval(STATEMENTS[name], *parameters))
            except _NO_TEXT:
                return str(await self._pool.fetchval(STATEMENTS[name], *map(cleaned, parameters)))
        except _ERRORS as error:
            raise StoreUnavailable(_text(error)) from error

    async def maintain(self, now_ms: int, before: int) -> list[str]:
        """Make partitions ahead and drop those that are old; one node at a time."""
        db = await connect(self._url)
        try:
            if not await db.fetchval("SELECT pg_try_advisory_lock($1)", partitions.MAINTENANCE):
                return []
            await partitions.prepare(db, partitions.days_ahead(now_ms))
            return await partitions.drop(db, before)
        except _ERRORS as error:
            raise StoreUnavailable(_text(error)) from error
        finally:
            await _close(db)

    # Writing

    async def _apply(self, group: list[Operation]) -> list[Any]:
        clean, last = False, False
        while True:
            transaction = Transaction(await self._connected())
            try:
                return await transaction.run(planned(self._writes, group), clean=clean)
            except _ERRORS as error:
                if transaction.broken(error):
                    if transaction.committing and await self._was_kept(transaction.number):
                        return transaction.results
                    if last:
                        raise StoreAway(_text(error)) from error
                elif isinstance(error, _NO_TEXT) and len(group) == 1 and not last:
                    clean = True
                elif last or not isinstance(error, _AGAIN):
                    raise StoreUnavailable(_text(error)) from error
                last = True

    async def _connected(self) -> asyncpg.Connection:
        """The writing connection, a new one when the last is gone. Raises `StoreAway`."""
        loop = asyncio.get_running_loop()
        while self._writer is None or self._writer.is_closed():
            try:
                self._writer = await self._writing()
            except StoreTaken:
                raise
            except StoreAway as error:
                if self._away_since is None:
                    self._away_since = loop.time()
                    log.error("the database is away: %s", error)
                if loop.time() - self._away_since >= PATIENCE_SECONDS:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        if self._away_since is not None:
            self._away_since = None
            log.warning("the database is back")
        return self._writer

    async def _writing(self) -> asyncpg.Connection:
        """A connection that may write. Raises `StoreAway`."""
        if self._guard is None:
            return await connect(self._url, _WRITER)
        db = await connect(self._url, {**_WRITER, **self._guard.settings})
        try:
            await self._guard.hold(db)
        except (StoreTaken, *_ERRORS) as error:
            await _close(db)
            raise error if isinstance(error, StoreTaken) else StoreAway(_text(error)) from error
        return db

    async def _was_kept(self, number: str) -> bool:
        """Whether the transaction whose commit was not answered was kept. Raises `StoreAway` when that cannot be
        learnt in time."""
        loop = asyncio.get_running_loop()
        end = loop.time() + FATE_SECONDS
        while True:
            try:
                db = await self._connected()
                status = await db.fetchval("SELECT pg_xact_status($1::text::xid8)", number)
                if status != "in progress":
                    return bool(status == "committed")
            except asyncpg.InvalidParameterValueError:
                return False  # a standby took over that never heard of it
            except (StoreAway, *_ERRORS) as error:
                self._committer.refuse(StoreAway(_text(error)))
                if loop.time() >= end:
                    raise StoreAway(f"it is not known whether a commit was kept: {_text(error)}") from error
            if loop.time() >= end:
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
            await db.execute("BEGIN")
            self.number = await db.fetchval("SELECT pg_current_xact_id()::text")
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
        except _ERRORS:
            self._db.terminate()

    def broken(self, error: BaseException) -> bool:
        """Whether the connection is of no more use; it is let go of then."""
        if self._db.is_closed() or isinstance(error, _GONE):
            self._db.terminate()
            return True
        return False


async def _close(db: asyncpg.Connection) -> None:
    try:
        await db.close(timeout=CONNECT_SECONDS)
    except _ERRORS:
        db.terminate()
