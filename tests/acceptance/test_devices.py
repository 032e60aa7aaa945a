"""A user of an app has several devices: one transaction, a stream of receipts for each device, dead and moved tokens
flowing back into the profiles; over the providers' own protocols."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.channels.push.stand_ins import apns
from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = "AP00000001"
PROFILE_KEY = "key-of-the-profiles"
PUSH: dict[str, Any] = {
    "push": {"android": {"text": "Hi"}, "ios": {"text": "Hi"}, "web": {"platform_types": ["chrome"], "text": "Hi"}}
}
PHONE, PAD, BROWSER = "tok-phone", "cd" * 32, "tok-browser"
READ = ["7501", "7500", "7502"]


def document(url: str) -> dict[str, Any]:
    """The test workspace with an app and profiles."""
    found = workspace(url)
    found["tenants"][0] |= {
        "profile_key": PROFILE_KEY, "profile_store": {},
        "apps": [{"id": APP, "features": {"push": True}, "android": {}, "ios": {}, "web": {}}],
    }  # fmt: skip
    found["tenants"][0]["services"][0]["channels"]["push"] = {"app": APP}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with that workspace."""
    data: Path = tmp_path_factory.mktemp("devices")
    async with running(data, document) as platform:
        yield platform


async def register(live: Running, name: str, **devices: tuple[str, str]) -> None:
    """A customer who is a user of the app on devices, by the device's id its system and token."""
    records: list[Any] = [
        {"customerId": name, "Attributes": {"msisdn": f"4477{zlib.crc32(name.encode()) % 10**8:08d}"}}
    ]
    answer = await live.client.post(
        "/resources/v2/customerprofile", headers={"key": PROFILE_KEY}, json={"Records": records}
    )
    assert answer.json()["code"] == "1000", answer.text
    await tell(live, "POST", name, devices)


async def tell(live: Running, method: str, name: str, devices: dict[str, tuple[str, str]]) -> None:
    """What the app says of the devices of a user."""
    users = [
        {
            "customerId": name,
            "Attributes": {
                "connectStatus": 0, "deviceId": device, "rtmId": f"{name}_{device}", "status": 1, "os": system,
                "pushId": token,
            },
        }
        for device, (system, token) in devices.items()
    ]  # fmt: skip
    path = f"/resources/v2/customerappprofile/{APP}"
    answer = await live.client.request(method, path, headers={"key": PROFILE_KEY}, json={"Records": users})
    assert answer.json()["code"] == "1000", answer.text


async def send(live: Running, name: str, kind: str = "userid", bin_: str = "dr") -> str:
    """The transid of a push to a user."""
    body = {
        "deliverychannel": "push", "channels": PUSH, "destination": [{kind: [name]}], "correlationid": "mine",
        "notifyurl": f"{live.url}/sim/bin/{bin_}",
    }  # fmt: skip
    [element] = (await live.send(body)).json()["response"]
    assert element["code"] == "1001", element
    return str(element["transid"])


Streams = dict[str, list[dict[str, Any]]]


async def streams(live: Running, transid: str, ends: dict[str, str], bin_: str = "dr") -> Streams:
    """The receipts of a message by device, once each of these devices has come to its code; calls that were answered.
    What was delivered before the platform had noted that it was submitted is told from there on."""
    found: Streams = {}

    async def came() -> bool:
        found.clear()
        calls = (await live.client.get(f"/sim/bin/{bin_}")).json()["calls"]
        for call in calls:
            item = json.loads(call["body"])["deliveryInfoNotification"]
            if call["answered"] == 200 and item["transid"] == transid:
                assert item["correlationid"] == "mine"
                found.setdefault(item["deliveryInfo"]["deviceid"], []).append(item["deliveryInfo"])
        return all(code in codes(found.get(device, [])) for device, code in ends.items())

    await eventually(came, 60)
    assert set(found) == set(ends)
    for device, infos in found.items():
        assert len(set(codes(infos))) == len(infos)  # nothing is told twice
        assert set(codes(infos)) <= {
            *READ[: READ.index(ends[device]) + 1 if ends[device] in READ else 1],
            ends[device],
        }
    return found


def codes(infos: list[dict[str, Any]]) -> list[str]:
    """The codes of a stream."""
    return [str(info["code"]) for info in infos]


@pytest.mark.parametrize("kind", ["userid", "customerid"])
async def test_each_device_has_its_stream_of_receipts(live: Running, kind: str) -> None:
    name = f"ada-{kind}"
    await register(live, name, d1=("Android", PHONE), d2=("iOS", PAD), d3=("Android", "tok-sim-7509"))
    transid = await send(live, name, kind)
    found = await streams(live, transid, {"d1": "7502", "d2": "7502", "d3": "7509"})

    for device, token, addressed in (("d1", PHONE, "android_pushid"), ("d2", PAD, "ios_pushid")):
        assert {(one["pushId"], one["destination"], one["destinationType"]) for one in found[device]} == {
            (token, token, addressed)
        }
    [refused] = found["d3"]
    assert (refused["deliveryStatus"], refused["Description"]) == (
        "Failed", "Too many concurrent requests for same customer",
    )  # fmt: skip
    [record] = await live.status(transid)
    assert (record["code"], record["to"]) == ("7502", name)
    assert len(await live.status(transid)) == 1


