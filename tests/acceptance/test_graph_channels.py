"""Messenger and WhatsApp through the whole platform: every outcome, from the address that asks for it, over Graph's
own protocol, to the status API and the caller's webhook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.channels.fb.simulator import webhook
from heliograph.store import StoreUnavailable
from heliograph.testing import Running, eventually, running, workspace
from heliograph.wire.graph import connector
from heliograph.wire.graph.account import made_up_secret
from heliograph.wire.graph.standin import GraphStandIn
from heliograph.wire.graph.webhook import SIGNATURE, signature

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPS = {"fb": "a_100000000000000001", "whatsapp": "a_100000000000000004"}
LANES = {channel: f"demo/{app}~sandbox" for channel, app in APPS.items()}
STAND_INS = {"fb": "graph", "whatsapp": "whatsapp"}
KINDS = {"fb": "psid", "whatsapp": "waid"}
PEOPLE = {"fb": "1257357297610042", "whatsapp": "447700900001"}
OBJECTS: dict[str, Any] = {
    "fb": {"fb": {"text": "Hi"}},
    "whatsapp": {"wa": {"type": "text", "text": {"body": "Hi"}, "preview_url": False}},
}
CODES = {
    "fb": ("7010", "7301", "7302", "7304", "7305", "7306", "7307", "7500", "7502", "7107", "7202", "7203", "7207"),
    "whatsapp": (
        "7010", "7301", "7302", "7304", "7305", "7307", "7500", "7502", "7102", "7107", "7108", "7111", "7121",
        "7202", "7207", "7210",
    ),
}  # fmt: skip
# What a far end says of a message that it had taken. Messenger itself says nothing but 7500 and 7502.
LATER = {"fb": ("7301", "7302", "7304", "7500", "7502"), "whatsapp": ("7010", "7207", "7301", "7500", "7502")}
EVERY = [(channel, code) for channel, codes in CODES.items() for code in codes]
EVERY_LATER = [(channel, code) for channel, codes in LATER.items() for code in codes]
Sent = dict[tuple[str, str], str]
BOTH = pytest.mark.parametrize("channel", ["fb", "whatsapp"])

TEMPLATE = {
    "id": "513972242591830", "channel": "whatsapp", "text": "Hello ${name}, you paid ${total}.",
    "native": {"name": "paid", "language": "en_GB"},
}  # fmt: skip


def document(url: str) -> dict[str, Any]:
    """The test workspace with a page and a number whose credentials are left out."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [{"id": APPS["fb"], "messenger": {}}, {"id": APPS["whatsapp"], "whatsapp": {}}]
    tenant["templates"].append(TEMPLATE)
    for channel, app in APPS.items():
        tenant["services"][0]["channels"][channel] = {"app": app}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sent(live: Running) -> Sent:
    """A message to every address that asks for an outcome, all at once; the transid of each."""
    wanted = [(channel, f"999000{code}") for channel, code in EVERY]
    wanted += [(channel, f"999001{code}") for channel, code in EVERY_LATER]
    wanted += [(channel, "9990007303") for channel in APPS]
    return {(channel, to): await send(live, channel, to) for channel, to in wanted}


def stand_in(live: Running, channel: str) -> GraphStandIn:
    return cast(GraphStandIn, live.platform.simulators.stand_ins[STAND_INS[channel]])


async def send(live: Running, channel: str, to: str, objects: Any = None, **more: Any) -> str:
    """The transid of a message."""
    body = {
        "deliverychannel": channel,
        "channels": {"OTT-Messaging": objects or OBJECTS[channel]},
        "destination": [{KINDS[channel]: [to]}],
        **more,
    }
    [element] = (await live.send(body)).json()["response"]
    assert element["code"] == "1001", element
    return str(element["transid"])


async def ends_as(live: Running, transid: str, code: str) -> dict[str, Any]:
    """The status record once it has that code."""

    async def ended() -> Any:
        [row] = await live.status(transid)
        return row if row["code"] == code else None

    found: dict[str, Any] = await eventually(ended)
    return found


async def told(live: Running, transid: str, code: str) -> list[dict[str, Any]]:
    """The receipts of a message, once the last has that code."""

    async def came() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        infos = [json.loads(call["body"])["deliveryInfoNotification"] for call in calls]
        found = [info["deliveryInfo"] for info in infos if info["transid"] == transid]
        return found if found and found[-1]["code"] == code else None

    found: list[dict[str, Any]] = await eventually(came)
    return found


