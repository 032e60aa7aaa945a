"""From an event to what follows from it: the message that is sent, and the call at the end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/resources/v1/events/externalevent"
HOOK = "HOOK00000001"


def declared(url: str) -> dict[str, Any]:
    """Rules that send a message on an event, on a hook, and one that cannot send."""
    document = workspace(url)
    demo = document["tenants"][0]
    parameters = [{"name": "firstName", "mandatory": True}, {"name": "city", "default": "London"}]
    demo["events"] = [{"id": "4451", "parameters": parameters}, {"id": "late"}, {"id": "broken"}]
    demo["hooks"] = [{"id": HOOK, "service": "orders", "when": [{"field": "order.status", "value": "shipped"}]}]
    demo["rules"] = [
        {
            "name": "shipped",
            "on": {"event": "4451"},
            "when": [{"field": "parameters.city", "op": "equals", "value": "London"}],
            "then": [send("${parameters.ContactNumber}", "${parameters.firstName}")],
        },
        {"name": "hooked", "on": {"hook": HOOK}, "then": [send("${order.phone}", "${order.name}")]},
        {"name": "broken", "on": {"event": "broken"}, "then": [send("${parameters.nobody}", "x")]},
    ]
    demo["services"][0]["notify"]["event_url"] = f"{url}/sim/bin/events"
    return document


def send(number: str, name: str) -> dict[str, Any]:
    """The action that greets somebody."""
    return {"send": {"channel": "sms", "template": "1001", "to": {"msisdn": number}, "parameters": {"name": name}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with these rules."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


async def event(live: Running, name: str, number: str = "", **more: Any) -> str:
    """The transid of an event."""
    parameters = {"firstName": "Ada", "ContactNumber": number, **more.pop("parameters", {})}
    body = {"events": [{"evtid": name, "correlationid": "theirs", "parameters": parameters}], **more}
    [taken] = (await live.client.post(PATH, headers={"key": KEY}, json=body)).json()["response"]
    assert taken["code"] == "1002"
    transid: str = taken["transid"]
    return transid


async def state(live: Running, transid: str, wanted: str) -> Any:
    """The event once it stands there."""

    async def stands() -> Any:
        found = (await live.admin("GET", f"/events/{transid}")).json()
        return found if found["state"] == wanted else None

    return await eventually(stands)


async def text_to(live: Running, number: str) -> str:
    """What was sent to a number, once it was."""

    async def sent() -> Any:
        found = (await live.admin("GET", f"/tenants/demo/messages?destination={number}")).json()["messages"]
        return found or None

    [message] = await eventually(sent)
    story = await live.story(message["transid"])
    found: str = story["request"]["content"]["parameters"]["name"]
    return found


async def test_an_event_sends_its_message_and_is_told_at_its_url(live: Running) -> None:
    transid = await event(live, "4451", "447700900301", notifyurl=f"{live.url}/sim/bin/done")
    name = await text_to(live, "447700900301")
    await state(live, transid, "done")
    [call] = await live.calls("done", 1)
    told = json.loads(call["body"])["eventInfoNotification"]

    assert name == "Ada"
    assert {key: told[key] for key in told if key != "timeStamp"} == {
        "evtid": "4451", "transid": transid, "correlationid": "theirs", "code": "1000", "description": "Success",
    }  # fmt: skip


async def test_the_call_at_the_end_is_signed(live: Running) -> None:
    await event(live, "4451", "447700900302", notifyurl=f"{live.url}/sim/bin/signed")
    [call] = await live.calls("signed", 1)

    assert call["headers"]["x-hub-signature"]


async def test_without_a_url_of_its_own_the_service_is_told(live: Running) -> None:
    transid = await event(live, "4451", "447700900303")
    calls = await live.calls("events", 1)

    assert transid in str(calls)


async def test_an_event_whose_conditions_do_not_hold_is_unresolved(live: Running) -> None:
    transid = await event(live, "4451", "447700900304", parameters={"city": "Paris"})

    assert (await state(live, transid, "unresolved"))["note"]


async def test_a_failure_is_told_as_one(live: Running) -> None:
    transid = await event(live, "broken", notifyurl=f"{live.url}/sim/bin/broken")
    [call] = await live.calls("broken", 1)

    assert transid in str(call)
    assert "7006" in str(call)


async def test_a_hook_sends_its_message(live: Running) -> None:
    body = "<order><status>shipped</status><phone>447700900305</phone><name>Grace</name></order>"
    answer = await live.client.post(f"/events/{HOOK}", content=body)

    assert answer.json()["response"]["code"] == "1002"
    assert await text_to(live, "447700900305") == "Grace"


async def test_an_unresolved_event_runs_after_its_rule_was_made(live: Running) -> None:
    transid = await event(live, "late", "447700900306")
    await state(live, transid, "unresolved")
    rule = {"name": "late", "on": {"event": "late"}, "then": [send("${parameters.ContactNumber}", "Late")]}
    assert (await live.admin("POST", "/tenants/demo/rules", json=rule)).status_code == 200
    assert (await live.admin("POST", f"/events/{transid}/rerun")).status_code == 200

    assert await text_to(live, "447700900306") == "Late"
    await state(live, transid, "done")
