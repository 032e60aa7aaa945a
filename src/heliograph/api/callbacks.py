"""Calls of providers to us: `/callbacks/{channel}/{tenant}/{way}`. Answered once what they say is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.body import TooLarge, read_body
from heliograph.model.channel import Hook, HookCall, Peers, Report
from heliograph.model.workspace import ConnectorSpec
from heliograph.policy.directory import Directory
from heliograph.policy.ways import ways_of

log = logging.getLogger(__name__)

CALLBACKS_PATH = "/callbacks"
LIMIT = 1024 * 1024  # bytes
WAIT_SECONDS = 10.0  # providers wait 5 to 20 s before they call again

Receive = Callable[[str, Report, Callable[[bool], None]], None]


class Callbacks:
    """Hands providers' calls to the verb that receives. `peers` says where the simulators listen."""

    def __init__(
        self, directory: Callable[[], Directory], peers: Peers, receive: Receive, clock_ms: Callable[[], int]
    ) -> None:
        self._directory = directory
        self._peers = peers
        self._receive = receive
        self._clock_ms = clock_ms
        self._version = -1
        self._hooks: Mapping[tuple[str, str], tuple[Hook, ConnectorSpec]] = {}

    async def serve(self, request: Request) -> Response:
        """One call."""
        lane = f"{request.path_params['tenant']}/{request.path_params['way']}"
        found = self._known().get((request.path_params["channel"], lane))
        if found is None:
            return Response(status_code=render.NOT_FOUND)
        hook, spec = found
        try:
            body = await read_body(request.receive, LIMIT)
        except TooLarge:
            return Response(status_code=render.TOO_LARGE)
        headers = {name.lower(): value for name, value in request.headers.items()}
        hooked = hook(spec, HookCall(request.method, dict(request.query_params), headers, body), self._clock_ms())
        if hooked.refused:
            log.warning("a call to the callback URL of %s is refused: %s", lane, hooked.refused)
            return Response(status_code=render.FORBIDDEN)
        if hooked.notice:
            log.warning("the far end of %s says: %s", lane, hooked.notice)
        if not await self._keep(lane, hooked.items):
            return Response(status_code=render.UNAVAILABLE)
        return Response(hooked.body, media_type=hooked.media_type)

    async def _keep(self, lane: str, items: tuple[Report, ...]) -> bool:
        """Whether all of it became durable."""
        if not items:
            return True
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[bool]] = []
        for item in items:
            waiting.append(loop.create_future())
            self._receive(lane, item, partial(_answer, waiting[-1]))
        done, late = await asyncio.wait(waiting, timeout=WAIT_SECONDS)
        return not late and all(future.result() for future in done)

    def _known(self) -> Mapping[tuple[str, str], tuple[Hook, ConnectorSpec]]:
        """Hooks by channel and lane, worked out once per version of the workspace."""
        directory = self._directory()
        if directory.version != self._version:
            hooks = {}
            for tenant, service in directory.services():
                for way in ways_of(tenant, service, directory.channels, self._peers).values():
                    if way.channel.hook is not None and not way.faults:
                        hooks[way.channel.name, way.lane] = (way.channel.hook, way.spec)
            self._hooks, self._version = hooks, directory.version
        return self._hooks


def _answer(waiting: asyncio.Future[bool], stored: bool) -> None:
    if not waiting.done():
        waiting.set_result(stored)
