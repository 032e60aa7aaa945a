"""Who wants to hear nothing, or not more than so much."""

from __future__ import annotations

from typing import Literal

from heliograph.model.policies.part import Part

TRANSACTIONAL = ("transactional",)
"""The categories that people's wishes do not hold back, unless a tenant says otherwise."""


class DndEntry(Part, frozen=True):
    """An address that is to be left alone, on one channel or on all, by one category of messages or by all.
    `expires` is a moment as in a call's `expiry`."""

    address: str
    channel: str = ""
    category: str = ""
    reason: str = ""
    expires: str = ""


class FrequencyCap(Part, frozen=True):
    """How many messages one address gets in a stretch of the calendar. The first day of a week is Monday."""

    most: int
    per: Literal["hour", "day", "week", "month"] = "day"
    channel: str = ""
    category: str = ""
    zone: Literal["utc", "tenant"] = "utc"
    exempt: tuple[str, ...] = TRANSACTIONAL


class OptOut(Part, frozen=True):
    """The words with which people put themselves on the do-not-disturb list, and take themselves off it, by an
    inbound message that says nothing else."""

    stop: tuple[str, ...] = (
        "STOP",
        "STOPALL",
        "STOP ALL",
        "UNSUBSCRIBE",
        "CANCEL",
        "END",
        "QUIT",
        "OPTOUT",
        "OPT OUT",
    )
    start: tuple[str, ...] = ("START", "UNSTOP", "SUBSCRIBE", "OPTIN", "OPT IN")
    category: str = ""
    reply_stop: str = ""
    reply_start: str = ""
