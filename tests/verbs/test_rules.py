"""The verb RUN over a real store: processes share the work, a store that fails is waited for, wordings are kept."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.cli.parts.rules import Around, RuleParts
from heliograph.intake import Intake
from heliograph.lookup import Lookup
from heliograph.model.automation import RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import Ids
from heliograph.rules import carrying, matching, runner
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.automation.events import Happened
from heliograph.store.areas.automation.runs import Advance, Moved
from heliograph.testing import eventually
from heliograph.workspaces import Workspaces

COUNT = 60
Document = Callable[..., dict[str, Any]]


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


def sms(text: str) -> dict[str, Any]:
    return {"send": {"channel": "sms", "to": {"msisdn": "${parameters.to}"}, "content": {"text": text}}}


def process(store: Store, workspaces: Workspaces, node: int) -> RuleParts:
    """What one process runs rules with."""
    ids = Ids(clock_ms, node)
    intake = Intake(store, workspaces.directory, ids, lambda accepted: None, lambda notices: None, clock_ms)
    return RuleParts(Around(store, workspaces.directory, ids, clock_ms, intake, Lookup(), lambda notices: None))


def declared(document: Document, *then: dict[str, Any]) -> dict[str, Any]:
    rule = {"name": "r", "on": {"event": "1"}, "then": list(then)}
    return document(tenant={"events": [{"id": "1"}], "rules": [rule]})


async def happened(store: Store, count: int = 1) -> list[Occurrence]:
    ids = Ids(clock_ms, 9)
    made = [
        Occurrence(ids.next(), "demo", "orders", "event", "1", {"parameters": {"to": f"4477009{number:05d}"}}, 1)
        for number in range(count)
    ]
    await store.accept_events(Happened(made))
    return made


async def ended(store: Store, occurrences: list[Occurrence]) -> None:
    async def check() -> bool:
        found = await store.occurrences([one.id for one in occurrences])
        return all(one.state is OccurrenceState.DONE for one in found)

    await eventually(check)


async def sent(store: Store) -> dict[tuple[str, str], int]:
    """How often each text went to each number."""
    found: dict[tuple[str, str], int] = {}
    for queued in await store.open_requests(0, 10_000):
        [request] = (await store.requests([queued.request])).values()
        text = str(request.messages[0].content.fields["text"])
        for row in await store.transactions(queued.request, None):
            found[row.address.value, text] = found.get((row.address.value, text), 0) + 1
    return found


async def test_two_processes_that_are_offered_the_same_do_each_step_once(
    store: Store, workspaces: Workspaces, document: Document
) -> None:
    await workspaces.apply(declared(document, sms("one"), sms("two")))
    processes = [process(store, workspaces, node) for node in (1, 2)]
    occurrences = await happened(store, COUNT)
    for each in processes:
        await each.start(alone=False)
        each.runner.offer(occurrences)
    await ended(store, occurrences)
    for each in processes:
        await each.runner.stop(1.0)

    counts = await sent(store)
    assert len(counts) == 2 * COUNT
    assert set(counts.values()) == {1}
    assert await store.run_counts() == {RunState.DONE: COUNT}


async def test_what_a_process_left_behind_is_taken_up_by_another(
    store: Store, workspaces: Workspaces, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "HOLD_MS", 300)
    monkeypatch.setattr(runner, "HOLD_MS", 300)
    await workspaces.apply(declared(document, sms("one")))
    dead = process(store, workspaces, 1)
    occurrences = await happened(store, 3)
    found = [await dead.runner._matcher.match(one) for one in occurrences]
    for one in found:  # matched, and not begun when it died
        assert await store.match(one.matched)
    living = process(store, workspaces, 2)
    await living.start(alone=False)
    await ended(store, occurrences)
    await living.runner.stop(1.0)

    assert set((await sent(store)).values()) == {1}


async def test_a_run_goes_on_by_the_wording_it_began_with(
    store: Store, workspaces: Workspaces, document: Document
) -> None:
    await workspaces.apply(declared(document, {"wait": "2s"}, sms("old")))
    one = process(store, workspaces, 1)
    await one.start(alone=True)
    occurrences = await happened(store)
    one.runner.offer(occurrences)

    async def waits() -> bool:
        return any(run.until for run in await store.runs_of([occurrences[0].id]))

    await eventually(waits)
    await one.runner.stop(1.0)
    await workspaces.apply(declared(document, {"wait": "2s"}, sms("new")))
    after = process(store, workspaces, 1)
    await after.start(alone=True)
    await ended(store, occurrences)
    await after.runner.stop(1.0)

    assert [text for _, text in await sent(store)] == ["old"]


@pytest.mark.parametrize(("failures", "state"), [(4, RunState.DONE), (1_000, RunState.FAILED)])
async def test_a_step_that_cannot_be_kept_is_tried_again_but_not_for_ever(
    store: Store,
    workspaces: Workspaces,
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
    state: Any,
) -> None:
    monkeypatch.setattr(carrying, "LATER_MS", 50)
    for module in (matching, runner):
        monkeypatch.setattr(module, "HOLD_MS", 50)
    monkeypatch.setattr(carrying, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.05)
    await workspaces.apply(declared(document, sms("one")))
    left, advance = itertools.count(1), store.advance

    async def weak(moving: Advance) -> Moved:
        if moving.effects.accepted is not None and next(left) <= failures:
            raise StoreUnavailable("not now")
        return await advance(moving)

    monkeypatch.setattr(store, "advance", weak)
    one = process(store, workspaces, 1)
    await one.start(alone=True)
    occurrences = await happened(store)
    await ended(store, occurrences)
    await one.runner.stop(1.0)

    assert await store.run_counts() == {state: 1}
    assert len(await sent(store)) == (state is RunState.DONE)


async def test_a_fault_of_ours_ends_one_run_and_no_other(
    store: Store, workspaces: Workspaces, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workspaces.apply(declared(document, sms("one")))
    one = process(store, workspaces, 1)
    follow, calls = one._intake.follow, itertools.count(1)

    async def broken(*arguments: Any) -> None:
        if next(calls) == 1:
            raise RuntimeError("a fault")
        await follow(*arguments)

    monkeypatch.setattr(one._intake, "follow", broken)
    await one.start(alone=True)
    occurrences = await happened(store, 5)
    one.runner.offer(occurrences)
    await ended(store, occurrences)
    await one.runner.stop(1.0)

    assert await store.run_counts() == {RunState.DONE: 4, RunState.FAILED: 1}
