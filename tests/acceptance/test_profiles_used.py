"""Profiles decide where messages go, what stands in them, and whether they may go at all."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from heliograph.model.message import Address
from heliograph.model.outcome import Reachability
from heliograph.testing import Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE_KEY = "the-profile-key"
AP, WX = "AP00000001", "a_3"
STORE = {
    "attributes": [
        {"name": "msisdn", "type": "msisdn", "mandatory": False},
        {"name": "city"},
        {"name": "Card", "type": "string", "alias": True},
    ]
}
REFUSED = [
    ("a customer nobody knows", {"customerid": ["nobody"]}, "7105"),
    ("a customer without a number", {"customerid": ["emailed"]}, "7105"),
    ("a customer who is not active", {"customerid": ["silent"]}, "7008"),
    ("a number of one who is not active", {"msisdn": ["447700900002"]}, "7008"),
]


def document(url: str) -> dict[str, Any]:
    """The test workspace with profiles."""
    found = workspace(url)
    found["tenants"][0] |= {
        "profile_key": PROFILE_KEY, "profile_store": STORE,
        "apps": [{"id": AP, "features": {"push": True, "rtm": True}}, {"id": WX, "wechat": {}}],
    }  # fmt: skip
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with some customers."""
    data: Path = tmp_path_factory.mktemp("used")
    async with running(data, document) as platform:
        await create(
            platform,
            customer("ada", "447700900001", name="Ada", city="London", card="C-1"),
            customer("silent", "447700900002", status=0),
            customer("checked", "447700900003", verified=1),
            customer("tokyo", "447700900004", timezone="Asia/Tokyo"),
            customer("failing", "9990007206"),
            customer("emailed", "", email="e@example.com"),
        )
        yield platform


def customer(customer_id: str, msisdn: str, **attributes: Any) -> dict[str, Any]:
    return {"customerId": customer_id, "Attributes": {"msisdn": msisdn, **attributes}}


def device(name: str, device_id: str, **attributes: Any) -> dict[str, Any]:
    given = {"connectStatus": 0, "deviceId": device_id, "rtmId": f"{name}_{device_id}", "status": 1, **attributes}
    return {"customerId": name, "Attributes": given}


async def create(live: Running, *records: Any, app: str = "") -> None:
    path = f"/resources/v2/customerappprofile/{app}" if app else "/resources/v2/customerprofile"
    answer = await live.client.post(path, headers={"key": PROFILE_KEY}, json={"Records": records})
    assert answer.json()["code"] == "1000", answer.text


async def send(live: Running, destination: dict[str, Any], **more: Any) -> Any:
    body = {"deliverychannel": "sms", "destination": [destination], "channels": {"sms": {"text": "Hello"}}, **more}
    return (await live.send(body)).json()["response"][0]


async def apply(live: Running, **tenant: Any) -> None:
    """Change the tenant."""
    kept = live.platform.workspaces.export(secrets=True)
    changed = {**kept["tenants"][0], **tenant}
    await live.platform.workspaces.apply({"tenants": [changed]})


@pytest.mark.parametrize("name", ["ada", "C-1"])
async def test_a_customer_is_reached_at_their_number(live: Running, name: str) -> None:
    element = await send(live, {"customerid": [name]})

    record = await live.final(element["transid"])
    assert (record["code"], record["to"]) == ("7500", name)
    gates = {gate["gate"]: gate for gate in (await live.story(element["transid"]))["gates"]}
    assert gates["profile"]["value"] == f"customerid {name}, msisdn 447700900001"


async def test_the_number_of_the_profile_decides_what_happens(live: Running) -> None:
    element = await send(live, {"customerid": ["failing"]})

    assert (await live.final(element["transid"]))["code"] == "7206"


