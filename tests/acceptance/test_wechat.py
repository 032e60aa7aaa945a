"""WeChat over the real HTTP API: all of 7601 to 7643 in status and receipt, every other number, what people do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.channels.wechat.outcomes import TABLE
from heliograph.channels.wechat.settings import made_up
from heliograph.channels.wechat.simulator import WechatSimulator
from heliograph.testing import Running, eventually, running, workspace
from heliograph.wire.plain_asgi import Asked, Reply, application
from heliograph.wire.standin import HttpStandIn

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAFE, PLAIN = "demo/a_3~sandbox", "demo/a_4~sandbox"
APPIDS = {SAFE: made_up(SAFE)["appid"], PLAIN: made_up(PLAIN, plain=True)["appid"]}
LAPSED = "Delivery notification of a message expired"
TEMPLATE = {"type": "template", "template_id": "t1", "data": {"thing1": "Tea"}}

# The rows of WeChat as the table prints them, and the general ones that WeChat's own numbers come to.
PUBLISHED = [
    row for row in catalogue.ROWS
    if row.api == catalogue.STATUS and "7601" <= row.code <= "7643" and row.phase == "provider"
]  # fmt: skip
GENERAL = {
    "7010": "provider_exception", "7108": "invalid_template", "7111": "spam_content", "7202": "failed_at_platform",
    "7208": "service_ip_not_allowed", "7301": "expired_before_sending",
}  # fmt: skip
ERRCODES = {
    native: row for (kind, native), row in TABLE.items() if kind == "errcode" and native not in ("other", "45065")
}  # 45065 says that a template was sent before


def document(url: str) -> dict[str, Any]:
    """A service with an account in safe mode, and another in plain mode."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [
        {"id": "a_3", "wechat": {"appid": "wxreal", "secret": "real-secret", "token": "real-token"}},
        {"id": "a_4", "wechat": {"callbacks": "plain"}},
    ]
    tenant["services"][0]["channels"]["wechat"] = {"app": "a_3"}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


def stand_in(live: Running) -> WechatSimulator:
    """The simulator of WeChat."""
    found = live.platform.simulators.stand_ins["wechat"]
    assert isinstance(found, WechatSimulator)
    return found


async def send(live: Running, *openids: str, app: str = "", text: str = "你好", attachment: Any = None) -> list[Any]:
    """The answer's elements for a message to these users."""
    fields = {"text": text} | ({"attachment": attachment} if attachment else {})
    body = {
        "deliverychannel": "wechat",
        "channels": {"OTT-Messaging": {"wechat": fields}},
        "destination": [{"wechatID": [*openids]}],
        **({"appid": app} if app else {}),
    }
    answer: list[Any] = (await live.send(body)).json()["response"]
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


async def checked(live: Running, transid: str, code: str, description: str) -> dict[str, Any]:
    """The receipt of a message that ends with this code and text, which the status API reads too."""
    record = await live.final(transid)
    assert (record["code"], record["description"], record["channel"]) == (code, description, "wechat")
    return await told(live, transid, code)


async def ends_as(live: Running, openid: str, code: str, description: str, **more: Any) -> dict[str, Any]:
    """The same of one message to this person."""
    [element] = await send(live, openid, **more)
    assert element["code"] == "1001"
    return await checked(live, element["transid"], code, description)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def transids(live: Running) -> dict[str, str]:
    """One call to a person for each outcome and each number; transids by OpenID."""
    openids = [
        *(f"oPerson-sim-{code}" for code in (*(row.code for row in PUBLISHED), *GENERAL)),
        *(f"oPerson-err-{errcode}" for errcode in ERRCODES),
    ]
    elements = await send(live, *openids)
    assert {element["code"] for element in elements} == {"1001"}
    return {openid: element["transid"] for openid, element in zip(openids, elements, strict=True)}


async def test_all_rows_of_wechat_are_looked_at() -> None:
    assert [row.code for row in PUBLISHED] == [str(code) for code in range(7601, 7644)]


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row.code}-{row.key}")
async def test_an_openid_chooses_its_outcome(live: Running, transids: dict[str, str], row: catalogue.Row) -> None:
    openid = f"oPerson-sim-{row.code}"
    receipt = await checked(live, transids[openid], row.code, row.message)

    assert receipt["Description"] == catalogue.find(row.key).message
    assert (receipt["deliveryChannel"], receipt["destinationType"], receipt["destination"]) == (
        "wechat", "wechatid", openid,
    )  # fmt: skip
    assert receipt["deliveryStatus"] == "Failed"


@pytest.mark.parametrize(("code", "key"), GENERAL.items())
async def test_an_openid_chooses_a_general_outcome(
    live: Running, transids: dict[str, str], code: str, key: str
) -> None:
    text = catalogue.text(key, catalogue.STATUS)
    receipt = await checked(live, transids[f"oPerson-sim-{code}"], code, text)

    assert receipt["Description"] == catalogue.receipt_text(key)


@pytest.mark.parametrize(("errcode", "row"), ERRCODES.items())
async def test_every_number_of_the_table_comes_to_its_code(
    live: Running, transids: dict[str, str], errcode: str, row: Any
) -> None:
    code, text = catalogue.code(row.key), catalogue.text(row.key, catalogue.STATUS)
    receipt = await checked(live, transids[f"oPerson-err-{errcode}"], code, text)

    assert receipt["additionalInfo"].startswith(f"{errcode} ")


async def test_the_second_row_of_a_code_is_wechats_too(live: Running) -> None:
    await ends_as(live, "oPerson-sim-7602-2", "7602", "Invalid WeChat User ID")


