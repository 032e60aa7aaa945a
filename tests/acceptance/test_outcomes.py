"""Every outcome of the SMS channel, from the number that asks for it to the caller's webhook, over real SMPP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.testing import SECRET, Running, eventually
from heliograph.wire import signing

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMS_ROWS = [
    row
    for row in catalogue.ROWS
    if row.api == catalogue.STATUS and (row.code in ("7101", "7109", "7111", "7500") or "7200" <= row.code <= "7211")
]


def receipts_of(calls: list[dict[str, Any]], transid: str) -> list[dict[str, Any]]:
    """What was told of a transaction, in order."""
    told = [json.loads(call["body"])["deliveryInfoNotification"] for call in calls]
    return [item for item in told if item["transid"] == transid]


@pytest.mark.parametrize("row", SMS_ROWS, ids=lambda row: f"{row.code}-{row.key}")
async def test_a_number_chooses_its_outcome(live: Running, row: catalogue.Row) -> None:
    element = (await live.sms(f"999000{row.code}"))[0]
    record = await live.final(element["transid"])

    assert (record["code"], record["description"]) == (row.code, row.message)

    async def told() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = receipts_of(calls, element["transid"])
        return found if found and found[-1]["deliveryInfo"]["code"] == row.code else None

    last = (await eventually(told))[-1]["deliveryInfo"]
    assert last["Description"] == catalogue.receipt_text(row.key)
    assert last["deliveryChannel"] == "SMS"
    assert last["destination"] == f"999000{row.code}"


async def test_a_number_can_ask_for_submitted_first(live: Running) -> None:
    element = (await live.sms("9990017207"))[0]
    record = await live.final(element["transid"])

    async def told() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = receipts_of(calls, element["transid"])
        return found if len(found) == 2 else None

    found = await eventually(told)
    assert record["code"] == "7207"
    assert [item["deliveryInfo"]["code"] for item in found] == ["7501", "7207"]
    assert [item["deliveryInfo"]["deliveryStatus"] for item in found] == ["Submitted", "Un-Delivered"]


async def test_a_receipt_is_signed_and_complete(live: Running) -> None:
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Hello"}},
        "callbackData": 'a "b" é',
        "notifyurl": f"{live.url}/sim/bin/own",
        "destination": [{"msisdn": ["447700900555"], "correlationid": "c-1"}],
    }
    element = (await live.send(body)).json()["response"][0]
    calls = await live.calls("own", 2)

    first = json.loads(calls[0]["body"])["deliveryInfoNotification"]
    assert signing.verify(SECRET, calls[0]["body"].encode(), calls[0]["headers"], calls[0]["at"] / 1000)
    assert first["transid"] == element["transid"]
    assert (first["correlationid"], first["callbackData"], first["subtid"]) == ("c-1", 'a "b" é', "")
    assert sorted(first["deliveryInfo"]) == [
        "Description", "additionalInfo", "code", "deliveryChannel", "deliveryStatus", "destination",
        "destinationType", "timeStamp",
    ]  # fmt: skip
    assert first["deliveryInfo"]["timeStamp"].endswith("Z")


@pytest.mark.parametrize(
    ("text", "kind", "parts"),
    [
        ("x" * 160, "1", 1),
        ("x" * 161, "1", 2),
        ("€" * 80, "1", 1),
        ("€" * 81, "1", 2),
        ("日" * 70, "1", 1),
        ("日" * 71, "1", 2),
        ("😀" * 36, "1", 2),
        ("flash", "2", 1),
        ("plain as unicode", "4", 1),
    ],
)
async def test_texts_of_every_alphabet_and_length_arrive(live: Running, text: str, kind: str, parts: int) -> None:
    element = (await live.sms("447700900777", text=text, type=kind))[0]
    record = await live.final(element["transid"])
    story = await live.story(element["transid"])

    assert record["status"] == "delivered"
    assert len(story["native_ids"]) == parts


async def test_a_binary_message_arrives(live: Running) -> None:
    response = await live.sms("447700900778", type="3", body="06050423F40000", text=None)
    record = await live.final(response[0]["transid"])

    assert record["status"] == "delivered"


async def test_bad_hexadecimal_is_a_binary_error(live: Running) -> None:
    response = await live.sms("447700900778", type="3", body="xyz", text=None)
    record = await live.final(response[0]["transid"])

    assert record["code"] == "7205"


async def test_an_inbound_message_reaches_the_service(live: Running) -> None:
    await live.sms("447700900001")
    live.platform.simulators.send_mo("447700900321", "HELIO", "Hi, is it me?")
    told = json.loads((await live.calls("inbound", 1))[0]["body"])

    assert (told["channel"], told["oa"], told["da"], told["message"]) == (
        "SMS",
        "447700900321",
        "HELIO",
        "Hi, is it me?",
    )


async def test_the_story_says_who_decided_what(live: Running) -> None:
    element = (await live.sms("9990007206"))[0]
    await live.final(element["transid"])
    story = await live.story(element["transid"])

    assert [gate["gate"] for gate in story["gates"]] == [
        "tenant", "customer", "expiry", "channel", "sender", "profile", "user", "verified", "system", "token",
        "address", "template", "type", "length", "parameters", "content", "dnd", "frequency", "hours", "plan",
        "credit", "attempts",
    ]  # fmt: skip
    assert story["attempts"][0]["result"] == "submitted"
    assert story["attempts"][0]["native"][0]["command"] == "submit_sm"
    assert story["receipts"][0]["native_code"]
    assert story["explanation"]["cause"]
    assert "secret" not in json.dumps(story)
