"""One process serves a PostgreSQL database, or several that know of each other; whoever lost it writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest

from heliograph.model.record import Accepted
from heliograph.store import Store
from heliograph.store.engines import guard as module
from heliograph.store.engines import postgres as engine
from heliograph.store.engines.guard import SERVING, Guard, StoreTaken
from heliograph.testing.databases import PostgresDatabase
from heliograph.testing.postgres import PostgresServer, postgres

Accept = Callable[..., Accepted]

ALONE, TOGETHER = False, True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here, but for a server that starts."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(engine, "PATIENCE_SECONDS", 10.0)


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server that these tests may stop."""
    with postgres(durable=True) as server:
        yield server


@pytest.fixture
def there(mortal: PostgresServer) -> PostgresDatabase:
    """An empty database."""
    return PostgresDatabase.made(mortal)


Serve = Callable[[bool], Store]


@pytest.fixture
async def serving(there: PostgresDatabase) -> AsyncIterator[Serve]:
    """Makes stores of processes that serve, and lets go of them."""
    made: list[Store] = []

    def make(together: bool) -> Store:
        made.append(Store.on_postgres(there.url, 0, Guard(together=together)))
        return made[-1]

    yield make
    for store in made:
        await store.close()


async def broken(there: PostgresDatabase, but: int) -> None:
    """All sessions that hold the lock end, but one."""
    await there.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
        f"objid = {SERVING & 0xFFFFFFFF} AND pid <> {but}"
    )


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [(ALONE, ALONE, "another process serves"), (ALONE, TOGETHER, "BUS=local"), (TOGETHER, ALONE, "nats://")],
)
async def test_who_must_be_alone_is(serving: Serve, first: bool, second: bool, said: str) -> None:
    before = serving(first)
    await before.open()

    with pytest.raises(StoreTaken, match=said):
        await serving(second).open()


async def test_who_know_of_each_other_serve_together(serving: Serve, accepted: Accept) -> None:
    stores = [serving(TOGETHER) for _ in range(3)]
    for store in stores:
        await store.open()
        await store.accept(accepted())

    assert sum((await stores[0].counts()).values()) == 9


async def test_commands_that_do_not_serve_are_let_in(serving: Serve, there: PostgresDatabase) -> None:
    await serving(ALONE).open()
    beside = there.store()
    await beside.open()
    await beside.close()


async def test_another_may_serve_when_the_first_has_ended(serving: Serve, accepted: Accept) -> None:
    first, second = serving(ALONE), serving(ALONE)
    await first.open()
    await first.close()
    await second.open()

    await second.accept(accepted())


async def test_a_restart_of_the_database_is_survived(
    mortal: PostgresServer, serving: Serve, accepted: Accept
) -> None:
    store = serving(ALONE)
    await store.open()
    mortal.stop()
    waiting = asyncio.create_task(store.accept(accepted()))
    await asyncio.sleep(0.1)
    mortal.start()
    await waiting

    with pytest.raises(StoreTaken):
        await serving(ALONE).open()
    await store.accept(accepted())


async def test_who_lost_the_database_to_another_writes_nothing_any_more(
    there: PostgresDatabase, accepted: Accept
) -> None:
    guard = Guard(together=ALONE)
    store = Store.on_postgres(there.url, 0, guard)
    await store.open()
    other = await asyncpg.connect(there.url)
    waiting = asyncio.create_task(other.execute("SELECT pg_advisory_lock($1)", SERVING))
    await asyncio.sleep(0.05)
    await broken(there, other.get_server_pid())
    await waiting

    with pytest.raises(StoreTaken, match="stop the other"):
        await store.accept(accepted())
    await other.close()
    with pytest.raises(StoreTaken):
        await store.accept(accepted())
    assert guard.lost.is_set()
    assert sum((await store.counts()).values()) == 0
    await store.close()


async def test_a_session_of_our_own_that_was_left_is_no_other(there: PostgresDatabase) -> None:
    guard = Guard(together=ALONE)
    left, fresh = [await asyncpg.connect(there.url, server_settings=guard.settings) for _ in range(2)]
    await guard.hold(left)
    await guard.hold(fresh)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.fetchval("SELECT 1")
    await fresh.close()
