"""Old requests go with all that belongs to them; what waits, and what is younger, stays."""

from __future__ import annotations

import pytest

from heliograph.model.automation import Run as Ran
from heliograph.model.automation import RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import first_id_at
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Parked, Reported, Run, Sent, Settlement, StoryLine
from heliograph.store import Store, StoreUnavailable, retention
from heliograph.store.areas.automation.events import Happened
from heliograph.store.areas.automation.runs import Matched
from heliograph.store.retention import DAY_MS, Retention
from heliograph.testing.databases import Database

NOW = 1_800_000_000_000
TABLES = ("requests", "transactions", "submissions", "receipts", "story", "notices", "inbound", "threads", "came")


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small slices without pauses."""
    monkeypatch.setattr(retention, "SLICE", 3)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)


async def keep(store: Store, age_days: float, *, open_: bool = False, number: int = 0) -> int:
    """A request of that age with one of everything."""
    identity = first_id_at(int(NOW - age_days * DAY_MS)) + number
    request = Request(
        id=identity, nonce=1, tenant="demo", service="orders", accepted=NOW,
        messages=(Message(content=Content(channel="sms"), addresses=()),),
    )  # fmt: skip
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["447700900001"]),)))
    if not open_:
        change = Change(
            identity, 0, State.SUBMITTED, "submitted", NOW, connector="c", notice=identity, url="http://x/",
            origin="http://x:80", natives=(f"n{identity}",),
        )  # fmt: skip
        line = StoryLine(identity, identity, 0, NOW, "attempt", "{}")
        await store.settle(
            Settlement(changes=[change], story=[line], sent=[Sent(identity, 0, "c", "447700900001", NOW)])
        )
        receipt = Reported(identity, identity, 0, 0, "c", f"n{identity}", "delivered", NOW)
        unmatched = Reported(identity + 1, 0, 0, 0, "c", "?", "delivered", NOW)
        await store.receive([receipt, unmatched], Settlement(changes=[]), [])
        row = (identity, "demo", "orders", "c", "sms", "1", "2", "hi", "{}", NOW)
        await store.keep_inbound(row, f"m{identity}", None)
    return identity


async def counts(database: Database) -> dict[str, int]:
    """Rows of every table."""
    return {name: (await database.rows(f"SELECT count(*) FROM {name}"))[0][0] for name in TABLES}


async def test_what_is_old_goes_whole(store: Store, database: Database) -> None:
    for number in range(8):
        await keep(store, 31, number=number << 5)

    assert await Retention(store, 30, lambda: NOW).purge() == 8
    assert await counts(database) == dict.fromkeys(TABLES, 0)


async def test_what_is_young_stays_whole(store: Store, database: Database) -> None:
    await keep(store, 29.9)

    assert await Retention(store, 30, lambda: NOW).purge() == 0
    assert await counts(database) == {**dict.fromkeys(TABLES, 1), "receipts": 2}


async def test_what_still_waits_is_never_touched(store: Store) -> None:
    waiting = await keep(store, 400, open_=True)
    await Retention(store, 30, lambda: NOW).purge()

    assert len(await store.transactions(waiting, None)) == 1


async def test_one_message_that_waits_does_not_keep_the_others(store: Store) -> None:
    waiting = await keep(store, 60, open_=True)
    for number in range(8):
        await keep(store, 40, number=number << 5)

    assert await Retention(store, 30, lambda: NOW).purge() == 8
    assert len(await store.transactions(waiting, None)) == 1


async def test_parked_chunks_go_with_their_requests(store: Store, database: Database) -> None:
    old, waiting = await keep(store, 31), await keep(store, 31, open_=True, number=32)
    await store.park([Parked(number, 0, NOW, 9) for number in (old, waiting)])
    await Retention(store, 30, lambda: NOW).purge()

    assert await database.rows("SELECT request FROM parked") == [(waiting,)]


async def ran(store: Store, number: int, digest: str, state: RunState = RunState.DONE) -> int:
    """A run that is 31 days old."""
    identity = first_id_at(NOW - 31 * DAY_MS) + number
    await store.accept_events(Happened([Occurrence(identity, "t", "s", "event", "1", {}, NOW)]))
    run = Ran(identity, identity, "t", "s", "rule", digest, NOW, state)
    await store.match(Matched(run.occurrence, OccurrenceState.MATCHED, [run], [("t", digest, "{}")]))
    return identity


async def test_wordings_of_rules_go_with_the_last_run_that_follows_them(store: Store, database: Database) -> None:
    for number, digest in enumerate(("gone", "shared")):
        await ran(store, number, digest)
    waiting = await ran(store, 2, "shared", RunState.OPEN)
    await Retention(store, 30, lambda: NOW).purge()

    assert await database.rows("SELECT digest FROM rule_texts") == [("shared",)]
    assert await database.rows("SELECT id FROM runs") == [(waiting,)]


async def test_wordings_are_looked_for_once_a_day(store: Store, database: Database) -> None:
    now = NOW
    cleaner = Retention(store, 30, lambda: now)
    left = []
    for number, passed in enumerate((0, 600_000, DAY_MS)):
        now += passed
        await ran(store, number, f"digest{number}")
        await cleaner.purge()
        left.append(len(await database.rows("SELECT digest FROM rule_texts")))

    assert left == [0, 1, 0]


async def test_wordings_that_cannot_be_looked_for_keep_nothing_else(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_slow(since: int) -> None:
        raise StoreUnavailable("TimeoutError")

    monkeypatch.setattr(store, "purge_rule_texts", too_slow)
    await ran(store, 0, "digest")
    await keep(store, 31, number=32)
    with pytest.raises(StoreUnavailable):
        await Retention(store, 30, lambda: NOW).purge()

    assert await counts(database) == dict.fromkeys(TABLES, 0)
    assert await database.rows("SELECT id FROM runs") == []
