"""The rules of push: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.push import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

TAP = {"action": "OPEN_URL", "value": "https://a.b"}
WEB = {"platform_types": ["chrome"], "text": "Hi"}
REFUSED: list[tuple[Any, str]] = [
    ({}, keys.PUSH_PLATFORM_MISSING),
    ({"android": []}, keys.INVALID_JSON),
    ({"android": {}}, keys.ANDROID_TEXT_MISSING),
    ({"ios": {}}, keys.IOS_TEXT_MISSING),
    ({"web": {}}, keys.PLATFORM_TYPES_MISSING),
    ({"web": {"platform_types": ["chrome"]}}, keys.WEB_TEXT_MISSING),
    ({"web": {**WEB, "platform_types": [1]}}, keys.INVALID_PARAM),
    ({"web": {**WEB, "platform_types": {"chrome": 1}}}, keys.INVALID_PARAM),
    ({"ios": {"text": "Hi", "extras": "x"}}, keys.INVALID_JSON),
    ({"ios": {"text": "Hi", "extras": {"customtags": [1]}}}, keys.INVALID_JSON),
    ({"ios": {"text": "Hi", "extras": {"notificationaction": "OPEN_APP"}}}, keys.INVALID_JSON),
    ({"ios": {"text": "Hi", "extras": {"notificationaction": {"action": 5}}}}, keys.INVALID_ACTION),
    ({"android": {"text": "Hi", "priority": True}}, keys.INVALID_PRIORITY),
    ({"android": {"text": "Hi"}, "interactive": [1]}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"android": {"text": 5, "priority": 5}, "ios": None}, {"android": {"text": "5", "priority": "5"}}),
    (
        {"web": {"platorm_types": ["Safari", "SAFARI"], "text": "Hi"}},
        {"web": {"text": "Hi", "platform_types": ["safari"]}},
    ),
    ({"web": {**WEB, "platform_types": "chrome", "platorm_types": ["safari"]}}, {"web": WEB}),
    (
        {"ios": {"text": "Hi", "extras": {"time_to_live": -5, "notificationaction": TAP}}},
        {"ios": {"text": "Hi", "extras": {"time_to_live": -5, "notificationaction": TAP}}},
    ),
    (
        {"ios": {"text": "Hi", "extras": {"notificationaction": {}}}},
        {"ios": {"text": "Hi", "extras": {"notificationaction": {"action": "OPEN_APP"}}}},
    ),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


def test_a_template_stands_for_texts_but_not_for_browsers() -> None:
    message_of(CHANNEL, {"android": {}, "ios": {}}, message={"template": "t"})
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, {"web": {}}, message={"template": "t"})

    assert caught.value.key == keys.PLATFORM_TYPES_MISSING


@pytest.mark.parametrize(("more", "priority"), [({}, 5), ({"priority": 1}, 1), ({"priority": ""}, 5)])
def test_the_priority_inside_counts_where_the_call_has_none(more: dict[str, Any], priority: int) -> None:
    assert message_of(CHANNEL, {"android": {"text": "Hi", "priority": "5"}}, **more).priority == priority


@pytest.mark.parametrize(
    ("entry", "kind", "value"),
    [
        ({"android_pushid": ["a"], "ios_pushid": ["b"], "userid": ["c"]}, "android_pushid", "a"),
        ({"customerid": ["c"], "userid": ["u"]}, "userid", "u"),
        ({"PushId": "tok"}, "pushid", "tok"),
        ({"safari_pushid": [], "customerid": [7]}, "customerid", "7"),
    ],
)
def test_the_most_direct_address_counts(entry: dict[str, Any], kind: str, value: str) -> None:
    [address] = message_of(CHANNEL, {"ios": {"text": "Hi"}}, destination=[entry]).addresses

    assert (address.kind, address.value) == (kind, value)
