"""Every outcome of push, from the token that asks for it to the caller's webhook, over the providers' own protocols;
and what apps say of the pushes they got."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = "AP00000001"
RECEIPTS = f"/callbacks/push/demo/{APP}~sandbox"
BLOCKS: dict[str, Any] = {
    "android": {"title": "T", "text": "Hi"},
    "ios": {"title": "T", "text": "Hi"},
    "web": {"platform_types": ["chrome"], "title": "T", "text": "Hi"},
}
BUTTONS = {
    "category": "DOUBLE_YES_NO", "device_types": ["android", "ios"], "pushref": "ui",
    "actions": [{"pos": 1, "action": "OPEN_APP"}, {"pos": 2, "action": "OPEN_APP"}],
}  # fmt: skip
KIND_OF = {"android": "android_pushid", "ios": "ios_pushid", "web": "chrome_pushid"}

# Which far ends can say a code; the rest of the table is said by none of them.
SYSTEMS_OF: dict[str, tuple[str, ...]] = {
    "7212": ("web",), "7213": ("web",), "7214": ("web",), "7500": ("android", "ios", "web"),
    "7502": ("android", "ios", "web"), "7504": ("android", "ios", "web"), "7505": ("android", "web"),
    "7506": ("android", "web"), "7507": ("android", "ios", "web"), "7508": ("android",), "7509": ("android",),
    "7510": ("ios",), "7511": ("ios",), "7512": ("android", "ios"), "7513": ("android", "ios"),
    "7514": ("android", "ios"), "7515": ("android", "ios"), "7516": ("ios",), "7517": ("ios",),
    "7518": ("android", "ios", "web"),
}  # fmt: skip
ROWS = [
    (row, system) for row in catalogue.ROWS if row.api == catalogue.STATUS for system in SYSTEMS_OF.get(row.code, ())
]


def document(url: str) -> dict[str, Any]:
    """The test workspace with an app for push."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [{"id": APP, "features": {"push": True}, "android": {}, "ios": {}, "web": {}}]
    tenant["templates"].append({"id": "2001", "channel": "push", "text": "Hello ${name}"})
    tenant["services"][0]["channels"]["push"] = {"app": APP}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with that workspace."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


def token_of(system: str, word: str, code: str) -> str:
    """A token that ends as a code: `sim`, or first submitted: `seq`."""
    if system != "ios":
        return f"tok-{word}-{code}"
    return ("999001" if word == "seq" else "abcdef") + "ab" * 27 + code


async def push(live: Running, kind: str, token: str, **more: Any) -> Any:
    """The element of a push to one address."""
    channels = {"push": more.pop("push", BLOCKS)}
    body = {"deliverychannel": "push", "channels": channels, "destination": [{kind: [token]}], **more}
    [element] = (await live.send(body)).json()["response"]
    return element


async def told(live: Running, transid: str, code: str) -> list[dict[str, Any]]:
    """What the caller was told of a message, once the last of it has the code."""

    async def came() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = [json.loads(call["body"])["deliveryInfoNotification"] for call in calls]
        own = [item["deliveryInfo"] for item in found if item["transid"] == transid]
        return own if own and own[-1]["code"] == code else None

    found: list[dict[str, Any]] = await eventually(came)
    return found


async def ended(live: Running, transid: str, code: str) -> dict[str, Any]:
    """The status record once it has the code."""

    async def has() -> Any:
        [record] = await live.status(transid)
        return record if record["code"] == code else None

    record: dict[str, Any] = await eventually(has)
    return record


@pytest.mark.parametrize(("row", "system"), ROWS, ids=[f"{row.code}-{system}" for row, system in ROWS])
async def test_a_token_chooses_its_outcome(live: Running, row: catalogue.Row, system: str) -> None:
    token = token_of(system, "sim", row.code)
    element = await push(live, KIND_OF[system], token)
    record = await ended(live, element["transid"], row.code)
    last = (await told(live, element["transid"], row.code))[-1]

    assert element["code"] == "1001"
    assert record["description"] == row.message
    assert last["Description"] == catalogue.receipt_text(row.key)
    assert (last["deliveryChannel"], last["destination"], last["destinationType"], last["pushId"]) == (
        "push", token, KIND_OF[system], token,
    )  # fmt: skip
    good = {"7500": "Delivered", "7502": "Read"}
    assert last["deliveryStatus"] == good.get(row.code, "Failed")


