"""When people may be written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from heliograph.model.policies.part import Part
from heliograph.model.policies.people import TRANSACTIONAL

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(Part, frozen=True):
    """Hours of the day, `09:00` to `18:00`, on some weekdays. One that ends before it starts ends on the next
    day; `24:00` is the end of a day."""

    start: str
    end: str
    days: tuple[Day, ...] = DAYS


class SocialHours(Part, frozen=True):
    """When messages may go, in the time of whoever gets them. `zone` says where that is looked up first: the
    recipient's profile, then the prefix of the number, then the tenant. `holidays` are closed: `2030-12-24`, or
    `12-25` of every year."""

    zone: Literal["recipient", "prefix", "tenant"] = "recipient"
    windows: tuple[Window, ...] = ()
    preset: str = ""
    holidays: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    outside: Literal["reject", "hold"] = "reject"
    exempt: tuple[str, ...] = TRANSACTIONAL


Hours = SocialHours | tuple[SocialHours, ...] | None
"""One set of hours or several, of which the first that is for a channel and a country counts."""

_WEEKDAYS = DAYS[:5]

PRESETS: Mapping[str, tuple[Window, ...]] = {
    "office": (Window(days=_WEEKDAYS, start="09:00", end="18:00"),),
    "daytime": (Window(start="08:00", end="20:00"),),
    "us_tcpa": (Window(start="08:00", end="21:00"),),
    "india_trai": (Window(start="09:00", end="21:00"),),
}
"""Windows by a name. Sources: 47 CFR 64.1200(c)(1), the TRAI regulations of 2010 (platform.md 1.7)."""
