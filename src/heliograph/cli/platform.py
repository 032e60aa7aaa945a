"""The composition root: builds every part once, ties them together, starts and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

from heliograph.api.key_use import KeyUse
from heliograph.api.links import LinkViews
from heliograph.bus.local import Tail
from heliograph.bus.tasks import lasting
from heliograph.bus.tokens import LocalTokens
from heliograph.channels import channels
from heliograph.cli.data import DataLock, Secrets
from heliograph.cli.parts.clock import Clock, clock_ms
from heliograph.cli.parts.cluster import Cluster
from heliograph.cli.parts.events import EventAround, EventParts
from heliograph.cli.parts.realtime import Realtime
from heliograph.cli.parts.rules import Around, RuleParts
from heliograph.cli.parts.surface import Surface
from heliograph.cli.parts.telling import Telling
from heliograph.cli.parts.together import causing, forgetting, together, waking
from heliograph.cli.parts.work import Working
from heliograph.cli.simulators import Simulators
from heliograph.config import SQLITE, Config, ConfigError
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.lanes import Equipment, Lanes
from heliograph.dispatch.worker import Dispatcher
from heliograph.duties.leases import BRIDGES, HOUSEKEEPING, tell_lease
from heliograph.duties.quotas import SharedLimiter
from heliograph.duties.tokens import SharedTokens
from heliograph.intake import Intake, Means
from heliograph.lookup import Lookup
from heliograph.model.channel import Tokens
from heliograph.model.ids import Ids
from heliograph.model.outcome import Inbound
from heliograph.model.people import Wish
from heliograph.model.policies.texts import amount_of
from heliograph.model.workspace import Service, Tenant
from heliograph.notify.teller import Teller
from heliograph.policy.limits import Limiter
from heliograph.policy.objects.links import Codes
from heliograph.profiles.jobs import Worker
from heliograph.profiles.people import ProfilePeople
from heliograph.profiles.writing import Writer
from heliograph.receipts.receiver import Receiver
from heliograph.receipts.rematching import Rematching
from heliograph.receipts.sweeper import Sweeper
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator
from heliograph.store.retention import Retention
from heliograph.store.vault import Vault, VaultError
from heliograph.wire.http import Client
from heliograph.workspaces import Workspaces

log = logging.getLogger(__name__)

DATABASE_FILE = "heliograph.sqlite"
GRACE_SECONDS = 4.0  # for each of the two outer edges; the whole stop stays within 10 s


def store_of(config: Config) -> Store:
    """The store that the settings name; not open yet."""
    if config.database == SQLITE:
        return Store.on_sqlite(config.data / DATABASE_FILE, clock_ms())
    return Store.on_postgres(config.database, clock_ms())


class Platform:
    """One process of the platform."""

    def __init__(self, config: Config, secrets: Secrets) -> None:
        """Build all parts; nothing runs yet. Raises `ConfigError` and `VaultError`."""
        self.config = config
        self.clock_ms = Clock()
        self._lock = DataLock(config.data) if config.database == SQLITE else None
        self.store = store_of(config)
        self.channels = channels()
        self.vault = Vault(secrets.secret_key)
        self.workspaces = Workspaces(self.store, self.vault, self.channels, self.clock_ms,
                                     config.link_url or config.url)  # fmt: skip
        self.simulators = Simulators(config)
        self.tail = Tail()
        self.ids = Ids(self.clock_ms)
        self.cluster = Cluster(config, self.store, self.ids)
        self._on_duty = partial(self.cluster.leases.holds, HOUSEKEEPING)
        self._works = "worker" in config.roles
        self.http = Client()
        self.lookup = Lookup(self.store, ProfilePeople(self.store, self.workspaces.directory))
        self._send_and_tell(secrets.secret_key)
        self._take_in()
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: set[asyncio.Task[None]] = set()
        self.up = False
        self.admin_token = secrets.admin_token
        self.surface = Surface(self)

    def _send_and_tell(self, secret_key: str) -> None:
        """The verbs SEND, RECEIVE and TELL."""
        config, directory = self.config, self.workspaces.directory
        codes = Codes(secret_key.encode())
        self.teller = Teller(
            self.store, self.http, lambda tenant, service: directory().service_of(tenant, service),
            self.clock_ms, random.Random(),
            mine=(lambda origin: self.cluster.leases.holds(tell_lease(origin))) if self.cluster.shared else None,
        )  # fmt: skip
        self.telling = Telling(self.cluster, self.teller, self.tail, self.store, works=self._works)
        self.tell = self.telling.tell
        self.links = LinkViews(self.store, codes, directory, self.ids, self.clock_ms, self.tell)
        correlator = Correlator()
        self.receiver = Receiver(self.store, correlator, directory, self.ids, self.clock_ms, self.tell, self._wished)
        self.sweeper = Sweeper(self.store, directory, self.ids, self.clock_ms, self.tell, self._on_duty)
        bridging = partial(self.cluster.leases.holds, BRIDGES)
        self.realtime = Realtime(self.store, directory, self.cluster.signals, self.clock_ms, secret_key, bridging,
                                 shared=config.database != SQLITE)  # fmt: skip
        self.tokens: Tokens = LocalTokens(self.clock_ms)
        if self.cluster.shared:
            self.tokens = SharedTokens(self.store, self.vault, self.cluster.owner, self.clock_ms)
        self.lanes = Lanes(
            directory, self.simulators.peers, Equipment(self.tokens, config.data, self.realtime.hub), time.monotonic,
            self.clock_ms, self.cluster.leases,
        )  # fmt: skip
        self.working = Working(self.cluster.connection, self.store, directory, self.clock_ms)
        around = Surroundings(
            self.store, directory, correlator, self.ids, self.tell, self.receiver.receive, lookup=self.lookup,
            codes=codes, clock_ms=self.clock_ms,
        )  # fmt: skip
        self.dispatcher = Dispatcher(around, self.lanes, self.working.held)
        self.cluster.take_bridges(self.realtime.bridge)
        self.cluster.take_lanes(self.lanes.single, self.dispatcher.reconfigure)
        self.cluster.take_telling(self.telling.follow, self.teller.shares.left)

    def _take_in(self) -> None:
        """The verb ACCEPT, and what follows from events; profiles."""
        directory = self.workspaces.directory
        queued = self.working.queued(self.dispatcher, self.lanes, works=self._works, on_duty=self._on_duty)
        self.limits = SharedLimiter(self.store, self.clock_ms) if self.cluster.shared else Limiter()
        means = Means(self.limits, self.lookup, owes=self.cluster.shared)
        self.intake = Intake(self.store, directory, self.ids, queued, self.tell, self.clock_ms, means)
        self.rules = RuleParts(
            Around(self.store, directory, self.ids, self.clock_ms, self.intake, self.lookup, self.tell)
        )
        self.profile_worker = Worker(self.store, self.clock_ms, self._on_duty)
        wake = waking(self.cluster, self.profile_worker.wake)
        self.profile_writer = Writer(self.store, self.vault, self.ids, self.clock_ms, wake)
        self.key_use = KeyUse(self.store, self.clock_ms)
        caused = causing(self.cluster, self.store, self.rules.runner, works=self._works)
        self.cluster.take_leaving(partial(self.rules.left, self._on_duty))
        offer = self.rules.runner.offer if self._works else lambda occurrences: caused()
        edges = EventAround(self.store, directory, self.ids, self.clock_ms, self.limits, self.key_use, offer)
        self.events = EventParts(edges)

    def _wished(self, tenant: Tenant, service: Service | None, item: Inbound, wish: Wish, changed: bool) -> None:
        """A person's wish was committed: it counts at once, and they may be answered, but not again and again: what
        writes may be a machine."""
        self.lookup.listed(tenant.id)
        opt_out = tenant.opt_out
        text = (opt_out.reply_stop if wish.stop else opt_out.reply_start) if opt_out else ""
        if service is not None and text and changed:
            task = asyncio.get_running_loop().create_task(self.intake.answer(tenant, service, item, text))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _open_accounts(self) -> None:
        """Every tenant with billing has its account."""
        for tenant in self.workspaces.directory().tenants.values():
            if tenant.billing is not None:
                opening = amount_of(tenant.billing.balance) or 0
                await self.store.open_account(tenant.id, opening, self.clock_ms())

    async def start(self) -> None:
        """Bring everything up; when this returns the platform is ready. Raises `StoreUnavailable` and `VaultError`
        when there is nothing to begin with; everything is let go of then."""
        try:
            await self._recall()
        except (StoreUnavailable, VaultError, ConfigError):
            await self._let_go()
            raise
        await self.simulators.start()
        self._run(self.key_use.run(), "key use")
        self._run(self.receiver.run(), "receiver")
        self._run(self.telling.run(), "telling")
        if isinstance(self.limits, SharedLimiter):
            self._run(self.limits.run(), "limits")
        await self.realtime.start(self.intake, self.receiver.receive, self.profile_writer, works=self._works)
        self.workspaces.changed.append(self.realtime.reconfigure)
        if self._works:
            if not self.cluster.shared and (released := await self.store.release_claims()):
                log.warning("%d messages were being sent when the process ended; queued again, flagged", released)
            self._run(self.sweeper.run(), "sweeper")
            self._run(self.teller.run(), "teller")
            self._run(self.profile_worker.run(), "profiles")
            retention = Retention(self.store, self.config.retention_days, self.clock_ms, self._on_duty)
            if self.cluster.shared:
                self._run(Rematching(self.store, self.receiver, self.clock_ms, self._on_duty).run(), "rematching")
            self._run(retention.run(), "retention")
            await self.dispatcher.start()
            self.workspaces.changed.append(self.cluster.follow_lanes)
            await self.receiver.recover()
            await self.rules.start(alone=self._lock is not None)
            if not self.cluster.shared and (recovered := await self.dispatcher.recover()):
                log.info("%d requests with messages to send were taken up again", recovered)
        await self.working.start(self._run)
        self.workspaces.changed.append(self.working.changed)
        await self.cluster.follow()
        self.up = True

    async def _recall(self) -> None:
        """Open the store and take up what an earlier process left in it."""
        await self.store.open()
        if self.cluster.shared:
            await self.clock_ms.look(self.store.now_ms)
            self._run(self.clock_ms.follow(self.store.now_ms), "clock")
        await self.workspaces.load()
        await self.cluster.begin(self._run)
        self.workspaces.changed.append(self.cluster.look)
        together(self.cluster, self.workspaces, self.lookup, self._run)
        forgetting(self.cluster, self.store)
        await self._open_accounts()
        self.workspaces.changed.append(self._open_accounts)
        self.ids.rise_above(await self.store.greatest_id())
        self.limits.recall(await self.store.volumes(self.clock_ms()))

    async def stop(self) -> None:
        """Drain: no new calls, answers under way awaited, everything durable."""
        self.up = False
        self.tail.close()
        await self.cluster.drain()
        await asyncio.gather(*self._answers)
        await self.realtime.stop()
        await self.working.stop_taking()
        if self._works:
            await self.rules.runner.stop(GRACE_SECONDS / 4)
            await self.dispatcher.stop(GRACE_SECONDS)
        await self.working.leave()
        await self.cluster.give_lanes()
        with contextlib.suppress(TimeoutError):  # what the store does not take stays with its operator
            await asyncio.wait_for(self.receiver.drained(), GRACE_SECONDS / 4)
        if self._works:
            await self.teller.stop(GRACE_SECONDS / 2)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.simulators.stop()
        await self.http.close()
        await self.key_use.write()
        if isinstance(self.limits, SharedLimiter):
            await self.limits.close()
        await self._let_go()

    async def _let_go(self) -> None:
        await self.cluster.end()
        await self.store.close()
        if self._lock is not None:
            self._lock.release()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(lasting(work, name))
