"""Which lane a message goes: one per connector that some service uses, kept in step with the workspace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from heliograph.dispatch.lane import Lane
from heliograph.model.channel import Channel, Events, Outbound
from heliograph.model.message import Request
from heliograph.model.workspace import ConnectorSpec, Service, Tenant
from heliograph.policy.directory import Directory

log = logging.getLogger(__name__)

UNROUTED = "unrouted"
Endpoint = tuple[str, int]


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
    """Builds lanes from the workspace. `simulators` says where each channel's simulator listens."""

    def __init__(
        self,
        directory: Callable[[], Directory],
        simulators: Mapping[str, Endpoint],
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._simulators = simulators
        self._clock = clock
        self._events: Callable[[Lane], Events] | None = None
        self._routes: dict[tuple[str, str, str], Lane] = {}
        spec = ConnectorSpec(name=UNROUTED, channel="", kind="")
        self._unrouted = Lane(UNROUTED, spec, NoConnector(), fast=False, clock=clock)
        self._lanes: dict[str, Lane] = {UNROUTED: self._unrouted}

    def lane(self, request: Request, element: int) -> Lane:
        """Where a request element goes by now."""
        return self.route(request.tenant, request.service, request.messages[element].content.channel)

    def route(self, tenant: str, service: str, channel: str) -> Lane:
        """Where a service's messages on a channel go by now."""
        return self._routes.get((tenant, service, channel), self._unrouted)

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
        routes: dict[tuple[str, str, str], Lane] = {}
        kept: dict[str, Lane] = {UNROUTED: self._unrouted}
        for tenant, service in directory.services():
            for channel_name, binding in service.channels.items():
                lane = await self._lane_for(
                    tenant, service, directory.channels.get(channel_name), binding.connector, kept
                )
                if lane is not None:
                    routes[tenant.id, service.id, channel_name] = lane
        given_up = [lane for name, lane in self._lanes.items() if kept.get(name) is not lane]
        self._routes, self._lanes = routes, kept
        for lane in given_up:
            log.info("connector %s is no longer used as it was; closing it", lane.name)
        await asyncio.gather(*(lane.connector.stop(5.0) for lane in given_up))
        return given_up

    async def _lane_for(
        self, tenant: Tenant, service: Service, channel: Channel | None, name: str, kept: dict[str, Lane]
    ) -> Lane | None:
        spec = next((spec for spec in tenant.connectors if spec.name == name), None)
        if spec is None or channel is None or spec.kind not in channel.kinds:
            return None
        kind = channel.kinds[spec.kind]
        suffix = ("~sandbox" if service.fast else "~sandbox-real") if service.sandbox else ""
        if service.sandbox and channel.name in self._simulators:
            spec = kind.sandbox(spec, self._simulators[channel.name])
        if kind.check(spec):
            return None  # policy says 7114 and what is wrong
        lane_name = f"{tenant.id}/{name}{suffix}"
        if lane_name in kept:
            return kept[lane_name]
        lane = self._lanes.get(lane_name)
        if lane is None or lane.spec != spec:
            lane = Lane(lane_name, spec, kind.build(spec), fast=service.fast, clock=self._clock)
            assert self._events is not None  # noqa: S101
            await lane.connector.start(self._events(lane))
            log.info("connector %s started", lane_name)
        kept[lane_name] = lane
        return lane

    async def stop(self, grace: float) -> None:
        """Stop every connector politely."""
        await asyncio.gather(*(lane.connector.stop(grace) for lane in self._lanes.values()))
