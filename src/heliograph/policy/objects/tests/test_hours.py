"""Social hours: open or not, until when, and when next; against a wall clock that is asked minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.model.policies import DAYS, SocialHours
from heliograph.policy.objects.hours import Timetable, timetables

LONDON, YORK, KOLKATA = "Europe/London", "America/New_York", "Asia/Kolkata"
OFFICE = {"windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "18:00"}]}
NIGHT = {"windows": [{"start": "22:00", "end": "02:00"}]}


def timetable(**members: Any) -> Timetable:
    [made] = timetables(msgspec.convert(members, SocialHours), "social_hours")
    return made


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1_000


def text(moment: int, zone: str = "UTC") -> str:
    return f"{datetime.fromtimestamp(moment / 1_000, ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


# hours, zone, a local moment, open, when that ends or when it opens (local)
PHASES: dict[str, tuple[dict[str, Any], str, str, bool, str]] = {
    "inside": (OFFICE, LONDON, "2026-01-05T10:00", True, "2026-01-05T18:00"),
    "at the first minute": (OFFICE, LONDON, "2026-01-05T09:00", True, "2026-01-05T18:00"),
    "at the end": (OFFICE, LONDON, "2026-01-05T18:00", False, "2026-01-06T09:00"),
    "over a weekend": (OFFICE, LONDON, "2026-01-09T19:00", False, "2026-01-12T09:00"),
    "overnight before midnight": (NIGHT, LONDON, "2026-01-05T23:00", True, "2026-01-06T02:00"),
    "overnight after midnight": (NIGHT, LONDON, "2026-01-06T01:59", True, "2026-01-06T02:00"),
    "between two nights": (NIGHT, LONDON, "2026-01-06T02:00", False, "2026-01-06T22:00"),
    "a night that began on a chosen day": (
        {"windows": [{"days": ["fri"], "start": "22:00", "end": "02:00"}]}, LONDON, "2026-01-10T01:00", True,
        "2026-01-10T02:00",
    ),
    "a holiday": ({**OFFICE, "holidays": ["2026-01-05"]}, LONDON, "2026-01-05T10:00", False, "2026-01-06T09:00"),
    "a holiday of every year": ({**OFFICE, "holidays": ["12-25"]}, LONDON, "2026-12-25T10:00", False,
                                "2026-12-28T09:00"),
    "a night cut by a holiday": ({**NIGHT, "holidays": ["01-06"]}, LONDON, "2026-01-05T23:00", True,
                                 "2026-01-06T00:00"),
    "a whole day": ({"windows": [{"start": "00:00", "end": "24:00", "days": ["mon"]}]}, LONDON, "2026-01-05T23:59",
                    True, "2026-01-06T00:00"),
    "windows that touch": (
        {"windows": [{"start": "09:00", "end": "12:00"}, {"start": "12:00", "end": "18:00"}]}, LONDON,
        "2026-01-05T10:00", True, "2026-01-05T18:00",
    ),
    "a lunch": ({"windows": [{"start": "09:00", "end": "12:00"}, {"start": "13:00", "end": "18:00"}]}, LONDON,
                "2026-01-05T12:30", False, "2026-01-05T13:00"),
    "a preset": ({"preset": "india_trai"}, KOLKATA, "2026-01-05T21:00", False, "2026-01-06T09:00"),
    "a window that begins in the hour that is skipped": (
        {"windows": [{"start": "02:30", "end": "04:00"}]}, YORK, "2026-03-08T01:00", False, "2026-03-08T03:00",
    ),
    "a window that ends in the hour that is skipped": (
        {"windows": [{"start": "01:00", "end": "02:30"}]}, YORK, "2026-03-08T01:30", True, "2026-03-08T03:00",
    ),
    "nine in the morning after the clock went forward": (OFFICE, YORK, "2026-03-08T12:00", False, "2026-03-09T09:00"),
}  # fmt: skip


@pytest.mark.parametrize(("hours", "zone", "at", "is_open", "ends"), PHASES.values(), ids=PHASES)
def test_a_place_is_open_or_opens(hours: dict[str, Any], zone: str, at: str, is_open: bool, ends: str) -> None:
    phase = timetable(**hours).phase((zone,), ms(at, zone))

    assert (phase.open, text(phase.until, zone)) == (is_open, ends)
    assert phase.opens == (0 if is_open else phase.until)


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    table = timetable(windows=[{"start": "01:00", "end": "01:30"}])
    states = [table.phase((YORK,), ms("2026-11-01T04:45") + minute * 60_000).open for minute in range(0, 150, 15)]

    # 01:00 in summer time is 05:00 UTC, and again 06:00 UTC in winter time
    assert states == [False, True, True, False, False, True, True, False, False, False]


def test_several_zones_are_open_when_all_of_them_are() -> None:
    both = timetable(**OFFICE)
    zones = (LONDON, YORK)

    assert not both.phase(zones, ms("2026-01-05T10:00")).open
    assert text(both.phase(zones, ms("2026-01-05T10:00")).opens) == "2026-01-05T14:00"
    assert text(both.phase(zones, ms("2026-01-05T15:00")).until) == "2026-01-05T18:00"


def test_zones_that_are_never_open_together_have_no_opening() -> None:
    phase = timetable(**OFFICE).phase(("Asia/Kamchatka", LONDON), ms("2026-01-05T10:00"))

    assert (phase.open, phase.opens) == (False, 0)


def test_hours_that_never_come_have_no_opening() -> None:
    days = [f"2026-01-{day:02d}" for day in range(1, 32)] + [f"2026-02-{day:02d}" for day in range(1, 29)]
    table = timetable(windows=[{"days": ["mon"], "start": "09:00", "end": "10:00"}], holidays=days)
    phase = table.phase((LONDON,), ms("2026-01-01T00:00"))

    assert (phase.open, phase.opens) == (False, 0)


def test_a_zone_that_is_unknown_counts_for_nothing() -> None:
    assert timetable(**OFFICE).phase((LONDON, "Mars/Olympus"), ms("2026-01-05T10:00")).open


def test_a_clock_that_goes_back_is_asked_again() -> None:
    table = timetable(**OFFICE)
    later, earlier = ms("2026-01-05T19:00"), ms("2026-01-05T10:00")

    assert [table.phase((LONDON,), moment).open for moment in (earlier, later, earlier)] == [True, False, True]


TIMES = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
WEEKDAYS = st.lists(st.sampled_from(DAYS), min_size=1, unique=True)
WINDOWS = st.lists(
    st.fixed_dictionaries({"days": WEEKDAYS, "start": TIMES, "end": TIMES})
    .filter(lambda window: window["start"] != window["end"]),
    min_size=1, max_size=3,
)  # fmt: skip


def on_the_wall(table: Timetable, moment: int, zone: str) -> bool:
    """Whether a wall clock says that it is open: the same question, asked of every window by itself."""
    local = datetime.fromtimestamp(moment / 1_000, ZoneInfo(zone))
    clock = f"{local:%H:%M}"
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    return any(
        (window.start <= clock < window.end and today in window.days)
        if window.start < window.end
        else (window.start <= clock and today in window.days) or (clock < window.end and yesterday in window.days)
        for window in table.declared.windows
    )


@settings(deadline=None)
@given(WINDOWS, st.sampled_from([LONDON, YORK, KOLKATA, "Australia/Lord_Howe"]), st.integers(0, 365 * 24 * 4))
def test_it_says_what_a_wall_clock_says(windows: list[dict[str, Any]], zone: str, quarters: int) -> None:
    table = timetable(windows=windows)
    moment = ms("2026-01-01T00:00") + quarters * 900_000

    assert table.phase((zone,), moment).open == on_the_wall(table, moment, zone)


@settings(deadline=None)
@given(WINDOWS, st.integers(0, 365 * 24 * 4))
def test_it_opens_when_it_says_and_not_before(windows: list[dict[str, Any]], quarters: int) -> None:
    moment = ms("2026-01-01T00:00") + quarters * 900_000
    phase = timetable(windows=windows).phase((YORK,), moment)
    if not phase.open:
        steps = range(moment, phase.opens, 900_000)
        assert timetable(windows=windows).phase((YORK,), phase.opens).open
        assert not any(timetable(windows=windows).phase((YORK,), step).open for step in list(steps)[:200])


def test_days_between_are_in_order() -> None:
    start = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)
    table = timetable(**OFFICE)
    opens = [table.phase((LONDON,), int((start + timedelta(days=day)).timestamp()) * 1_000).opens for day in range(7)]

    assert opens == sorted(opens)
