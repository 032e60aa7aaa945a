"""Whatever a caller posts, the contract reads it or refuses it; nothing else ever happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.contract.envelope import Call, read_call
from heliograph.model.channel import Channel
from heliograph.model.message import Message
from heliograph.model.outcome import Rejected

NOW = 1_700_000_000_000
MEMBERS = [
    "deliverychannel", "destination", "channels", "message", "priority", "expiry", "correlationid",
    "correlationId", "callbackData", "notifyurl", "appid", "msisdn", "customerid", "sms", "type", "text", "body",
    "senderid", "extras", "template", "parameters",
]  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.sampled_from(["sms", "SMS", "1", "3", "text", "447700900001", "2030-01-01T00:00:00Z"])
)  # fmt: skip
NAMES = st.sampled_from(MEMBERS) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=30
)
ENTRY = st.dictionaries(
    st.sampled_from(["msisdn", "MSISDN", "customerid", "correlationid", "psid"]), JSON, max_size=3
)
SMS = st.dictionaries(st.sampled_from(["type", "text", "body", "senderid", "media-path", "extras"]), JSON)
NEARLY = st.fixed_dictionaries(
    {
        "deliverychannel": st.just("sms"),
        "destination": st.just([{"msisdn": ["447700900001"]}]) | st.lists(ENTRY, max_size=3),
        "channels": st.fixed_dictionaries({"sms": st.just({"text": "a"}) | SMS}) | JSON,
    },
    optional={
        "message": st.fixed_dictionaries({"template": JSON, "parameters": JSON}),
        "priority": JSON, "expiry": JSON, "correlationid": JSON, "callbackData": JSON, "notifyurl": JSON,
        "appid": JSON,
    },
)  # fmt: skip
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(body: bytes, channels: Mapping[str, Channel]) -> Call | Rejected:
    """What became of a body."""
    try:
        return read_call(body, channels, NOW)
    except Rejected as error:
        return error


@MANY
@given(st.binary())
def test_any_bytes(channels: Mapping[str, Channel], body: bytes) -> None:
    assert isinstance(outcome(body, channels), Call | Rejected)


@MANY
@given(JSON)
def test_any_json(channels: Mapping[str, Channel], value: Any) -> None:
    assert isinstance(outcome(json.dumps(value).encode(), channels), Call | Rejected)


@MANY
@given(NEARLY)
def test_what_is_taken_can_be_written_and_read_again(channels: Mapping[str, Channel], value: Any) -> None:
    result = outcome(json.dumps(value).encode(), channels)
    for element in result.elements if isinstance(result, Call) else ():
        assert isinstance(element, Message)
        assert msgspec.json.decode(msgspec.json.encode(element), type=Message) == element


@MANY
@given(st.lists(NEARLY, min_size=1, max_size=4))
def test_an_element_of_a_list_becomes_what_it_would_be_alone(
    channels: Mapping[str, Channel], values: list[Any]
) -> None:
    together = outcome(json.dumps(values).encode(), channels)
    assert isinstance(together, Call)
    for value, element in zip(values, together.elements, strict=True):
        alone = outcome(json.dumps(value).encode(), channels)
        if isinstance(alone, Call):
            assert alone.elements == (element,)
        else:
            assert isinstance(element, Rejected)
            assert (element.key, element.values) == (alone.key, alone.values)
