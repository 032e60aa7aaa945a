"""What ties this process to others: the broker, signals, and the duties that one process has at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any

from heliograph.bus.nats.connection import Connection, servers_of
from heliograph.bus.nats.signals import NatsSignals
from heliograph.bus.signals import LocalSignals, Signals
from heliograph.config import LOCAL, Config, ConfigError
from heliograph.duties.keeper import Keeper
from heliograph.duties.leases import BRIDGES, DUTIES, NODES, TELL, WORKER, EveryLease, Group, Leases
from heliograph.model.ids import Ids
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5  # after the store did not answer
LEAVE_SECONDS = 5.0  # for calls under way when endpoints go to another process
BEFORE = ("lane.", WORKER)  # given back as soon as nothing goes out any more


class Cluster:
    """Of one process alone everything here is trivial: it has every duty and nobody to talk to."""

    def __init__(self, config: Config, store: Store, ids: Ids) -> None:
        self._config = config
        self._ids = ids
        self._works = "worker" in config.roles
        self._node = ""
        self._up = False
        self._following = asyncio.Lock()
        self._lanes: Callable[[], Awaitable[None]] | None = None
        self.owner = ""
        self.signals: Signals = LocalSignals()
        self.leases: Leases = EveryLease()
        self.connection: Connection | None = None
        self._keeper: Keeper | None = None
        self._sender: NatsSignals | None = None
        if config.bus != LOCAL:
            self.connection = Connection(servers_of(config.bus))
            self._sender = NatsSignals(self.connection)
            self.owner = owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
            self._keeper = Keeper(store, self._sender, owner)
            self.signals, self.leases = self._sender, self._keeper

    @property
    def shared(self) -> bool:
        """Whether there may be other processes."""
        return self._keeper is not None

    def broker(self) -> str:
        """Whether the broker is there and keeps things, for `/readyz`; without it calls are accepted and wait."""
        return "none" if self.connection is None else self.connection.state

    def held(self) -> list[str]:
        """The duties of this process, for `/readyz`."""
        return self._keeper.held() if self._keeper else []

    def take_lanes(self, names: Callable[[], Collection[str]], follow: Callable[[], Awaitable[None]]) -> None:
        """Workers share lanes; `follow` is called when they came or went."""
        self._lanes = follow
        if self._keeper is not None and self._works:
            self._keeper.groups.append(Group(names, WORKER, changed=self._lanes_changed))

    def take_telling(self, follow: Callable[[], Awaitable[None]], left: Callable[[float], Awaitable[None]]) -> None:
        """Workers share the endpoints of callers; `left` finishes what is under way for those that go."""

        async def leaving(_: str) -> None:
            await left(LEAVE_SECONDS)

        if self._keeper is not None and self._works:
            self._keeper.groups.append(Group(lambda: TELL, WORKER, fair=True, changed=follow, leaving=leaving))

    def take_bridges(self, follow: Callable[[], Awaitable[None]]) -> None:
        """One worker stands between apps and their brokers; `follow` is called when it is another."""
        if self._keeper is not None and self._works:
            self._keeper.groups.append(Group(lambda: (BRIDGES,), WORKER, changed=follow))

    def take_leaving(self, follow: Callable[[], Awaitable[None]]) -> None:
        """Workers take up what another leaves behind; `follow` is called when one has ended."""
        if self._keeper is not None and self._works:
            self._keeper.departed.append(follow)

    async def begin(self, run: Callable[[Coroutine[Any, Any, None], str], None]) -> None:
        """Join the others; the store is open. Raises `StoreUnavailable`, and `ConfigError` if there are too many."""
        if self.connection is None or self._keeper is None or self._sender is None:
            return
        await self.connection.start()
        run(self._sender.run(), "signals")
        await self._be_numbered(self._keeper)
        self._keeper.groups.append(Group(lambda: (self._node,), changed=self._renumbered))
        if self._works:
            self._keeper.groups.append(Group(lambda: (WORKER + self._number,)))
            self._keeper.groups.append(Group(lambda: DUTIES, WORKER))
        await self._keeper.begin()
        run(self._keeper.run(), "duties")
        run(self._keeper.watch(), "duties watched")

    async def follow(self) -> None:
        """Everything runs: from now on lanes come and go with our duties."""
        self._up = True
        if self.shared and self._works:
            await self.follow_lanes()

    async def follow_lanes(self) -> None:
        """Lanes follow the workspace and our duties, one change after the other."""
        async with self._following:
            if self._lanes is not None:
                await self._lanes()

    async def look(self) -> None:
        """The workspace changed: there may be lanes to take."""
        if self._keeper is not None:
            self._keeper.look()

    async def drain(self) -> None:
        """Take no duties any more."""
        if self._keeper is not None:
            await self._keeper.drain()

    async def give_lanes(self) -> None:
        """While draining, once nothing goes out any more."""
        if self._keeper is not None:
            await self._keeper.give_back(*BEFORE)
            if self._sender is not None:
                await self._sender.flush()

    async def end(self) -> None:
        """Give back all that is left and leave."""
        if self._keeper is not None and self._node:
            await self._keeper.give_back("")
        if self._sender is not None and self.connection is not None:
            await self._sender.flush()
            await self.connection.stop()

    # Numbers

    @property
    def _number(self) -> str:
        return self._node.rpartition(".")[2]

    async def _be_numbered(self, keeper: Keeper) -> None:
        node = await keeper.take_one(NODES)
        if node is None:
            raise ConfigError(f"there are {len(NODES)} processes on this database already, and there may be no more")
        self._node = node
        self._ids.become(int(self._number))
        log.info("this process is %s", node)

    async def _renumbered(self) -> None:
        """Our number ran out and may be another's by now: take one, however long the store takes."""
        while self._keeper is not None and not self._keeper.holds(self._node):
            try:
                await self._be_numbered(self._keeper)
                self._keeper.look()
            except StoreUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _lanes_changed(self) -> None:
        if self._up:
            await self.follow_lanes()
