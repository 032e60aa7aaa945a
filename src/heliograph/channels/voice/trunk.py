"""The SIP connector: places calls over a trunk, as many at once as its window, and reports what became of them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any

from heliograph.channels.voice.call import Call
from heliograph.channels.voice.dial import Around
from heliograph.channels.voice.native import describe
from heliograph.channels.voice.settings import Place, Settings, read
from heliograph.channels.voice.sound.speech import Espeak
from heliograph.channels.voice.sound.store import FILE_MOST, Sounds
from heliograph.model.channel import Events, Outbound, Tools
from heliograph.model.outcome import Receipt, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.addresses import HttpError
from heliograph.wire.http import Client, Limits
from heliograph.wire.resolver import Resolver
from heliograph.wire.sending import Sending
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.headers import PORTS, parse_uri
from heliograph.wire.sip.layer import Target
from heliograph.wire.sip.message import SipError
from heliograph.wire.sip.transactions import Timers
from heliograph.wire.sip.transport import Streams, Transport, Udp

log = logging.getLogger(__name__)

OPEN_AGAIN_SECONDS = 5.0
KEEP_AGAIN_SECONDS = 1.0  # before a receipt that could not be kept is reported again
TARGETS_MOST = 8
HANG_UP_SECONDS = 1.5  # of the grace, for the BYEs


class SipConnector:
    """See `Connector`. A call holds one of the window's places until it is over, long after it was submitted."""

    def __init__(self, spec: ConnectorSpec, tools: Tools) -> None:
        self.name = spec.name
        self._settings = read(spec)
        self._tools = tools
        self._sending = Sending(spec.name, self._send, window=spec.window, fast=tools.fast)
        self._calls: dict[Call, asyncio.Task[None]] = {}
        self._dialled: dict[tuple[int, int], Call] = {}
        self._events: Events
        self._endpoint: Endpoint | None = None
        self._transport: Transport
        self._around: Around
        self._http = Client(limits=Limits(answer=FILE_MOST))
        self._sounds: Sounds
        self._resolver = Resolver()
        self._resting: dict[Target, float] = {}
        self._fault = "not started"
        self._opening: asyncio.Task[None] | None = None
        self._stopped = False
        self.counts = {"placed": 0, "answered": 0}

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        self._events = events
        self._sounds = Sounds(self._http, Espeak(), self._tools.folder, stand_in="~sandbox" in self._tools.lane)
        await self._sending.start(events)
        self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        """Open the transport; where its port is taken, again and again."""
        while True:
            try:
                transport = _transport(self._settings)
                endpoint = Endpoint(
                    {self._settings.kind: transport},
                    Timers(patience=self._settings.response_timeout),
                    public=self._settings.public_address,
                )
                await endpoint.start()
            except OSError as error:
                self._fault = f"cannot listen: {error.strerror or error}"
                log.error("%s %s", self.name, self._fault)
                await asyncio.sleep(OPEN_AGAIN_SECONDS)
            else:
                break
        self._fault = ""
        self._endpoint, self._transport = endpoint, transport
        self._around = Around(
            endpoint, self._settings, self._sounds, self._http, self._targets, self._rest, self._report,
            self._tools.clock_ms,
        )  # fmt: skip
        self._events.ready()

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        self._stopped = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        for call in list(self._calls):
            if not call.talking:
                call.stop()
        patient = max(0.0, grace - HANG_UP_SECONDS)
        if self._calls:
            await asyncio.wait(list(self._calls.values()), timeout=patient)
        for call in list(self._calls):
            call.stop()
        if self._calls:
            _, late = await asyncio.wait(list(self._calls.values()), timeout=min(grace, HANG_UP_SECONDS))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._sending.stop(0.1)
        await self._sounds.close()
        await self._http.close()
        if self._endpoint is not None:
            await self._endpoint.close()

    def capacity(self) -> int:
        """See `Connector`."""
        if self._stopped or self._endpoint is None:
            return 0
        return min(self._sending.capacity(), max(0, self._settings.window - len(self._calls)))

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        call = Call(self._around, outbound)
        self.counts["placed"] += 1
        task = asyncio.create_task(self._run(call))
        self._calls[call] = task
        task.add_done_callback(partial(self._ended, call))
        self._dialled[outbound.request, outbound.ordinal] = call
        self._sending.submit(outbound)

    async def _send(self, outbound: Outbound) -> Submitted | SendError:
        call = self._dialled.pop((outbound.request, outbound.ordinal))
        result = await call.settled
        asyncio.get_running_loop().call_soon(call.was_settled)  # the frame reports the result within this turn
        return result

    async def _run(self, call: Call) -> None:
        try:
            await call.run()
        except Exception as error:  # this task's loop: a fault of ours must not leave the message without an end
            if call.settled.done():
                log.exception("%s: an unexpected error in a call", self.name)
            else:
                call.settled.set_exception(error)  # logged and answered by the frame

    def _ended(self, call: Call, task: asyncio.Task[None]) -> None:
        full = self.capacity() == 0
        del self._calls[call]
        if call.talking:
            self.counts["answered"] += 1
        if not call.settled.done():
            call.settled.cancel()
        if full and not self._stopped and self.capacity():
            self._events.ready()

    # What calls need

    async def _targets(self, uri: str) -> list[Target]:
        """The addresses of the trunk's hosts, those that rest last; or those of a URI."""
        kind, places = self._settings.kind, self._settings.places
        if uri:
            try:
                parsed = parse_uri(uri)
            except SipError:
                return []
            places = (Place(parsed.host, parsed.port or PORTS[kind]),)
        found: list[Target] = []
        for place in places:
            try:
                addresses = await self._resolver.addresses(place.host, allow_private=True)
            except HttpError as error:
                log.warning("%s: %s has no address: %s", self.name, place.host, error.detail)
                continue
            for address in addresses:
                found.append(target := Target(kind, address, place.port))
                if self._endpoint is not None:
                    self._endpoint.known_as(place.host, address)
                if isinstance(self._transport, Streams):
                    self._transport.names[target] = place.host
        now = asyncio.get_running_loop().time()
        self._resting = {target: until for target, until in self._resting.items() if until > now}
        found = list(dict.fromkeys(found))[:TARGETS_MOST]
        return sorted(found, key=lambda target: self._resting.get(target, 0.0))

    def _rest(self, target: Target, seconds: float) -> None:
        self._resting[target] = asyncio.get_running_loop().time() + seconds

    def _report(self, receipt: Receipt) -> None:
        def stored(kept: bool) -> None:
            if not kept:
                asyncio.get_running_loop().call_later(KEEP_AGAIN_SECONDS, self._report, receipt)

        self._events.received(receipt, stored)

    # For people

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        shown = self._sending.status()
        shown["in_use"] = len(self._calls)
        shown["talking"] = sum(call.talking for call in self._calls)
        if self._fault:
            shown |= {"state": "down", "last_errors": [*shown["last_errors"], self._fault]}
        shown |= self.counts
        return shown

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        return describe(native)


def _transport(settings: Settings) -> Transport:
    wild = "::" if ":" in settings.places[0].host else "0.0.0.0"  # noqa: S104 - what answers is known by its tags
    address = settings.local_address or wild
    if settings.kind == "udp":
        return Udp(address, settings.local_port)
    if settings.kind == "tcp":
        return Streams("tcp", address, settings.local_port)
    return Streams("tls", address, settings.local_port, client=settings.context())
