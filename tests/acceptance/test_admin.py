"""The admin API: the workspace in force at once, messages, callbacks, the catalogue, the live log."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.testing import KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_without_the_token_nothing_is_shown(live: Running) -> None:
    answer = await live.client.get("/admin/v1/workspace")

    assert answer.status_code == 401
    assert sorted(answer.json()["error"]) == ["field", "key", "message"]


async def test_the_catalogue_has_every_published_row(live: Running) -> None:
    rows = (await live.admin("GET", "/codes")).json()

    assert len(rows) == 328
    assert set(rows[0]) >= {
        "api", "code", "message", "key", "phase", "finality", "fixed_by", "retry_safe", "cause", "fix",
    }  # fmt: skip


async def test_secrets_and_keys_are_not_in_an_export(live: Running) -> None:
    text = (await live.admin("GET", "/workspace")).text

    assert KEY not in text
    assert "test-signing-secret" not in text


async def test_an_export_applied_again_changes_nothing(live: Running) -> None:
    document = (await live.admin("GET", "/workspace")).json()
    answer = (await live.admin("PUT", "/workspace", json=document)).json()

    assert (answer["changes"], answer["applied"]) == ([], True)


async def test_a_plan_changes_nothing(live: Running) -> None:
    document = workspace(live.url)
    document["tenants"][0]["services"][0]["status"] = "suspended"
    answer = (await live.admin("PUT", "/workspace?plan=true", json=document)).json()

    assert answer["changes"] == ["~ tenants[demo].services[orders].status live -> suspended"]
    assert (await live.sms("447700900001"))[0]["code"] == "1001"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"timezone": "Mars/Base"}, "tenants[demo].timezone"),
        ({"colour": "red"}, "tenants[demo].colour"),
        ({"services": [{"id": "a", "channels": {"pigeon": {}}}]}, "tenants[demo].services[a].channels[pigeon]"),
        ({"services": [{"id": "a"}, {"id": "a"}]}, "tenants[demo].services[a]"),
    ],
)
async def test_a_bad_document_is_refused_whole_with_its_path(live: Running, change: Any, field: str) -> None:
    document = workspace(live.url)
    document["tenants"][0].update(change)
    answer = await live.admin("PUT", "/workspace", json=document)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


async def test_a_workspace_is_in_force_without_a_restart_and_survives_one(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        document = workspace(live.url, status="suspended")
        await live.admin("PUT", "/workspace", json=document)
        assert (await live.sms("447700900001"))["code"] == "7007"

    async with running(tmp_path) as live:
        assert (await live.sms("447700900001"))["code"] == "7007"


async def test_a_service_without_keys_gets_one_that_works(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        document = workspace(live.url)
        del document["tenants"][0]["services"][0]["keys"]
        document["tenants"][0]["services"][0]["id"] = "fresh"
        answer = (await live.admin("PUT", "/workspace", json=document)).json()
        key = answer["made_keys"]["demo/fresh"]
        body = {
            "deliverychannel": "sms",
            "channels": {"sms": {"text": "x"}},
            "destination": [{"msisdn": ["447700900001"]}],
        }

        assert (await live.send(body, key)).json()["response"][0]["code"] == "1001"


async def test_messages_are_listed_newest_first_page_by_page(live: Running) -> None:
    response = await live.sms("447700900801", "447700900802", "447700900803")
    first = (await live.admin("GET", "/tenants/demo/messages?limit=2")).json()
    second = (await live.admin("GET", f"/tenants/demo/messages?limit=1&cursor={first['cursor']}")).json()

    listed = [item["transid"] for item in first["messages"] + second["messages"]]
    assert listed == [element["transid"] for element in reversed(response)]


async def test_messages_are_found_by_code(live: Running) -> None:
    element = (await live.sms("12"))[0]
    found = (await live.admin("GET", "/tenants/demo/messages?code=7102&limit=1")).json()["messages"]

    assert [item["transid"] for item in found] == [element["transid"]]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/messages/nonsense", 400, "transid"),
        ("/messages/0192aaaa-0000-7000-8000-000000000000", 404, "transid"),
        ("/tenants/demo/messages?code=1", 400, "code"),
        ("/tenants/demo/messages?state=happy", 400, "state"),
        ("/tenants/demo/messages?limit=x", 400, "limit"),
        ("/tenants/demo/messages?cursor=x", 400, "cursor"),
        ("/callbacks?state=lost", 400, "state"),
        ("/connectors/nobody", 404, "name"),
    ],
)
async def test_a_wrong_question_names_what_is_wrong(live: Running, path: str, status: int, field: str) -> None:
    answer = await live.admin("GET", path)

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


async def test_a_connector_shows_its_state_and_no_secret(live: Running) -> None:
    answer = (await live.admin("GET", "/connectors/smsc")).json()

    assert list(answer) == ["demo/smsc~sandbox"]
    assert answer["demo/smsc~sandbox"]["state"]
    assert "password" not in json.dumps(answer)


async def test_a_parked_callback_can_be_replayed(live: Running) -> None:
    await live.client.put("/sim/bin/broken", json={"status": 400, "times": 2})
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "x"}},
        "notifyurl": f"{live.url}/sim/bin/broken",
        "destination": [{"msisdn": ["447700900001"]}],
    }
    element = (await live.send(body)).json()["response"][0]

    async def parked() -> Any:
        callbacks = (await live.story(element["transid"]))["callbacks"]
        return callbacks if [item["state"] for item in callbacks] == ["parked", "parked"] else None

    callbacks = await eventually(parked)
    answer = (await live.admin("POST", f"/callbacks/{callbacks[0]['id']}/replay")).json()

    async def done() -> Any:
        return (await live.story(element["transid"]))["callbacks"][0]["state"] == "done"

    assert answer == {"replayed": 1}
    assert await eventually(done)


async def test_the_live_log_shows_what_happens(live: Running) -> None:
    headers = {"authorization": "Bearer test-admin-token"}
    async with live.client.stream("GET", "/admin/v1/tail", headers=headers) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        element = (await live.sms("447700900001"))[0]
        async with asyncio.timeout(10):
            async for line in lines:
                if line and json.loads(line)["transid"] == element["transid"]:
                    break

    assert json.loads(line)["code"] == "7501"


async def test_what_was_accepted_adds_up(live: Running) -> None:
    stats = (await live.admin("GET", "/stats")).json()

    assert stats["accepted"] == sum(stats["by_state"].values())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_operators_can_watch(live: Running, path: str) -> None:
    assert (await live.client.get(path)).status_code == 200