@pytest.mark.parametrize("system", ["android", "ios", "web"])
async def test_any_other_token_is_submitted_delivered_and_read(live: Running, system: str) -> None:
    element = await push(live, KIND_OF[system], "cd" * 32)

    assert [one["code"] for one in await told(live, element["transid"], "7502")] == ["7501", "7500", "7502"]


@pytest.mark.parametrize(("system", "code"), [("android", "7513"), ("ios", "7513"), ("web", "7213"), ("ios", "7517")])
async def test_a_token_can_ask_for_submitted_first(live: Running, system: str, code: str) -> None:
    element = await push(live, KIND_OF[system], token_of(system, "seq", code))

    assert [one["code"] for one in await told(live, element["transid"], code)] == ["7501", code]


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def silent(live: Running) -> tuple[str, float]:
    """The transid of a push of which nothing more is said, and when that was said; before all tests, one of which
    waits long for it."""
    element = await push(live, "android_pushid", "tok-sim-7501")
    await told(live, element["transid"], "7501")
    return element["transid"], time.monotonic()


async def test_a_silent_token_stays_submitted(live: Running, silent: tuple[str, float]) -> None:
    """No push service sends receipts: that none comes means nothing, and ends nothing."""
    transid, since = silent
    # The receipt window of other channels is 5 s in the sandbox.
    await asyncio.sleep(max(0.0, since + 6 - time.monotonic()))

    assert [one["code"] for one in await told(live, transid, "7501")] == ["7501"]
    assert (await live.status(transid))[0]["code"] == "7501"


@pytest.mark.parametrize("user", ["u1", "u-sim-7513", "u-sim-7510", "u-sim-7213"])
async def test_a_user_nobody_registered_is_simulated(live: Running, user: str) -> None:
    element = await push(live, "userid", user)
    record = await ended(live, element["transid"], user[-4:] if "sim" in user else "7502")

    assert record["code"] in user or user == "u1"


async def test_7503_is_a_push_that_expires_between_two_attempts(live: Running) -> None:
    """FCM asks for three seconds of patience; the message has two."""
    element = await push(live, "android_pushid", "tok-sim-7503", expiry=in_seconds(2))
    record = await ended(live, element["transid"], "7503")

    assert record["description"] == "Message expired before delivery attempt"
    assert (await told(live, element["transid"], "7503"))[-1]["Description"] == record["description"]


