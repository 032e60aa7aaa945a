"""A receiver over a real store, and messages that a far end has taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from heliograph.channels.sms import CHANNEL
from heliograph.model.ids import Ids
from heliograph.model.message import Address, Content, Message, Request, Transaction
from heliograph.model.outcome import Inbound, Receipt, State
from heliograph.model.record import Accepted, Change, Notice, Run, Sent, Settlement
from heliograph.model.workspace import Document
from heliograph.policy.directory import Directory
from heliograph.receipts.receiver import Receiver
from heliograph.receipts.sweeper import Sweeper
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator
from heliograph.testing.databases import Database

WORKSPACE: dict[str, Any] = {
    "id": "demo",
    "senders": [{"id": "HELIO", "channel": "sms"}, {"id": "447000000002", "channel": "sms"}],
    "connectors": [
        {"name": "smsc", "channel": "sms", "kind": "smpp"},
        {"name": "idle", "channel": "sms", "kind": "smpp"},
    ],
    "services": [
        {
            "id": "orders",
            "notify": {"url": "http://caller/dr", "inbound_url": "http://caller/in"},
            "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
        },
        {
            "id": "second",
            "notify": {"inbound_url": "http://second/in"},
            "channels": {"sms": {"connector": "smsc", "sender": "447000000002"}},
        },
        {"id": "play", "sandbox": True, "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}}},
    ],
}


class WeakStore:
    """The real store, but for calls that a test makes fail: `weak["receive"] = 2` fails the next two."""

    def __init__(self, store: Store) -> None:
        self.real = store
        self.weak: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*args: Any) -> Any:
            if self.weak.get(name):
                self.weak[name] -= 1
                raise StoreUnavailable("disk full")
            return await method(*args)

        return call


class Desk:
    """A receiver and a sweeper with what surrounds them."""

    def __init__(self, store: Store) -> None:
        self.now = 1_800_000_000_000
        self.store = WeakStore(store)
        self.told: list[Notice] = []
        self.stored: list[bool] = []
        self.ids = Ids(lambda: self.now)
        self.directory = Directory(msgspec.convert({"tenants": [WORKSPACE]}, Document), {"sms": CHANNEL}, 1)
        self.begin()

    def begin(self) -> None:
        """A receiver that knows nothing, as in a new process."""
        around: Any = (lambda: self.directory, self.ids, lambda: self.now, self.told.extend)
        self.correlator = Correlator()
        self.receiver = Receiver(self.store, self.correlator, *around)  # type: ignore[arg-type]
        self.sweeper = Sweeper(self.store, *around)  # type: ignore[arg-type]

    async def message(
        self, *natives: str, connector: str = "demo/smsc", due: int = 0, known: bool = True
    ) -> Transaction:
        """A message the far end took under these ids; without `known` the answer was not heard yet."""
        message = Message(content=Content(channel="sms", fields={"text": "x"}), addresses=())
        request = Request(
            id=self.ids.next(), nonce=1, tenant="demo", service="orders", accepted=self.now, messages=(message,)
        )
        await self.store.real.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["447700900001"]),)))
        await self.store.real.claim([(request.id, 0, 0)])
        transaction = Transaction(request.id, 0, 0, Address("msisdn", "447700900001"), State.SENDING, attempt=1)
        if known:
            await self.answer(transaction, *natives, connector=connector, due=due)
        return transaction

    async def answer(
        self, transaction: Transaction, *natives: str, connector: str = "demo/smsc", due: int = 0
    ) -> None:
        """The far end's answer to the submit comes."""
        self.correlator.submitted(connector, natives, transaction)
        await self.settle(transaction, State.SUBMITTED, "submitted", natives, connector, due)

    async def went(self, of: Transaction, thread: str, at: int, connector: str = "demo/smsc") -> None:
        """It is written when the message went to whom."""
        sent = Sent(of.request, of.ordinal, connector, thread, at)
        await self.store.real.settle(Settlement(changes=[], sent=[sent]))

    async def settle(
        self,
        of: Transaction,
        state: State,
        key: str,
        natives: tuple[str, ...] = (),
        connector: str = "",
        due: int = 0,
    ) -> None:
        """The verb SEND writes where the message stands."""
        attempt = 1 if state is State.SUBMITTED else -1
        change = Change(
            of.request, of.ordinal, state, key, self.now, attempt=attempt, connector=connector, due=due,
            natives=natives,
        )  # fmt: skip
        await self.store.real.settle(Settlement(changes=[change]))

    async def come(self, *items: Receipt | Inbound, connector: str = "demo/smsc") -> list[bool]:
        """Reports come in one batch and are dealt with; what the operator was answered."""
        before = len(self.stored)
        for item in items:
            self.receiver.receive(connector, item, self.stored.append)
        await self.receiver.drained()
        return self.stored[before:]

    async def gave_up(self, of: Transaction) -> None:
        """The verb SEND waits no longer for the answer to a submit."""
        change = Change(of.request, of.ordinal, State.LAPSED, "endpoint_unreachable", self.now, attempt=1)
        await self.store.real.settle(Settlement(changes=[change]))

    async def until(self, of: Transaction, state: tuple[State, str]) -> None:
        """It comes to stand there."""
        async with asyncio.timeout(3):
            while await self.state(of) != state:
                await asyncio.sleep(0.01)

    async def row(self, of: Transaction) -> Transaction:
        return (await self.store.real.transactions(of.request, of.ordinal))[0]

    async def state(self, of: Transaction) -> tuple[State, str]:
        row = await self.row(of)
        return row.state, row.key


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty store."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    """A desk whose receiver runs."""
    made = Desk(store)
    running = asyncio.create_task(made.receiver.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def receipt() -> Callable[..., Receipt]:
    """Receipts: `receipt("n1")` is a delivery."""

    def make(native: str, key: str = "delivered", code: str = "", destination: str = "447700900001") -> Receipt:
        return Receipt("", native, key, code, "", destination, f"id:{native}")

    return make
