"""Apps in real time as one part: built from what the platform has, started and stopped with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from heliograph.api.inapp.socket import Socket
from heliograph.api.inapp.views import InAppEndpoints, TokenViews, UserQueries
from heliograph.api.transactions import Transactions
from heliograph.bus.signals import Signals
from heliograph.bus.tasks import lasting
from heliograph.duties.leases import always
from heliograph.intake import Intake
from heliograph.model.ids import Ids
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.policy.limits import Limiter
from heliograph.profiles.exchange import Exchange
from heliograph.profiles.writing import Writer
from heliograph.realtime.hub import Hub
from heliograph.realtime.keeper import Keeper
from heliograph.realtime.mqtt import Bridges
from heliograph.realtime.pushing import Accepted, Pusher
from heliograph.realtime.registering import Registrar
from heliograph.realtime.rooms import Rooms
from heliograph.realtime.saying import COUNTED, Receive, Sayings
from heliograph.store import Store


class Realtime:
    """Connections of apps. `shared` says that other processes use the same store, `on_duty` whether this one stands
    between apps and their brokers."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        signals: Signals,
        clock_ms: Callable[[], int],
        secret: str,
        on_duty: Callable[[], bool] = always,
        *,
        shared: bool,
    ) -> None:
        self._on_duty = on_duty
        self._store = store
        self._directory = directory
        self._clock_ms = clock_ms
        node = secrets.token_hex(8) if shared else ""
        self.hub = Hub(store, Rooms(directory, secret.encode()), signals, clock_ms, node)
        self._sayings: Sayings | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.bridges: Bridges | None = None

    async def start(self, intake: Intake, receive: Receive, writer: Writer, *, works: bool) -> None:
        """Begin to tend connections; `works` says that this process sends and ends messages."""
        exchange = Exchange(self._store, writer)

        async def register(tenant: Tenant, app: str, records: list[Any]) -> None:
            await exchange.take(tenant, app, "create", records)

        async def accept(tenant: Tenant, service: Service, body: bytes, name: str) -> Accepted:
            taken = await intake.accept(tenant, service, body, name)
            return Accepted(taken.transid, taken.answers[0].key)

        self.hub.notifier = Pusher(self._store, self._directory, accept)
        self.hub.registrar = Registrar(self._store, self._directory, register)
        self._sayings = Sayings(self.hub, self._store, receive, self._clock_ms)
        if works:
            self.bridges = Bridges(self.hub, self._sayings, self._on_duty)
        keeper = Keeper(self.hub, self._store, receive, self._clock_ms, works)
        self._keeping = lasting(keeper.run(), "realtime")
        await self.reconfigure()

    async def reconfigure(self) -> None:
        """Follow the workspace."""
        self.hub.expel()
        await self.bridge()

    async def bridge(self) -> None:
        """Stand between apps and their brokers where that is our duty."""
        if self.bridges is not None:
            await self.bridges.reconfigure()

    async def stop(self) -> None:
        """Send everybody away and keep what they said."""
        await self.hub.close()
        if self.bridges is not None:
            await self.bridges.stop()
        if self._sayings is not None:
            await self._sayings.drained()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    def endpoints(self, transactions: Transactions, limits: Limiter, ids: Ids, url: str) -> InAppEndpoints:
        """Where apps connect, and where callers ask who is here; `url` is the platform's own."""
        assert self._sayings is not None  # noqa: S101 - it is started
        return InAppEndpoints(
            Socket(self.hub, self._sayings),
            UserQueries(self.hub, transactions, limits, ids, self._clock_ms),
            TokenViews(self.hub, self._directory, self._clock_ms, url),
        )

    def numbers(self) -> dict[str, float]:
        """What `/metrics` shows."""
        said = self._sayings.counts if self._sayings else dict.fromkeys(COUNTED, 0)
        return {**self.hub.counts, **said}
