"""The way of a chunk on the broker, as the workspace has it by now. The same in every process."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.bus.nats.work import Way, token_of
from heliograph.dispatch.lanes import NOWHERE, Route
from heliograph.model.record import Chunk
from heliograph.policy.directory import Directory
from heliograph.policy.ways import ways_of

UNROUTED = token_of(*NOWHERE)


class Routes:
    """Tokens of lanes by route, worked out anew when the workspace changed."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory
        self._known: Directory | None = None
        self._tokens: dict[Route, str] = {}

    def way(self, chunk: Chunk) -> Way:
        """Where a chunk is published; chunks that no connector is configured for have a way too, for policy refuses
        them."""
        if self._known is not (directory := self._directory()):
            self._tokens = dict(self._worked_out(directory))
            self._known = directory
        usual = self._tokens.get((chunk.tenant, chunk.service, chunk.channel, ""), UNROUTED)
        token = self._tokens.get((chunk.tenant, chunk.service, chunk.channel, chunk.app), usual)
        return token, chunk.priority

    @staticmethod
    def _worked_out(directory: Directory) -> dict[Route, str]:
        return {
            (tenant.id, service.id, channel, app): token_of(way.channel.name, way.lane)
            for tenant, service in directory.services()
            for (channel, app), way in ways_of(tenant, service, directory.channels).items()
            if not way.faults
        }
