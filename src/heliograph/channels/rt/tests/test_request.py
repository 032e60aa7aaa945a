"""The rules of in-app messages: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.rt import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

MESSAGE = {"message": {"text": "Hi"}}
REFUSED: list[tuple[Any, str]] = [
    ({}, keys.RT_TEXT_MISSING),
    ({"message": "Hi"}, keys.INVALID_JSON),
    ({"message": {"text": {"a": 1}}}, keys.INVALID_JSON),
    ({"message": {"text": "", "attachment": {}}}, keys.RT_TEXT_MISSING),
    ({"message": {"attachment": "x"}}, keys.INVALID_JSON),
    ({**MESSAGE, "priority": 1.5}, keys.INVALID_PRIORITY),
    ({**MESSAGE, "notification": {"ios_extras": {"notificationaction": {"action": "X"}}}}, keys.INVALID_ACTION),
    (
        {**MESSAGE, "notification": {"windows_extras": {"notificationaction": {"action": "DEEPLINK"}}}},
        keys.ACTION_VALUE_MISSING,
    ),
    ({**MESSAGE, "notification": {"interactive": {}}}, keys.CATEGORY_MISSING),
    ({**MESSAGE, "notification": {"interactive": "x"}}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    (
        {"message": {"text": 5}, "thread_id": 7, "priority": 1},
        {"message": {"text": "5"}, "thread_id": "7", "priority": "1"},
    ),
    ({"message": {"attachment": {"file": "f"}}, "notification": None}, {"message": {"attachment": {"file": "f"}}}),
    ({**MESSAGE, "notification": {"interactive": ""}}, {**MESSAGE, "notification": {"interactive": ""}}),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


def test_the_text_stands_in_the_message() -> None:
    content = message_of(CHANNEL, MESSAGE).content

    assert CHANNEL.compose(content, "") == "Hi"
    assert CHANNEL.measure(content, "Hi") == (1, "utf-8", len('{"text":"Hi"}'))


@pytest.mark.parametrize(("more", "priority"), [({}, 1), ({"priority": 4}, 4)])
def test_the_priority_inside_counts_where_the_call_has_none(more: dict[str, Any], priority: int) -> None:
    assert message_of(CHANNEL, {**MESSAGE, "priority": 1}, **more).priority == priority
