"""The push for a user who is not connected: a message of its own on the channel push."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels.rt.payload import native_id
from heliograph.model.inapp import Delivery, Notification
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)


class Accepted(NamedTuple):
    """The answer to a call for one destination: its transid and the key of its element."""

    transid: str
    key: str


Accept = Callable[[Tenant, Service, bytes, str], Awaitable[Accepted]]
"""The verb that accepts, for a call that has a name of its own."""


class Pusher:
    """Makes the pushes."""

    def __init__(self, store: Store, directory: Callable[[], Directory], accept: Accept) -> None:
        self._store = store
        self._directory = directory
        self._accept = accept

    async def __call__(self, delivery: Delivery, notification: Notification) -> str:
        """See `Notifier`. However often it is asked for, one message is pushed once."""
        try:
            request = (await self._store.requests([delivery.request])).get(delivery.request)
            owner = self._directory().service_of(request.tenant, request.service) if request else None
            if request is None or owner is None:
                return "its service is gone"
            body = {
                "deliverychannel": "push",
                "appid": notification.app,
                "channels": {"push": notification.push},
                "destination": [{"userid": [delivery.user], "correlationid": request.transid(delivery.ordinal)}],
            }
            name = f"rt {native_id(delivery.request, delivery.ordinal)}"
            answer = await self._accept(*owner, msgspec.json.encode(body), name)
        except Rejected as error:
            return f"{catalogue.code(error.key)} {catalogue.text(error.key, values=error.values)}"
        except StoreUnavailable as error:
            log.warning("a push in the place of an in-app message is not sent: %s", error)
            return "it could not be kept"
        if answer.key != keys.ACCEPTED:
            return f"{catalogue.code(answer.key)} {catalogue.text(answer.key)}"
        return answer.transid
