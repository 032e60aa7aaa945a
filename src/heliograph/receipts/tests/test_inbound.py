"""A message from a person reaches the service that owns the address it was sent to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from heliograph.model.outcome import Inbound


def inbound(destination: str = "447000000002") -> Inbound:
    """Somebody writes."""
    return Inbound("", "sms", "447700900001", destination, "Hello", {"network": "x"})


@pytest.mark.parametrize(
    ("connector", "destination", "told"),
    [
        ("demo/smsc", "447000000002", "second"),
        ("demo/smsc", "HELIO", "orders"),
        ("demo/smsc", "447999999999", "orders"),
    ],
)
async def test_the_owner_of_the_address_is_told(desk: Any, connector: str, destination: str, told: str) -> None:
    await desk.come(inbound(destination), connector=connector)

    assert [notice.service for notice in desk.told] == [told]


@pytest.mark.parametrize("connector", ["demo/idle", "gone/smsc", "demo/smsc~sandbox"])
async def test_a_message_that_nobody_wants_to_hear_of_is_kept(desk: Any, connector: str) -> None:
    assert await desk.come(inbound(), connector=connector) == [True]
    assert desk.told == []
    assert desk.receiver.counts["inbound"] == 1


async def test_the_body_is_what_was_written(desk: Any) -> None:
    await desk.come(inbound())
    body = msgspec.json.decode(desk.told[0].body)

    assert (body["oa"], body["da"], body["message"], desk.told[0].url) == (
        "447700900001", "447000000002", "Hello", "http://second/in",
    )  # fmt: skip


async def test_the_call_is_owed_in_the_same_commit(desk: Any) -> None:
    await desk.come(inbound())

    assert [notice.body for notice in await desk.store.due_notices("http://second:80", desk.now, 9, [])] == [
        desk.told[0].body
    ]


async def test_a_message_that_cannot_be_kept_is_given_back_and_not_told(desk: Any) -> None:
    desk.store.weak["keep_inbound"] = 1

    assert [await desk.come(inbound()), len(desk.told), await desk.come(inbound()), len(desk.told)] == [
        [False], 0, [True], 1,
    ]  # fmt: skip


async def test_a_message_that_comes_again_is_kept_and_told_once(desk: Any) -> None:
    again = replace(inbound(), native_id="m_1")

    assert await desk.come(again, again, replace(inbound(), native_id="m_2")) == [True, True, True]
    assert await desk.come(again) == [True]
    assert len(desk.told) == 2


async def test_the_same_id_of_another_connector_is_another_message(desk: Any) -> None:
    once = replace(inbound(), native_id="m_1")
    await desk.come(once)
    await desk.come(once, connector="demo/smsc~sandbox")
    await desk.come(once, connector="demo/smsc~sandbox")

    assert len(desk.told) == 1  # nobody in the sandbox wants to hear of it
    assert desk.receiver.counts["inbound"] == 3


async def test_messages_without_an_id_are_all_kept(desk: Any) -> None:
    await desk.come(inbound(), inbound())

    assert len(desk.told) == 2


async def test_a_message_that_could_not_be_kept_may_come_again(desk: Any) -> None:
    once = replace(inbound(), native_id="m_1")
    desk.store.weak["keep_inbound"] = 1

    assert [await desk.come(once), await desk.come(once), len(desk.told)] == [[False], [True], 1]


async def test_what_else_a_channel_tells_stands_in_the_body(desk: Any) -> None:
    told = {"psid": "42", "attachments": [{"type": "image", "url": "https://x"}], "oa": "not this"}
    await desk.come(Inbound("", "sms", "447700900001", "447000000002", "Hi", told))
    body = msgspec.json.decode(desk.told[0].body)

    assert (body["psid"], body["attachments"], body["oa"]) == ("42", told["attachments"], "447700900001")
