"""PostgreSQL over asyncpg: one writing connection behind group commit, a pool for reads."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple

import asyncpg

from heliograph.store.engines.base import StoreUnavailable
from heliograph.store.engines.postgres import partitions
from heliograph.store.engines.postgres.connection import (
    COMMAND_SECONDS,
    CONNECT_SECONDS,
    ERRORS,
    NO_TEXT,
    READER,
    STATEMENTS,
    cleaned,
    close,
    connect,
    text_of,
)
from heliograph.store.engines.postgres.writing import PostgresWriter
from heliograph.store.statements import migrations
from heliograph.store.steps import Write

READERS = 4
BESIDE = frozenset({"claim"})  # touches no row that other writes touch meanwhile, and is not to wait for them
MIGRATION = 0x48454C494F01  # the advisory lock of whoever migrates


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
    except ERRORS as error:
        raise StoreUnavailable(text_of(error)) from error
    finally:
        await close(db)
    return Seen(version, milliseconds, careless, [name for name, _ in migrations("postgres") if name not in done])


class PostgresEngine:
    """One database."""

    def __init__(self, url: str, writes: Mapping[str, Write], now_ms: int = 0) -> None:
        self._url = url
        self._now_ms = now_ms
        self._writer = PostgresWriter(url, writes)
        self._claimer = PostgresWriter(url, writes)
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> list[str]:
        """Connect, migrate, prepare partitions for the days ahead, and begin to write."""
        db = await connect(self._url)
        try:
            applied = await migrate(db, self._now_ms)
            await partitions.prepare(db, partitions.days_ahead(self._now_ms))
            self._pool = await asyncpg.create_pool(
                self._url, min_size=0, max_size=READERS, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS,
                server_settings=READER, statement_cache_size=256, max_cached_statement_lifetime=0,
            )  # fmt: skip
            await self._writer.start()
            await self._claimer.start()
        except ERRORS as error:
            raise StoreUnavailable(text_of(error)) from error
        finally:
            await close(db)
        return applied

    async def close(self) -> None:
        """Write what waits and let go of the connections."""
        await self._claimer.stop()
        await self._writer.stop()
        if self._pool is not None:
            self._pool.terminate()

    def statistics(self) -> dict[str, int]:
        """Commits made and operations in them."""
        both = (self._writer.committer, self._claimer.committer)
        return {"commits": sum(one.commits for one in both), "operations": sum(one.operations for one in both)}

    def write(self, name: str, payload: Any) -> Awaitable[Any]:
        """Hand over one operation."""
        writer = self._claimer if name in BESIDE else self._writer
        return writer.committer.write(name, payload)

    async def fetch(self, name: str, *parameters: Any) -> str:
        """One JSON text."""
        assert self._pool is not None, "the engine is not open"  # noqa: S101
        try:
            try:
                return str(await self._pool.fetchval(STATEMENTS[name], *parameters))
            except NO_TEXT:
                return str(await self._pool.fetchval(STATEMENTS[name], *map(cleaned, parameters)))
        except ERRORS as error:
            raise StoreUnavailable(text_of(error)) from error

    async def maintain(self, now_ms: int, before: int) -> list[str]:
        """Make partitions ahead and drop those that are old; one node at a time."""
        db = await connect(self._url)
        try:
            if not await db.fetchval("SELECT pg_try_advisory_lock($1)", partitions.MAINTENANCE):
                return []
            await partitions.prepare(db, partitions.days_ahead(now_ms))
            return await partitions.drop(db, before)
        except ERRORS as error:
            raise StoreUnavailable(text_of(error)) from error
        finally:
            await close(db)
