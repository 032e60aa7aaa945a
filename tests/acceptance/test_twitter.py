"""Direct messages on X over the real HTTP API: every outcome read in status and receipt, and what people do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.channels.twitter.settings import made_up
from heliograph.channels.twitter.simulator import XSimulator
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

LANE, BEARER = "demo/a_2~sandbox", "demo/a_3~sandbox"
PERSON, OTHER = (
    "447700900002",
    "447700900003",
)  # events of even numbers come in the new envelope, of odd ones in the old

# Published codes by number; what the status API reads and what a receipt reads are the catalogue's.
ROWS = {
    "7010": "provider_exception", "7011": "unknown_exception", "7103": "not_enough_credits",
    "7107": "message_too_long", "7202": "failed_at_platform", "7203": "unknown_subscriber",
    "7207": "subscriber_unreachable", "7302": "rate_limit_exceeded", "7303": "receipt_expired",
    "7304": "invalid_app_credentials", "7305": "invalid_user_credentials", "7306": "duplicate_on_twitter",
    "7307": "endpoint_unreachable", "7500": "delivered", "7502": "read",
}  # fmt: skip
WORDS = {"7500": "Delivered", "7502": "Read"}


def document(url: str) -> dict[str, Any]:
    """A service with an account of OAuth 1.0a, and another of OAuth 2."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [
        {"id": "a_2", "twitter": {"consumer_key": "real-key", "consumer_secret": "real-secret"}},
        {"id": "a_3", "twitter": {"client_id": "real-client"}},
    ]
    tenant["services"][0]["channels"]["twitter"] = {"app": "a_2"}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


def stand_in(live: Running) -> XSimulator:
    """The simulator of X."""
    found = live.platform.simulators.stand_ins["x"]
    assert isinstance(found, XSimulator)
    return found


async def send(live: Running, *numbers: str, app: str = "", fields: Any = None, **more: Any) -> list[dict[str, str]]:
    """The answer's elements for a message to these users."""
    body = {
        "deliverychannel": "twitter",
        "channels": {"OTT-Messaging": {"twitter": {"text": "Hello", **(fields or {})}}},
        "destination": [{"twitterid": [*numbers]}],
        **({"appid": app} if app else {}),
        **more,
    }
    answer: list[dict[str, str]] = (await live.send(body)).json()["response"]
    return answer


async def told(live: Running, transid: str, code: str) -> dict[str, Any]:
    """The receipt of a transaction with that code, once it was told."""

    async def came() -> Any:
        for call in (await live.client.get("/sim/bin/dr")).json()["calls"]:
            item = json.loads(call["body"])["deliveryInfoNotification"]
            if item["transid"] == transid and item["deliveryInfo"]["code"] == code:
                return item["deliveryInfo"]
        return None

    found: dict[str, Any] = await eventually(came)
    return found


async def ends_as(live: Running, transid: str, code: str) -> Any:
    """The status record once it has that code."""

    async def there() -> Any:
        record, *_ = await live.status(transid)  # a bare one has its siblings behind it
        return record if record["code"] == code else None

    return await eventually(there)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def transids(live: Running) -> dict[tuple[str, str], str]:
    """One call for each account, to a number for each outcome; transids by account and code."""
    found = {}
    for app in ("a_2", "a_3"):
        elements = await send(live, *(f"999000{code}" for code in ROWS), app=app)
        assert {element["code"] for element in elements} == {"1001"}
        found |= {(app, code): element["transid"] for code, element in zip(ROWS, elements, strict=True)}
    return found


@pytest.mark.parametrize("app", ["a_2", "a_3"])
@pytest.mark.parametrize(("code", "key"), ROWS.items())
async def test_a_number_chooses_its_outcome(
    live: Running, transids: dict[tuple[str, str], str], app: str, code: str, key: str
) -> None:
    record = await ends_as(live, transids[app, code], code)
    receipt = await told(live, transids[app, code], code)

    assert record["description"] == catalogue.text(key, catalogue.STATUS)
    assert (receipt["Description"], receipt["deliveryStatus"]) == (
        catalogue.receipt_text(key), WORDS.get(code, "Failed"),
    )  # fmt: skip
    assert (receipt["deliveryChannel"], receipt["destinationType"], receipt["destination"]) == (
        "twitter", "twitterid", f"999000{code}",
    )  # fmt: skip


@pytest.mark.parametrize("number", [PERSON, OTHER])
async def test_any_other_number_is_submitted_delivered_and_read(live: Running, number: str) -> None:
    [element] = await send(live, number)
    for code in ("7501", "7500", "7502"):
        receipt = await told(live, element["transid"], code)

    assert (receipt["deliveryStatus"], receipt["Description"], receipt["additionalInfo"]) == ("Read", "Read", "")


async def test_what_waits_for_the_window_and_expires_is_7301(live: Running) -> None:
    expiry = (datetime.now(UTC) + timedelta(seconds=0.6)).isoformat()
    [element] = await send(live, "9990007301", expiry=expiry)
    await ends_as(live, element["transid"], "7301")

    assert (await told(live, element["transid"], "7301"))["Description"] == "Message expired"


async def test_what_x_said_is_told_and_kept(live: Running) -> None:
    [element] = await send(live, "9990116")
    receipt = await told(live, element["transid"], "7010")
    story = await live.story(element["transid"])

    assert receipt["additionalInfo"] == "403 998 A number that nobody knows."
    assert story["attempts"][0]["native"][1]["body"]["errors"][0]["code"] == 998
    assert "real-secret" not in json.dumps(story)


