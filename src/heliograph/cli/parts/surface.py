"""What a process shows of itself over HTTP: its endpoints, its numbers, whether it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import BaseRoute, Mount

from heliograph.api.admin.callbacks import CallbackViews
from heliograph.api.admin.collections import CollectionViews
from heliograph.api.admin.credentials import credentials
from heliograph.api.admin.explain import ExplainViews
from heliograph.api.admin.keys import KeyViews
from heliograph.api.admin.messages import MessageViews
from heliograph.api.admin.parked import ParkedViews
from heliograph.api.admin.people import Means as PeopleMeans
from heliograph.api.admin.people import PeopleViews
from heliograph.api.admin.policies.accounts import AccountViews
from heliograph.api.admin.policies.clock import ClockViews
from heliograph.api.admin.policies.dnd import DndViews
from heliograph.api.admin.policies.whatif import WhatIfViews
from heliograph.api.admin.rules.runs import RunViews
from heliograph.api.admin.views import Views
from heliograph.api.admin.workspace import WorkspaceViews
from heliograph.api.app import Endpoints, build_app
from heliograph.api.callbacks import Callbacks
from heliograph.api.messaging import Messaging
from heliograph.api.metrics import Metrics
from heliograph.api.profiles.endpoints import Profiles
from heliograph.api.transactions import Transactions
from heliograph.config import SQLITE, shown_bus
from heliograph.profiles.erasing import Eraser
from heliograph.profiles.exchange import Exchange
from heliograph.store import StoreUnavailable
from heliograph.whatif import WhatIf

if TYPE_CHECKING:
    from heliograph.cli.platform import Platform


class Surface:
    """Looks at a platform; has nothing of its own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def app(self) -> Any:
        """The HTTP surface of this process."""
        of = self._platform
        directory = of.workspaces.directory
        transactions = Transactions(
            of.store,
            directory,
            of.ids,
            of.limits,
            of.clock_ms,
            of.key_use,
        )
        endpoints = Endpoints(
            messaging=Messaging(of.intake, directory, of.ids, of.key_use),
            transactions=transactions,
            inapp=of.realtime.endpoints(transactions, of.limits, of.ids, of.config.url),
            messages=MessageViews(of.store),
            workspace=WorkspaceViews(of.workspaces),
            parked=ParkedViews(of.store, of.clock_ms),
            callbacks=CallbackViews(of.store, of.clock_ms, of.telling.wake),
            explain=ExplainViews(of.intake, directory),
            keys=KeyViews(of.workspaces, of.key_use),
            views=Views(of.store, self.all_connectors, of.tail),
            metrics=Metrics(self.numbers, lambda: credentials(self.connectors(), of.clock_ms())),
            ready=self.ready,
            ids=of.ids,
            channels=of.channels,
            admin_token=of.admin_token,
            links=of.links,
            dnd=DndViews(of.store, of.workspaces, of.lookup, of.clock_ms),
            accounts=AccountViews(of.store, directory, of.clock_ms),
            collections=CollectionViews(of.workspaces),
            runs=RunViews(of.store, directory),
            clock=ClockViews(of.workspaces, of.clock_ms),
            events=of.events.edges,
            whatif=WhatIfViews(
                WhatIf(of.store, directory, of.lookup, of.channels),
                directory,
                of.clock_ms,
            ),
            hooks=Callbacks(directory, of.simulators.peers, of.receiver.receive, of.clock_ms),
            profiles=Profiles(
                of.store,
                of.profile_writer,
                directory,
                of.limits,
                of.ids,
                of.clock_ms,
            ),
            people=self._people(),
        )
        more: list[BaseRoute] = []
        if "simulators" in of.config.roles:
            more.append(Mount("/sim/bin", routes=of.simulators.bin_routes()))
        return build_app(
            endpoints,
            more,
            public="api" in of.config.roles,
            proxies=of.config.trusted_proxies,
        )

    def _people(self) -> PeopleViews:
        of = self._platform
        exchange = Exchange(of.store, of.profile_writer)
        eraser = Eraser(of.store, of.vault, of.ids, of.clock_ms)
        return PeopleViews(PeopleMeans(of.store, of.workspaces.directory, exchange, eraser, of.ids, of.clock_ms))

    def connectors(self) -> dict[str, dict[str, Any]]:
        """Every connector's status by lane name; with its channel where an app serves several."""
        of = self._platform
        shown: dict[str, dict[str, Any]] = {}
        for lane in of.lanes.all():
            if lane.spec.kind:
                shown[f"{lane.name} ({lane.spec.channel})" if lane.name in shown else lane.name] = lane.status()
        return shown

    async def all_connectors(self) -> dict[str, dict[str, Any]]:
        """The connectors of this process; of those that one process has at a time also which that is, "" for none."""
        of, shown = self._platform, self.connectors()
        if not of.cluster.shared:
            return shown
        owners = {row.name: row.owner for row in await of.store.leases() if row.left > 0}
        for lease in sorted(of.lanes.single()):
            _, channel, lane = lease.split(".", 2)
            name = next((name for name in (f"{lane} ({channel})", lane) if name in shown), lane)
            shown[name] = {**shown.get(name, {"state": "elsewhere"}), "process": owners.get(lease, "")}
        return shown

    def numbers(self) -> dict[str, dict[str, float]]:
        """What `/metrics` shows."""
        of = self._platform
        lanes, told = of.lanes.all(), of.teller.stats()
        return {
            "intake": dict(of.intake.counts),
            "dispatch": dict(of.dispatcher.counts),
            "receipts": dict(of.receiver.counts),
            "notify": {name: told[name] for name in ("sent", "failed", "retried", "parked")},
            "profiles": {**of.profile_writer.counts, **of.profile_worker.counts},
            "events": of.events.counts(),
            "realtime": of.realtime.numbers(),
            "rules": {**of.rules.runner.counts},
            "store": dict(of.store.stats()),
            "bus": of.working.numbers(),
            "queue": {
                "waiting": sum(len(lane.queue) for lane in lanes),
                "claimed": sum(len(lane.stock) for lane in lanes),
                "under_way": sum(len(lane.under_way) for lane in lanes),
                **of.rules.waiting(),
                "callbacks_queued": told["queued"],
                "callbacks_under_way": told["in_flight"],
                "apps_connected": of.realtime.hub.count,
                "chunks_held": of.working.count,
            },
        }

    async def ready(self) -> dict[str, Any]:
        """Whether the parts are ready, for `/readyz`."""
        of = self._platform
        try:
            await of.store.pending_counts()
            store = "ok"
        except StoreUnavailable as error:
            store = str(error)
        return {
            "ok": of.up and store == "ok",
            "store": store,
            "database": "sqlite" if of.config.database == SQLITE else "postgresql",
            "bus": shown_bus(of.config.bus),
            "broker": of.cluster.broker(),
            "roles": sorted(of.config.roles),
            "leases": of.cluster.held(),
            "connectors": {name: str(status.get("state", "")) for name, status in self.connectors().items()},
        }
