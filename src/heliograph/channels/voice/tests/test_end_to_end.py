"""Calls through the whole platform: asked for over HTTP, read in the status, the receipt and the story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from heliograph.testing import KEY, SECRET, Running, eventually, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOWS = [
    {"id": "184", "steps": [{"say": "Hello ${name}"}, {"play": "7"}, {"hangup": True}]},
    {"id": "185", "steps": [{"gather": {"say": "Press", "into": "choice"}}, {"pause": 0.2}]},
]
TRUNK = {"name": "trunk", "channel": "voice", "kind": "sip", "username": "helio", "password": "secret", "window": 30}
NO_VOICE_TRUNK = {"name": "real", "channel": "voice", "kind": "sip", "host": "127.0.0.1", "port": 1}


def workspace(url: str) -> dict[str, Any]:
    return {
        "tenants": [
            {
                "id": "demo",
                "allow_private_targets": True,
                "senders": [{"id": "442079460000", "channel": "voice"}],
                "connectors": [TRUNK, NO_VOICE_TRUNK],
                "prompts": [{"id": "7", "file": "welcome.wav"}],
                "callflows": FLOWS,
                "templates": [{"id": "hi", "channel": "voice", "text": "Hi ${name}"}],
                "services": [
                    {
                        "id": "calls", "sandbox": True, "keys": [KEY],
                        "notify": {"url": f"{url}/sim/bin/dr", "secret": SECRET},
                        "channels": {"voice": {"connector": "trunk", "sender": "442079460000"}},
                    },
                    {
                        "id": "live", "keys": ["33333333-3333-4333-8333-333333333333"],
                        "channels": {"voice": {"connector": "real", "sender": "442079460000"}},
                    },
                ],
            }
        ]
    }  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, workspace) as platform:
        yield platform


async def place(live: Running, number: str, key: str = KEY, message: Any = None, **voice: Any) -> dict[str, Any]:
    """One call: its element of the answer."""
    body: dict[str, Any] = {"deliverychannel": "voice", "destination": [{"msisdn": [number]}]}
    body["channels"] = {"voice": voice or {"callflowid": "184"}}
    if message is not None:
        body["message"] = message
    element: dict[str, Any] = (await live.send(body, key)).json()["response"][0]
    return element


async def told(live: Running, transid: str, count: int) -> list[dict[str, Any]]:
    """The receipts of a transaction."""

    async def came() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = [msgspec.json.decode(call["body"])["deliveryInfoNotification"] for call in calls]
        mine = [one["deliveryInfo"] for one in found if one["transid"] == transid]
        return mine if len(mine) >= count else None

    found: list[dict[str, Any]] = await eventually(came)
    return found


OUTCOMES = [
    ("9990007401", "7401", "no answer", "No answer", ["7501", "7401"]),
    ("9990007402", "7402", "busy", "Customer busy", ["7402"]),
    ("9990007403", "7403", "rejected", "Call rejected", ["7403"]),
    ("9990007404", "7404", "others", "Others", ["7404"]),
    ("9990007500", "7500", "answered", "Delivered", ["7501", "7500"]),
    ("9990017401", "7401", "no answer", "No answer", ["7501", "7401"]),
    ("9990017402", "7402", "busy", "Customer busy", ["7501", "7402"]),
    ("9990017403", "7403", "rejected", "Call rejected", ["7501", "7403"]),
    ("9990017404", "7404", "others", "Others", ["7501", "7404"]),
    ("447700900001", "7500", "answered", "Delivered", ["7501", "7500"]),
]


@pytest.mark.parametrize(("number", "code", "word", "text", "codes"), OUTCOMES)
async def test_every_outcome_is_in_the_status_and_in_the_receipts(
    number: str, code: str, word: str, text: str, codes: list[str], live: Running
) -> None:
    element = await place(live, number)
    assert element["code"] == "1001"
    record = await live.final(element["transid"])
    receipts = await told(live, element["transid"], len(codes))

    assert (record["code"], record["status"], record["description"], record["channel"]) == (code, word, text, "voice")
    assert [receipt["code"] for receipt in receipts] == codes
    last = receipts[-1]
    assert (last["deliveryChannel"], last["destination"]) == ("voice", number)
    assert last["deliveryStatus"] == ("Answered" if code == "7500" else "Rejected")
    assert last["additionalInfo"]


async def test_7501_is_read_while_the_call_is_queued(live: Running) -> None:
    element = await place(live, "9990007501")

    async def submitted() -> Any:
        [record] = await live.status(element["transid"])
        return record if record["code"] == "7501" else None

    assert (await eventually(submitted))["status"] == "sent"


async def test_the_end_of_a_call_adds_to_its_status_and_to_its_story(live: Running) -> None:
    element = await place(live, "999025", callflowid="185")

    async def over() -> Any:
        [record] = await live.status(element["transid"])
        return record if "ended=" in record["additionalInfo"] else None

    record = await eventually(over)
    story = await live.story(element["transid"])
    steps = [step["what"] for step in story["steps"]]

    assert record["code"] == "7500"
    assert record["additionalInfo"].startswith("200 OK; ringing=")
    for part in ("answered=", "ended_by=flow", "digits=5", 'played="Press"'):
        assert part in record["additionalInfo"]
    assert story["detail"] == record["additionalInfo"]
    assert [what for what in steps if not what.startswith(("calling over", "saying"))] == [
        "100 Trying", "180 Ringing", "answered, audio as PCMA", "a digit was pressed", "gathered 5 into choice",
        "ended by flow",
    ]  # fmt: skip
    assert len(await told(live, element["transid"], 2)) == 2
    assert story["attempts"][0]["native"][0]["headers"]["Authorization"] == "***"


async def test_a_refusal_tells_its_steps_too(live: Running) -> None:
    element = await place(live, "9990007402")
    await live.final(element["transid"])
    story = await live.story(element["transid"])

    assert story["steps"][-1]["what"] == "ended by far end: 486 Busy Here"
    assert story["attempts"][0]["native_code"] == "486"


CONTENTS = [
    ({"promptid": "7"}, None),
    ({"media": "welcome.wav"}, None),
    ({"text": "Hello"}, None),
    ({"callflowid": "184"}, {"parameters": {"name": "Ann"}}),
]


@pytest.mark.parametrize(("voice", "message"), CONTENTS)
async def test_a_call_may_play_a_prompt_a_text_or_a_flow(voice: Any, message: Any, live: Running) -> None:
    element = await place(live, "447700900001", message=message, **voice)

    assert (await live.final(element["transid"]))["code"] == "7500"


async def test_a_template_is_spoken(live: Running) -> None:
    body = {
        "deliverychannel": "voice",
        "message": {"template": "hi", "parameters": {"name": "Ann"}},
        "destination": [{"msisdn": ["447700900001"]}],
    }
    element = (await live.send(body)).json()["response"][0]
    await live.final(element["transid"])

    async def said() -> Any:
        steps = (await live.story(element["transid"]))["steps"]
        return [step["what"] for step in steps if "saying" in step["what"]]

    assert (await eventually(said))[0].startswith('saying "Hi Ann"')


REFUSED = [
    ({"callflowid": "999"}, None, "7114"),
    ({"promptid": "999"}, None, "7114"),
    ({"callflowid": "184"}, {"parameters": {"nick": "Ann"}}, "7121"),
    ({"callflowid": "184", "cli": "4499"}, None, "7101"),
    ({"text": "x" * 2_001}, None, "7107"),
]


@pytest.mark.parametrize(("voice", "message", "code"), REFUSED)
async def test_what_the_workspace_does_not_have_is_refused_in_the_answer(
    voice: Any, message: Any, code: str, live: Running
) -> None:
    element = await place(live, "447700900001", message=message, **voice)

    assert element["code"] == code
    assert (await live.final(element["transid"]))["code"] == code


async def test_what_would_become_of_a_call_is_explained(live: Running) -> None:
    body = {
        "deliverychannel": "voice", "channels": {"voice": {"callflowid": "999"}},
        "destination": [{"msisdn": ["447700900001"]}],
    }  # fmt: skip
    answer = (await live.admin("POST", "/tenants/demo/explain?service=calls", json=body)).json()

    assert "tenants[demo].callflows[999]" in str(answer)


async def test_a_fault_of_a_flow_refuses_the_workspace(live: Running) -> None:
    document = (await live.admin("GET", "/workspace")).json()
    document = document.get("workspace", document)
    document["tenants"][0]["callflows"] = [{"id": "184", "steps": [{"goto": "nowhere"}]}]
    answer = await live.admin("PUT", "/workspace", json=document)

    assert answer.status_code == 400
    assert "tenants[demo].callflows[184].steps[0].goto" in answer.text


async def test_the_connector_is_shown_without_its_password(live: Running) -> None:
    shown = str((await live.admin("GET", "/connectors")).json())

    assert "demo/trunk~sandbox" in shown
    assert "secret" not in shown
