"""Connections of several processes that share a database: whoever keeps a message, whoever holds the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from heliograph.bus.signals import LocalSignals, Signals
from heliograph.model.inapp import Delivery, Kept
from heliograph.model.outcome import SendError
from heliograph.realtime import hub as hubs
from heliograph.realtime import keeper as keepers
from heliograph.realtime.frames import Close
from heliograph.realtime.hub import Busy, Hub
from heliograph.realtime.keeper import Keeper
from heliograph.realtime.rooms import Rooms
from heliograph.realtime.session import Session
from heliograph.store import Store, StoreUnavailable
from heliograph.testing import eventually
from heliograph.testing.databases import Database, PostgresDatabase
from heliograph.testing.postgres import PostgresServer

NOW = 1_000_000
LANE = "demo/AP1"


class Deaf:
    """Signals that all get lost."""

    def signal(self, subject: str, data: bytes = b"") -> None:
        """It gets lost."""

    def listen(self, subject: str, handler: Callable[[bytes], None]) -> Callable[[], None]:
        """Nothing is heard."""
        return lambda: None


class Wire:
    """A connection that keeps what it is given."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.frames: list[dict[str, Any]] = []
        self.ended: list[Close] = []

    def flush(self) -> None:
        """Take what waits."""
        while self.session is not None and self.session.out:
            self.frames.append(json.loads(self.session.out.popleft()))

    def end(self, why: Close) -> None:
        """The end."""
        self.ended.append(why)

    def texts(self) -> list[str]:
        """What messages said."""
        return [frame["text"] for frame in self.frames if frame["t"] == "message"]


@asynccontextmanager
async def process(database: Database, signals: Signals, node: str) -> AsyncIterator[Hub]:
    """One process on a database that others use too."""
    store = database.store()
    await store.open()
    rooms = cast(Rooms, SimpleNamespace(get=lambda lane: None))
    hub = Hub(store, rooms, signals, lambda: NOW, node)
    keeper = asyncio.create_task(Keeper(hub, store, lambda *_: None, lambda: NOW, lapses=False).run())
    await store.inapp_beat(node, NOW + 60_000) if node else None
    yield hub
    await hub.close()
    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)
    await store.close()


async def join(hub: Hub, device: str = "phone", user: str = "ann", after: int | None = None) -> Wire:
    """A device that connects, having had so many messages."""
    wire = Wire()
    wire.session = Session((LANE, user), device, NOW + 60_000, wire)
    await hub.join(wire.session, after)
    hub.begin(wire.session)
    return wire


async def keep(hub: Hub, number: int, user: str = "ann") -> Kept | SendError:
    """A message is kept."""
    return await hub.keep(Delivery(LANE, user, number, 0, NOW + 60_000, f'{{"text":"{number}"}}'))


async def has(wire: Wire, *texts: str) -> None:
    """Wait until a device was given these."""

    async def given() -> bool:
        return wire.texts() == [*texts]

    await eventually(given)


@pytest.mark.parametrize("signals", [LocalSignals(), Deaf()], ids=["hinted", "every hint lost"])
async def test_a_device_on_one_process_gets_what_another_kept(
    postgres_server: PostgresServer, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = PostgresDatabase.made(postgres_server)
    monkeypatch.setattr(keepers, "LOOK_SECONDS", 0.2)
    async with process(database, signals, "a") as one, process(database, signals, "b") as other:
        wire = await join(other)
        for number in range(3):
            await keep(one, number)
        await has(wire, "0", "1", "2")
        present = [await hub.present(LANE, "ann") for hub in (one, other)]
        devices = [device.node for device in await one.devices(LANE, "ann")]

        assert (present, devices) == ([True, True], ["b"])


async def test_an_app_that_counts_from_before_its_user_was_erased_misses_nothing(database: Database) -> None:
    async with process(database, LocalSignals(), "") as hub:
        for number in range(2):
            await keep(hub, number)
        wire = await join(hub, after=57)

        await has(wire, "0", "1")
        assert (await join(hub, "tablet", after=1)).session.sent == 1  # type: ignore[union-attr]


async def test_hints_reach_the_other_devices_of_a_user(database: Database) -> None:
    async with process(database, LocalSignals(), "") as one:
        phone, tablet = await join(one), await join(one, "tablet")
        one.hint((LANE, "ann"), '{"t":"typing"}', but=phone.session)

        assert (phone.frames, tablet.frames) == ([], [{"t": "typing"}])


async def test_the_oldest_of_too_many_devices_goes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "DEVICES", 2)
    async with process(database, LocalSignals(), "") as hub:
        wires = [await join(hub, name) for name in ("one", "two", "three")]

        assert [wire.ended for wire in wires] == [[Close.REPLACED], [], []]
        assert hub.count == 2


async def test_there_is_an_end_to_connections_and_to_what_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "CONNECTIONS", 1)
    monkeypatch.setattr(hubs, "WAITING", 2)
    async with process(database, LocalSignals(), "") as hub:
        await join(hub)
        with pytest.raises(Busy):
            await join(hub, "tablet")
        kept = [await keep(hub, number, "ben") for number in range(3)]

        assert kept[:2] == [Kept(1), Kept(2)]
        assert isinstance(kept[2], SendError)
        assert (kept[2].key, kept[2].native_code) == ("rate_limit_exceeded", "full")


async def test_what_cannot_be_kept_is_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> int:
        raise StoreUnavailable("in this test")

    async with process(database, LocalSignals(), "") as hub:
        monkeypatch.setattr(Store, "inapp_keep", away)
        kept = await keep(hub, 1)
        monkeypatch.setattr(Store, "inapp_join", away)
        with pytest.raises(Busy):
            await join(hub)

    assert isinstance(kept, SendError)
    assert (kept.key, kept.retry) == ("failed_at_platform", "soon")


async def test_a_device_is_caught_up_although_the_store_was_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Any:
        raise StoreUnavailable("in this test")

    async with process(database, LocalSignals(), "") as hub:
        await keep(hub, 1)
        with monkeypatch.context() as patch:
            patch.setattr(Store, "inapp_after", away)
            wire = await join(hub)
            await asyncio.sleep(0.05)
        await has(wire, "1")  # the keeper looks every second


async def test_who_acknowledges_nothing_is_cut(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepers, "UNANSWERED_SECONDS", 0.1)
    async with process(database, LocalSignals(), "") as hub:
        wire = await join(hub)
        await keep(hub, 1)

        async def cut() -> bool:
            return wire.ended == [Close.TOO_SLOW]

        await eventually(cut)
        again = await join(hub)
        await has(again, "1")


async def test_everybody_is_sent_away_at_the_end(database: Database) -> None:
    async with process(database, LocalSignals(), "") as hub:
        wire = await join(hub)

    assert (wire.ended, hub.count) == ([Close.AWAY], 0)
