"""An app in real time as a connector: a message is kept for its user; one who is away is woken or pushed to."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import msgspec

from heliograph.catalogue import keys
from heliograph.channels.rt.payload import Payloads, native_id, notification_of
from heliograph.channels.rt.settings import read
from heliograph.model.channel import Events, Outbound, Tools
from heliograph.model.inapp import Delivery, InApp, Notification
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.addresses import HttpError
from heliograph.wire.http import Client
from heliograph.wire.sending import Sending, Unreachable

WINDOW = 256
_JSON = {"content-type": "application/json"}


class Woken(NamedTuple):
    """What a simulated user does: comes, or not; `keep_ms` of the message when they never come (0: as usual)."""

    comes: bool = True
    keep_ms: int = 0


class Prepared(NamedTuple):
    """A message that can be kept, whether its user is there, and the push for one who is not."""

    delivery: Delivery
    present: bool
    notification: Notification | None


class RtConnector:
    """Sends for one app."""

    def __init__(self, spec: ConnectorSpec, tools: Tools) -> None:
        self.name = spec.name
        self._lane = tools.lane
        self._clock_ms = tools.clock_ms
        assert tools.inapp is not None  # noqa: S101 - the composition root gives it
        self._inapp: InApp = tools.inapp
        self._settings = read(spec)
        self._payloads = Payloads()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._client = Client() if self._settings.wake else None
        self._sending = Sending(spec.name, self._send, window=spec.window, fast=tools.fast, close=self._close)

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        await self._sending.start(events)

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        await self._sending.stop(grace)

    def capacity(self) -> int:
        """See `Connector`."""
        return self._sending.capacity()

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        self._sending.submit(outbound)

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        return self._sending.status()

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        found = msgspec.json.decode(native)
        return found if isinstance(found, dict) else {"said": found}

    async def _close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _send(self, outbound: Outbound) -> Submitted | SendError:
        """The messages of one user are numbered in the order in which they were handed to us, however long it takes
        to find out whether the user is there. They wait for that and not for each other's disk."""
        async with self._turns.setdefault(outbound.to, asyncio.Lock()):
            prepared = await self._prepared(outbound)
            if isinstance(prepared, SendError):
                return prepared
            keeping = asyncio.ensure_future(self._inapp.keep(prepared.delivery))
        kept = await keeping
        if isinstance(kept, SendError):
            return kept
        delivery, present = prepared.delivery, prepared.present
        said: dict[str, Any] = {"kept_as": kept.seq, "until": delivery.expires_ms, "connected": present}
        if not present and prepared.notification is not None:
            said["push"] = await self._inapp.notify(delivery, prepared.notification)
        identity = native_id(outbound.request, outbound.ordinal)
        return Submitted((identity,), (delivery.body.encode(), msgspec.json.encode(said)))

    async def _prepared(self, outbound: Outbound) -> Prepared | SendError:
        settings, user, now_ms = self._settings, outbound.to, self._clock_ms()
        present = await self._inapp.present(self._lane, user)
        woken = await self._wake(self._client, user) if self._client is not None and not present else None
        notification = notification_of(settings.app, outbound.body.content.fields) if settings.push else None
        reached = woken.comes if woken else present or settings.store or notification is not None
        if not reached:
            why = "the user is not connected, nothing is kept for users who are away, and no push can be sent"
            return SendError(keys.USER_PRESENCE_FAILURE, native_code="absent", detail=why)
        keep_ms = min(outbound.validity * 1_000 or settings.keep_ms, settings.keep_ms)
        if woken and woken.keep_ms:
            keep_ms = min(keep_ms, woken.keep_ms)
        identity = native_id(outbound.request, outbound.ordinal)
        body = self._payloads.of(outbound.body, identity, now_ms)
        delivery = Delivery(self._lane, user, outbound.request, outbound.ordinal, now_ms + keep_ms, body)
        return Prepared(delivery, present, notification)

    async def _wake(self, client: Client, user: str) -> Woken | None:
        """In the sandbox a user who is not there is simulated, unless a device of theirs was there before: None."""
        if await self._inapp.registered(self._lane, user):
            return None
        call = {"lane": self._lane, "user": user, "token": self._inapp.ticket(self._lane, user)}
        url = f"{self._settings.wake}/wake"
        try:
            answer = await client.request("POST", url, _JSON, msgspec.json.encode(call), allow_private=True)
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (HttpError, msgspec.DecodeError) as error:
            raise Unreachable(SendError(keys.FAILED_AT_PLATFORM, "soon", detail=f"the simulator: {error}")) from error
        return Woken(bool(found.get("comes")), int(found.get("keep_ms", 0)))
