"""One fact each about how a call is read; the order of checks and the keys are those of the published table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from heliograph.contract.envelope import BadElement, read_call
from heliograph.model.channel import Channel
from heliograph.model.message import Address, Message
from heliograph.model.outcome import Rejected

NOW = 1_700_000_000_000
Channels = Mapping[str, Channel]
ABSENT = object()


def call(**changes: Any) -> dict[str, Any]:
    """A good call with members replaced, or left out where the value is ABSENT."""
    body: dict[str, Any] = {
        "deliverychannel": "sms",
        "destination": [{"msisdn": ["447700900001"]}],
        "channels": {"sms": {"text": "Hello"}},
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not ABSENT}


def sms(**members: Any) -> dict[str, Any]:
    """A good call with this sms object."""
    return call(channels={"sms": members})


def read(body: Any, channels: Channels, **more: Any) -> Message:
    """The one message of an object body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    [element] = read_call(raw, channels, NOW, **more).elements
    assert isinstance(element, Message)
    return element


def refusal(body: Any, channels: Channels) -> tuple[object, ...]:
    """The key, and the values, of the refusal of a whole call."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(Rejected) as caught:
        read_call(raw, channels, NOW)
    return (caught.value.key, *caught.value.values)


NUMBERS = [str(447_700_900_000 + number) for number in range(1001)]
TEMPLATE = {"template": "1001", "parameters": {"name": "Ann"}}

INVALID_JSON = {
    "nothing": b"",
    "no json": b"hello",
    "cut off": b'{"deliverychannel": "sms"',
    "not utf-8": b'{"deliverychannel": "\xff"}',
    "a lone surrogate": b'{"deliverychannel": "sms", "x": "\\ud800"}',
    "a number beyond all range": b'{"x": 1e999}',
    "not a number": b'{"x": NaN}',
    "two documents": b"{}{}",
    "a text": b'"sms"',
    "null": b"null",
    "an empty list": b"[]",
    "a list of numbers": b"[1]",
    "a list with one that is no object": b"[{}, 1]",
    "lists without end": b"[" * 1_000_000,
    "objects without end": b'{"a":' * 500_000,
    "deep lists that close": b"[" * 5_000 + b"]" * 5_000,
    "channels is a list": call(channels=[{"sms": {"text": "Hello"}}]),
    "channels is a text": call(channels="sms"),
    "the channel object is a text": call(channels={"sms": "Hello"}),
    "the channel object is a list": call(channels={"sms": [{"text": "Hello"}]}),
    "message is a text": call(message="1001"),
    "parameters is a list": call(message={"template": "1001", "parameters": ["Ann"]}),
    "text is an object": sms(text={"en": "Hello"}),
    "parameters nested without need": call(message={"parameters": {"a": json.loads("[" * 40 + "]" * 40)}}),
    "extras nested without need": sms(text="Hello", extras=json.loads("[" * 40 + "]" * 40)),
    "an address that is null": call(destination=[{"msisdn": ["447700900001", None]}]),
    "an address that is an object": call(destination=[{"msisdn": {"number": "447700900001"}}]),
}


@pytest.mark.parametrize("body", INVALID_JSON.values(), ids=INVALID_JSON.keys())
def test_what_is_no_request_is_7000(body: Any, channels: Channels) -> None:
    assert refusal(body, channels) == ("invalid_json",)


# Every row of the table's Messaging section that belongs to the envelope or to sms, and the ways to reach it.
ROWS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "deliverychannel_missing": [
        ("absent", call(deliverychannel=ABSENT)),
        ("in other capitals", call(deliverychannel=ABSENT, deliveryChannel="sms")),
        ("an empty object", {}),
    ],
    "deliverychannel_empty": [
        ("empty", call(deliverychannel="")),
        ("null", call(deliverychannel=None)),
        ("blank", call(deliverychannel="  ")),
    ],
    "invalid_delivery_channel": [
        ("unknown", call(deliverychannel="pigeon")),
        ("a number", call(deliverychannel=1)),
        ("a list", call(deliverychannel=["sms"])),
        ("before a missing destination", call(deliverychannel="pigeon", destination=ABSENT)),
    ],
    "destination_missing": [
        ("absent", call(destination=ABSENT)),
        ("null", call(destination=None)),
        ("empty", call(destination=[])),
        ("an object", call(destination={"msisdn": ["447700900001"]})),
        ("an entry that is no object", call(destination=["447700900001"])),
        ("an entry without keys", call(destination=[{}])),
        ("an empty list", call(destination=[{"msisdn": []}])),
        ("an empty text", call(destination=[{"msisdn": ""}])),
        ("only empty texts", call(destination=[{"msisdn": ["", ""]}])),
        ("null addresses", call(destination=[{"msisdn": None}])),
        ("a key of another channel", call(destination=[{"psid": ["1"]}])),
        ("only a correlation id", call(destination=[{"correlationid": "c"}])),
        ("one good entry and one bad", call(destination=[{"msisdn": ["447700900001"]}, {}])),
        ("before the count", call(destination=[{"msisdn": NUMBERS}, {}])),
        ("before the channel object", call(destination=[], channels=ABSENT)),
        ("before a bad correlation id", call(destination=[], correlationid="c" * 51)),
    ],
    "too_many_destinations": [
        ("in one entry", call(destination=[{"msisdn": NUMBERS}])),
        ("over entries", call(destination=[{"msisdn": [number]} for number in NUMBERS])),
        ("before the channel object", call(destination=[{"msisdn": NUMBERS}], channels=ABSENT)),
        ("before a bad correlation id", call(destination=[{"msisdn": NUMBERS, "correlationid": "c" * 51}])),
    ],
    "sms_object_missing": [
        ("channels absent", call(channels=ABSENT)),
        ("channels null", call(channels=None)),
        ("channels empty", call(channels={})),
        ("another channel only", call(channels={"voice": {"media": "7"}})),
        ("null", call(channels={"sms": None})),
        ("in other capitals", call(channels={"SMS": {"text": "Hello"}})),
        ("message without a template", call(channels=ABSENT, message={"parameters": {}})),
        ("before a bad priority", call(channels=ABSENT, priority=9)),
        ("before a bad correlation id of a destination",
         call(channels=ABSENT, destination=[{"msisdn": ["447700900001"], "correlationid": "c" * 51}])),
    ],
    "sms_text_missing": [
        ("absent", sms()),
        ("empty", sms(text="")),
        ("null", sms(text=None)),
        ("for type 1", sms(type="1", body="00FF")),
        ("for the word", sms(type="text")),
        ("before a bad priority", {**sms(), "priority": 9}),
    ],
    "sms_body_missing": [
        ("type 3 with text", sms(type="3", text="Hello")),
        ("type 3 as a number", sms(type=3)),
        ("the word binary", sms(type="Binary")),
        ("type 2 with nothing", sms(type="2")),
        ("type 4 with nothing", sms(type=4)),
        ("a missing value before a bad type", sms(type="9")),
    ],
    "invalid_sms_type": [
        ("5", sms(type="5", text="Hello")),
        ("0", sms(type=0, text="Hello")),
        ("a word", sms(type="voice", text="Hello")),
        ("true", sms(type=True, text="Hello")),
        ("a list", sms(type=[1], text="Hello")),
        ("a fraction", sms(type=1.5, text="Hello")),
        ("with a template too", call(channels={"sms": {"type": "7"}}, message=TEMPLATE)),
        ("before a bad priority", {**sms(type="5", text="Hello"), "priority": 9}),
    ],
    "invalid_priority": [
        ("0", call(priority=0)),
        ("6", call(priority="6")),
        ("negative", call(priority=-1)),
        ("a word", call(priority="high")),
        ("a fraction", call(priority=2.5)),
        ("a whole fraction", call(priority=3.0)),
        ("true", call(priority=True)),
        ("a list", call(priority=[1])),
        ("before an expiry in the past", call(priority=9, expiry="2001-01-01T00:00:00Z")),
    ],
    "request_expired_on_arrival": [
        ("long ago", call(expiry="2001-01-01T00:00:00Z")),
        ("before the epoch", call(expiry="1901-01-01T00:00:00Z")),
        ("at the epoch", call(expiry="1970-01-01T00:00:00Z")),
        ("this very millisecond", call(expiry="2023-11-14T22:13:20.000Z")),
    ],
}  # fmt: skip
CASES = [pytest.param(key, body, id=f"{key}: {name}") for key, cases in ROWS.items() for name, body in cases]


@pytest.mark.parametrize(("key", "body"), CASES)
def test_a_call_is_refused_with_the_row_of_the_table(key: str, body: Any, channels: Channels) -> None:
    assert refusal(body, channels) == (key,)


PARAMETERS = {
    "correlationid of 51 bytes": ("correlationid", call(correlationid="c" * 51)),
    "correlationid of 26 two-byte characters": ("correlationid", call(correlationid="\u00e9" * 26)),
    "correlationid that is an object": ("correlationid", call(correlationid={})),
    "correlationId in capitals": ("correlationid", call(correlationId="c" * 51)),
    "correlationid of a destination": (
        "correlationid",
        call(destination=[{"msisdn": ["447700900001"], "correlationid": "c" * 51}]),
    ),
    "callbackData of 2001 characters": ("callbackData", call(callbackData="d" * 2001)),
    "callbackData that is an object": ("callbackData", call(callbackData={"a": 1})),
    "notifyurl that is an object": ("notifyurl", call(notifyurl={"url": "http://a"})),
    "appid that is a list": ("appid", call(appid=["AP1"])),
    "template that is a list": ("template", call(message={"template": ["1001"]})),
    "expiry that is no date": ("expiry", call(expiry="tomorrow")),
    "expiry that is a number": ("expiry", call(expiry=1_900_000_000)),
    "expiry that is a list": ("expiry", call(expiry=[])),
    "before an expiry in the past": (
        "correlationid",
        call(correlationid="c" * 51, expiry="2001-01-01T00:00:00Z"),
    ),
}


@pytest.mark.parametrize(("name", "body"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_a_value_that_cannot_be_used_is_named(name: str, body: Any, channels: Channels) -> None:
    assert refusal(body, channels) == ("invalid_param", name)


@pytest.mark.parametrize("name", ["sms", "SMS", "Sms", " sms ", "TextMessage"])
def test_the_channel_is_named_in_any_capitals_or_by_an_alias(name: str, channels: Channels) -> None:
    assert read(call(deliverychannel=name), channels).content.channel == "sms"


def test_unknown_members_are_ignored(channels: Channels) -> None:
    body = call(
        route="IMMD",
        gtrId="x",
        contactPolicy=[],
        channels={"sms": {"text": "a", "x": 1}},
    )

    assert read(body, channels).content.fields == {"text": "a"}


def test_the_object_of_another_channel_is_ignored(channels: Channels) -> None:
    assert read(call(channels={"sms": {"text": "a"}, "voice": 7}), channels).content.fields == {"text": "a"}


TYPES = {
    "1": "text", 2: "flash", " 4 ": "unicode", "text": "text", "FLASH": "flash", "Unicode": "unicode",
}  # fmt: skip


@pytest.mark.parametrize(("given", "stored"), TYPES.items())
def test_a_type_is_stored_as_a_word(given: Any, stored: str, channels: Channels) -> None:
    assert read(sms(type=given, text="a"), channels).content.fields["type"] == stored


@pytest.mark.parametrize("kind", ["2", "4"])
@pytest.mark.parametrize("content", [{"text": "a"}, {"body": "0041"}])
def test_flash_and_unicode_take_text_or_body(kind: str, content: dict[str, str], channels: Channels) -> None:
    assert read(sms(type=kind, **content), channels).content.fields.items() >= content.items()


def test_numbers_are_taken_as_their_text(channels: Channels) -> None:
    body = call(
        correlationid=12, callbackData=3.5, appid=7, message={"template": 1001},
        channels={"sms": {"text": 42, "senderid": 447700900000}}, destination=[{"msisdn": [447700900001]}],
    )  # fmt: skip
    message = read(body, channels)

    assert (message.correlation, message.callback_data, message.content.appid) == ("12", "3.5", "7")
    assert message.content.template == "1001"
    assert message.content.fields == {"text": "42", "senderid": "447700900000"}
    assert message.addresses == (Address("msisdn", "447700900001", "12"),)


def test_known_members_of_the_channel_object_are_kept(channels: Channels) -> None:
    members = {"text": "a", "senderid": "HELIO", "media-path": "http://a/b", "extras": {"dlt_templateid": "1"}}

    assert read(sms(**members), channels).content.fields == members


def test_text_may_hold_any_character(channels: Channels) -> None:
    assert read(sms(text="a\0\u2028\U0001f600"), channels).content.fields["text"] == "a\0\u2028\U0001f600"


@pytest.mark.parametrize(
    "body",
    [
        call(message=TEMPLATE, channels=ABSENT),
        call(message=TEMPLATE, channels={"sms": {"senderid": "X"}}),
        call(message=TEMPLATE, channels={"sms": {"type": "3"}}),
    ],
)
def test_with_a_template_the_content_may_be_absent(body: Any, channels: Channels) -> None:
    content = read(body, channels).content

    assert (content.template, content.parameters) == ("1001", {"name": "Ann"})


DESTINATIONS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a list": ({"msisdn": ["1", "2"]}, [("msisdn", "1"), ("msisdn", "2")]),
    "duplicates": ({"msisdn": ["1", "1"]}, [("msisdn", "1"), ("msisdn", "1")]),
    "a bare text": ({"msisdn": "1"}, [("msisdn", "1")]),
    "a bare number": ({"msisdn": 1}, [("msisdn", "1")]),
    "other capitals": ({"MSISDN": ["1"]}, [("msisdn", "1")]),
    "as written wins": ({"Msisdn": ["2"], "msisdn": ["1"]}, [("msisdn", "1")]),
    "a customer": ({"customerid": ["C-77"]}, [("customerid", "C-77")]),
    "a direct address before a customer": ({"customerid": ["C"], "MSISDN": ["1"]}, [("msisdn", "1")]),
    "a customer when the address is empty": ({"msisdn": [], "customerid": ["C"]}, [("customerid", "C")]),
    "unusable keys aside": ({"psid": ["9"], "msisdn": ["1"]}, [("msisdn", "1")]),
    "an empty one among others": ({"msisdn": ["1", ""]}, [("msisdn", "1"), ("msisdn", "")]),
    "mixed texts and numbers": ({"msisdn": ["1", 2]}, [("msisdn", "1"), ("msisdn", "2")]),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "expected"), DESTINATIONS.values(), ids=DESTINATIONS.keys())
def test_an_entry_gives_its_addresses(
    entry: dict[str, Any], expected: list[tuple[str, str]], channels: Channels
) -> None:
    addresses = read(call(destination=[entry]), channels).addresses

    assert [(address.kind, address.value) for address in addresses] == expected


def test_addresses_keep_the_order_of_the_call(channels: Channels) -> None:
    body = call(destination=[{"msisdn": ["3", "1"]}, {"customerid": "C"}, {"msisdn": "2"}])

    assert [address.value for address in read(body, channels).addresses] == ["3", "1", "C", "2"]


def test_a_thousand_destinations_are_taken(channels: Channels) -> None:
    assert len(read(call(destination=[{"msisdn": NUMBERS[:1000]}]), channels).addresses) == 1000


CORRELATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "none": ({}, {}, ""),
    "of the request": ({"correlationid": "r"}, {}, "r"),
    "of the destination wins": ({"correlationid": "r"}, {"correlationid": "d"}, "d"),
    "camel case": ({"correlationId": "r"}, {}, "r"),
    "camel case of the destination": ({"correlationid": "r"}, {"correlationId": "d"}, "d"),
    "an empty one of the destination": ({"correlationid": "r"}, {"correlationid": ""}, "r"),
    "a null one of the destination": ({"correlationid": "r"}, {"correlationid": None}, "r"),
    "50 bytes": ({"correlationid": "c" * 50}, {}, "c" * 50),
}  # fmt: skip


@pytest.mark.parametrize(("top", "entry", "expected"), CORRELATIONS.values(), ids=CORRELATIONS.keys())
def test_the_effective_correlation_id(
    top: dict[str, Any], entry: dict[str, Any], expected: str, channels: Channels
) -> None:
    message = read(call(destination=[{"msisdn": ["1"], **entry}], **top), channels)

    assert message.addresses == (Address("msisdn", "1", expected),)


@pytest.mark.parametrize(("given", "expected"), [(ABSENT, 3), (None, 3), ("", 3), (1, 1), ("5", 5), (" 2 ", 2)])
def test_priority_is_1_to_5_and_3_by_default(given: Any, expected: int, channels: Channels) -> None:
    assert read(call(priority=given), channels).priority == expected


@pytest.mark.parametrize("url", ["http://127.0.0.1/dr", "not a url", " https://a/b "])
def test_a_notifyurl_is_kept_as_it_is(url: str, channels: Channels) -> None:
    assert read(call(notifyurl=url), channels).notify_url == url


def test_callback_data_of_2000_characters_is_kept(channels: Channels) -> None:
    assert read(call(callbackData="\u00e9" * 2000), channels).callback_data == "\u00e9" * 2000


def test_an_expiry_ahead_is_kept(channels: Channels) -> None:
    assert read(call(expiry="2030-01-01T00:00:00.456Z"), channels).expiry == 1_893_456_000_456


def elements(bodies: list[Any], channels: Channels) -> tuple[Message | Rejected, ...]:
    """The elements of a list body."""
    read_list = read_call(json.dumps(bodies).encode(), channels, NOW)
    assert read_list.is_list
    return read_list.elements


def test_an_object_body_is_no_list(channels: Channels) -> None:
    assert not read_call(json.dumps(call()).encode(), channels, NOW).is_list


@pytest.mark.parametrize(("key", "body"), [case for case in CASES if case.values[0] != "too_many_destinations"])
def test_a_bad_element_is_refused_alone(key: str, body: Any, channels: Channels) -> None:
    good, bad, last = elements([call(), body, call()], channels)

    assert isinstance(good, Message)
    assert isinstance(last, Message)
    assert isinstance(bad, BadElement)
    assert bad.key == key


@pytest.mark.parametrize(("given", "kept"), [("c-1", "c-1"), (7, "7"), ("c" * 51, ""), (None, "")])
def test_a_bad_element_keeps_its_correlation_id(given: Any, kept: str, channels: Channels) -> None:
    [bad] = elements([call(correlationid=given, priority=9)], channels)

    assert isinstance(bad, BadElement)
    assert bad.correlation == kept


def test_destinations_are_counted_over_all_elements(channels: Channels) -> None:
    bodies = [call(destination=[{"msisdn": NUMBERS[:501]}]), call(destination=[{"msisdn": NUMBERS[:500]}])]

    assert refusal(bodies, channels) == ("too_many_destinations",)


def test_a_bad_element_counts_as_one_destination(channels: Channels) -> None:
    assert refusal([{}] * 1001, channels) == ("too_many_destinations",)


def test_too_many_destinations_refuse_the_list_before_anything_in_it(channels: Channels) -> None:
    bodies = [call(destination=[{"msisdn": NUMBERS}], channels=ABSENT), call(priority=9)]

    assert refusal(bodies, channels) == ("too_many_destinations",)


HOPELESS = [{"msisdn": "1"}] * 10_001


@pytest.mark.parametrize("body", [call(destination=HOPELESS), [call(), call(destination=[*HOPELESS, {}])]])
def test_far_too_many_entries_are_refused_unread(body: Any, channels: Channels) -> None:
    assert refusal(body, channels) == ("too_many_destinations",)


def test_the_most_destinations_can_be_set(channels: Channels) -> None:
    with pytest.raises(Rejected, match="too_many_destinations"):
        read(call(destination=[{"msisdn": ["1", "2"]}]), channels, most=1)
