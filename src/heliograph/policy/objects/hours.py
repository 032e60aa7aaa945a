"""Social hours: is a place open now, until when, and when does it open next? Pure.

Hours are local. Each window of each day becomes a stretch of Unix time for every offset from UTC that holds on the
way, so that a day of 23 or 25 hours needs no rule of its own: an hour that comes twice is open twice, one that is
skipped is not there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.model.policies import DAYS, PRESETS, Hours, SocialHours, Window
from heliograph.model.policies.texts import minute_of

AHEAD_DAYS = 40  # how far an opening is looked for
DAY_MS = 86_400_000
DAY_MINUTES = 1_440
MINUTE_MS = 60_000
_EPOCH = date(1970, 1, 1)

Stretch = tuple[int, int]
"""From and until, in Unix milliseconds."""


class Phase(NamedTuple):
    """What holds from `since` until `until` (Unix milliseconds). `opens` is when a closed place opens, 0 if that is
    not in sight."""

    open: bool
    since: int
    until: int
    opens: int


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """A time zone by its name; None where this machine knows none such."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Timetable:
    """One set of social hours. `path` is where the workspace declares it."""

    def __init__(self, declared: SocialHours, path: str) -> None:
        self.declared = declared
        self.path = path
        self._windows = [_minutes(window) for window in declared.windows or PRESETS.get(declared.preset, ())]
        self._holidays = frozenset(declared.holidays)
        self._countries = frozenset(declared.countries)
        self._stretches: dict[str, tuple[int, list[Stretch]]] = {}
        self._phases: dict[tuple[str, ...], Phase] = {}

    @property
    def by_country(self) -> bool:
        """Whether it is for some countries only."""
        return bool(self._countries)

    def is_for(self, channel: str, country: str, category: str) -> bool:
        """Whether it says anything of a message of this category on a channel to a country."""
        declared = self.declared
        return (
            (not declared.channels or channel in declared.channels)
            and (not self._countries or country in self._countries)
            and (not category or category not in declared.exempt)
        )

    def phase(self, zones: tuple[str, ...], now_ms: int) -> Phase:
        """Whether all of these zones are open now. A zone that nobody knows counts for nothing."""
        kept = self._phases.get(zones)
        if kept is None or not kept.since <= now_ms < kept.until:
            kept = self._phases[zones] = self._worked_out(zones, now_ms)
        return kept

    def _worked_out(self, zones: Sequence[str], now_ms: int) -> Phase:
        known = [name for name in zones if zone_of(name)]
        moment, horizon = now_ms, now_ms + AHEAD_DAYS * DAY_MS
        while moment < horizon:
            latest, until = moment, horizon
            for name in known:
                opens, closes = self._next(name, moment)
                latest, until = max(latest, opens), min(until, closes)
            if latest == moment:
                if moment == now_ms:
                    return Phase(True, now_ms, until, 0)
                return Phase(False, now_ms, moment, moment)
            moment = latest
        return Phase(False, now_ms, now_ms + DAY_MS, 0)

    def _next(self, name: str, moment: int) -> Stretch:
        """The stretch of a zone that is open at a moment, or the next one."""
        stretches = self._ahead(name, moment)
        at = bisect_right(stretches, moment, key=lambda stretch: stretch[1])
        beyond = moment + (AHEAD_DAYS + 1) * DAY_MS
        return stretches[at] if at < len(stretches) else (beyond, beyond)

    def _ahead(self, name: str, moment: int) -> list[Stretch]:
        """All stretches of a zone from the day before a moment on, far enough ahead; worked out once a day."""
        today = moment // DAY_MS
        kept = self._stretches.get(name)
        if kept is None or kept[0] != today:
            kept = self._stretches[name] = (today, list(_merged(self._pieces(name, today))))
        return kept[1]

    def _pieces(self, name: str, today: int) -> Iterator[Stretch]:
        """The windows of every day as stretches of Unix time, one for each offset that holds on the way."""
        first, last = today - 2, today + AHEAD_DAYS + 3
        offsets = list(_offsets(name, first, last))
        for start, end in self._local(first, last):
            for since, until, offset in offsets:
                yield max(start - offset, since), min(end - offset, until)

    def _local(self, first: int, last: int) -> Iterator[Stretch]:
        """The windows of some days (numbered from 1970) in local milliseconds since 1970."""
        for number in range(first, last):
            day, midnight = _EPOCH + timedelta(days=number), number * DAY_MS
            for weekdays, start, end in self._windows:
                if day.weekday() not in weekdays:
                    continue
                if not self._closed(day):
                    yield midnight + start * MINUTE_MS, midnight + min(end, DAY_MINUTES) * MINUTE_MS
                if end > DAY_MINUTES and not self._closed(day + timedelta(days=1)):
                    yield midnight + DAY_MS, midnight + end * MINUTE_MS

    def _closed(self, day: date) -> bool:
        return bool(self._holidays) and not self._holidays.isdisjoint((day.isoformat(), day.strftime("%m-%d")))


def _minutes(window: Window) -> tuple[frozenset[int], int, int]:
    """Weekdays, Monday being 0, and the minutes of start and end; the end of the next day is beyond 1440."""
    start, end = minute_of(window.start) or 0, minute_of(window.end) or 0
    return frozenset(map(DAYS.index, window.days)), start, end if end > start else end + DAY_MINUTES


def _offsets(name: str, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """From and until when a zone has which offset from UTC, over some days; all in milliseconds."""
    since, offset = first * DAY_MS, _offset(name, first * DAY_MS)
    for number in range(first + 1, last):
        at = number * DAY_MS
        if (new := _offset(name, at)) != offset:
            change = _change(name, at - DAY_MS, at)
            yield since, change, offset
            since, offset = change, new
    yield since, last * DAY_MS, offset


def _offset(name: str, moment: int) -> int:
    there = datetime.fromtimestamp(moment / 1_000, zone_of(name) or UTC).utcoffset() or timedelta()
    return int(there.total_seconds()) * 1_000


def _change(name: str, before: int, after: int) -> int:
    """The moment, to the second, at which the offset between two moments becomes what it is at the later one."""
    new = _offset(name, after)
    while after - before > 1_000:
        middle = (before + after) // 2_000 * 1_000
        before, after = (before, middle) if _offset(name, middle) == new else (middle, after)
    return after


def _merged(pieces: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches in order, those that touch as one."""
    begun: Stretch | None = None
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if begun is None:
            begun = (start, end)
        elif start <= begun[1]:
            begun = (begun[0], max(begun[1], end))
        else:
            yield begun
            begun = (start, end)
    if begun is not None:
        yield begun


def timetables(declared: Hours, path: str) -> tuple[Timetable, ...]:
    """The hours of a tenant in their order. `path` is where they are declared."""
    if declared is None:
        return ()
    if isinstance(declared, SocialHours):
        return (Timetable(declared, path),)
    return tuple(Timetable(item, f"{path}[{index}]") for index, item in enumerate(declared))