async def test_media_and_quick_replies_arrive(live: Running) -> None:
    fields = {
        "attachment": {"type": "media", "media": {"id": "1057943604868669445"}},
        "quick_reply": {"type": "options", "options": [{"label": "Start", "description": "d", "metadata": "m"}]},
    }
    [element] = await send(live, PERSON, fields=fields)
    await ends_as(live, element["transid"], "7502")

    taken = stand_in(live).taken[-1]
    data = taken["body"]["event"]["message_create"]["message_data"]
    assert (data["quick_reply"], data["attachment"]) == (fields["quick_reply"], fields["attachment"])


async def test_quick_replies_by_oauth_2_are_refused(live: Running) -> None:
    [element] = await send(live, PERSON, app="a_3", fields={"quick_reply": {"options": [{"label": "x"}]}})
    record = await live.final(element["transid"])

    assert record["code"] == catalogue.code("invalid_message_type")


async def test_a_refused_window_is_waited_for(live: Running) -> None:
    [element] = await send(live, "9990107")
    record = await live.final(element["transid"])
    story = await live.story(element["transid"])

    assert record["code"] in ("7500", "7502")
    assert [attempt["result"] for attempt in story["attempts"]] == ["refused", "refused", "submitted"]


@pytest.mark.parametrize("number", ["9990118", "9990119"])
async def test_an_event_of_our_own_sending_settles_what_was_not_answered(live: Running, number: str) -> None:
    """Whether the event comes after we gave up on the answer or before."""
    [element] = await send(live, number)
    await ends_as(live, element["transid"], "7502")

    assert stand_in(live).asked[f"/2/dm_conversations/with/{number}/messages"] == 1


async def test_what_was_never_answered_and_never_seen_is_not_sent_again(live: Running) -> None:
    [element] = await send(live, "9990101")
    record = await live.final(element["transid"])
    await asyncio.sleep(0.5)

    assert record["code"] == "7307"
    assert stand_in(live).asked["/2/dm_conversations/with/9990101/messages"] == 1


@pytest.mark.parametrize("old", [False, True])
async def test_a_person_who_writes_is_heard(live: Running, old: bool) -> None:
    text = f"Is it you? {old}"
    assert await stand_in(live).say(LANE, PERSON, text, old=old) == 200

    async def heard() -> Any:
        calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]
        return next((found for call in calls if (found := json.loads(call["body"]))["message"] == text), None)

    inbound = await eventually(heard)
    assert (inbound["channel"], inbound["oa"], inbound["da"]) == ("twitter", PERSON, made_up(LANE)["user_id"])


async def test_a_read_mark_reads_the_message_it_names(live: Running) -> None:
    [element] = await send(live, "9990007500")
    await ends_as(live, element["transid"], "7500")
    last = stand_in(live).taken[-1]["id"]
    assert await stand_in(live).read(LANE, "9990007500", last) == 200

    assert (await told(live, element["transid"], "7502"))["Description"] == "Read"


@pytest.mark.parametrize("old", [False, True])
async def test_a_read_mark_reads_all_that_went_before(live: Running, old: bool) -> None:
    to = f"9990007500{old:d}"  # nobody else's thread
    ids: dict[str, str] = {}
    for _ in range(3):
        transid = (await send(live, to))[0]["transid"]
        await ends_as(live, transid, "7500")
        [ids[transid]] = (await live.story(transid))["native_ids"]
    first, second, third = sorted(ids, key=lambda transid: int(ids[transid]))
    assert await stand_in(live).read(LANE, to, ids[second], old=old) == 200

    for transid in (first, second):
        assert (await told(live, transid, "7502"))["deliveryStatus"] == "Read"
    assert (await live.status(third))[0]["code"] == "7500"


async def test_a_message_that_comes_twice_is_told_once(live: Running) -> None:
    payload = stand_in(live).events.message(LANE, PERSON, made_up(LANE)["user_id"], "Only once")
    for old in (False, True):
        assert await stand_in(live).events.post(LANE, "dm.received", payload, old=old) == 200
    await asyncio.sleep(0.3)
    calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]

    assert [json.loads(call["body"])["message"] for call in calls].count("Only once") == 1


async def test_a_signature_that_is_wrong_is_refused(live: Running) -> None:
    answer = await live.client.post(
        f"/callbacks/twitter/{LANE}", content=b"{}", headers={"x-twitter-webhooks-signature": "sha256=AAAA"}
    )

    assert answer.status_code == 403


async def test_a_challenge_is_answered(live: Running) -> None:
    answer = await live.client.get(f"/callbacks/twitter/{LANE}", params={"crc_token": "abc"})

    assert answer.json()["response_token"].startswith("sha256=")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("app", "lane"), [("a_2", LANE), ("a_3", BEARER)])
@pytest.mark.parametrize("old", [False, True])
async def test_after_a_permission_is_taken_back_messages_are_7305_until_it_is_given_again(
    live: Running, app: str, lane: str, old: bool, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = stand_in(live)
    assert await simulator.revoke(lane, old=old) == 200
    assert "oauth.revoke" in caplog.text
    [element] = await send(live, PERSON, app=app)

    async def refused() -> Any:
        state = live.platform.surface.connectors()[lane]
        return state if state["state"] == "error" else None

    assert (await eventually(refused))["credentials"]
    simulator.restore(lane)
    await ends_as(live, element["transid"], "7502")  # it waited
    assert live.platform.surface.connectors()[lane]["state"] == "ready"


async def test_a_message_ends_as_7305_where_nobody_mends_it(live: Running) -> None:
    [element] = await send(live, "9990007305")
    record = await ends_as(live, element["transid"], "7305")

    assert record["description"] == "Invalid user credentials"


async def test_the_status_of_the_account_is_shown(live: Running) -> None:
    found = (await live.admin("GET", "/connectors/a_2")).json()

    assert "OAuth 1.0a" in json.dumps(found)
    assert made_up(LANE)["consumer_secret"] not in json.dumps(found)
