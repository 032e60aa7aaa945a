"""PostgreSQL that goes away, comes back, or loses an answer: what callers are told is what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Reported, Settlement
from heliograph.store import Store, StoreUnavailable
from heliograph.store.engines.postgres import writing as engine
from heliograph.testing.databases import PostgresDatabase
from heliograph.testing.postgres import PostgresServer, postgres

Accept = Callable[..., Accepted]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here."""
    monkeypatch.setattr(engine, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(engine, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def there(postgres_server: PostgresServer) -> PostgresDatabase:
    """An empty database."""
    return PostgresDatabase.made(postgres_server)


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server that these tests may stop; it keeps what it says."""
    with postgres(durable=True) as server:
        yield server


class Line:
    """A line to the server that can lose the answer to a commit (`lose` is "answer"), or the commit itself
    ("commit"), and then breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []
        self.lose = ""

    async def open(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Hang up."""
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, far_writer]
        lost = asyncio.Event()
        back = asyncio.create_task(self._answers(far_reader, writer, lost))
        while data := await reader.read(65_536):
            if self.lose and b"COMMIT" in data:
                kept, self.lose = self.lose == "answer", ""
                if kept:
                    lost.set()
                    far_writer.write(data)
                    await back
                break
            far_writer.write(data)
        for end in (writer, far_writer):
            end.close()
        await back

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event) -> None:
        while data := await reader.read(65_536):
            if lost.is_set():
                return
            writer.write(data)
        writer.close()


@pytest.fixture
async def line(postgres_server: PostgresServer) -> AsyncIterator[Line]:
    """The line."""
    made = Line(postgres_server.port)
    yield made
    await made.close()


@pytest.fixture
async def store(there: PostgresDatabase, line: Line) -> AsyncIterator[Store]:
    """A store at the other end of the line."""
    port = await line.open()
    opened = Store.on_postgres(there.url.replace(there.url.split(":")[-1].split("/")[0], str(port)))
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize("lose", ["answer", "commit"])
async def test_a_commit_whose_answer_was_lost_is_kept_once(
    store: Store, line: Line, accepted: Accept, there: PostgresDatabase, lose: str
) -> None:
    calls = [accepted() for _ in range(3)]
    await store.accept(calls[0])
    line.lose = lose
    await asyncio.gather(*(store.accept(call) for call in calls[1:]))

    assert line.lose == ""
    assert await there.rows("SELECT count(*) FROM requests") == [(3,)]
    assert await there.rows("SELECT count(*) FROM transactions") == [(9,)]


@pytest.mark.parametrize("lose", ["answer", "commit"])
async def test_what_a_change_did_is_known_although_the_answer_was_lost(
    store: Store, line: Line, accepted: Accept, lose: str
) -> None:
    call = accepted()
    await store.accept(call)
    line.lose = lose
    change = Change(call.request.id, 0, State.SUBMITTED, "k", 1, natives=("n",))

    assert await store.settle(Settlement(changes=[change])) == [True]
    assert await store.settle(Settlement(changes=[change])) == [False]


async def test_a_server_that_falls_and_rises_loses_nothing_that_was_answered(
    mortal: PostgresServer, accepted: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PATIENCE_SECONDS", 20.0)
    there = PostgresDatabase.made(mortal)
    store = there.store()
    await store.open()
    answered: set[int] = set()

    async def caller() -> None:
        for _ in range(30):
            call = accepted(["1"])
            await store.accept(call)
            answered.add(call.request.id)
            await asyncio.sleep(0.01)

    callers = [asyncio.create_task(caller()) for _ in range(4)]
    await asyncio.sleep(0.1)
    mortal.stop(signal.SIGKILL)
    await asyncio.sleep(0.1)
    mortal.start()
    await asyncio.gather(*callers)
    kept = {row[0] for row in await there.rows("SELECT id FROM requests")}
    await store.close()

    assert len(answered) == 120
    assert kept == answered


async def test_while_it_is_away_callers_are_told_at_once_and_then_it_goes_on(
    mortal: PostgresServer, accepted: Accept, caplog: pytest.LogCaptureFixture
) -> None:
    there = PostgresDatabase.made(mortal)
    store = there.store()
    await store.open()
    mortal.stop()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            async with asyncio.timeout(2):
                with pytest.raises(StoreUnavailable):
                    await store.accept(accepted())
        with pytest.raises(StoreUnavailable):
            await store.counts()
        mortal.start()
        await store.accept(accepted())

    assert await store.counts() == {State.QUEUED: 3}
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the database is away",
        "the database is back",
    ]
    await store.close()


async def test_a_text_that_postgresql_cannot_keep_does_not_hold_up_others(
    there: PostgresDatabase, accepted: Accept
) -> None:
    store = there.store()
    await store.open()
    good = accepted(["1"])
    poison = Reported(1, 0, 0, 0, "c", "n\0", "delivered", 1, raw="id:n\0")
    await asyncio.gather(store.accept(good), store.receive([poison], Settlement(changes=[]), []))

    assert [row.raw for row in await store.unmatched(0, 9)] == ["id:n\N{REPLACEMENT CHARACTER}"]
    assert await store.matches([("c", "n\0")]) == {}
    await store.close()


async def test_many_nodes_may_start_at_once(there: PostgresDatabase) -> None:
    stores = [there.store() for _ in range(4)]
    applied = await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.close() for store in stores))

    assert sorted(map(len, applied)) == [0, 0, 0, len(max(applied, key=len))]


async def test_two_nodes_that_settle_the_same_messages_agree(there: PostgresDatabase, accepted: Accept) -> None:
    one, two = there.store(), there.store()
    for store in (one, two):
        await store.open()
    calls = [accepted(["1", "2", "3"]) for _ in range(20)]
    for call in calls:
        await one.accept(call)

    def moves(state: State, reverse: bool) -> list[Change]:
        made = [Change(call.request.id, number, state, "k", 1) for call in calls for number in range(3)]
        return made[::-1] if reverse else made

    took = await asyncio.gather(
        *(
            store.settle(Settlement(changes=moves(state, store is two)))
            for state in (State.SUBMITTED, State.DELIVERED)
            for store in (one, two)
        )
    )

    assert sum(took[0]) + sum(took[1]) <= 60
    assert sum(took[2]) + sum(took[3]) == 60
    assert await one.counts() == {State.DELIVERED: 60}
    assert (await two.pending_counts())[0] == 0
    for store in (one, two):
        await store.close()


async def test_no_error_tells_the_password(mortal: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    urls = [
        f"postgresql://heliograph:s3cr3t-p@127.0.0.1:{mortal.port}/no_such_database",
        "postgresql://heliograph:s3cr3t-p@127.0.0.1:1/x",
        f"postgresql://heliograph:s3cr3t-p@127.0.0.1:{mortal.port}/x?sslmode=no_such_mode",
    ]
    for url in urls:
        with pytest.raises(StoreUnavailable) as raised:
            await Store.on_postgres(url).open()

        assert "s3cr3t-p" not in str(raised.value) + caplog.text