@pytest.mark.parametrize(("destination", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
async def test_a_profile_that_stands_against_it(live: Running, destination: dict[str, Any], code: str) -> None:
    element = await send(live, destination)

    assert element["code"] == code
    assert (await live.final(element["transid"]))["code"] == code


async def test_placeholders_that_the_call_leaves_open_are_filled_by_the_profile(live: Running) -> None:
    await apply(
        live, templates=[{"id": "t", "channel": "sms", "text": "${greeting} ${name} of ${city}, ${customerId}"}]
    )
    message = {"template": "t", "parameters": {"greeting": "Hi"}}
    people = {"customerid": ["ada"], "msisdn": []}

    element = await send(live, people, message=message, channels={})
    assert element["code"] == "1001"
    await live.final(element["transid"])
    [attempt] = (await live.story(element["transid"]))["attempts"]
    assert "Hi Ada of London, ada" in str(attempt)

    assert (await send(live, {"msisdn": ["+44 7700 900001"]}, message=message, channels={}))["code"] == "1001"
    assert (await send(live, {"customerid": ["tokyo"]}, message=message, channels={}))["code"] == "7121"


GREETING = {
    "id": "hi", "channel": "sms", "text": "Hello ${name}",
    "texts": {"de": "Hallo ${name}, ein Angebot", "fr-CA": "Bonjour ${name}"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("locale", "text"),
    [("de", "Hallo Ada, ein Angebot"), ("de_AT", "Hallo Ada, ein Angebot"), ("fr-CA", "Bonjour Ada"),
     ("fr", "Hello Ada"), ("en", "Hello Ada"), ("", "Hello Ada")],
)  # fmt: skip
async def test_the_locale_of_the_profile_chooses_the_text(live: Running, locale: str, text: str) -> None:
    name = f"speaks-{locale}"
    number = f"4477009{zlib.crc32(locale.encode()) % 10**5:05d}"
    await create(live, customer(name, number, name="Ada", **({"locale": locale} if locale else {})))
    await apply(live, templates=[GREETING])
    call = {
        "deliverychannel": "sms", "channels": {}, "message": {"template": "hi"},
        "destination": [{"customerid": [name]}, {"customerid": ["ada"]}],
    }  # fmt: skip
    explained = await live.admin("POST", "/tenants/demo/explain", params={"service": "orders"}, json=call)
    elements = (await live.send(call)).json()["response"]
    sent = []
    for element in elements:
        await live.final(element["transid"])
        [attempt] = (await live.story(element["transid"]))["attempts"]
        sent.append(str(attempt))

    assert [item["text"] for item in explained.json()["destinations"]] == [text, "Hello Ada"]
    assert [wanted in attempt for wanted, attempt in zip((text, "Hello Ada"), sent, strict=True)] == [True, True]
    gates = {gate["gate"]: gate for gate in (await live.story(elements[0]["transid"]))["gates"]}
    spoken = "" if text.startswith("Hello") else f", {'fr-CA' if locale == 'fr-CA' else 'de'}"
    assert gates["template"]["value"] == f"hi, version 1{spoken}"


async def test_words_are_looked_for_in_the_text_that_the_person_gets(live: Running) -> None:
    await create(live, customer("german", "447700900055", name="Otto", locale="de"))
    await apply(live, templates=[GREETING], spam_words=["angebot"])
    try:
        german = await send(live, {"customerid": ["german"]}, message={"template": "hi"}, channels={})
        other = await send(live, {"customerid": ["ada"]}, message={"template": "hi"}, channels={})
    finally:
        await apply(live, spam_words=[])

    assert (german["code"], other["code"]) == ("7111", "1001")


async def test_a_text_of_the_call_counts_over_those_of_the_template(live: Running) -> None:
    await create(live, customer("own-words", "447700900056", name="Otto", locale="de"))
    await apply(live, templates=[GREETING])
    element = await send(
        live, {"customerid": ["own-words"]}, message={"template": "hi"}, channels={"sms": {"text": "Mine"}}
    )
    await live.final(element["transid"])

    assert "Mine" in str((await live.story(element["transid"]))["attempts"])


@pytest.mark.parametrize(
    ("texts", "field"),
    [({"deutsch!": "x ${name}"}, "texts[deutsch!]"), ({"de": ""}, "texts[de]"), ({"de": "${other}"}, "texts[de]"),
     ({"de": "{{link_1}}"}, "texts[de]")],
)  # fmt: skip
async def test_a_text_that_cannot_be_used_is_a_fault_of_the_workspace(
    live: Running, texts: dict[str, str], field: str
) -> None:
    made = workspace(live.url)
    made["tenants"][0]["templates"] = [{"id": "hi", "channel": "sms", "text": "Hello ${name}", "texts": texts}]
    answer = await live.admin("PUT", "/workspace?plan=true", json=made)

    assert answer.status_code == 400
    assert answer.json()["error"]["faults"][0]["path"] == f"tenants[demo].templates[hi].{field}"


async def test_only_verified_profiles_where_the_tenant_asks_for_it(live: Running) -> None:
    await apply(live, verified_only=True)
    try:
        assert (await send(live, {"customerid": ["checked"]}))["code"] == "1001"
        assert (await send(live, {"customerid": ["ada"]}))["code"] == "7116"
        assert (await send(live, {"msisdn": ["447700900099"]}))["code"] == "7116"
    finally:
        await apply(live, verified_only=False)


async def test_hours_are_those_of_the_zone_of_the_profile(live: Running) -> None:
    now = datetime.now(UTC)
    tokyo = now.astimezone(ZoneInfo("Asia/Tokyo"))
    open_now = {"start": f"{tokyo.hour:02}:00", "end": "24:00" if tokyo.hour == 23 else f"{tokyo.hour + 1:02}:00"}
    await apply(live, timezone="UTC", social_hours={"zone": "recipient", "windows": [open_now], "channels": ["sms"]})
    try:
        assert (await send(live, {"customerid": ["tokyo"]}))["code"] == "1001"
        assert (await send(live, {"customerid": ["ada"]}))["code"] == "7113"
    finally:
        await apply(live, social_hours=None)


async def test_a_profile_is_looked_at_again_before_the_message_goes(live: Running) -> None:
    await apply(live, services=[{**service, "checks": "at_dispatch"} for service in services(live)])
    element = await send(live, {"customerid": ["silent"]})
    await apply(live, services=[{**service, "checks": "at_accept"} for service in services(live)])

    assert element["code"] == "1001"
    assert (await live.final(element["transid"]))["code"] == "7008"


def services(live: Running) -> Any:
    return live.platform.workspaces.export(secrets=True)["tenants"][0]["services"]


async def test_explain_shows_whom_a_customer_id_leads_to(live: Running) -> None:
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "x"}},
        "destination": [{"customerid": ["ada", "no"]}],
    }

    answer = await live.admin("POST", "/tenants/demo/explain", params={"service": "orders"}, json=body)

    first, second = answer.json()["destinations"]
    assert (first["normalised"], first["faults"]) == ("447700900001", [])
    assert second["faults"][0]["code"] == "7105"


