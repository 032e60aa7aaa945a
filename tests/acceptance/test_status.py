"""The Transaction Status API."""

from __future__ import annotations

import pytest

from heliograph.testing import KEY, OTHER_KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATUS = "/resources/v1/messaging/status"
UNKNOWN = "0192aaaa-0000-7000-8000-000000000000"


async def test_a_record_has_the_published_members(live: Running) -> None:
    element = (await live.sms("447700900001"))[0]
    row = await live.final(element["transid"])

    assert row["transactionid"] == element["transid"]
    assert (row["api_version"], row["type"], row["clientid"]) == ("v1", "outbound-api", "demo")
    assert (row["from"], row["to"], row["body"], row["channel"]) == ("HELIO", "447700900001", "Hello", "SMS")
    assert (row["status"], row["code"], row["description"]) == ("delivered", "7500", "Delivered")
    assert (row["error_code"], row["error_message"]) == (None, None)
    assert row["date_created"].endswith(" UTC")


async def test_a_bare_uuid_returns_every_destination(live: Running) -> None:
    response = await live.sms("447700900001", "447700900002")

    assert [row["to"] for row in await live.status(response[0]["transid"])] == ["447700900001", "447700900002"]


async def test_a_suffix_returns_one(live: Running) -> None:
    response = await live.sms("447700900001", "447700900002")

    assert [row["to"] for row in await live.status(response[1]["transid"])] == ["447700900002"]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_key_may_stand_in_the_path(live: Running, slash: str) -> None:
    element = (await live.sms("447700900001"))[0]
    answer = await live.client.get(f"{STATUS}/{KEY}/{element['transid']}{slash}")

    assert answer.json()[0]["transactionid"] == element["transid"]


@pytest.mark.parametrize(
    ("path", "headers", "code", "text"),
    [
        (UNKNOWN, {}, "7002", "Service Key Missing"),
        (UNKNOWN, {"key": "nonsense-key"}, "7601", "Transaction is not under this service or service key is invalid"),
        (UNKNOWN, {"key": KEY}, "7600", "No results found"),
        ("nonsense", {"key": KEY}, "7603", "Either validation failed for request or user verification failure"),
        (f"{OTHER_KEY}/{UNKNOWN}", {"key": KEY}, "7603",
         "Either validation failed for request or user verification failure"),
    ],
)  # fmt: skip
async def test_a_query_that_fails_says_why(
    live: Running, path: str, headers: dict[str, str], code: str, text: str
) -> None:
    answer = await live.client.get(f"{STATUS}/{path}", headers=headers)

    response = answer.json()["response"]
    assert answer.status_code == 200
    assert (response["code"], response["description"]) == (code, text)
    assert sorted(response) == ["code", "description", "transid"]


async def test_another_services_transaction_is_7601(live: Running) -> None:
    element = (await live.sms("447700900001"))[0]

    assert (await live.status(element["transid"], OTHER_KEY))["response"]["code"] == "7601"


async def test_a_transid_cannot_be_guessed_from_its_neighbour(live: Running) -> None:
    transid = (await live.sms("447700900001"))[0]["transid"]
    guessed = transid[:-1] + ("0" if transid[-1] != "0" else "1")

    assert (await live.status(guessed))["response"]["code"] == "7600"
