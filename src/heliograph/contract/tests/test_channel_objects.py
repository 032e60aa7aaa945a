"""Whatever stands in a channel's object, the contract reads it or refuses it; nothing else ever happens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.channels import channels
from heliograph.model.categories import ACTIONS, ALLOWED, SHIPPED, categories_of
from heliograph.model.channel import Channel
from heliograph.model.message import Message
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

ALL = list({channel.name: channel for channel in channels().values()}.values())
EVERY = pytest.mark.parametrize("channel", ALL, ids=lambda channel: channel.name)
NAMES = [
    "text", "title", "body", "type", "media", "promptid", "callflowid", "android", "ios", "web", "extras",
    "customtags", "notificationaction", "action", "value", "platform_types", "platorm_types", "priority", "message",
    "attachment", "notification", "interactive", "category", "device_types", "actions", "pos", "identifier",
    "pushref", "sender_action", "quick_replies",
]  # fmt: skip
WORDS = ["1", "2", "ios", "android", "chrome", "", *SHIPPED, *ACTIONS, *{identifier for identifier, _ in ALLOWED}]
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5) | st.sampled_from(WORDS)
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)
BUTTON = st.fixed_dictionaries({}, optional={
    "pos": st.sampled_from([1, 2, "1", "2", 3]) | SCALARS,
    "identifier": st.sampled_from(WORDS) | JSON,
    "action": st.sampled_from(list(ACTIONS)) | JSON,
    "value": st.sampled_from(["https://a.b", "www.a.b", "app://x", "http://[", "x"]) | JSON,
})  # fmt: skip
INTERACTIVE = st.fixed_dictionaries({}, optional={
    "category": st.sampled_from([*SHIPPED, "HOLE"]) | JSON,
    "device_types": st.sampled_from([["ios"], ["ios", "android"]]) | JSON,
    "actions": st.lists(BUTTON, max_size=3) | JSON,
    "pushref": JSON,
})  # fmt: skip
PLATFORM = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3)
NEARLY = st.fixed_dictionaries({}, optional={
    "text": st.just("Hi") | JSON, "android": st.just({"text": "Hi"}) | PLATFORM, "ios": PLATFORM, "web": PLATFORM,
    "interactive": INTERACTIVE, "message": st.just({"text": "Hi"}) | JSON,
    "notification": st.fixed_dictionaries({"interactive": INTERACTIVE}) | JSON,
    "attachment": JSON, "priority": JSON, "callflowid": JSON,
})  # fmt: skip
CATEGORIES = categories_of(({"name": "HOLE", "positions": [1, 2], "identifiers": {"1": "A"}, "actions": {"A": []}},))
MANY = settings(max_examples=125, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(channel: Channel, found: Any, more: dict[str, Any]) -> Message | Rejected:
    """What became of a call with that object."""
    try:
        return message_of(channel, found, CATEGORIES, **more)
    except Rejected as error:
        return error


@EVERY
@MANY
@given(found=JSON | NEARLY, templated=st.booleans())
def test_any_object(channel: Channel, found: Any, templated: bool) -> None:
    more = {"message": {"template": "t"}} if templated else {}
    result = outcome(channel, found, more)
    if isinstance(result, Rejected):
        assert catalogue.text(result.key, values=result.values)
    else:
        assert msgspec.json.decode(msgspec.json.encode(result), type=Message) == result
        assert channel.measure(result.content, channel.compose(result.content, ""))


@EVERY
@MANY
@given(found=NEARLY)
def test_what_was_taken_is_taken_again_and_stays_as_it_is(channel: Channel, found: Any) -> None:
    try:
        once = message_of(channel, found, CATEGORIES)
    except Rejected:
        return
    assert message_of(channel, once.content.fields, CATEGORIES).content == once.content
