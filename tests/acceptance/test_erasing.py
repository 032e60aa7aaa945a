"""Whoever wants to be forgotten leaves no trace but that there was a message, and a deed without a name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.model.outcome import Inbound, Receipt
from heliograph.store.areas.inapp import Joining
from heliograph.store.statements import schema
from heliograph.testing import KEY as SERVICE_KEY
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "the-profile-key"
APP = "AP00000001"
PERSON, OTHER = "447700900001", "447700900002"
SECRET_WORDS = "meet me at the old oak"
TABLES = re.findall(r"^CREATE TABLE (\w+) \(", schema("sqlite"), re.MULTILINE)


def document(url: str) -> dict[str, Any]:
    found = workspace(url)
    found["tenants"][0] |= {
        "profile_key": KEY,
        "profile_store": {"attributes": [{"name": "card", "alias": True}]},
        "apps": [{"id": APP, "features": {"push": True}}],
        "events": [{"id": "4451"}, {"id": "4452"}],
        "rules": [{"name": "r", "on": {"event": "4452"}, "then": [{"stop": True}]}],
    }
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform that knows a person, and wrote to them."""
    data: Path = tmp_path_factory.mktemp("erasing")
    async with running(data, document) as platform:
        yield platform


async def know(live: Running, name: str, number: str) -> None:
    headers = {"key": KEY}
    given = {"msisdn": number, "email": f"{name}@example.com", "card": f"card-of-{name}"}
    records = {"Records": [{"customerId": name, "Attributes": given}]}
    await live.client.post("/resources/v2/customerprofile", headers=headers, json=records)
    device = {"connectStatus": 1, "deviceId": "d", "rtmId": f"user-{name}_d", "userId": f"user-{name}", "status": 1,
              "os": "ios", "pushId": f"token-of-{name}"}  # fmt: skip
    records = {"Records": [{"customerId": name, "Attributes": device}]}
    await live.client.post(f"/resources/v2/customerappprofile/{APP}", headers=headers, json=records)


async def send(live: Running, *destinations: dict[str, Any], text: str = SECRET_WORDS) -> list[str]:
    body = {"deliverychannel": "sms", "channels": {"sms": {"text": text}}, "destination": list(destinations)}
    answer = (await live.send(body)).json()["response"]
    for element in answer:
        await live.final(element["transid"])
    return [element["transid"] for element in answer]


async def keep(live: Running, item: Inbound | Receipt) -> None:
    kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    live.platform.receiver.receive("demo/smsc~sandbox", item, kept.set_result)
    assert await asyncio.wait_for(kept, 5)


async def happen(live: Running, name: str = "4451", **parameters: Any) -> str:
    """The transid of an event with these parameters."""
    body = {"events": [{"evtid": name, "parameters": parameters}]}
    answer = await live.client.post("/resources/v1/events/externalevent", headers={"key": SERVICE_KEY}, json=body)
    transid: str = answer.json()["response"][0]["transid"]
    return transid


async def erase(live: Running, **whom: Any) -> Any:
    return (await live.admin("POST", "/tenants/demo/erasures", json=whom)).json()


async def followed(live: Running, transid: str) -> None:
    """What follows from an event has ended."""

    async def ended() -> bool:
        state: str = (await live.admin("GET", f"/events/{transid}")).json()["state"]
        return state == "done"

    await eventually(ended)


async def test_nothing_of_a_person_stays(live: Running) -> None:
    await know(live, "lovelace", PERSON)
    await know(live, "bob", OTHER)
    alone = await send(live, {"msisdn": ["+44 7700 900-001"], "correlationid": "adas-order"})
    alone += await send(live, {"customerid": ["lovelace"]}) + await send(live, {"customerid": ["card-of-lovelace"]})
    both = await send(live, {"msisdn": [PERSON, OTHER]}, text="to both of you")
    others = await send(live, {"msisdn": [OTHER]}, text="for bob")
    await keep(live, Inbound("smsc", "sms", f"+{PERSON}", "HELIO", "I am here"))
    await keep(live, Inbound("smsc", "sms", OTHER, "HELIO", "bob here"))
    await keep(live, Receipt("smsc", "unknown-1", "delivered", destination=PERSON, raw=f"id:1 to:{PERSON}"))

    taken = [
        await happen(live, who={"phone": "+44 7700 900001"}, text=SECRET_WORDS),
        await happen(live, who={"phone": OTHER}),
    ]

    await followed(live, await happen(live, "4452", who=PERSON))
    ran = await live.database.rows("SELECT rule FROM runs")
    store = live.platform.store
    for name in ("lovelace", "bob"):
        await store.inapp_join(Joining(f"demo/{APP}~sandbox", f"user-{name}", "phone", 1, None, ""))

    counts = await erase(live, customerId="lovelace")

    assert counts == {
        "profiles": 2,
        "messages": 4,
        "contents": 3,
        "inbound": 1,
        "receipts": 1,
        "events": 2,
        "waiting": 0,
    }
    for transid in (*alone, both[0]):
        record = (await live.status(transid))[0]
        assert (record["code"], record["to"], record["correlationid"]) == ("7500", "erased", "")
        story = await live.story(transid)
        assert (story["attempts"], story["gates"]) == ([], [])
    assert [(await live.status(one))[0]["body"] for one in (alone[0], both[0], others[0])] == [
        "{}", "to both of you", "for bob",
    ]  # fmt: skip
    assert (await live.status(both[1]))[0]["to"] == OTHER
    shown = [(await live.admin("GET", f"/events/{one}")).json() for one in taken]
    assert [(one["payload"] == {}, one["note"]) for one in shown] == [(True, "erased"), (False, "no rule is for it")]
    left = {table: str(await live.database.rows(f"SELECT * FROM {table}")) for table in TABLES}
    for word in (PERSON, "900-001", "lovelace", SECRET_WORDS, "I am here"):
        assert [table for table, rows in left.items() if word in rows] == [], word
    assert OTHER in left["inbound"]
    assert "token-of-bob" in left["app_users"]
    assert ("user-bob" in left["inapp_devices"], ran, left["runs"]) == (True, [("r",)], "[]")


