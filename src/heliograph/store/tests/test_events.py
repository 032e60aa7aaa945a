"""What happened as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.record import KeptAnswer
from heliograph.store import Store
from heliograph.store.areas.automation.events import Happened, move
from heliograph.store.steps import Plan
from heliograph.store.store import WRITES

NEW, MATCHED, UNRESOLVED, DONE = (
    OccurrenceState.NEW,
    OccurrenceState.MATCHED,
    OccurrenceState.UNRESOLVED,
    OccurrenceState.DONE,
)
MOST = 1 << 62
BASE = 7 << 30


def one(number: int, state: OccurrenceState = NEW, tenant: str = "demo", **more: Any) -> Occurrence:
    """An event that happened."""
    return Occurrence(
        BASE + number, tenant, "orders", "event", "4451", {"a": {"é": [1, None]}}, 5, state=state, **more
    )


async def keep(store: Store, *occurrences: Occurrence) -> None:
    """Have them in the store."""
    await store.accept_events(Happened(list(occurrences)))


async def test_what_happened_is_read_as_it_was_written(store: Store) -> None:
    kept = one(1, depth=3, origin="cause", correlation="c", notify="http://a.example", note="why")
    await keep(store, kept)

    assert await store.occurrences([kept.id, 99]) == [kept]


async def test_what_is_open_is_found_oldest_first(store: Store) -> None:
    await keep(store, one(1), one(2, MATCHED), one(3), one(4, UNRESOLVED), one(5))

    found = await store.open_occurrences(NEW, BASE, 2)
    rest = await store.open_occurrences(NEW, found[-1].id, 2)
    assert [row.id - BASE for row in (*found, *rest)] == [1, 3, 5]


async def test_the_unresolved_of_a_tenant_are_listed_newest_first(store: Store) -> None:
    await keep(store, one(1, UNRESOLVED), one(2, UNRESOLVED, "other"), one(3, DONE), one(4, UNRESOLVED))

    assert [row.id - BASE for row in await store.unresolved("demo", MOST, 9)] == [4, 1]
    assert [row.id - BASE for row in await store.unresolved("demo", BASE + 4, 9)] == [1]


LISTED: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 2, 1]),
    ({"tenant": "demo"}, [4, 3, 1]),
    ({"tenant": "demo", "state": DONE}, [3]),
    ({"name": "4451", "state": NEW}, [4]),
    ({"name": "other"}, []),
]


@pytest.mark.parametrize(("wanted", "numbers"), LISTED)
async def test_they_are_listed_by_what_they_are(store: Store, wanted: dict[str, Any], numbers: list[int]) -> None:
    await keep(store, one(1, UNRESOLVED), one(2, UNRESOLVED, "other"), one(3, DONE), one(4))

    assert [row.id - BASE for row in await store.occurrences_before(MOST, 9, **wanted)] == numbers


async def test_only_what_ended_is_run_again(store: Store) -> None:
    await keep(store, one(1, UNRESOLVED, note="why"), one(2, MATCHED), one(3, DONE), one(4))

    assert await store.rerun([BASE + 1, BASE + 2, BASE + 3, BASE + 4, BASE + 5]) == [BASE + 1, BASE + 3]
    assert [(row.state, row.note) for row in await store.occurrences([BASE + 1, BASE + 2])] == [
        (NEW, ""),
        (MATCHED, ""),
    ]


async def test_an_event_is_found_by_its_transid(store: Store) -> None:
    await keep(store, one(1, origin="t"), one(2, origin="t_1"))

    assert [row.id - BASE for row in await store.occurrences_of_call(BASE, "t_1")] == [2]
    assert await store.occurrences_of_call(BASE + 3, "t_1") == []


async def test_one_moves_on_only_from_where_it_stands(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def moves(payloads: Sequence[int]) -> Plan[list[tuple[int, int]]]:
        found = []
        for number in payloads:
            first = yield move(number, NEW, UNRESOLVED, "no rule")
            found.append((first, (yield move(number, NEW, MATCHED))))
        return found

    monkeypatch.setitem(WRITES, "accept_events_test", moves)
    await keep(store, one(1))

    assert await store.engine.write("accept_events_test", BASE + 1) == (1, 0)
    assert [(row.state, row.note) for row in await store.occurrences([BASE + 1])] == [(UNRESOLVED, "no rule")]


async def test_what_is_open_is_never_deleted(store: Store) -> None:
    await keep(store, one(1), one(2, MATCHED), one(3, DONE), one(4, UNRESOLVED), one(5, DONE))

    assert await store.purge_occurrences(BASE + 5, 1) == 1
    assert await store.purge_occurrences(BASE + 5, 9) == 1
    assert [row.id - BASE for row in await store.occurrences_before(MOST, 9)] == [5, 2, 1]


async def test_the_answer_to_a_named_call_is_kept_with_its_events(store: Store) -> None:
    kept = KeptAnswer(BASE, "demo", "orders/events", "k", "digest", "{}")
    await store.accept_events(Happened([one(1)], kept))

    assert await store.kept_answer("demo", "orders/events", "k", 0) == kept


async def test_new_ids_are_above_those_of_occurrences(store: Store) -> None:
    await keep(store, one(9))

    assert await store.greatest_id() == BASE + 9


async def test_they_are_counted_by_where_they_stand(store: Store) -> None:
    await keep(store, one(1), one(2), one(3, DONE))

    assert await store.occurrence_counts() == {NEW: 2, DONE: 1}
