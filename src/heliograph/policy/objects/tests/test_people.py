"""Entries of the do-not-disturb list, and the stretches of the calendar that caps count in."""

from __future__ import annotations

from datetime import datetime

import pytest

from heliograph.model.people import DndRow
from heliograph.model.policies import DndEntry, FrequencyCap
from heliograph.policy.objects.people import caps_of, dnd_address, dnd_index, first_against, stretch_of

EXEMPT = ("transactional",)
NOW = 1_000

# the row, channel and category of the message, whether it stands against it
ROWS: dict[str, tuple[DndRow, str, str, bool]] = {
    "everything": (DndRow("1"), "sms", "", True),
    "its channel": (DndRow("1", "sms"), "sms", "", True),
    "another channel": (DndRow("1", "voice"), "sms", "", False),
    "a category that is not exempt": (DndRow("1"), "sms", "marketing", True),
    "an exempt category": (DndRow("1"), "sms", "transactional", False),
    "its category": (DndRow("1", category="marketing"), "sms", "marketing", True),
    "another category": (DndRow("1", category="marketing"), "sms", "news", False),
    "a message without category": (DndRow("1", category="marketing"), "sms", "", False),
    "a category that is exempt but named": (DndRow("1", category="transactional"), "sms", "transactional", True),
    "not yet over": (DndRow("1", expires=NOW + 1), "sms", "", True),
    "over": (DndRow("1", expires=NOW), "sms", "", False),
}


@pytest.mark.parametrize(("row", "channel", "category", "against"), ROWS.values(), ids=ROWS)
def test_a_row_stands_against_a_message(row: DndRow, channel: str, category: str, against: bool) -> None:
    found = first_against((DndRow("1", "push"), row), channel, category, EXEMPT, NOW)

    assert (found == row) == against


@pytest.mark.parametrize(
    ("text", "address"),
    [("+44 7700 900-001", "447700900001"), ("0044 7700900001", "447700900001"), (" u1 ", "u1"), ("12", "12")],
)
def test_an_address_is_known_by_its_digits(text: str, address: str) -> None:
    assert dnd_address(text) == address


def test_entries_of_one_address_stand_together() -> None:
    entries = (DndEntry(address="+447700900001", channel="sms"), DndEntry(address="447700900001", channel="voice",
                                                                          expires="2030-01-31"))  # fmt: skip
    [rows] = dnd_index(entries).values()

    assert [(row.channel, row.expires) for row in rows] == [("sms", 0), ("voice", 1_896_048_000_000)]


def test_a_cap_that_changes_its_number_goes_on_counting() -> None:
    [few, many, other] = caps_of(
        (FrequencyCap(most=1, channel="sms"), FrequencyCap(most=9, channel="sms"), FrequencyCap(most=1))
    )

    assert (few.name == many.name, few.name == other.name) == (True, False)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000


STRETCHES: dict[str, tuple[FrequencyCap, str, str, str]] = {
    "an hour": (FrequencyCap(most=1, per="hour"), "2026-03-29T00:30Z", "2026-03-29T00:00Z", "2026-03-29T01:00Z"),
    "a day": (FrequencyCap(most=1), "2026-03-29T23:59Z", "2026-03-29T00:00Z", "2026-03-30T00:00Z"),
    "a week": (FrequencyCap(most=1, per="week"), "2026-03-29T12:00Z", "2026-03-23T00:00Z", "2026-03-30T00:00Z"),
    "a month": (FrequencyCap(most=1, per="month"), "2026-12-31T12:00Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
    "a day of the tenant": (FrequencyCap(most=1, zone="tenant"), "2026-07-01T23:30Z", "2026-07-01T23:00Z",
                            "2026-07-02T23:00Z"),
    "a day of 23 hours": (FrequencyCap(most=1, zone="tenant"), "2026-03-29T12:00Z", "2026-03-29T00:00Z",
                          "2026-03-29T23:00Z"),
}  # fmt: skip


@pytest.mark.parametrize(("cap", "at", "since", "until"), STRETCHES.values(), ids=STRETCHES)
def test_a_moment_is_in_a_stretch(cap: FrequencyCap, at: str, since: str, until: str) -> None:
    assert stretch_of(cap, moment(at), "Europe/London") == (moment(since), moment(until))


@pytest.mark.parametrize(
    ("cap", "channel", "category", "counts"),
    [
        (FrequencyCap(most=1), "sms", "", True),
        (FrequencyCap(most=1, channel="voice"), "sms", "", False),
        (FrequencyCap(most=1), "sms", "transactional", False),
        (FrequencyCap(most=1, exempt=()), "sms", "transactional", True),
        (FrequencyCap(most=1, category="news"), "sms", "news", True),
        (FrequencyCap(most=1, category="news"), "sms", "", False),
    ],
)
def test_a_cap_is_for_some_messages(cap: FrequencyCap, channel: str, category: str, counts: bool) -> None:
    assert caps_of((cap,))[0].is_for(channel, category) == counts
