"""The do-not-disturb list as it is kept."""

from __future__ import annotations

import time

import pytest

from heliograph.model.people import DndRow
from heliograph.store import Store
from heliograph.store.areas.wishes import Gone

ROW = DndRow("447700900001", "sms", "", "letter", "import", 5, 0)
ALL = DndRow("447700900001", "", "", "", "keyword", 6, 0)
OTHER = DndRow("447700900002", "voice", "news", "", "api", 7, 9)


async def test_entries_are_found_by_their_addresses(store: Store) -> None:
    assert await store.list_dnd("demo", [ROW, ALL, OTHER]) == 3

    found = await store.dnd_of("demo", ["447700900001", "447700900003"])
    assert sorted(found, key=lambda row: row.channel) == [ALL, ROW]
    assert await store.dnd_of("other", ["447700900001"]) == []


async def test_an_entry_for_the_same_takes_the_place_of_the_one_before(store: Store) -> None:
    later = DndRow("447700900001", "sms", "", "call", "api", 8, 20)
    fresh = [await store.list_dnd("demo", [ROW]), await store.list_dnd("demo", [ROW, later])]

    assert (fresh, await store.dnd_of("demo", ["447700900001"])) == ([1, 0], [later])


async def test_it_is_known_whether_there_is_any(store: Store) -> None:
    before = await store.has_dnd("demo")
    await store.list_dnd("demo", [ROW])

    assert (before, await store.has_dnd("demo"), await store.has_dnd("other")) == (False, True, False)


GONE: list[tuple[Gone, int]] = [
    (Gone("demo", "447700900001"), 2),
    (Gone("demo", "447700900001", ""), 1),
    (Gone("demo", "447700900001", "sms"), 1),
    (Gone("demo", "447700900001", "voice"), 0),
    (Gone("demo", "447700900001", None, None, "keyword"), 1),
    (Gone("demo", "447700900002", "voice", "news"), 1),
    (Gone("demo", "447700900002", "voice", ""), 0),
    (Gone("other", "447700900001"), 0),
]


@pytest.mark.parametrize(("gone", "count"), GONE)
async def test_entries_are_taken_off(store: Store, gone: Gone, count: int) -> None:
    await store.list_dnd("demo", [ROW, ALL, OTHER])

    assert await store.unlist_dnd(gone) == count
    assert len(await store.dnd_page("demo", ("", "", ""), 9)) == 3 - count


async def test_pages_follow_each_other(store: Store) -> None:
    await store.list_dnd("demo", [OTHER, ROW, ALL])
    first = await store.dnd_page("demo", ("", "", ""), 2)
    last = first[-1]
    second = await store.dnd_page("demo", (last.address, last.channel, last.category), 2)

    assert (first, second) == ([ALL, ROW], [OTHER])


async def test_what_ended_is_deleted(store: Store) -> None:
    await store.list_dnd("demo", [ROW, OTHER])
    await store.forget_wishes(9)

    assert await store.dnd_page("demo", ("", "", ""), 9) == [ROW]


async def test_a_thousand_of_a_million_are_found_at_once(store: Store) -> None:
    for start in range(0, 200_000, 10_000):
        await store.list_dnd("demo", [DndRow(f"4477{start + index:08d}", "sms") for index in range(10_000)])
    wanted = [f"4477{index * 311 % 400_000:08d}" for index in range(1_000)]
    started = time.perf_counter()
    found = await store.dnd_of("demo", wanted)

    assert len(found) == len({address for address in wanted if int(address[4:]) < 200_000})
    assert time.perf_counter() - started < 5