async def person(live: Running, kind: str, value: str, app: str = AP) -> Any:
    found = await live.platform.lookup._people.people("demo", app, [Address(kind, value)])
    return found.get((kind, value))


async def tell(
    live: Running, app: str, address: str, *, reachable: bool = False, at_ms: int = 0, by: str = ""
) -> bool:
    """News of an address, as a connector tells it; whether it was kept."""
    kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    item = Reachability(f"demo/{app}~sandbox", "push", address, reachable, at_ms, by, "UNREGISTERED")
    live.platform.receiver.receive(f"demo/{app}~sandbox", item, kept.set_result)
    return await asyncio.wait_for(kept, 5)


async def test_a_user_is_all_their_devices(live: Running) -> None:
    await create(
        live, device("ada", "d1", os="Android", pushId="t1", locale="en"), device("ada", "d2", os="iOS", pushId="t2"),
        device("ada", "d3", os="web"), device("ada", "d4", os="Android", pushId="t4", status=0), app=AP,
    )  # fmt: skip

    for kind, value in (("userid", "ada"), ("customerid", "ada"), ("customerid", "C-1")):
        found = await person(live, kind, value)
        assert {(one.system, one.token) for one in found.app.devices} == {("android", "t1"), ("ios", "t2")}
        assert (found.customer.id, found.app.id, found.app.active) == ("ada", "ada", True)
    assert (await person(live, "ios_pushid", "t2")).app.id == "ada"
    assert (await person(live, "userid", "ada", "")) is None


async def test_a_dead_token_gets_no_more_pushes_until_the_app_comes_back(live: Running) -> None:
    await create(live, device("dead", "d1", os="Android", pushId="dead-1"), app=AP)

    assert await tell(live, AP, "dead-1")
    found = (await person(live, "userid", "dead")).app
    assert (found.devices, found.gone, found.os) == ((), True, "android")
    shown = await live.client.get(f"/resources/v2/customerappprofile/{AP}/dead", headers={"key": PROFILE_KEY})
    values = {one["Name"]: one["Value"] for one in shown.json()["Records"][0]["Attributes"]}
    assert (values["status"], values["reachable"]) == (1, 0)

    change = {"Records": [device("dead", "d1", pushId="dead-1")]}
    await live.client.put(f"/resources/v2/customerappprofile/{AP}", headers={"key": PROFILE_KEY}, json=change)
    assert [one.token for one in (await person(live, "userid", "dead")).app.devices] == ["dead-1"]
    assert await tell(live, AP, "dead-1", at_ms=1_000)
    assert not (await person(live, "userid", "dead")).app.gone


async def test_a_replaced_token_is_used_from_then_on(live: Running) -> None:
    await create(live, device("moved", "d1", os="Android", pushId="old"), app=AP)

    assert await tell(live, AP, "old", by="new")

    assert [one.token for one in (await person(live, "userid", "moved")).app.devices] == ["new"]


async def test_a_follower_who_left_is_not_active(live: Running) -> None:
    await create(live, {"customerId": "ada", "Attributes": {"wechat_user_id": "o1", "status": 1}}, app=WX)
    assert (await person(live, "wechatid", "o1", WX)).app.active
    assert (await person(live, "customerid", "ada", WX)).app.addresses == {"wechatid": "o1"}

    assert await tell(live, WX, "o1")
    assert not (await person(live, "wechatid", "o1", WX)).app.active
    assert await tell(live, WX, "o1", reachable=True)
    assert (await person(live, "wechatid", "o1", WX)).app.active
