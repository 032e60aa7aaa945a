"""Which lane a message goes: one per connector that some service uses, kept in step with the workspace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from heliograph.dispatch.lane import Lane
from heliograph.duties.leases import EveryLease, Leases, lane_lease
from heliograph.model.channel import Connector, Events, Outbound, Peers, Tokens, Tools
from heliograph.model.inapp import InApp
from heliograph.model.message import Request
from heliograph.model.workspace import ConnectorSpec
from heliograph.policy.directory import Directory
from heliograph.policy.ways import Way, ways_of

log = logging.getLogger(__name__)

UNROUTED = "unrouted"
CLOSE_SECONDS = 5.0  # for answers under way of a connector that is given up
Key = tuple[str, str]
"""Channel and name of a lane: an app that serves several channels has a lane of its name on each."""
NOWHERE: Key = ("", UNROUTED)
Route = tuple[str, str, str, str]
"""Tenant, service, channel and app, the app being "" for the way that the service's binding names."""


class NoConnector:
    """The way of messages that policy will refuse because nothing is configured to send them."""

    name = UNROUTED

    async def start(self, events: Events) -> None:
        """Nothing to start."""

    async def stop(self, grace: float) -> None:
        """Nothing to stop."""

    def capacity(self) -> int:
        """Always willing, so that the queue is judged at once."""
        return 1_000

    def submit(self, outbound: Outbound) -> None:
        """Never reached: policy has refused the message."""
        raise LookupError(f"no connector for request {outbound.request}")

    def status(self) -> dict[str, Any]:
        """For people."""
        return {"state": "no connector"}

    def describe(self, native: bytes) -> dict[str, Any]:
        """Nothing ever goes over its wire."""
        return {}


class Elsewhere(NoConnector):
    """Stands for a connector that another process has; what is left here waits until it is fetched or expires."""

    def __init__(self, name: str) -> None:
        self.name = name

    def capacity(self) -> int:
        """Nothing goes out here."""
        return 0

    def status(self) -> dict[str, Any]:
        """For people."""
        return {"state": "elsewhere"}


class Equipment(NamedTuple):
    """What every connector gets: short-lived credentials, a folder for its files, the users of apps."""

    tokens: Tokens
    folder: Path = Path()
    inapp: InApp | None = None


class Lanes:
    """Builds lanes from the workspace. `peers` says where each simulator listens, `leases` which of the connectors
    that one process has at a time are ours."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        peers: Peers,
        equipment: Equipment,
        clock: Callable[[], float],
        clock_ms: Callable[[], int],
        leases: Leases = EveryLease(),  # noqa: B008 - it has no state
    ) -> None:
        self._leases = leases
        self._directory = directory
        self._peers = peers
        self._equipment = equipment
        self._clock = clock
        self._clock_ms = clock_ms
        self._events: Callable[[Lane], Events] | None = None
        self._single: tuple[Directory | None, set[str]] = (None, set())
        self._routes: dict[Route, Lane] = {}
        spec = ConnectorSpec(name=UNROUTED, channel="", kind="")
        self._unrouted = Lane(UNROUTED, spec, NoConnector(), fast=False, clock=clock)
        self._lanes: dict[Key, Lane] = {NOWHERE: self._unrouted}

    def lane(self, request: Request, element: int) -> Lane:
        """Where a request element goes by now."""
        content = request.messages[element].content
        return self.route(request.tenant, request.service, content.channel, content.appid)

    def route(self, tenant: str, service: str, channel: str, app: str = "") -> Lane:
        """Where a service's messages on a channel go by now; those that ask for an app go by that one."""
        usual = self._routes.get((tenant, service, channel, ""), self._unrouted)
        return self._routes.get((tenant, service, channel, app), usual) if app else usual

    def all(self) -> list[Lane]:
        """Every lane."""
        return list(self._lanes.values())

    async def start(self, events: Callable[[Lane], Events]) -> None:
        """Build and start every lane; connectors report to `events(lane)`."""
        self._events = events
        await self.reconfigure()

    async def reconfigure(self) -> list[Lane]:
        """Follow the workspace: new lanes start, changed ones are replaced, unused ones stop. Gives the lanes
        that were given up, whose queues the dispatcher hands on."""
        directory = self._directory()
        routes: dict[Route, Lane] = {}
        kept: dict[Key, Lane] = {NOWHERE: self._unrouted}
        for tenant, service in directory.services():
            for (channel, app), way in ways_of(tenant, service, directory.channels, self._peers).items():
                if not way.faults:  # else policy says 7114 and what is wrong
                    routes[tenant.id, service.id, channel, app] = await self._lane_for(way, kept)
        given_up = [lane for key, lane in self._lanes.items() if kept.get(key) is not lane]
        self._routes, self._lanes = routes, kept
        for lane in given_up:
            log.info("connector %s is no longer used as it was; closing it", lane.name)
        await asyncio.gather(*(lane.connector.stop(CLOSE_SECONDS if lane.may() else 0) for lane in given_up))
        return given_up

    def single(self) -> set[str]:
        """The leases of all connectors that one process has at a time."""
        directory = self._directory()
        if self._single[0] is not directory:
            names = {
                lane_lease(way.channel.name, way.lane)
                for tenant, service in directory.services()
                for way in ways_of(tenant, service, directory.channels).values()  # simulators may not listen yet
                if not way.faults and way.channel.kinds[way.spec.kind].single
            }
            self._single = (directory, names)
        return self._single[1]

    async def _lane_for(self, way: Way, kept: dict[Key, Lane]) -> Lane:
        key = (way.channel.name, way.lane)
        if key in kept:
            return kept[key]
        lane = self._lanes.get(key)
        kind = way.channel.kinds[way.spec.kind]
        lease = lane_lease(*key) if kind.single else ""
        elsewhere = bool(lease) and not self._leases.holds(lease)
        if lane is None or lane.spec != way.spec or lane.elsewhere != elsewhere:
            lane = await self._started(way, lease, elsewhere=elsewhere)
        kept[key] = lane
        return lane

    async def _started(self, way: Way, lease: str, *, elsewhere: bool) -> Lane:
        connector: Connector = Elsewhere(way.lane)
        kind = way.channel.kinds[way.spec.kind]
        if not elsewhere:
            tokens, folder, inapp = self._equipment
            tools = Tools(way.lane, way.fast, tokens, self._clock_ms, folder, inapp)
            connector = kind.build(way.spec, tools)
        lane = Lane(way.lane, way.spec, connector, fast=way.fast, clock=self._clock)
        lane.ahead, lane.elsewhere = kind.ahead, elsewhere
        if lease and not elsewhere:
            lane.permitted = partial(self._leases.holds, lease)
        assert self._events is not None  # noqa: S101
        await connector.start(self._events(lane))
        log.info("connector %s %s", way.lane, "is another process's" if elsewhere else "started")
        return lane

    async def stop(self, grace: float) -> None:
        """Stop every connector politely."""
        await asyncio.gather(*(lane.connector.stop(grace) for lane in self._lanes.values()))
