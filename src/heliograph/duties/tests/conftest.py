"""Several processes' stores on one database; on SQLite, which one process has, they are the same."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from heliograph.store import Store
from heliograph.testing.databases import Database, PostgresDatabase


@pytest.fixture
async def stores(database: Database) -> AsyncIterator[list[Store]]:
    """Three."""
    opened = [database.store() for _ in range(3 if isinstance(database, PostgresDatabase) else 1)]
    for store in opened:
        await store.open()
    yield (opened * 3)[:3]
    for store in opened:
        await store.close()