async def test_a_customer_service_message_stays_submitted(live: Running) -> None:
    [element] = await send(live, "oPerson")
    receipt = await told(live, element["transid"], "7501")
    await ends_as(live, "oPerson-sim-7501", "7303", LAPSED, attachment=TEMPLATE)  # sent later: its window has closed
    [record] = await live.status(element["transid"])

    assert (receipt["deliveryStatus"], record["code"], record["description"]) == ("Submitted", "7501", "Submitted")


@pytest.mark.parametrize(
    ("end", "code", "description"),
    [
        ("", "7500", "Delivered"),
        ("-seq-7500", "7500", "Delivered"),
        ("-seq-7628", "7628", "The other user is not yet a follower"),
        ("-seq-7202", "7202", "Delivery failed at platform"),
    ],
)
async def test_a_template_is_reported_on(live: Running, end: str, code: str, description: str) -> None:
    receipt = await ends_as(live, f"oPerson{end}", code, description, text="", attachment=TEMPLATE)

    assert receipt["Description"] == description


async def test_a_template_of_an_account_in_plain_mode_is_reported_on(live: Running) -> None:
    await ends_as(live, "oPerson", "7500", "Delivered", app="a_4", attachment=TEMPLATE)


async def test_what_cannot_be_said_is_refused(live: Running) -> None:
    receipt = await ends_as(live, "oPerson", "7607", "Invalid message type", attachment={"type": "fax"})

    assert "'fax'" in receipt["additionalInfo"]


async def test_a_picture_by_url_is_uploaded_and_one_in_the_wrong_form_is_told(live: Running) -> None:
    async def serve(asked: Asked) -> Reply:
        return Reply(200, b"\xff\xd8\xff\xe0jpeg" if asked.path == "/a.jpg" else b"<html>", "image/jpeg")

    shop = HttpStandIn(application(serve), "127.0.0.1", 0)
    url = (await shop.start()).url()
    [element] = await send(live, "oPerson", text="", attachment={"type": "image", "media": {"url": f"{url}/a.jpg"}})
    await told(live, element["transid"], "7501")
    assert stand_in(live).taken[-1]["body"]["msgtype"] == "image"

    wrong = {"type": "image", "media": {"url": f"{url}/a.html"}}
    await ends_as(live, "oPerson", "7643", "Invalid image file type (invalid file type)", text="", attachment=wrong)
    await shop.stop()


@pytest.mark.parametrize(("lane", "text"), [(SAFE, "秘密"), (PLAIN, "公开")])
async def test_a_person_who_writes_is_heard(live: Running, lane: str, text: str) -> None:
    assert await stand_in(live).say(APPIDS[lane], "oPerson", text) == 200

    async def heard() -> Any:
        calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]
        return next((found for call in calls if (found := json.loads(call["body"]))["message"] == text), None)

    if lane == SAFE:  # only the first account is a service's own
        inbound = await eventually(heard)
        assert (inbound["channel"], inbound["oa"]) == ("wechat", "oPerson")


@pytest.mark.parametrize("message", [True, False])
async def test_what_comes_twice_is_told_once(live: Running, message: bool) -> None:
    """WeChat repeats what was not answered in time: a message by its number, an event by its second."""
    text = f"Only once {message}"
    for _ in range(2):
        if message:
            assert await stand_in(live).say(APPIDS[SAFE], "oPerson", text, MsgId=123456789) == 200
        else:
            more: dict[str, Any] = {"EventKey": text, "CreateTime": 1_700_000_000}
            assert await stand_in(live).event(APPIDS[SAFE], "oPerson", "CLICK", **more) == 200
    await asyncio.sleep(0.3)
    calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]

    assert [json.loads(call["body"])["message"] for call in calls].count(text) == 1


@pytest.mark.parametrize("event", ["subscribe", "unsubscribe"])
async def test_following_and_leaving_is_taken(live: Running, event: str) -> None:
    before = live.platform.receiver.counts["reachability"]

    assert await stand_in(live).event(APPIDS[SAFE], "oPerson", event) == 200
    assert live.platform.receiver.counts["reachability"] == before + 1


@pytest.mark.parametrize("lane", [SAFE, PLAIN])
async def test_the_url_is_verified(live: Running, lane: str) -> None:
    assert await stand_in(live).events.verify(APPIDS[lane])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_without_a_signature_is_refused(live: Running, method: str) -> None:
    answer = await live.client.request(method, f"/callbacks/wechat/{SAFE}", params={"echostr": "x"})

    assert (answer.status_code, answer.content) == (403, b"")


async def test_an_account_that_is_refused_waits_and_goes_on_by_itself(live: Running) -> None:
    simulator = stand_in(live)
    simulator.doors.refused.add(APPIDS[SAFE])
    [element] = await send(live, "oPerson")

    async def refused() -> Any:
        state = live.platform.surface.connectors()[SAFE]
        return state if state["state"] == "error" else None

    assert (await eventually(refused))["credentials"]
    simulator.doors.refused.clear()
    await told(live, element["transid"], "7501")
    assert live.platform.surface.connectors()[SAFE]["state"] == "ready"


async def test_no_secret_is_shown(live: Running) -> None:
    [element] = await send(live, "oPerson-sim-7601")
    await live.final(element["transid"])
    shown = json.dumps([await live.story(element["transid"]), (await live.admin("GET", "/connectors/a_3")).json()])
    made = made_up(SAFE)

    assert [one for one in (made["secret"], made["token"], "real-secret", "access_token=") if one in shown] == []
    assert "errcode" in shown
