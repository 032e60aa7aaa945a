"""The composition root: builds every part once, ties them together, starts and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Coroutine
from typing import Any

from starlette.routing import BaseRoute, Mount

from heliograph import catalogue
from heliograph.api.admin.callbacks import CallbackViews
from heliograph.api.admin.collections import CollectionViews
from heliograph.api.admin.explain import ExplainViews
from heliograph.api.admin.keys import KeyViews
from heliograph.api.admin.messages import MessageViews
from heliograph.api.admin.people import Means as PeopleMeans
from heliograph.api.admin.people import PeopleViews
from heliograph.api.admin.policies.accounts import AccountViews
from heliograph.api.admin.policies.clock import ClockViews
from heliograph.api.admin.policies.dnd import DndViews
from heliograph.api.admin.policies.whatif import WhatIfViews
from heliograph.api.admin.views import Views
from heliograph.api.admin.workspace import WorkspaceViews
from heliograph.api.app import Endpoints, build_app
from heliograph.api.callbacks import Callbacks
from heliograph.api.key_use import KeyUse
from heliograph.api.links import LinkViews
from heliograph.api.messaging import Messaging
from heliograph.api.metrics import Metrics
from heliograph.api.profiles.endpoints import Profiles
from heliograph.api.transactions import Transactions
from heliograph.bus.local import Tail
from heliograph.bus.signals import LocalSignals
from heliograph.bus.tasks import lasting
from heliograph.bus.tokens import LocalTokens
from heliograph.channels import channels
from heliograph.cli.data import DataLock, Secrets
from heliograph.cli.parts.realtime import Realtime
from heliograph.cli.simulators import Simulators
from heliograph.config import SQLITE, Config
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.lanes import Lanes
from heliograph.dispatch.worker import Dispatcher
from heliograph.intake import Intake, Means
from heliograph.lookup import Lookup
from heliograph.model.ids import Ids
from heliograph.model.outcome import Inbound
from heliograph.model.people import Wish
from heliograph.model.policies.texts import amount_of
from heliograph.model.record import Notice
from heliograph.model.workspace import Service, Tenant
from heliograph.notify.teller import Teller
from heliograph.policy.limits import Limiter
from heliograph.policy.objects.links import Codes
from heliograph.profiles.erasing import Eraser
from heliograph.profiles.exchange import Exchange
from heliograph.profiles.jobs import Worker
from heliograph.profiles.people import ProfilePeople
from heliograph.profiles.writing import Writer
from heliograph.receipts.receiver import Receiver
from heliograph.receipts.sweeper import Sweeper
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator
from heliograph.store.retention import Retention
from heliograph.store.vault import Vault, VaultError
from heliograph.whatif import WhatIf
from heliograph.wire.http import Client
from heliograph.workspaces import Workspaces

log = logging.getLogger(__name__)

DATABASE_FILE = "heliograph.sqlite"
GRACE_SECONDS = 4.0  # for each of the two outer edges; the whole stop stays within 10 s


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


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
        self._lock = DataLock(config.data) if config.database == SQLITE else None
        self.store = store_of(config)
        self.channels = channels()
        self._vault = Vault(secrets.secret_key)
        self.workspaces = Workspaces(self.store, self._vault, self.channels, clock_ms,
                                     config.link_url or config.url)  # fmt: skip
        self.simulators = Simulators(config)
        self.tail = Tail()
        self.ids = Ids(clock_ms)
        directory = self.workspaces.directory
        codes = Codes(secrets.secret_key.encode())
        self.links = LinkViews(self.store, codes, directory, self.ids, clock_ms, self.tell)
        self.http = Client()
        self.teller = Teller(
            self.store, self.http, lambda tenant, service: directory().service_of(tenant, service),
            clock_ms, random.Random(),
        )  # fmt: skip
        correlator = Correlator()
        self.receiver = Receiver(self.store, correlator, directory, self.ids, clock_ms, self.tell, self._wished)
        self.sweeper = Sweeper(self.store, directory, self.ids, clock_ms, self.tell)
        self.realtime = Realtime(self.store, directory, LocalSignals(), clock_ms, secrets.secret_key,
                                 shared=config.database != SQLITE)  # fmt: skip
        self.lanes = Lanes(
            directory, self.simulators.peers, LocalTokens(clock_ms), time.monotonic, clock_ms, config.data,
            self.realtime.hub,
        )  # fmt: skip
        self.lookup = Lookup(self.store, ProfilePeople(self.store, directory))
        self.dispatcher = Dispatcher(
            Surroundings(
                self.store,
                directory,
                correlator,
                self.ids,
                self.tell,
                self.receiver.receive,
                lookup=self.lookup,
                codes=codes,
            ),
            self.lanes,
        )
        self._works = "worker" in config.roles
        queued = self.dispatcher.offer if self._works else lambda accepted: None
        self.limits = Limiter()
        means = Means(self.limits, self.lookup)
        self.intake = Intake(self.store, directory, self.ids, queued, self.tell, clock_ms, means)
        self.profile_worker = Worker(self.store, clock_ms)
        self.profile_writer = Writer(self.store, self._vault, self.ids, clock_ms, self.profile_worker.wake)
        self.key_use = KeyUse(self.store, clock_ms)
        self._tasks: list[asyncio.Task[None]] = []
        self._answers: set[asyncio.Task[None]] = set()
        self._ready = False
        self.admin_token = secrets.admin_token

    def tell(self, notices: list[Notice]) -> None:
        """Notices were committed: callers are told, listeners of the live log too."""
        if self._works:
            self.teller.offer(notices)
        if self.tail.heard:
            for notice in notices:
                self.tail.publish(self._event(notice))

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
                await self.store.open_account(tenant.id, opening, clock_ms())

    def _event(self, notice: Notice) -> dict[str, Any]:
        request = self.store.cached_request(notice.request)
        return {
            "at": notice.at,
            "transid": request.transid(notice.ordinal) if request else "",
            "service": notice.service,
            "state": notice.state.name.lower(),
            "code": catalogue.code(notice.key) if request else "",
            "description": catalogue.receipt_text(notice.key) if request else notice.key,
            "detail": notice.detail,
        }

    async def start(self) -> None:
        """Bring everything up; when this returns the platform is ready. Raises `StoreUnavailable` and `VaultError`
        when there is nothing to begin with; everything is let go of then."""
        try:
            await self._recall()
        except (StoreUnavailable, VaultError):
            await self._let_go()
            raise
        await self.simulators.start()
        self._run(self.key_use.run(), "key use")
        self._run(self.receiver.run(), "receiver")
        await self.realtime.start(self.intake, self.receiver.receive, self.profile_writer, works=self._works)
        self.workspaces.changed.append(self.realtime.reconfigure)
        if self._works:
            released = await self.store.release_claims()
            if released:
                log.warning("%d messages were being sent when the process ended; queued again, flagged", released)
            self._run(self.sweeper.run(), "sweeper")
            self._run(self.teller.run(), "teller")
            self._run(self.profile_worker.run(), "profiles")
            retention = Retention(self.store, self.config.retention_days, clock_ms)
            self._run(retention.run(), "retention")
            await self.dispatcher.start()
            self.workspaces.changed.append(self.dispatcher.reconfigure)
            await self.receiver.recover()
            recovered = await self.dispatcher.recover()
            if recovered:
                log.info("%d requests with messages to send were taken up again", recovered)
        self._ready = True

    async def _recall(self) -> None:
        """Open the store and take up what an earlier process left in it."""
        await self.store.open()
        await self.workspaces.load()
        await self._open_accounts()
        self.workspaces.changed.append(self._open_accounts)
        self.ids.rise_above(await self.store.greatest_id())
        self.limits.recall(await self.store.volumes(clock_ms()))

    async def stop(self) -> None:
        """Drain: no new calls, answers under way awaited, everything durable."""
        self._ready = False
        self.tail.close()
        await asyncio.gather(*self._answers)
        await self.realtime.stop()
        if self._works:
            await self.dispatcher.stop(GRACE_SECONDS)
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
        await self._let_go()

    async def _let_go(self) -> None:
        await self.store.close()
        if self._lock is not None:
            self._lock.release()

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.append(lasting(work, name))

    def app(self) -> Any:
        """The HTTP surface of this process."""
        directory = self.workspaces.directory
        transactions = Transactions(self.store, directory, self.ids, self.limits, clock_ms, self.key_use)
        endpoints = Endpoints(
            messaging=Messaging(self.intake, directory, self.ids, self.key_use),
            transactions=transactions,
            inapp=self.realtime.endpoints(transactions, self.limits, self.ids, self.config.url),
            messages=MessageViews(self.store),
            workspace=WorkspaceViews(self.workspaces),
            callbacks=CallbackViews(self.store, clock_ms, self.teller.wake),
            explain=ExplainViews(self.intake, directory),
            keys=KeyViews(self.workspaces, self.key_use),
            views=Views(self.store, self.connectors, self.tail),
            metrics=Metrics(self.numbers),
            ready=self.ready,
            ids=self.ids,
            channels=self.channels,
            admin_token=self.admin_token,
            links=self.links,
            dnd=DndViews(self.store, self.workspaces, self.lookup, clock_ms),
            accounts=AccountViews(self.store, directory, clock_ms),
            collections=CollectionViews(self.workspaces),
            clock=ClockViews(self.workspaces, clock_ms),
            whatif=WhatIfViews(WhatIf(self.store, directory, self.lookup, self.channels), directory, clock_ms),
            hooks=Callbacks(directory, self.simulators.peers, self.receiver.receive, clock_ms),
            profiles=Profiles(self.store, self.profile_writer, directory, self.limits, self.ids, clock_ms),
            people=PeopleViews(
                PeopleMeans(
                    self.store,
                    directory,
                    Exchange(self.store, self.profile_writer),
                    Eraser(self.store, self._vault, self.ids, clock_ms),
                    self.ids,
                    clock_ms,
                )
            ),
        )
        more: list[BaseRoute] = []
        if "simulators" in self.config.roles:
            more.append(Mount("/sim/bin", routes=self.simulators.bin_routes()))
        return build_app(endpoints, more, public="api" in self.config.roles, proxies=self.config.trusted_proxies)

    def connectors(self) -> dict[str, dict[str, Any]]:
        """Every connector's status by lane name; with its channel where an app serves several."""
        shown: dict[str, dict[str, Any]] = {}
        for lane in self.lanes.all():
            if lane.spec.kind:
                shown[f"{lane.name} ({lane.spec.channel})" if lane.name in shown else lane.name] = lane.status()
        return shown

    def numbers(self) -> dict[str, dict[str, float]]:
        """What `/metrics` shows."""
        lanes, told = self.lanes.all(), self.teller.stats()
        return {
            "intake": dict(self.intake.counts),
            "dispatch": dict(self.dispatcher.counts),
            "receipts": dict(self.receiver.counts),
            "notify": {name: told[name] for name in ("sent", "failed", "retried", "parked")},
            "profiles": {**self.profile_writer.counts, **self.profile_worker.counts},
            "realtime": self.realtime.numbers(),
            "store": dict(self.store.stats()),
            "queue": {
                "waiting": sum(len(lane.queue) for lane in lanes),
                "claimed": sum(len(lane.stock) for lane in lanes),
                "under_way": sum(len(lane.under_way) for lane in lanes),
                "callbacks_queued": told["queued"],
                "callbacks_under_way": told["in_flight"],
                "apps_connected": self.realtime.hub.count,
            },
        }

    async def ready(self) -> dict[str, Any]:
        """Whether the parts are ready, for `/readyz`."""
        try:
            await self.store.pending_counts()
            store = "ok"
        except StoreUnavailable as error:
            store = str(error)
        return {
            "ok": self._ready and store == "ok",
            "store": store,
            "bus": self.config.bus,
            "roles": sorted(self.config.roles),
            "connectors": {name: str(status.get("state", "")) for name, status in self.connectors().items()},
        }