def in_seconds(seconds: int) -> str:
    """An expiry so far ahead."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("kind", "token", "block", "code"),
    [
        ("android_pushid", "tok", {"android": {"text": "x" * 5_000}}, "7505"),
        ("ios_pushid", "cd" * 32, {"ios": {"text": "x" * 5_000}}, "7510"),
        ("chrome_pushid", "tok", {"web": {"platform_types": ["chrome"], "text": "x" * 5_000}}, "7505"),
        ("android_pushid", "tok", {"android": {"text": "x", "extras": {"time_to_live": 2_419_201}}}, "7506"),
        ("ios_pushid", "cd" * 32, {"ios": {"text": "x", "extras": {"time_to_live": "2592001"}}}, "7511"),
        ("android_pushid", "tok", {"ios": {"text": "x"}}, "7003"),
    ],
)
async def test_what_cannot_be_sent_is_seen_before_it_is(
    live: Running, kind: str, token: str, block: dict[str, Any], code: str
) -> None:
    element = await push(live, kind, token, push=block)
    await ended(live, element["transid"], code)
    story = await live.story(element["transid"])

    assert story["attempts"][0]["native"] == []


async def test_a_template_is_enough(live: Running) -> None:
    body = {
        "deliverychannel": "push", "message": {"template": "2001", "parameters": {"name": "Ann"}},
        "destination": [{"android_pushid": ["tok"]}],
    }  # fmt: skip
    [element] = (await live.send(body)).json()["response"]
    await ended(live, element["transid"], "7502")
    story = await live.story(element["transid"])

    assert "Hello Ann" in story["attempts"][0]["native"][0]["body"]


async def test_a_placeholder_without_a_value_is_refused(live: Running) -> None:
    block = {"android": {"text": "Hello ${name} and ${other}"}}
    element = await push(live, "android_pushid", "tok", push=block, message={"parameters": {"name": "Ann"}})

    assert element["code"] == "7121"


# What apps say


async def receipt_of(live: Running, transid: str) -> str:
    """The receipt that the app got with a push: nobody else has it."""
    fcm: Any = live.platform.simulators.stand_ins["fcm"]

    async def came() -> Any:
        for message in fcm.messages or []:
            if message["data"].get("transaction") == transid:
                return json.loads(message["data"]["heliograph"])["receipt"]
        return None

    found: str = await eventually(came)
    return found


async def silent_push(live: Running, mark: str, **block: Any) -> tuple[str, str]:
    """A push whose app says nothing by itself: its transid, and the receipt."""
    fcm: Any = live.platform.simulators.stand_ins["fcm"]
    if fcm.messages is None:
        fcm.messages = []
    android = {"title": "T", "text": "Hi", "extras": {"customtags": {"transaction": mark}}}
    element = await push(live, "android_pushid", "tok-sim-7501", push={"android": android, **block})
    return element["transid"], await receipt_of(live, mark)


async def say(live: Running, *items: dict[str, str]) -> Any:
    """What the platform answers an app."""
    return await live.client.post(RECEIPTS, json={"receipts": list(items)})


async def test_an_app_says_that_a_push_came_and_was_read(live: Running) -> None:
    transid, receipt = await silent_push(live, "one")
    first = await say(live, {"receipt": receipt, "event": "delivered"})
    await ended(live, transid, "7500")
    await say(live, {"receipt": receipt, "event": "read"})

    assert (first.status_code, first.json()) == (200, {"accepted": 1, "refused": []})
    assert [one["code"] for one in await told(live, transid, "7502")] == ["7501", "7500", "7502"]


async def test_a_tapped_button_is_told_with_the_callers_reference(live: Running) -> None:
    transid, receipt = await silent_push(live, "two", interactive=BUTTONS)
    await say(live, {"receipt": receipt, "event": "tapped", "button": "YES"})
    last = (await told(live, transid, "7502"))[-1]

    assert (last["deliveryStatus"], last["additionalInfo"]) == ("Read", "")
    assert last["interaction"] == {"Button_Pressed": "YES", "pushref": "ui"}


async def test_saying_it_twice_changes_nothing(live: Running) -> None:
    transid, receipt = await silent_push(live, "three")
    for _ in range(3):
        answer = await say(live, {"receipt": receipt, "event": "read"}, {"receipt": receipt, "event": "delivered"})
        assert answer.json()["accepted"] == 2
    await ended(live, transid, "7502")

    assert [one["code"] for one in await told(live, transid, "7502")] == ["7501", "7502"]


async def test_an_app_speaks_for_no_other_push(live: Running) -> None:
    _, receipt = await silent_push(live, "four")
    forged = receipt[:20] + ("A" if receipt[20] != "A" else "B") + receipt[21:]

    assert (await say(live, {"receipt": forged, "event": "read"})).status_code == 403
    assert (await live.client.post(RECEIPTS, content=b"what")).status_code == 403
    assert (await live.client.get(RECEIPTS)).status_code == 403
    other = f"/callbacks/push/demo/{APP}"
    assert (await live.client.post(other, json={"receipt": receipt, "event": "read"})).status_code == 404


async def test_a_receipt_is_in_no_story(live: Running) -> None:
    transid, receipt = await silent_push(live, "five")
    await say(live, {"receipt": receipt, "event": "read"})
    await ended(live, transid, "7502")

    assert receipt not in json.dumps(await live.story(transid))


async def test_the_credentials_of_every_system_are_shown_to_operators(live: Running) -> None:
    shown = (await live.admin("GET", "/connectors")).json()[f"demo/{APP}~sandbox"]

    assert {system: one["credentials"]["kind"] for system, one in shown["systems"].items()} == {
        "android": "service account", "ios": "token", "web": "vapid",
    }  # fmt: skip
    assert "PRIVATE KEY" not in json.dumps(shown)