@pytest.mark.parametrize(("channel", "code"), EVERY)
async def test_an_address_chooses_its_outcome(live: Running, sent: Sent, channel: str, code: str) -> None:
    transid = sent[channel, f"999000{code}"]
    record = await ends_as(live, transid, code)
    last = (await told(live, transid, code))[-1]
    row = next(row for row in catalogue.with_code(code) if row.phase != "accept")

    assert record["description"] == catalogue.text(row.key, catalogue.STATUS)
    assert last["Description"] == catalogue.receipt_text(row.key)
    assert (last["deliveryChannel"], last["destinationType"], last["destination"]) == (
        channel, KINDS[channel], f"999000{code}",
    )  # fmt: skip


@BOTH
async def test_a_message_without_a_report_ends_when_its_window_does(live: Running, sent: Sent, channel: str) -> None:
    transid = sent[channel, "9990007303"]
    record = await ends_as(live, transid, "7303")

    assert record["description"] == "Delivery notification of a message expired"
    assert [item["code"] for item in await told(live, transid, "7303")] == ["7501", "7303"]


@BOTH
async def test_a_message_that_was_taken_is_submitted(live: Running, channel: str) -> None:
    transid = await send(live, channel, "9990007501")
    record = await ends_as(live, transid, "7501")

    assert (record["status"], record["description"]) == ("sent", "Submitted")
    assert (await told(live, transid, "7501"))[-1]["Description"] == "Submitted"


@BOTH
async def test_any_other_address_is_submitted_delivered_and_read(live: Running, channel: str) -> None:
    transid = await send(live, channel, PEOPLE[channel])
    await ends_as(live, transid, "7502")
    found = await told(live, transid, "7502")

    assert [item["code"] for item in found] == ["7501", "7500", "7502"]
    assert [item["deliveryStatus"] for item in found] == ["Submitted", "Delivered", "Read"]


@pytest.mark.parametrize(("channel", "code"), EVERY_LATER)
async def test_an_address_can_ask_for_submitted_first(live: Running, sent: Sent, channel: str, code: str) -> None:
    transid = sent[channel, f"999001{code}"]
    await ends_as(live, transid, code)

    assert (await told(live, transid, code))[0]["code"] == "7501"


@pytest.mark.parametrize("person", ["1257357297610001", "1257357297610002"])
async def test_many_messages_to_one_person_are_all_read(live: Running, person: str) -> None:
    """People whose id is odd have an old client: its reports name no ids, only a moment."""
    transids = [await send(live, "fb", person) for _ in range(8)]

    for transid in transids:
        await ends_as(live, transid, "7502")


async def test_a_text_and_an_attachment_are_read_when_both_are(live: Running) -> None:
    attachment = {"type": "image", "payload": {"url": "https://example.com/a.png"}}
    transid = await send(live, "fb", PEOPLE["fb"], {"fb": {"text": "Hi", "attachment": attachment}})
    await ends_as(live, transid, "7502")

    assert len((await live.story(transid))["native_ids"]) == 2


async def test_an_action_is_done_when_the_page_took_it(live: Running) -> None:
    transid = await send(live, "fb", PEOPLE["fb"], {"fb": {"sender_action": "typing_on"}})

    assert (await ends_as(live, transid, "7500"))["description"] == "Delivered"


async def test_what_the_page_does_not_know_it_refuses(live: Running) -> None:
    transid = await send(live, "fb", PEOPLE["fb"], {"fb": {"text": "Hi", "messaging_type": "SHOUT"}})
    await ends_as(live, transid, "7202")
    story = await live.story(transid)

    assert "messaging_type" in story["detail"]
    assert story["attempts"][0]["native"][1]["body"]["error"]["code"] == 100