async def test_a_device_that_is_the_only_one_is_named_too(live: Running) -> None:
    await register(live, "one", only=("Android", PHONE))
    [receipt, *_] = (await streams(live, await send(live, "one"), {"only": "7502"}))["only"]

    assert (receipt["pushId"], receipt["destinationType"]) == (PHONE, "android_pushid")


async def test_every_device_that_failed_is_told(live: Running) -> None:
    await register(live, "none", d1=("Android", "tok-sim-7513"), d2=("Android", "tok-sim-7504"))
    transid = await send(live, "none")
    found = await streams(live, transid, {"d1": "7513", "d2": "7504"})

    assert {one["deliveryStatus"] for infos in found.values() for one in infos} == {"Failed"}
    callbacks = (await live.story(transid))["callbacks"]
    assert sorted((one["device"], one["code"]) for one in callbacks) == [("d1", "7513"), ("d2", "7504")]
    assert (await live.final(transid))["code"] in ("7513", "7504")


async def test_a_device_that_fails_later_does_not_fail_the_others(live: Running) -> None:
    await register(live, "later", d1=("Android", PHONE), d2=("Android", "tok-seq-7513"))
    transid = await send(live, "later")
    await streams(live, transid, {"d1": "7502", "d2": "7513"})

    assert (await live.status(transid))[0]["code"] == "7502"


async def test_a_receipt_that_is_tried_again_names_its_device(live: Running) -> None:
    await live.client.put("/sim/bin/again", json={"status": 500, "times": 3})
    await register(live, "again", d1=("Android", PHONE), d2=("iOS", PAD))
    found = await streams(live, await send(live, "again", bin_="again"), {"d1": "7502", "d2": "7502"}, "again")

    assert {one["pushId"] for one in found["d2"]} == {PAD}


async def test_a_dead_token_gets_no_more_pushes(live: Running) -> None:
    await register(live, "dying", d1=("Android", PHONE), d2=("Android", "tok-dying-sim-7513"))
    await streams(live, await send(live, "dying"), {"d1": "7502", "d2": "7513"})
    await live.platform.receiver.drained()
    await streams(live, await send(live, "dying"), {"d1": "7502"})

    assert (await shown(live, "dying", "d2"))["reachable"] == 0

    await tell(live, "PUT", "dying", {"d2": ("Android", "tok-new")})  # the app came back with another token
    await streams(live, await send(live, "dying"), {"d1": "7502", "d2": "7502"})


async def test_a_user_of_dead_tokens_is_refused_at_once(live: Running) -> None:
    await register(live, "dead", d1=("Android", "tok-dead-sim-7513"))
    await streams(live, await send(live, "dead"), {"d1": "7513"})
    await live.platform.receiver.drained()
    body = {"deliverychannel": "push", "channels": PUSH, "destination": [{"userid": ["dead"]}]}
    element = (await live.send(body, KEY)).json()["response"][0]

    assert (element["code"], element["description"]) == ("7513", "Unregistered Device")


@pytest.mark.parametrize(("since", "reachable"), [(0, 0), (60_000, 1)])
async def test_what_apns_says_of_a_moment_holds_for_tokens_from_before_it(
    live: Running, monkeypatch: pytest.MonkeyPatch, since: int, reachable: int
) -> None:
    """A 410 has the moment since when the token is dead: one that was registered after it is believed."""
    monkeypatch.setattr(apns, "GONE_MS", since)
    name, token = f"apns-{since}", f"{since:060x}7513"
    await register(live, name, d1=("iOS", token))
    await streams(live, await send(live, name), {"d1": "7513"})

    await live.platform.receiver.drained()

    assert (await shown(live, name, "d1")).get("reachable", 1) == reachable


async def test_a_token_that_moved_is_replaced(live: Running) -> None:
    """The app says so with the receipt of a push that went to the old one."""
    fcm: Any = live.platform.simulators.stand_ins["fcm"]
    fcm.messages = []
    await register(live, "moving", d1=("Android", "tok-old-sim-7501"))
    await streams(live, await send(live, "moving"), {"d1": "7501"})
    [pushed] = [one for one in fcm.messages if one["token"] == "tok-old-sim-7501"]
    said = {
        "receipt": json.loads(pushed["data"]["heliograph"])["receipt"], "event": "moved", "was": pushed["token"],
        "pushid": "tok-moved",
    }  # fmt: skip
    answer = await live.client.post(f"/callbacks/push/demo/{APP}~sandbox", json=said)
    found = await streams(live, await send(live, "moving"), {"d1": "7502"})

    assert answer.status_code == 200
    assert {one["pushId"] for one in found["d1"]} == {"tok-moved"}


async def shown(live: Running, name: str, device: str) -> dict[str, Any]:
    """The attributes of a device, as the Profile API has them."""
    path = f"/resources/v2/customerappprofile/{APP}/{name}"
    answer = (await live.client.get(path, headers={"key": PROFILE_KEY})).json()
    for record in answer["Records"]:
        values = {one["Name"]: one["Value"] for one in record["Attributes"]}
        if values.get("deviceId") == device:
            return values
    raise LookupError(answer)
