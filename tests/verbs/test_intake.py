"""The verb ACCEPT: durable before it is answered, one element per destination, counted over the whole call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.intake import Intake, Taken
from heliograph.model.ids import Ids, parse_transid
from heliograph.model.outcome import Rejected, State
from heliograph.model.record import Accepted
from heliograph.store import Store, StoreUnavailable
from heliograph.workspaces import Workspaces

Make = Callable[..., dict[str, Any]]
NOW = 1_800_000_000_000


class Desk:
    """The verb with what it hands on."""

    def __init__(self, store: Store, workspaces: Workspaces, ids: Ids) -> None:
        self.store = store
        self.workspaces = workspaces
        self.queued: list[Accepted] = []
        self.told: list[Any] = []
        self.intake = Intake(store, workspaces.directory, ids, self.queued.append, self.told.extend, lambda: NOW)

    async def accept(self, *numbers: str, **members: Any) -> Taken:
        return await self.take(call(*numbers, **members))

    async def take(self, body: Any) -> Taken:
        tenant, service = self.workspaces.directory().services()[0]
        return await self.intake.accept(tenant, service, json.dumps(body).encode())

    async def rows(self, taken: Taken) -> list[Any]:
        parsed = parse_transid(taken.transid)
        return list(await self.store.transactions(parsed[0] if parsed else 0, None))


def call(*numbers: str, text: str = "Hello", **members: Any) -> dict[str, Any]:
    """A Messaging call."""
    return {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": text}},
        "destination": [{"msisdn": list(numbers)}],
        **members,
    }


@pytest.fixture
async def desk(store: Store, workspaces: Workspaces, document: Make, ids: Ids) -> Desk:
    """The workspace is in force."""
    await workspaces.apply(document())
    return Desk(store, workspaces, ids)


async def test_every_destination_has_its_answer_in_order(desk: Desk) -> None:
    taken = await desk.accept("447700900001", "12", "447700900002")

    assert [(answer.key, answer.ordinal) for answer in taken.answers] == [
        ("accepted", 0), ("invalid_address", 1), ("accepted", 2),
    ]  # fmt: skip


async def test_what_was_answered_is_in_the_table(desk: Desk) -> None:
    taken = await desk.accept("447700900001", "12", "447700900002")

    assert [(row.state, row.key) for row in await desk.rows(taken)] == [
        (State.QUEUED, ""), (State.FAILED, "invalid_address"), (State.QUEUED, ""),
    ]  # fmt: skip


async def test_a_refused_destination_is_told_and_not_queued(desk: Desk) -> None:
    await desk.accept("12", "13")

    assert ([notice.key for notice in desk.told], desk.queued) == (["invalid_address"] * 2, [])


async def test_the_gates_of_a_refusal_are_kept(desk: Desk) -> None:
    taken = await desk.accept("12")
    [row] = await desk.rows(taken)

    assert [line.step for line in await desk.store.story(row.request, 0)] == ["gates"]


async def test_nothing_is_queued_or_told_when_it_cannot_be_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(accepted: Accepted) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(desk.store, "accept", fail)
    with pytest.raises(StoreUnavailable):
        await desk.accept("447700900001", "12")

    assert (desk.queued, desk.told) == ([], [])


async def test_decided_at_dispatch_everything_is_accepted_first(desk: Desk, document: Make) -> None:
    await desk.workspaces.apply(document(checks="at_dispatch"))
    taken = await desk.accept("447700900001", "12")

    assert [answer.key for answer in taken.answers] == ["accepted", "accepted"]
    assert [row.state for row in await desk.rows(taken)] == [State.QUEUED, State.QUEUED]


async def test_ordinals_count_over_a_list_body_with_a_bad_element(desk: Desk) -> None:
    taken = await desk.take([call("447700900001", "447700900002"), {"deliverychannel": "sms"}, call("447700900003")])

    assert [answer.ordinal for answer in taken.answers] == [0, 1, 2, 3]
    assert [answer.key for answer in taken.answers if answer.key != "accepted"] != []
    assert [row.ordinal for row in await desk.rows(taken)] == [0, 1, 3]


async def test_each_destination_keeps_its_correlation_id(desk: Desk) -> None:
    body = call("447700900001", correlationid="outer")
    body["destination"] = [{"msisdn": ["447700900001"], "correlationid": "inner"}, {"msisdn": ["447700900002"]}]
    taken = await desk.take(body)

    assert [answer.correlation for answer in taken.answers] == ["inner", "outer"]
    assert [row.address.correlation for row in await desk.rows(taken)] == ["inner", "outer"]


@pytest.mark.parametrize("body", [{}, [], {"deliverychannel": "pigeon"}, call()])
async def test_a_call_that_the_contract_refuses_leaves_nothing(desk: Desk, body: Any) -> None:
    with pytest.raises(Rejected):
        await desk.take(body)

    assert (await desk.store.counts(), desk.queued, desk.intake.counts["rejected"]) == ({}, [], 1)


async def test_a_service_that_was_removed_meanwhile_is_inactive(desk: Desk) -> None:
    [(tenant, service)] = desk.workspaces.directory().services()
    await desk.workspaces.apply({"tenants": []})
    with pytest.raises(Rejected) as raised:
        await desk.intake.accept(tenant, service, json.dumps(call("447700900001")).encode())

    assert raised.value.key == "service_inactive"


async def test_a_thousand_destinations_are_one_request_and_one_run(desk: Desk) -> None:
    taken = await desk.accept(*(f"44770090{number:04d}" for number in range(1_000)))

    assert (len(taken.answers), len(desk.queued), len(desk.queued[0].runs)) == (1_000, 1, 1)
    assert len(await desk.rows(taken)) == 1_000


@pytest.mark.parametrize("settings", [{"password": "longer-than-eight"}, {"options": {"segmentation": "magic"}}])
async def test_a_sandbox_connector_that_cannot_be_used_is_refused_at_the_door(
    desk: Desk, document: Make, settings: dict[str, Any]
) -> None:
    declared = document(sandbox=True)
    declared["tenants"][0]["connectors"][0].update(settings)
    await desk.workspaces.apply(declared)
    taken = await desk.accept("447700900001")

    assert [answer.key for answer in taken.answers] == ["configuration_error"]


async def test_a_sandbox_connector_may_leave_its_settings_out(desk: Desk, document: Make) -> None:
    declared = document(sandbox=True)
    declared["tenants"][0]["connectors"] = [{"name": "smsc", "channel": "sms", "kind": "smpp"}]
    await desk.workspaces.apply(declared)
    taken = await desk.accept("447700900001")

    assert [answer.key for answer in taken.answers] == ["accepted"]