async def test_a_template_goes_out_without_channels(live: Running) -> None:
    total = {"type": "currency", "currency_code": "EUR", "amount_1000": 12500, "fallback_value": "12.50 EUR"}
    body = {
        "deliverychannel": "whatsapp",
        "message": {"template": TEMPLATE["id"], "parameters": {"name": "Ann", "total": total}},
        "destination": [{"waid": [PEOPLE["whatsapp"]]}],
    }
    [element] = (await live.send(body)).json()["response"]
    await ends_as(live, element["transid"], "7502")
    sent = stand_in(live, "whatsapp").seen[-1].message["template"]

    assert (sent["name"], sent["language"]) == ("paid", {"code": "en_GB"})
    assert [item["type"] for item in sent["components"][0]["parameters"]] == ["text", "currency"]


async def test_a_template_without_a_value_is_refused_in_the_answer(live: Running) -> None:
    body = {
        "deliverychannel": "whatsapp", "message": {"template": TEMPLATE["id"], "parameters": {"name": "Ann"}},
        "destination": [{"waid": [PEOPLE["whatsapp"]]}],
    }  # fmt: skip
    [element] = (await live.send(body)).json()["response"]

    assert element["code"] == "7121"


# Answers that do not come


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for no longer than a second."""
    monkeypatch.setattr(connector, "FAST_TIMEOUT", 1.0)


@BOTH
async def test_a_lost_answer_is_settled_by_what_the_far_end_repeats(
    live: Running, impatient: None, channel: str
) -> None:
    far = stand_in(live, channel)
    before = far.calls
    far.mood = "mute"
    try:
        transid = await send(live, channel, PEOPLE[channel])
        await ends_as(live, transid, "7502")
    finally:
        far.mood = "fine"

    async def given_up() -> bool:
        return bool((await live.story(transid))["attempts"])

    await eventually(given_up)
    assert [item["code"] for item in await told(live, transid, "7502")] == ["7501", "7500", "7502"]
    assert far.calls == before + 1


@BOTH
async def test_a_lost_answer_that_nothing_settles_is_not_sent_again(
    live: Running, impatient: None, channel: str
) -> None:
    far = stand_in(live, channel)
    far.mood = "hang"
    try:
        transid = await send(live, channel, PEOPLE[channel])
        record = await ends_as(live, transid, "7307")
    finally:
        far.mood = "fine"
    story = await live.story(transid)

    assert record["description"] == "End point not reachable (FB is not reachable)"
    assert len(story["attempts"]) == 1
    assert "is not sent again" in story["detail"]


# Calls to us


async def call(live: Running, channel: str, event: Any, secret: str = "") -> int:
    """Meta calls; the answer's status."""
    body = json.dumps(event).encode()
    headers = {SIGNATURE: signature(secret or made_up_secret(LANES[channel]), body)}
    return (
        await live.client.post(f"/callbacks/{channel}/{LANES[channel]}", content=body, headers=headers)
    ).status_code


@BOTH
async def test_the_callback_url_can_be_entered(live: Running, channel: str) -> None:
    right = made_up_secret(f"verify {LANES[channel]}")
    url = f"/callbacks/{channel}/{LANES[channel]}"
    query = {"hub.mode": "subscribe", "hub.verify_token": right, "hub.challenge": "1158201444"}
    good = await live.client.get(url, params=query)
    bad = await live.client.get(url, params={**query, "hub.verify_token": "x"})

    assert (good.status_code, good.text, good.headers["content-type"]) == (
        200, "1158201444", "text/plain; charset=utf-8",
    )  # fmt: skip
    assert bad.status_code == 403


@BOTH
async def test_a_call_that_is_not_signed_by_the_app_changes_nothing(live: Running, channel: str) -> None:
    assert await call(live, channel, webhook("1", "1", {"read": {"watermark": 1 << 50}}), "another secret") == 403


@pytest.mark.parametrize(
    ("channel", "said", "text", "more"),
    [
        ("fb", {"from": "77001", "text": "Is it me?"}, "Is it me?", {"psid": "77001", "event": "message"}),
        (
            "fb", {"from": "77002", "postback": {"title": "Start", "payload": "START", "mid": "m_p1"}},
            "Start", {"psid": "77002", "event": "postback", "payload": "START"},
        ),
        ("whatsapp", {"from": "447700900321", "text": "Hello"}, "Hello", {"waid": "447700900321", "event": "text"}),
        (
            "whatsapp",
            {"from": "447700900322", "message": {"type": "image", "image": {"id": "5", "caption": "See"}}},
            "See", {"waid": "447700900322", "attachments": [{"type": "image", "id": "5", "caption": "See"}]},
        ),
    ],
)  # fmt: skip
async def test_what_a_person_writes_reaches_the_service(
    live: Running, channel: str, said: dict[str, Any], text: str, more: dict[str, Any]
) -> None:
    port = live.platform.simulators.peers[STAND_INS[channel]].port
    node = node_of(live, channel)
    body = {"lane": LANES[channel], "page": node, "number": node, **said}
    assert (await live.client.post(f"http://127.0.0.1:{port}/sim/people", json=body)).status_code == 200
    found = await inbound_of(live, said["from"])

    assert (found["channel"], found["message"], found["oa"]) == (channel, text, said["from"])
    assert {name: found[name] for name in more} == more


