"""The schema as it is written down equals the sum of the migrations, on both engines, and they only add."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import asyncpg
import pytest

from heliograph.model.message import Address
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Delivery, Notice, Reported, Settlement, StoryLine, Told
from heliograph.store.areas import (
    audit,
    links,
    messages,
    money,
    notices,
    purge,
    receipts,
    requests,
    threads,
    wishes,
    workspace,
)
from heliograph.store.areas.cluster import duties, quotas
from heliograph.store.areas.people import erasing, profiles
from heliograph.store.engines import sqlite
from heliograph.store.engines.postgres import engine as postgres
from heliograph.store.engines.postgres.connection import STATEMENTS, STEPS
from heliograph.store.engines.sqlite import connect, migrate
from heliograph.store.statements import load, migrations, schema
from heliograph.testing.databases import Database
from heliograph.testing.postgres import PostgresServer

Accept = Callable[..., Accepted]
ENGINES = ("sqlite", "postgres")


def shape(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every object's name and text."""
    return sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_the_schema_of_sqlite_equals_all_migrations(tmp_path: Path) -> None:
    whole, migrated = connect(tmp_path / "a"), connect(tmp_path / "b")
    whole.executescript(schema("sqlite"))
    migrate(migrated, 0)

    assert shape(whole) == shape(migrated)
    whole.close()
    migrated.close()


async def test_the_schema_of_postgresql_equals_all_migrations(postgres_server: PostgresServer) -> None:
    whole, migrated = postgres_server.create(), postgres_server.create()
    db = await asyncpg.connect(postgres_server.url(whole))
    await db.execute(schema("postgres"))
    await db.close()
    db = await asyncpg.connect(postgres_server.url(migrated))
    await postgres.migrate(db, 0)
    await db.close()

    assert postgres_server.dump(whole) == postgres_server.dump(migrated)


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")

    assert migrate(db, 0) == [name for name, _ in migrations("sqlite")]
    assert migrate(db, 0) == []
    db.close()


async def test_migrations_are_applied_once_on_both(untouched: Database) -> None:
    first, second = untouched.store(), untouched.store()
    names = await first.open()
    again = await second.open()
    for store in (first, second):
        await store.close()

    assert (names, again) == ([name for name, _ in migrations("sqlite")], [])


def test_both_engines_have_the_same_migrations_and_statements() -> None:
    assert [name for name, _ in migrations("sqlite")] == [name for name, _ in migrations("postgres")]
    assert set(load("sqlite")) - {"create_scratch"} == set(load("postgres"))


ADDING = re.compile(
    r"INSERT INTO |CREATE (UNIQUE )?(TABLE|INDEX) |"
    r"ALTER TABLE \w+ ADD COLUMN \w+ \w+( NOT NULL DEFAULT [^,]+|( DEFAULT [^,]+)?)$"
)


@pytest.mark.parametrize("engine", ENGINES)
def test_migrations_only_add(engine: str) -> None:
    """So that nodes of the release before go on while the first node of this one has migrated."""
    scripts = [re.sub(r"--.*", "", script) for _, script in migrations(engine)]
    statements = [text.strip() for text in chain.from_iterable(script.split(";") for script in scripts)]

    assert [text for text in statements if text and not ADDING.match(text)] == []


async def _widened(database: Database) -> None:
    """What a later release may do to any table: add a column with a default."""
    store = database.store()
    await store.open()
    await store.close()
    names = re.findall(r"CREATE TABLE (\w+) \(", schema("sqlite"))
    for name in names:
        await database.rows(f"ALTER TABLE {name} ADD COLUMN of_tomorrow INTEGER NOT NULL DEFAULT 7")


async def test_this_release_runs_on_the_schema_of_a_later_one(database: Database, accepted: Accept) -> None:
    await _widened(database)
    store = database.store()
    await store.open()
    long, short = accepted([str(number) for number in range(20)]), accepted(["1"])
    for call in (long, short):
        await store.accept(call)
    number = long.request.id
    await store.claim([(number, 0, 19)])
    change = Change(
        number, 0, State.SUBMITTED, "k", 1, "", 1, "c", 9, notice=5, url="http://x/", origin="http://x:80",
        natives=("n",),
    )  # fmt: skip
    await store.settle(Settlement(changes=[change], story=[StoryLine(1, number, 0, 1, "note", "{}")]))
    await store.receive([Reported(1, 0, 0, 0, "c", "n", "delivered", 1)], Settlement(changes=[]), [])
    owed = (await store.due_notices("http://x:80", 9, 9, []))[0]
    await store.told([Told(owed.request, owed.ordinal, owed.id, Delivery.PARKED, 1, 1)])
    await store.keep_inbound((7, "t", "s", "c", "sms", "1", "2", "hi", "{}", 1), "m1", _inbound_notice())
    await store.save_workspace(1, b"x", ["h"], 1)
    await store.use_keys({"h": 2})

    assert (await store.rematched())[0][1].transaction.request == number
    assert await store.load_workspace() == (1, b"x")
    assert await store.service_keys(["h"]) == [("h", 1, 2)]
    assert await store.pending_counts() == (20, 1, 1)
    assert await store.replay_parked(0, 9, 9) == 1
    await store.close()


