"""What whoever sent an event is told when everything that follows from it was done."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.model.events import Occurrence
from heliograph.model.message import Address
from heliograph.model.outcome import State
from heliograph.model.record import Notice
from heliograph.policy.outcomes import origin_of
from heliograph.policy.telling import utc_ms


def calls_at_the_end(occurrence: Occurrence, new_id: Callable[[], int], now_ms: int) -> tuple[Notice, Notice] | None:
    """The calls owed when all runs of an occurrence ended: when all went well, and when something failed. None where
    nobody asked."""
    if not occurrence.notify or not urlsplit(occurrence.notify).scheme:
        return None
    good = (catalogue.find(keys.SUCCESS, catalogue.PROFILE).code, catalogue.text(keys.SUCCESS, catalogue.PROFILE))
    bad = (catalogue.code(keys.INTERNAL_ERROR_AT_ACCEPT), catalogue.text(keys.INTERNAL_ERROR_AT_ACCEPT))
    number = new_id()
    return _call(occurrence, number, now_ms, *good), _call(occurrence, number, now_ms, *bad)


def _call(occurrence: Occurrence, number: int, now_ms: int, code: str, description: str) -> Notice:
    told = {
        "evtid": occurrence.name, "transid": occurrence.origin, "correlationid": occurrence.correlation, "code": code,
        "description": description, "timeStamp": utc_ms(now_ms),
    }  # fmt: skip
    body = msgspec.json.encode({"eventInfoNotification": told}).decode()
    return Notice(
        number, 0, 0, 0, Address("", ""), State.DELIVERED, "inbound", "", now_ms, occurrence.notify,
        origin_of(occurrence.notify), occurrence.tenant, occurrence.service, 0, body,
    )  # fmt: skip
