"""The Messaging call over real HTTP: every refusal of the call, and the shapes of answers."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from heliograph.model.ids import parse_transid
from heliograph.testing import KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD: dict[str, Any] = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900001"]}],
}
NO_DESTINATION = "any one of [customerid,msisdn,email, userid,pushid,psid, twitterid, wechatid] is mandatory"
PRIORITY = "invalid value for param 'priority', it should be one of [1,2,3,4,5]"
TYPE = "invalid value of param 'type' , only [1,2,3,4] are allowed"


def call(**changes: Any) -> dict[str, Any]:
    """A good call with members replaced; None removes a member."""
    body = copy.deepcopy(GOOD)
    for name, value in changes.items():
        if value is None:
            body.pop(name, None)
        else:
            body[name] = value
    return body


REFUSALS: list[tuple[str, Any, str, str]] = [
    ("not json", "{", "7000", "Invalid JSON"),
    ("empty body", "", "7000", "Invalid JSON"),
    ("a number", "3", "7000", "Invalid JSON"),
    ("an empty list", [], "7000", "Invalid JSON"),
    ("a list of texts", ["a"], "7000", "Invalid JSON"),
    ("not utf-8", b'{"deliverychannel":"\xff"}', "7000", "Invalid JSON"),
    ("nested without end", "[" * 100_000, "7000", "Invalid JSON"),
    ("a lone surrogate", '{"deliverychannel":"\\ud800"}', "7000", "Invalid JSON"),
    ("channels of another type", call(channels=[1]), "7000", "Invalid JSON"),
    ("no deliverychannel", call(deliverychannel=None), "7003", "param 'deliverychannel' missing"),
    (
        "deliverychannel empty",
        call(deliverychannel=""),
        "7003",
        "No destination channel information found in request",
    ),
    ("deliverychannel unknown", call(deliverychannel="pigeon"), "7004", "invalid delivery channel"),
    ("deliverychannel a number", call(deliverychannel=4), "7004", "invalid delivery channel"),
    ("no destination", call(destination=None), "7003", NO_DESTINATION),
    ("no destination object", call(destination=[]), "7003", NO_DESTINATION),
    ("no key in the object", call(destination=[{}]), "7003", NO_DESTINATION),
    ("a key of another channel", call(destination=[{"psid": ["1"]}]), "7003", NO_DESTINATION),
    ("an empty list of addresses", call(destination=[{"msisdn": []}]), "7003", NO_DESTINATION),
    (
        "too many",
        call(destination=[{"msisdn": ["447700900001"] * 501}] * 2),
        "7009",
        "Maximum number of destination address",
    ),
    (
        "too many over a list",
        [call(destination=[{"msisdn": ["447700900001"] * 501}])] * 2,
        "7009",
        "Maximum number of destination address",
    ),
    ("no channels", call(channels=None), "7003", "param 'sms' missing for channel sms"),
    ("no sms", call(channels={"voice": {}}), "7003", "param 'sms' missing for channel sms"),
    ("no text", call(channels={"sms": {"senderid": "HELIO"}}), "7003", "param 'text' missing for channel sms"),
    ("an empty text", call(channels={"sms": {"text": ""}}), "7003", "param 'text' missing for channel sms"),
    (
        "binary without body",
        call(channels={"sms": {"type": 3, "text": "x"}}),
        "7003",
        "param 'body' missing for channel sms",
    ),
    ("flash without both", call(channels={"sms": {"type": "2"}}), "7003", "param 'body' missing for channel sms"),
    ("type unknown", call(channels={"sms": {"type": "9", "text": "x"}}), "7004", TYPE),
    ("priority 0", call(priority=0), "7004", PRIORITY),
    ("priority 6", call(priority="6"), "7004", PRIORITY),
    ("priority a word", call(priority="high"), "7004", PRIORITY),
    ("expiry no date", call(expiry="tomorrow"), "7004", "invalid value for param 'expiry'"),
    ("correlation too long", call(correlationid="x" * 51), "7004", "invalid value for param 'correlationid'"),
    ("callback data too long", call(callbackData="x" * 2001), "7004", "invalid value for param 'callbackData'"),
    ("expired", call(expiry="2015-04-12T13:00:19.456Z"), "7005", "Request expired"),
]


@pytest.mark.parametrize(("body", "code", "text"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_a_call_is_refused_with_its_row(live: Running, body: Any, code: str, text: str) -> None:
    answer = await live.send(body)

    refusal = answer.json()["response"]
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (refusal["code"], refusal["description"]) == (code, text)
    assert sorted(refusal) == ["code", "description", "transid"]


@pytest.mark.parametrize(
    ("headers", "code", "text"),
    [
        ({}, "7002", "Service Key Missing"),
        ({"key": ""}, "7002", "Service Key Missing"),
        ({"key": "33333333-3333-4333-8333-333333333333"}, "7001", "Authentication failed"),
    ],
)
async def test_a_caller_must_be_known(live: Running, headers: dict[str, str], code: str, text: str) -> None:
    answer = await live.client.post("/resources/v1/messaging", content=b"{", headers=headers)

    assert (answer.json()["response"]["code"], answer.json()["response"]["description"]) == (code, text)


ACCEPTED: list[tuple[str, Any]] = [
    ("the plain form", call()),
    ("upper case channel", call(deliverychannel="SMS")),
    ("a bare address", call(destination=[{"msisdn": "447700900001"}])),
    ("a number as an address", call(destination=[{"msisdn": [447700900001]}])),
    ("a key in capitals", call(destination=[{"MSISDN": ["447700900001"]}])),
    ("a plus", call(destination=[{"msisdn": ["+44 7700 900-001"]}])),
    ("unknown members", call(icmessage=1, gtrId={"a": 1})),
    ("type as a number", call(channels={"sms": {"type": 1, "text": "x"}})),
    ("type as a word", call(channels={"sms": {"type": "unicode", "text": "x"}})),
    ("priority as text", call(priority="5")),
    ("expiry with zone", call(expiry="2999-04-12T18:30:19.456+5:30")),
    ("expiry without zone", call(expiry="2999-04-12T18:30:19")),
    ("a template alone", call(channels=None, message={"template": 1001, "parameters": {"name": "you"}})),
    ("the published skeleton", {
        "deliverychannel": "sms",
        "channels": {
            "smartlinks": [{"linkid": "5", "validity": "30"}],
            "sms": {"type": "1", "text": "Hello", "body": "", "media-path": "", "senderid": "HELIO"},
        },
        "destination": [{"msisdn": ["447700900001"], "correlationid": "a"}],
    }),
]  # fmt: skip


@pytest.mark.parametrize("body", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
async def test_a_call_is_accepted_in_every_spelling(live: Running, body: Any) -> None:
    element = (await live.send(body)).json()["response"][0]

    assert (element["code"], element["description"]) == ("1001", "Queued")
    assert sorted(element) == ["code", "correlationid", "description", "transid"]


@pytest.mark.parametrize("path", ["/resources/v1/messaging", "/resources/v1/messaging/"])
async def test_a_trailing_slash_is_served(live: Running, path: str) -> None:
    answer = await live.client.post(path, json=GOOD, headers={"key": KEY})

    assert answer.status_code == 200


async def test_transids_are_numbered_over_the_whole_call(live: Running) -> None:
    two = call(destination=[{"msisdn": ["447700900001", "447700900002"]}])
    response = (await live.send([two, {"deliverychannel": "sms"}, call()])).json()["response"]

    base = response[0]["transid"]
    assert [element["transid"] for element in response] == [base, f"{base}_1", f"{base}_2", f"{base}_3"]
    assert parse_transid(base) is not None


async def test_a_bad_element_does_not_stop_the_others(live: Running) -> None:
    bad = call(destination=None, correlationid="mine")
    response = (await live.send([call(), bad, call()])).json()["response"]

    assert [(element["code"], element["correlationid"]) for element in response] == [
        ("1001", ""),
        ("7003", "mine"),
        ("1001", ""),
    ]


@pytest.mark.parametrize("name", ["correlationid", "correlationId", "CORRELATIONID"])
async def test_a_destination_overrides_the_correlation_id(live: Running, name: str) -> None:
    body = call(
        correlationid="all", destination=[{"msisdn": ["447700900001"], name: 7}, {"msisdn": ["447700900002"]}]
    )
    response = (await live.send(body)).json()["response"]

    assert [element["correlationid"] for element in response] == ["7", "all"]


async def test_answers_are_ascii(live: Running) -> None:
    answer = await live.send(call(correlationid="grüße"))

    assert answer.content.isascii()
    assert answer.json()["response"][0]["correlationid"] == "grüße"


async def test_a_thousand_destinations_are_one_call(live: Running) -> None:
    numbers = [f"44770090{number:04d}" for number in range(1_000)]
    response = (await live.send(call(destination=[{"msisdn": numbers}]))).json()["response"]

    assert len({element["transid"] for element in response}) == 1_000


async def test_a_body_over_the_limit_is_413(live: Running) -> None:
    answer = await live.send(b" " * (4 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert answer.json()["error"]["key"] == "body_too_large"


async def test_another_method_is_405(live: Running) -> None:
    answer = await live.client.get("/resources/v1/messaging")

    assert answer.status_code == 405


async def test_an_unknown_path_is_404_in_the_error_shape(live: Running) -> None:
    answer = await live.client.get("/nowhere")

    assert answer.status_code == 404
    assert json.loads(answer.content)["error"]["key"] == "not_found"