def node_of(live: Running, channel: str) -> str:
    """The page or the number that the sandbox made up."""
    lane = next(lane for lane in live.platform.lanes.all() if lane.name == LANES[channel])
    options = lane.spec.options
    return str(options.get("page_id") or options["phone_number_id"])


async def inbound_of(live: Running, person: str) -> dict[str, Any]:
    """What the service was told of somebody who wrote, once."""

    async def came() -> Any:
        calls = (await live.client.get("/sim/bin/inbound")).json()["calls"]
        return [one for call in calls if (one := json.loads(call["body"]))["oa"] == person]

    [found] = await eventually(came)
    return cast(dict[str, Any], found)


async def test_a_webhook_that_comes_again_is_told_once(live: Running) -> None:
    event = webhook(node_of(live, "fb"), "77100", {"message": {"mid": "m_again", "text": "Twice"}})

    assert [await call(live, "fb", event) for _ in range(3)] == [200, 200, 200]
    assert (await inbound_of(live, "77100"))["message"] == "Twice"


async def test_a_webhook_that_could_not_be_kept_is_repeated_by_the_far_end(live: Running) -> None:
    far, keep = stand_in(live, "fb"), live.platform.store.keep_inbound
    refused: list[bool] = []

    async def weak(*args: Any) -> bool:
        if not refused:
            refused.append(True)
            raise StoreUnavailable("disk full")
        return await keep(*args)

    live.platform.store.keep_inbound = weak  # type: ignore[method-assign]
    event = webhook(node_of(live, "fb"), "77200", {"message": {"mid": "m_repeated", "text": "Again"}})
    try:
        assert await far.tell(LANES["fb"], event)
    finally:
        live.platform.store.keep_inbound = keep  # type: ignore[method-assign]

    assert refused
    assert (await inbound_of(live, "77200"))["message"] == "Again"


# Credentials


@BOTH
async def test_messages_wait_while_a_token_is_dead(live: Running, channel: str) -> None:
    far, lane = stand_in(live, channel), LANES[channel]
    far.revoked.add(lane)
    try:
        first = await send(live, channel, PEOPLE[channel])
        await ends_as(live, first, "7305")
        asked = far.calls + far.refused
        waiting = [await send(live, channel, PEOPLE[channel]) for _ in range(3)]
        status = (await live.admin("GET", "/connectors")).json()[lane]
        assert (status["state"], "invalidated" in status["credentials"]) == ("error", True)
        assert [(await live.status(transid))[0]["code"] for transid in waiting] == ["1001"] * 3
        assert far.calls + far.refused == asked
    finally:
        far.revoked.discard(lane)
    for transid in waiting:
        await ends_as(live, transid, "7502")
    assert (await live.admin("GET", "/connectors")).json()[lane]["state"] == "ready"


@BOTH
async def test_no_secret_reaches_a_story_a_status_or_the_metrics(live: Running, channel: str) -> None:
    transids = [await send(live, channel, to) for to in (PEOPLE[channel], "9990007305", "9990007010")]
    for transid, code in zip(transids, ("7502", "7305", "7010"), strict=True):
        await ends_as(live, transid, code)
    lane = LANES[channel]
    secrets = [made_up_secret(lane), made_up_secret(f"verify {lane}"), f"sim.{lane.encode().hex()}"]
    shown = [json.dumps(await live.story(transid)) for transid in transids]
    shown += [(await live.admin("GET", "/connectors")).text, (await live.client.get("/metrics")).text]

    assert not [secret for secret in secrets for text in shown if secret in text]
