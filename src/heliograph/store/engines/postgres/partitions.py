"""PostgreSQL's partitions: one a day of each table that grows with traffic, made ahead and dropped whole.

A day is a range of request ids, for an id begins with its time. Locks on whole tables are asked for with a short
patience, so that no writer waits behind them; what was not got is tried again at the next round.
"""

from __future__ import annotations

import logging
import re
from datetime import date, timedelta

import asyncpg

from heliograph.model.ids import EPOCH_MS, accepted_ms, first_id_at

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
AHEAD = 3  # days prepared beside today; the day before too, for a clock that goes back
# `requests` last: as long as it has a day's partition, something of that day may be left.
TABLES = ("transactions", "submissions", "threads", "devices", "receipts", "story", "notices", "inbound", "requests")
LOCK_MS = 500  # below PostgreSQL's own second before it looks for a deadlock: in doubt we give way
MAINTENANCE = 0x48454C494F02  # the advisory lock of whoever looks after partitions from time to time
MAKING = 0x48454C494F03  # the advisory lock of whoever makes them
_NAME = re.compile(r"([a-z]+)_d(\d{8})")
_FIRST = date(1970, 1, 1)

# Rows of a new day are changed three or four times: room in their pages keeps the changes off the index.
_SETTINGS = {
    "transactions": "fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.2",
    "notices": "autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.2",
}


def day_of(request: int) -> int:
    """The day of an id, as days since 1970, UTC."""
    return accepted_ms(request) // DAY_MS


def name_of(table: str, day: int) -> str:
    """The partition of a day."""
    return f"{table}_d{_FIRST + timedelta(days=day):%Y%m%d}"


def parse(name: str) -> tuple[str, int] | None:
    """Table and day of a partition; None for any other."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    year, month, day = int(match[2][:4]), int(match[2][4:6]), int(match[2][6:])
    return match[1], (date(year, month, day) - _FIRST).days


def days_ahead(now_ms: int) -> range:
    """The days that should have partitions now; none before the first id there can be."""
    today = now_ms // DAY_MS
    return range(max(today - 1, EPOCH_MS // DAY_MS), today + AHEAD + 1)


async def existing(db: asyncpg.Connection) -> set[str]:
    """The partitions of days that there are."""
    rows = await db.fetch(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = ANY($1::text[]::regclass[])",
        list(TABLES),
    )
    return {row[0] for row in rows if parse(row[0])}


async def prepare(db: asyncpg.Connection, days: range) -> list[str]:
    """Make what is missing for these days, one node at a time; the names of what was made."""
    await db.execute("SELECT pg_advisory_lock($1)", MAKING, timeout=None)
    try:
        known = await existing(db)
        missing = [(table, day) for table in TABLES for day in days if name_of(table, day) not in known]
        return [name_of(table, day) for table, day in missing if await _make(db, table, name_of(table, day), day)]
    finally:
        await db.execute("SELECT pg_advisory_unlock($1)", MAKING)


async def _make(db: asyncpg.Connection, table: str, name: str, day: int) -> bool:
    settings = f"WITH ({_SETTINGS[table]})" if table in _SETTINGS else ""
    first, end = max(1, first_id_at(day * DAY_MS)), first_id_at((day + 1) * DAY_MS)  # 0 is no id
    try:
        async with db.transaction():
            await db.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
            await db.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS) {settings}")
            # ATTACH, unlike PARTITION OF, lets others write to the table meanwhile.
            await db.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({end})")
    except (asyncpg.LockNotAvailableError, asyncpg.DuplicateTableError, asyncpg.CheckViolationError) as error:
        log.warning("the partition %s is not made now; its rows go to %s_rest: %s", name, table, error)
        return False
    return True


async def drop(db: asyncpg.Connection, before: int) -> list[str]:
    """Drop the days whose ids are all below `before` and of which no request is open; the names of what went."""
    days: dict[int, list[str]] = {}
    for name in await existing(db):
        table, day = parse(name) or ("", 0)
        if table and first_id_at((day + 1) * DAY_MS) <= before:
            days.setdefault(day, []).append(name)
    dropped: list[str] = []
    for day, names in sorted(days.items()):
        requests = name_of("requests", day)
        if requests in names and await db.fetchval(f"SELECT EXISTS (SELECT 1 FROM {requests} WHERE remaining > 0)"):  # noqa: S608 - our own name
            continue
        for name in sorted(names, key=lambda name: TABLES.index((parse(name) or ("", 0))[0])):
            if not await _drop(db, name):
                return dropped
            dropped.append(name)
    return dropped


async def _drop(db: asyncpg.Connection, name: str) -> bool:
    try:
        async with db.transaction():
            await db.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
            await db.execute(f"DROP TABLE {name}")
    except asyncpg.LockNotAvailableError as error:
        log.info("the partition %s is dropped later: %s", name, error)
        return False
    return True
