"""Any sequence of changes: states only move forward, and what remains to be sent is always counted right."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.model.message import Content, Message, Request, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Run, Settlement
from heliograph.store import Store, StoreUnavailable
from heliograph.testing.databases import Database

REQUEST, DESTINATIONS = 1 << 22, 3

ordinals = st.integers(0, DESTINATIONS - 1)
moves = st.tuples(ordinals, st.sampled_from(State))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("settle"), st.lists(moves, min_size=1, max_size=4)),
        st.tuples(st.just("claim"), st.tuples(ordinals, ordinals)),
        st.tuples(st.just("restart"), st.none()),
    ),
    max_size=12,
)


def may(old: State, new: State) -> bool:
    """The rule: to a greater ten, or from SENDING back to QUEUED."""
    return new // 10 > old // 10 or (old, new) == (State.SENDING, State.QUEUED)


async def play(database: Database, script: list[tuple[str, object]]) -> None:
    store = database.store()
    await store.open()
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=REQUEST, nonce=1, tenant="t", service="s", accepted=0, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["1", "2", "3"]),)))
    model = [State.QUEUED] * DESTINATIONS
    for word, value in script:
        if word == "restart":
            await store.release_claims()
            model = [State.QUEUED if state is State.SENDING else state for state in model]
        elif word == "claim":
            first, last = value  # type: ignore[misc]
            await store.claim([(REQUEST, first, last)])
            for ordinal in range(first, last + 1):
                model[ordinal] = State.SENDING if model[ordinal] is State.QUEUED else model[ordinal]
        else:
            changes = [Change(REQUEST, ordinal, state, state.name, 1, natives=("n",)) for ordinal, state in value]  # type: ignore[attr-defined]
            took = await store.settle(Settlement(changes=changes))
            for (ordinal, state), applied in zip(value, took, strict=True):  # type: ignore[call-overload]
                assert applied == may(model[ordinal], state)
                model[ordinal] = state if applied else model[ordinal]
        await check(store, model)
    await store.close()
    for table in ("requests", "transactions", "submissions", "notices", "windows"):
        await database.rows(f"DELETE FROM {table}")


async def check(store: Store, model: list[State]) -> None:
    rows: list[Transaction] = await store.transactions(REQUEST, None)
    assert [row.state for row in rows] == model
    below = sum(state < State.SUBMITTED for state in model)
    assert (await store.pending_counts())[0] == below
    assert bool(await store.open_requests(0, 9)) == bool(below)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=steps)
def test_states_move_forward_and_what_remains_is_counted(
    database: Database, script: list[tuple[str, object]]
) -> None:
    asyncio.run(play(database, script))


@pytest.mark.parametrize("name", ["temp.change", "temp.incoming"])
async def test_nothing_is_left_in_the_scratch_tables_of_sqlite(tmp_path: Path, name: str) -> None:
    store = Store.on_sqlite(tmp_path / "test.sqlite")
    await store.open()
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=REQUEST, nonce=1, tenant="t", service="s", accepted=0, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["1"]),)))
    for state in (State.SUBMITTED, State.SUBMITTED, State.FAILED, State.SUBMITTED):
        await store.settle(Settlement(changes=[Change(REQUEST, 0, state, "k", 1, natives=("n",))]))

    assert store.engine.writer.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,)  # type: ignore[attr-defined]
    await store.close()


async def test_a_write_that_fails_leaves_nothing_of_its_group(store: Store) -> None:
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=REQUEST, nonce=1, tenant="t", service="s", accepted=0, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["1"]),)))
    good = Settlement(changes=[Change(REQUEST, 0, State.SUBMITTED, "k", 1, natives=("n",))])
    bad = Settlement(changes=[Change(REQUEST, 0, State.FAILED, "\ud800", 1)])
    results = await asyncio.gather(store.settle(good), store.settle(bad), store.settle(good), return_exceptions=True)

    assert [results[0], isinstance(results[1], Exception), results[2]] == [[True], True, [False]]
    assert [row.state for row in await store.transactions(REQUEST, None)] == [State.SUBMITTED]


async def test_a_broken_database_is_unavailable_and_says_why(store: Store, database: Database) -> None:
    await database.rows("DROP TABLE windows")
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=REQUEST, nonce=1, tenant="t", service="s", accepted=0, messages=(message,))
    await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["1"]),)))
    change = Change(REQUEST, 0, State.SUBMITTED, "k", 1, due=2)

    with pytest.raises(StoreUnavailable, match="windows"):
        await store.settle(Settlement(changes=[change]))
