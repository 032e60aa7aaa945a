"""A partition a day: made ahead, found by id, dropped whole when its day is past and nothing in it is open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from heliograph.model.ids import first_id_at
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, DeviceRow, Reported, Run, Sent, Settlement, StoryLine
from heliograph.store import Store
from heliograph.store.engines.postgres import partitions
from heliograph.store.engines.postgres.partitions import DAY_MS, TABLES, day_of, days_ahead, name_of, parse
from heliograph.store.retention import Retention
from heliograph.testing.databases import PostgresDatabase
from heliograph.testing.postgres import PostgresServer

NOW = 1_800_000_000_000  # 2027-01-15
TODAY = NOW // DAY_MS


@pytest.fixture
def there(postgres_server: PostgresServer) -> PostgresDatabase:
    """An empty database."""
    return PostgresDatabase.made(postgres_server)


@pytest.fixture
async def store(there: PostgresDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A store with partitions for some days around the 30 that are kept."""
    monkeypatch.setattr(partitions, "days_ahead", lambda now_ms: range(TODAY - 34, TODAY - 28))
    opened = there.store(NOW)
    await opened.open()
    yield opened
    await opened.close()


async def days(there: PostgresDatabase, table: str) -> list[int]:
    """The days, counted from today, that have a partition of a table."""
    rows = await there.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relispartition")
    found = [parse(row[0]) for row in rows]
    return sorted(pair[1] - TODAY for pair in found if pair and pair[0] == table)


async def keep(store: Store, age_days: int, *, open_: bool = False) -> int:
    """A request of that age with one of everything."""
    number = first_id_at(NOW - age_days * DAY_MS)
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=number, nonce=1, tenant="demo", service="orders", accepted=NOW, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["447700900001"]),)))
    if not open_:
        change = Change(
            number, 0, State.SUBMITTED, "submitted", NOW, connector="c", notice=number, url="http://x/",
            origin="http://x:80", natives=(f"n{number}",),
        )  # fmt: skip
        line, sent = StoryLine(number, number, 0, NOW, "note", "{}"), Sent(number, 0, "c", "447700900001", NOW)
        device = DeviceRow(number, 0, 0, "android_pushid", "t", "d")
        await store.settle(Settlement(changes=[change], story=[line], sent=[sent], devices=[device]))
        await store.receive([Reported(number, number, 0, 0, "c", "n", "delivered", NOW)], Settlement(changes=[]), [])
        await store.keep_inbound((number, "demo", "orders", "c", "sms", "1", "2", "hi", "{}", NOW), "", None)
    return number


def test_a_name_tells_table_and_day() -> None:
    assert name_of("notices", TODAY) == "notices_d20270115"
    assert parse("notices_d20270115") == ("notices", TODAY)
    assert parse("notices_rest") is None


def test_an_id_tells_its_day() -> None:
    assert [day_of(first_id_at(TODAY * DAY_MS)), day_of(first_id_at(TODAY * DAY_MS) - 1)] == [TODAY, TODAY - 1]


def test_no_day_is_prepared_before_the_first_id() -> None:
    assert list(days_ahead(0)) == []


async def test_every_table_that_grows_has_days_ahead(there: PostgresDatabase) -> None:
    store = there.store(NOW)
    await store.open()
    await store.close()

    assert {table: await days(there, table) for table in TABLES} == {key: [-1, 0, 1, 2, 3] for key in TABLES}


async def test_nodes_that_start_at_once_on_an_empty_database_make_the_days_once(
    there: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    stores = [there.store(NOW) for _ in range(4)]
    with caplog.at_level(logging.WARNING):
        await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.close() for store in stores))

    assert caplog.records == []
    assert {table: await days(there, table) for table in TABLES} == {table: [-1, 0, 1, 2, 3] for table in TABLES}


async def test_days_are_prepared_again_as_time_goes_by(there: PostgresDatabase) -> None:
    store = there.store(NOW)
    await store.open()
    await store.maintain(NOW + 2 * DAY_MS, 0)
    await store.close()

    assert await days(there, "requests") == [-1, 0, 1, 2, 3, 4, 5]


async def test_rows_lie_in_the_partition_of_their_day(store: Store, there: PostgresDatabase) -> None:
    number = await keep(store, 31)
    names = [name_of(table, TODAY - 31) for table in TABLES]

    assert [await there.rows(f"SELECT count(*) FROM {name}") for name in names] == [[(1,)]] * len(TABLES)
    assert (await store.matches([("c", f"n{number}")]))["c", f"n{number}"].transaction.request == number


async def test_old_days_go_whole(store: Store, there: PostgresDatabase) -> None:
    for age in (33, 32, 31, 29):
        await keep(store, age)
    await Retention(store, 30, lambda: NOW).purge()

    assert {table: (await days(there, table))[0] for table in TABLES} == dict.fromkeys(TABLES, -30)
    assert await there.rows("SELECT count(*) FROM transactions") == [(1,)]


async def test_a_day_with_something_open_stays_and_loses_only_what_is_settled(
    store: Store, there: PostgresDatabase
) -> None:
    open_, settled = await keep(store, 33, open_=True), await keep(store, 32)
    also = first_id_at(NOW - 33 * DAY_MS) + 5
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=also, nonce=1, tenant="demo", service="orders", accepted=NOW, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["1"]),)))
    await store.settle(Settlement(changes=[Change(also, 0, State.FAILED, "k", 1)]))

    assert await Retention(store, 30, lambda: NOW).purge() == 1
    assert [len(await store.transactions(number, None)) for number in (open_, settled, also)] == [1, 0, 0]
    assert -33 in await days(there, "requests")


async def test_rows_that_came_before_their_partition_stay_in_the_rest_and_are_found(
    there: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    store = there.store()
    await store.open()
    number = await keep(store, 0)
    with caplog.at_level(logging.WARNING):
        await store.maintain(NOW, 0)

    assert 0 not in await days(there, "requests")
    assert "its rows go to requests_rest" in caplog.text
    assert len(await store.transactions(number, None)) == 1
    await store.close()


async def test_whoever_writes_is_not_held_up(store: Store, there: PostgresDatabase) -> None:
    await keep(store, 33)
    other = there.store(NOW)
    await other.open()
    writer = await asyncpg.connect(there.url)
    await writer.execute("BEGIN; LOCK TABLE transactions IN ROW EXCLUSIVE MODE")
    dropped = await other.maintain(NOW, first_id_at(NOW - 30 * DAY_MS))
    await keep(store, 1)
    await writer.execute("COMMIT")
    await writer.close()

    assert dropped == []
    assert len(await other.maintain(NOW, first_id_at(NOW - 30 * DAY_MS))) == 4 * len(TABLES)
    await other.close()
