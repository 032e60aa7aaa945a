"""One app as a connector: a message goes to every device of its user, each by the far end of its system."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.push.app_receipts import make, push_id
from heliograph.channels.push.devices import PEOPLE, Unreached, devices_of
from heliograph.channels.push.ends import Tried, line_of, whole
from heliograph.channels.push.far_ends import base
from heliograph.channels.push.far_ends.base import Push, Result
from heliograph.channels.push.far_ends.lines import Lines
from heliograph.channels.push.making import Payloads
from heliograph.channels.push.outcomes import DEAD, FAR_END_OF, outcome_of
from heliograph.channels.push.payloads import Unfit
from heliograph.channels.push.settings import read
from heliograph.model.channel import Device, Events, Outbound, Tools
from heliograph.model.outcome import Reachability, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.sending import Sending

WINDOW = 256  # messages under way
TRIES = 3  # of a device while another one of the same user was reached
PAUSE_SECONDS, FAST_PAUSE_SECONDS = 1.0, 0.1  # between those, doubling
LONGEST_PAUSE = 5.0


class PushConnector:
    """Sends for one app."""

    def __init__(self, spec: ConnectorSpec, tools: Tools) -> None:
        self.name = spec.name
        self._lane = tools.lane
        self._fast = tools.fast
        self._clock_ms = tools.clock_ms
        self._settings = read(spec)
        self._payloads = Payloads(self._settings)
        self._lines = Lines(self._settings, tools, WINDOW)
        self._sending = Sending(spec.name, self._send, window=WINDOW, fast=tools.fast, close=self._close)
        self._events: Events | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        self._events = events
        await self._sending.start(events)

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        await self._sending.stop(grace)

    def capacity(self) -> int:
        """See `Connector`. 0 only when no far end of the app may be asked: while one may, messages for the others are
        given back to wait."""
        room = self._sending.capacity()
        if not room:
            return 0
        loop = asyncio.get_running_loop()
        room = self._lines.room(loop.time(), room)
        if not room and self._timer is None:
            self._timer = loop.call_later(self._lines.wait(loop.time()), self._ready)
        return room

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        self._sending.submit(outbound)

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        return base.describe(native)

    def status(self) -> dict[str, Any]:
        """See `Connector`: the whole, and each system with its credentials."""
        now = asyncio.get_running_loop().time()
        systems = self._lines.status(now, self._clock_ms())
        states = {shown["state"] for shown in systems.values()}
        worst = next((state for state in ("error", "down") if state in states), "ready")
        errors = [error for shown in systems.values() for error in shown.get("last_errors", ())]
        return {**self._sending.status(), "state": worst, "systems": systems, "last_errors": errors}

    async def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._lines.close()

    def _ready(self) -> None:
        self._timer = None
        if self._events is not None:
            self._events.ready()

    async def _send(self, outbound: Outbound) -> Submitted | SendError:
        try:
            devices = devices_of(outbound, self._settings)
        except Unreached as error:
            return SendError(error.key, detail=error.detail)
        if len(devices) == 1:
            tried = [await self._try(outbound, devices[0])]
            native = tried[0].native
        else:
            tried, native = await self._send_to_all(outbound, devices)
        return whole(tried, native, named=outbound.kind in PEOPLE)

    async def _send_to_all(
        self, outbound: Outbound, devices: tuple[Device, ...]
    ) -> tuple[list[Tried], tuple[bytes, ...]]:
        """Every device at once. The message went out when one was reached; those that may be tried again are tried
        now, since a message that went out is not sent again."""
        found = dict(zip(devices, await self._each(outbound, devices), strict=True))
        native = [*itertools.chain.from_iterable(tried.native for tried in found.values())]
        pause = FAST_PAUSE_SECONDS if self._fast else PAUSE_SECONDS
        for _ in range(TRIES - 1):
            left = tuple(device for device, tried in found.items() if tried.error and tried.error.retry != "no")
            if not left or all(tried.error for tried in found.values()):
                break
            asked = max(tried.error.after for tried in found.values() if tried.error)
            await asyncio.sleep(min(max(pause, asked), LONGEST_PAUSE))
            pause *= 2
            again = await self._each(outbound, left)
            found |= dict(zip(left, again, strict=True))
            native += itertools.chain.from_iterable(tried.native for tried in again)
        tried = list(found.values())
        return tried, (*native, *(line_of(one) for one in tried))

    async def _each(self, outbound: Outbound, devices: tuple[Device, ...]) -> list[Tried]:
        return await asyncio.gather(*(self._try(outbound, device) for device in devices))

    async def _try(self, outbound: Outbound, device: Device) -> Tried:
        system, token = device.system, device.token
        identity = push_id(outbound.request, outbound.ordinal, token)
        reach = self._settings.reach_of(system)
        if reach is None:
            error = SendError(keys.CONFIGURATION_ERROR, detail=f"the app has no `{system}`")
            return Tried(device, identity, error)
        try:
            payload = self._payloads.of(outbound, device)
        except Unfit as unfit:
            return Tried(device, identity, SendError(unfit.key, detail=unfit.detail))
        loop = asyncio.get_running_loop()
        line = self._lines.of(device)
        if wait := line.wait(loop.time()):
            return Tried(device, identity, SendError(line.key, "wait", detail=line.why, after=wait))
        receipt = make(system, identity, token, self._clock_ms() // 1000, reach.receipt_key)
        ttl = min(payload.ttl, outbound.validity) if outbound.validity else payload.ttl
        line.started(loop.time())
        try:
            result = await self._lines.sender(system).send(Push(token, payload, identity, receipt, ttl))
        except BaseException:  # a fault of ours, or the end: nobody waits for what this one would have found out
            line.abandoned(loop.time())
            raise
        outcome = outcome_of(FAR_END_OF[system], *result.codes) if result.codes else None
        line.ended(loop.time(), result, outcome)
        if outcome is None:
            if result.replaced_by:
                self._tell(device, result)
            return Tried(device, identity, None, result.native)
        if outcome.effect == DEAD:
            self._tell(device, result)
        error = SendError(outcome.key, outcome.retry, result.codes[0], result.detail, result.native, result.after)
        return Tried(device, identity, error, result.native)

    def _tell(self, device: Device, result: Result) -> None:
        """The token is dead, or another one took its place."""
        if self._events is None:
            return
        reason = result.codes[0] if result.codes else "replaced"
        self._events.received(
            Reachability(self._lane, "push", device.token, False, result.since_ms, result.replaced_by, reason),
            lambda stored: None,  # the far end says so again with the next push
        )
