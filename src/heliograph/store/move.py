"""Moves everything from SQLite to an empty PostgreSQL database: all of it, compared, or nothing.

Rows go table by table, in the order of their keys, inside one transaction; then they are read back, and each table's
sum must be the same on both sides before the transaction is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from heliograph.model.ids import SHIFT
from heliograph.store.engines import sqlite
from heliograph.store.engines.base import StoreUnavailable
from heliograph.store.engines.postgres import partitions
from heliograph.store.engines.postgres.connection import cleaned, connect
from heliograph.store.engines.postgres.engine import migrate
from heliograph.store.statements import schema

BATCH = 5_000
READ_BACK = 5_000
_SUM_BYTES = 8
_TABLE = re.compile(r"^CREATE TABLE (\w+) \(", re.MULTILINE)
_ID_OF = {"requests": "id", "inbound": "id"}  # the tables whose days are prepared

Row = tuple[Any, ...]
Progress = Callable[[str, int, int], None]  # table, rows done (copied and read back), rows to be done


class MoveRefused(Exception):
    """It cannot be moved; nothing was kept. The text says why."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One table that arrived: how many rows, and the sum that both sides have."""

    table: str
    rows: int
    checksum: str


@dataclass(slots=True)
class Sum:
    """Of rows in any order: how many, and the sum of their hashes modulo 2^64."""

    rows: int = 0
    value: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows in."""
        self.rows += len(rows)
        for row in rows:
            digest = hashlib.blake2b(msgspec.msgpack.encode(row), digest_size=_SUM_BYTES).digest()
            self.value = (self.value + int.from_bytes(digest, "big")) & ((1 << 64) - 1)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the source: its columns, and those of its key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: int


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise MoveRefused(f"there is no database {path}")
    try:
        return sqlite.connect(path)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error


def _tables(source: sqlite3.Connection) -> list[Table]:
    found = []
    for name in _TABLE.findall(schema("sqlite")):
        if name != "migrations":
            info = source.execute(f"PRAGMA table_info({name})").fetchall()
            key = sorted((row[5], row[1]) for row in info if row[5])
            [count] = source.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 - our own name
            found.append(Table(name, tuple(row[1] for row in info), tuple(name for _, name in key), count))
    return found


def _batches(source: sqlite3.Connection, table: Table) -> Iterator[list[Row]]:
    rows = source.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}")  # noqa: S608
    while batch := rows.fetchmany(BATCH):
        yield [tuple(map(cleaned, row)) for row in batch]


async def move(path: Path, url: str, now_ms: int, progress: Progress) -> list[Moved]:
    """Move the file at `path`, which nobody may serve meanwhile, to the database at `url`. Raises `MoveRefused` and
    `StoreUnavailable`."""
    source = await asyncio.to_thread(_opened, path)
    try:
        target = await connect(url)
        try:
            return await _move_all(source, target, now_ms, progress)
        finally:
            target.terminate()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StoreUnavailable(str(error)) from error
    finally:
        source.close()


async def _move_all(
    source: sqlite3.Connection, target: asyncpg.Connection, now_ms: int, progress: Progress
) -> list[Moved]:
    await asyncio.to_thread(sqlite.migrate, source, now_ms)
    await migrate(target, now_ms)
    tables = await asyncio.to_thread(_tables, source)
    for day in await asyncio.to_thread(_days, source):
        await partitions.prepare(target, range(day, day + 1))
    await partitions.prepare(target, partitions.days_ahead(now_ms))
    async with target.transaction():
        await _refuse_what_is_in_use(target, tables)
        moved = [await _move(source, target, table, progress) for table in tables]
    await target.execute("ANALYZE", timeout=None)
    return moved


def _days(source: sqlite3.Connection) -> list[int]:
    width = partitions.DAY_MS << SHIFT
    days: set[int] = set()
    for table, column in _ID_OF.items():
        found = source.execute(f"SELECT DISTINCT {column} / {width} * {width} FROM {table} WHERE {column} > 0")  # noqa: S608
        days.update(partitions.day_of(row[0]) for row in found)
    return sorted(days)


async def _refuse_what_is_in_use(target: asyncpg.Connection, tables: Sequence[Table]) -> None:
    names = [table.name for table in tables]
    await target.execute(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE")
    for name in names:
        if await target.fetchval(f"SELECT EXISTS (SELECT 1 FROM {name})"):  # noqa: S608 - our own name
            raise MoveRefused(f"the target is in use: its table {name} is not empty")


async def _move(source: sqlite3.Connection, target: asyncpg.Connection, table: Table, progress: Progress) -> Moved:
    whole, done = 2 * table.rows, 0
    sent, kept = Sum(), Sum()
    progress(table.name, 0, whole)
    batches = _batches(source, table)
    while batch := await asyncio.to_thread(next, batches, None):
        await target.copy_records_to_table(table.name, records=batch, columns=table.columns, timeout=None)
        sent.add(batch)
        done += len(batch)
        progress(table.name, done, whole)
    query = f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - our own names
    cursor = await target.cursor(query)
    while records := await cursor.fetch(READ_BACK):
        kept.add([tuple(record) for record in records])
        done += len(records)
        progress(table.name, done, whole)
    if sent != kept:
        raise MoveRefused(f"the table {table.name} arrived with other rows; nothing was kept")
    return Moved(table.name, kept.rows, f"{kept.value:016x}")
