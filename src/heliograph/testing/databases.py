"""A database in a test: stores over it, and a look past them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from heliograph.store import Store
from heliograph.testing.postgres import PostgresServer


class Database(Protocol):
    """One database, empty at first."""

    def store(self, now_ms: int = 0) -> Store:
        """A store over it, not open yet; another one after a restart."""

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives, run past the store."""

    async def tables(self) -> list[str]:
        """The names of its tables."""

    async def content(self) -> bytes:
        """Everything that is kept, as bytes that can be searched."""


class SqliteDatabase:
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self, now_ms: int = 0) -> Store:
        """A store over the file."""
        return Store.on_sqlite(self.path, now_ms)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        return await asyncio.to_thread(self._rows, sql)

    async def tables(self) -> list[str]:
        """The names of its tables."""
        return [row[0] for row in await self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    async def content(self) -> bytes:
        """The bytes of its files."""
        return b"".join(path.read_bytes() for path in sorted(self.path.parent.glob(f"{self.path.name}*")))

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(self.path, isolation_level=None)
        try:
            return list(db.execute(sql))
        finally:
            db.close()


class PostgresDatabase:
    """A database at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def made(cls, server: PostgresServer) -> PostgresDatabase:
        """A new one of a server."""
        return cls(server.url(server.create()))

    def store(self, now_ms: int = 0) -> Store:
        """A store over the database."""
        return Store.on_postgres(self.url, now_ms)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        db = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await db.fetch(sql)]
        finally:
            await db.close()

    async def tables(self) -> list[str]:
        """The names of its tables, without those of partitions."""
        rows = await self.rows(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        return [row[0] for row in rows]

    async def content(self) -> bytes:
        """The bytes of every value of every row."""
        found: list[bytes] = []
        for table in await self.tables():
            for row in await self.rows(f"SELECT * FROM {table}"):  # noqa: S608 - a name from the catalogue
                found.extend(value if isinstance(value, bytes) else str(value).encode() for value in row)
        return b"\n".join(found)