def _inbound_notice() -> Notice:
    return Notice(
        7, 0, 0, 0, Address("", ""), State.DELIVERED, "inbound", "", 1, "http://x/", "http://x:80", "t", "s", 0, "{}",
    )  # fmt: skip


def test_writes_are_synced_and_logged_ahead(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")

    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_the_hot_table_has_no_index_beside_its_key(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")
    migrate(db, 0)
    names = [row[1] for row in db.execute("PRAGMA index_list(transactions)")]
    db.close()

    assert names == ["sqlite_autoindex_transactions_1"]


async def test_no_table_of_postgresql_that_grows_has_more_than_two_indexes_beside_its_key(
    postgres_server: PostgresServer,
) -> None:
    database = postgres_server.create()
    db = await asyncpg.connect(postgres_server.url(database))
    await postgres.migrate(db, 0)
    counts = dict(
        await db.fetch("SELECT tablename, count(*) FROM pg_indexes WHERE schemaname = 'public' GROUP BY tablename")
    )
    await db.close()

    assert counts["transactions"] == 1
    # A profile of an app has a handle or a token, so that it stands in two of the three partial ones.
    assert {name: count for name, count in counts.items() if count > 3} == {"app_users": 4}


@pytest.mark.parametrize("name", ["claim", "apply_changes", "keep_natives", "pending", "matches"])
def test_what_is_done_for_every_message_reads_no_table_of_sqlite_from_end_to_end(tmp_path: Path, name: str) -> None:
    db = connect(tmp_path / "a")
    migrate(db, 0)
    plans = [
        db.execute(f"EXPLAIN QUERY PLAN {piece.sql}", [0] * piece.width).fetchall()
        for piece in sqlite.STATEMENTS[name]
        if not piece.rows
    ]
    scanned = {row[3].split()[1].removeprefix("temp.") for plan in plans for row in plan if row[3].startswith("SCAN")}
    db.close()

    assert scanned <= {"c", "i", "n", "change", "incoming", "CONSTANT"}  # what came with the call


def test_every_statement_of_sqlite_can_be_prepared(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")
    migrate(db, 0)
    for name, pieces in sqlite.STATEMENTS.items():
        for piece in pieces if name != "create_scratch" else ():
            if not piece.rows:  # completed by bulk.py; the store's own tests run them
                db.execute(f"EXPLAIN {piece.sql}", [0] * piece.width)
    db.close()


async def test_every_statement_of_postgresql_can_be_prepared(postgres_server: PostgresServer) -> None:
    db = await asyncpg.connect(postgres_server.url(postgres_server.create()))
    await postgres.migrate(db, 0)
    for sql in (*STATEMENTS.values(), *STEPS.values()):
        await db.prepare(sql)
    await db.close()


async def test_postgresql_has_every_column_of_sqlite(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """So that an installation can be moved."""
    here = connect(tmp_path / "a")
    migrate(here, 0)
    db = await asyncpg.connect(postgres_server.url(postgres_server.create()))
    await postgres.migrate(db, 0)
    for name in re.findall(r"CREATE TABLE (\w+) \(", schema("sqlite")):
        found = await db.fetch("SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass", name)

        assert {row[1] for row in here.execute(f"PRAGMA table_info({name})")} <= {row[0] for row in found}
    await db.close()
    here.close()


def test_no_two_areas_give_a_method_the_same_name() -> None:
    areas = [
        requests.Requests, messages.Messages, receipts.Receipts, threads.Threads, notices.Notices, links.Links,
        workspace.Workspace, purge.Purge, wishes.Wishes, money.Money,
        profiles.Profiles, audit.Audit, erasing.Erasers, duties.Duties, quotas.Quotas,
    ]  # fmt: skip
    names = [name for area in areas for name in vars(area) if not name.startswith("_")]

    assert len(names) == len(set(names))
