"""Which lane a message goes: one per connector that some service uses, kept in step with the workspace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heliograph.dispatch.lane import Lane
from heliograph.model.channel import Events, Outbound, Peers, Tokens, Tools
from heliograph.model.inapp import InApp
from heliograph.model.message import Request
from heliograph.model.workspace import ConnectorSpec
from heliograph.policy.directory import Directory
from heliograph.policy.ways import Way, ways_of

log = logging.getLogger(__name__)

UNROUTED = "unrouted"
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


class Lanes:
    """Builds lanes from the workspace. `peers` says where each simulator listens."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        peers: Peers,
        tokens: Tokens,
        clock: Callable[[], float],
        clock_ms: Callable[[], int],
        folder: Path = Path(),
        inapp: InApp | None = None,
    ) -> None:
        self._directory = directory
        self._peers = peers
        self._tokens = tokens
        self._clock = clock
        self._clock_ms = clock_ms
        self._folder = folder
        self._inapp = inapp
        self._events: Callable[[Lane], Events] | None = None
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
        await asyncio.gather(*(lane.connector.stop(5.0) for lane in given_up))
        return given_up

    async def _lane_for(self, way: Way, kept: dict[Key, Lane]) -> Lane:
        key = (way.channel.name, way.lane)
        if key in kept:
            return kept[key]
        lane = self._lanes.get(key)
        if lane is None or lane.spec != way.spec:
            tools = Tools(way.lane, way.fast, self._tokens, self._clock_ms, self._folder, self._inapp)
            kind = way.channel.kinds[way.spec.kind]
            lane = Lane(way.lane, way.spec, kind.build(way.spec, tools), fast=way.fast, clock=self._clock)
            lane.ahead = kind.ahead
            assert self._events is not None  # noqa: S101
            await lane.connector.start(self._events(lane))
            log.info("connector %s started", way.lane)
        kept[key] = lane
        return lane

    async def stop(self, grace: float) -> None:
        """Stop every connector politely."""
        await asyncio.gather(*(lane.connector.stop(grace) for lane in self._lanes.values()))
