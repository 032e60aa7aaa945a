"""Moving from SQLite to PostgreSQL: every row of every table, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Counted, KeptAnswer, Reported, Settlement, StoryLine
from heliograph.store import Store, StoreUnavailable, move
from heliograph.store.engines.postgres import engine as postgres
from heliograph.store.move import Moved, MoveRefused
from heliograph.testing.databases import PostgresDatabase, SqliteDatabase
from heliograph.testing.postgres import PostgresServer

Accept = Callable[..., Accepted]


@pytest.fixture
def target(postgres_server: PostgresServer) -> PostgresDatabase:
    """Where it is moved to."""
    return PostgresDatabase.made(postgres_server)


@pytest.fixture
async def source(tmp_path: Path, accepted: Accept, monkeypatch: pytest.MonkeyPatch) -> SqliteDatabase:
    """A file with some of everything; small batches."""
    monkeypatch.setattr(move, "BATCH", 7)
    monkeypatch.setattr(move, "READ_BACK", 5)
    made = SqliteDatabase(tmp_path / "old.sqlite")
    store = made.store()
    await store.open()
    call = accepted([str(number) for number in range(20)])
    number = call.request.id
    kept = KeptAnswer(number, "demo", "orders", "k", "d", "{}")
    await store.accept(
        Accepted(request=call.request, runs=call.runs, kept=kept, counted=(Counted("demo", "d1", 2, 3),))
    )
    change = Change(
        number, 3, State.SUBMITTED, "k", 1, "", 1, "c", 9, True, notice=5, url="http://x/", origin="http://x:80",
        natives=("n\0", "é"),
    )  # fmt: skip
    await store.settle(Settlement(changes=[change], story=[StoryLine(1, number, 3, 1, "note", "{}")]))
    await store.receive([Reported(1, 0, 0, 0, "c", "?", "delivered", 1, raw="a\0b")], Settlement(changes=[]), [])
    await store.keep_inbound((number + 9, "demo", "orders", "c", "sms", "1", "2", "hi", "{}", 1), "", None)
    await store.save_workspace(4, b"\x00\xff", ["h"], 1)
    await store.close()
    return made


async def moved(source: SqliteDatabase, target: PostgresDatabase) -> list[Moved]:
    """Move it; what arrived."""
    return await move.move(source.path, target.url, 0, lambda *_: None)


async def look(store: Store) -> list[object]:
    """What people can ask for."""
    await store.open()
    [request] = [entry.request for entry in await store.open_requests(0, 9)]
    found = [
        await store.requests([request]), await store.transactions(request, None), await store.story(request, 3),
        await store.due_notices("http://x:80", 99, 9, []), await store.window_edge(99, 9), await store.volumes(0),
        await store.kept_answer("demo", "orders", "k", 0), await store.load_workspace(),
        await store.service_keys(["h"]), await store.counts(), await store.pending_counts(),
        await store.greatest_id(), await store.matches([("c", "é")]),
    ]  # fmt: skip
    await store.close()
    return found


async def test_everything_arrives(source: SqliteDatabase, target: PostgresDatabase) -> None:
    await source.rows("UPDATE transactions SET natives = '[\"n\",\"é\"]' WHERE natives <> ''")
    await source.rows("DELETE FROM submissions WHERE native_id LIKE 'n%'")
    before = await look(source.store())
    arrived = await moved(source, target)

    assert await look(target.store()) == before
    assert {table.table: table.rows for table in arrived if table.rows} == {
        "requests": 1, "transactions": 20, "submissions": 1, "windows": 1, "receipts": 1, "story": 1, "notices": 1,
        "inbound": 1, "workspace": 1, "volumes": 1, "kept_answers": 1, "service_keys": 1,
    }  # fmt: skip


async def test_texts_that_postgresql_cannot_keep_are_mended(source: SqliteDatabase, target: PostgresDatabase) -> None:
    await moved(source, target)

    assert await target.rows("SELECT raw FROM receipts") == [("a\N{REPLACEMENT CHARACTER}b",)]


async def test_rows_lie_in_the_days_of_their_requests(source: SqliteDatabase, target: PostgresDatabase) -> None:
    await moved(source, target)

    assert await target.rows("SELECT count(*) FROM transactions_d20200101") == [(20,)]


async def test_a_target_in_use_is_left_alone(source: SqliteDatabase, target: PostgresDatabase) -> None:
    await moved(source, target)
    with pytest.raises(MoveRefused, match="the target is in use: its table requests is not empty"):
        await moved(source, target)

    assert await target.rows("SELECT count(*) FROM transactions") == [(20,)]


async def test_a_row_that_arrives_otherwise_undoes_all(source: SqliteDatabase, target: PostgresDatabase) -> None:
    db = await asyncpg.connect(target.url)
    await postgres.migrate(db, 0)
    await db.execute(
        "CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN NEW.used = NEW.used + 1; RETURN NEW; END';"
        "CREATE TRIGGER worse BEFORE INSERT ON volumes FOR EACH ROW EXECUTE FUNCTION worse()"
    )
    await db.close()
    with pytest.raises(MoveRefused, match="the table volumes arrived with other rows"):
        await moved(source, target)

    assert await target.rows("SELECT count(*) FROM requests") == [(0,)]


async def test_a_file_that_is_no_database_is_named(tmp_path: Path, target: PostgresDatabase) -> None:
    (tmp_path / "x").write_text("no database" * 1_000)
    with pytest.raises(StoreUnavailable, match="x: file is not a database"):
        await move.move(tmp_path / "x", target.url, 0, lambda *_: None)
