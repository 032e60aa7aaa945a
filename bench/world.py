"""What the benchmarks share: a platform without HTTP, a null connector, a workspace, figures."""

from __future__ import annotations

import asyncio
import os
import platform as machine
import statistics
import time
from itertools import count
from pathlib import Path
from typing import Any

from heliograph.bus.local import Tail
from heliograph.bus.tokens import LocalTokens
from heliograph.channels.sms.request import MEMBERS, MISSING_KEYS, RULES
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.lanes import Equipment, Lanes
from heliograph.dispatch.worker import Dispatcher
from heliograph.intake import Intake
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.channel import Channel, ConnectorKind, Events, Outbound
from heliograph.model.ids import Ids
from heliograph.model.outcome import Receipt, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.receipts.receiver import Receiver
from heliograph.store import Store
from heliograph.store.correlator import Correlator
from heliograph.store.vault import Vault, new_secret
from heliograph.workspaces import Workspaces

KEY = "11111111-1111-4111-8111-111111111111"


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class NullConnector:
    """Takes everything at once; answers and sends receipts in the next turn of the loop."""

    def __init__(self, spec: ConnectorSpec) -> None:
        self.name = spec.name
        self._window = spec.window
        self._under_way: list[Outbound] = []
        self._events: Events | None = None
        self._ids = (f"{os.getpid():x}.{number:x}" for number in count(1))  # of all processes different ones
        self.receipts = True

    async def start(self, events: Events) -> None:
        """Begin."""
        self._events = events

    async def stop(self, grace: float) -> None:
        """End."""

    def capacity(self) -> int:
        """Places left in the window."""
        return self._window - len(self._under_way)

    def submit(self, outbound: Outbound) -> None:
        """Take one message."""
        if not self._under_way:
            asyncio.get_running_loop().call_soon(self._answer)
        self._under_way.append(outbound)

    def _answer(self) -> None:
        batch, self._under_way = self._under_way, []
        assert self._events is not None
        for outbound in batch:
            native = next(self._ids)
            self._events.settled(outbound, Submitted((native,)))
            if self.receipts:
                self._events.received(Receipt("", native, "delivered", destination=outbound.to), _ignore)
        self._events.ready()

    def status(self) -> dict[str, Any]:
        """For people."""
        return {"state": "bound"}

    def describe(self, native: bytes) -> dict[str, Any]:
        """Nothing went over a wire."""
        return {}


def _ignore(stored: bool) -> None:
    """Nobody waits for the answer."""


def null_channel() -> Channel:
    """SMS with a connector that needs no wire."""
    kind = ConnectorKind("null", lambda spec: [], lambda spec, _: NullConnector(spec), lambda spec, lane, peers: spec)
    return Channel(
        name="sms", wire_name="SMS", path=("sms",), rules=RULES, members=MEMBERS, missing_keys=MISSING_KEYS,
        addresses=("msisdn", "customerid"), kinds={"null": kind}, normalise=normalise_msisdn,
        compose=lambda content, text: text, allows=lambda content, sender: None,
        measure=lambda content, text: (1, "gsm", len(text)), limit=4000, sender_field="senderid",
    )  # fmt: skip


def document(url: str = "", states: tuple[str, ...] = ("Delivered",)) -> dict[str, Any]:
    """A workspace with one service on the null connector."""
    return {
        "tenants": [
            {
                "id": "bench",
                "allow_private_targets": True,
                "senders": [{"id": "HELIO", "channel": "sms"}],
                "connectors": [{"name": "null", "channel": "sms", "kind": "null", "window": 1000}],
                "services": [
                    {
                        "id": "bench", "keys": [KEY], "notify": {"url": url, "states": list(states)},
                        "channels": {"sms": {"connector": "null", "sender": "HELIO"}},
                    }
                ],
            }
        ]
    }  # fmt: skip


class Ring:
    """The verbs around a real store, without HTTP and without a wire."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.on_sqlite(folder / "bench.sqlite")
        channels = {"sms": null_channel()}
        self.workspaces = Workspaces(self.store, Vault(new_secret()), channels)
        directory = self.workspaces.directory
        self.ids = Ids(clock_ms)
        correlator = Correlator()
        self.told = 0
        self.receiver = Receiver(self.store, correlator, directory, self.ids, clock_ms, self._tell)
        self.lanes = Lanes(directory, {}, Equipment(LocalTokens(clock_ms)), time.monotonic, clock_ms)
        around = Surroundings(self.store, directory, correlator, self.ids, self._tell, self.receiver.receive)
        self.dispatcher = Dispatcher(around, self.lanes)
        self.intake = Intake(self.store, directory, self.ids, self.dispatcher.offer, self._tell, clock_ms)
        self.tail = Tail()

    def _tell(self, notices: list[Any]) -> None:
        self.told += len(notices)

    async def start(self, url: str = "") -> None:
        """Bring it up."""
        await self.store.open()
        await self.workspaces.apply(document(url))
        self._task = asyncio.create_task(self.receiver.run())
        await self.dispatcher.start()

    async def stop(self) -> None:
        """Take it down."""
        await self.dispatcher.stop(5)
        await self.receiver.drained()
        self._task.cancel()
        await self.store.close()


def body(count: int, start: int = 0) -> bytes:
    """A call with so many destinations."""
    numbers = ",".join(f'"4477009{start + number:05d}"' for number in range(count))
    return (
        '{"deliverychannel":"sms","channels":{"sms":{"text":"Hello from the benchmark"}},'
        f'"destination":[{{"msisdn":[{numbers}]}}]}}'
    ).encode()


def conditions() -> str:
    """The machine, for the record."""
    return f"Python {machine.python_version()}, {machine.machine()}, {machine.system()} {machine.release()}"


def median(samples: list[float]) -> float:
    """The middle."""
    return statistics.median(samples)