async def test_the_deed_is_kept_without_a_name(live: Running) -> None:
    await know(live, "carol", "447700900003")
    await erase(live, customerId="carol")

    answer = (await live.admin("GET", "/audit?tenant=demo&action=person erased&limit=1")).json()

    [deed] = answer["deeds"]
    assert (deed["actor"], deed["action"], deed["detail"]["profiles"]) == ("admin", "person erased", 2)
    assert deed["object"].startswith("person ")
    assert "carol" not in str(deed)
    assert (await live.admin("GET", f"/audit?cursor={answer['cursor']}&limit=1")).json()["deeds"][0]["id"] < deed[
        "id"
    ]


async def test_it_may_be_done_again(live: Running) -> None:
    await know(live, "dora", "447700900004")
    await send(live, {"customerid": ["dora"]})

    assert (await erase(live, customerId="dora"))["messages"] == 1
    assert set((await erase(live, customerId="dora")).values()) == {0}


async def test_a_person_without_a_profile_is_known_by_an_address(live: Running) -> None:
    await send(live, {"msisdn": ["0044 7700 900005"]})

    assert (await erase(live, addresses=["+447700900005"]))["messages"] == 1


async def test_an_id_is_no_address_of_another_kind(live: Running) -> None:
    await know(live, "447700900006", "447700900007")
    [transid] = await send(live, {"msisdn": ["447700900006"]})

    assert (await erase(live, customerId="447700900006"))["messages"] == 0
    assert (await live.status(transid))[0]["to"] == "447700900006"


async def test_a_message_on_its_way_ends_first(live: Running) -> None:
    body = {"deliverychannel": "sms", "channels": {"sms": {"text": "x"}}, "destination": [{"msisdn": ["9990007501"]}]}
    [element] = (await live.send(body)).json()["response"]

    assert (await erase(live, addresses=["9990007501"]))["waiting"] == 1
    assert (await live.final(element["transid"]))["code"] == "7200"
    assert await erase(live, addresses=["9990007501"]) == {
        "profiles": 0, "messages": 1, "contents": 1, "inbound": 0, "receipts": 0, "events": 0, "waiting": 0,
    }  # fmt: skip


@pytest.mark.parametrize("whom", [{}, {"customerId": " "}, {"customerId": 7}, {"addresses": "x"}, {"addresses": [1]}])
async def test_it_must_be_said_who(live: Running, whom: Any) -> None:
    answer = await live.admin("POST", "/tenants/demo/erasures", json=whom)

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "customerId")


async def test_reading_in_bulk_is_a_deed(live: Running) -> None:
    await know(live, "erin", "447700900008")

    page = (await live.admin("GET", "/tenants/demo/profiles?limit=1")).json()
    assert await live.admin("GET", f"/tenants/demo/profiles?cursor={page['cursor']}")
    await live.admin("GET", f"/tenants/demo/profiles?app={APP}")

    deeds = (await live.admin("GET", "/audit?action=profiles read in bulk")).json()["deeds"]
    assert [(deed["object"], deed["tenant"]) for deed in deeds] == [(APP, "demo"), ("customers", "demo")]


@pytest.mark.parametrize(
    ("method", "path", "body", "key"),
    [
        ("GET", "/tenants/nobody/profiles", None, "not_found"),
        ("GET", "/tenants/demo/profiles?app=none", None, "app_not_linked"),
        ("GET", "/tenants/demo/profiles?cursor=!", None, "invalid_cursor"),
        ("POST", "/tenants/demo/profiles", {"Records": []}, "invalid_value"),
        ("POST", "/tenants/demo/profiles?act=delete", {"Records": [{}]}, "invalid_value"),
        ("POST", "/tenants/demo/profiles", {"Records": [{}] * 101}, "batch_too_large"),
        ("POST", "/tenants/nobody/erasures", {"customerId": "x"}, "not_found"),
    ],
)
async def test_what_cannot_be_done_is_said(live: Running, method: str, path: str, body: Any, key: str) -> None:
    answer = await live.admin(method, path, json=body)

    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["key"] == key
