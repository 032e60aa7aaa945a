"""Policies by real objects: the code stands in the answer, in the status record and in the receipt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from heliograph.policy import gates
from heliograph.testing import Running, eventually, running, workspace

HELLO: dict[str, Any] = {"sms": {"text": "Hello"}}


def tenant_with(**changes: Any) -> Any:
    """A workspace whose tenant differs."""

    def make(url: str) -> dict[str, Any]:
        document = workspace(url)
        document["tenants"][0].update(changes)
        return document

    return make


def service_with(**changes: Any) -> Any:
    """A workspace whose service `orders` differs."""
    return lambda url: workspace(url, **changes)


CLOSED = {"windows": [{"days": [f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()], "start": "09:00",
                       "end": "18:00"}], "zone": "tenant"}  # fmt: skip
RATES = {"balance": "10.00", "rate_plan": [{"channel": "sms", "prefix": "1", "price": "0.01"}]}
NO_HOST = [{"name": "smsc", "channel": "sms", "kind": "smpp", "system_id": "x"}]

# name, workspace, body members, code, text in the answer, text in the status record
ROWS: list[tuple[str, Any, dict[str, Any], str, str, str]] = [
    ("sender unknown", workspace, {"channels": {"sms": {"text": "x", "senderid": "NOBODY"}}},
     "7101", "Invalid Sender ID", "Invalid Sender ID"),
    ("no sender at all", service_with(channels={"sms": {"connector": "smsc"}}), {},
     "7101", "Invalid Sender ID", "Invalid Sender ID"),
    ("address too short", workspace, {"destination": [{"msisdn": ["12"]}]},
     "7102", "Invalid address", "Invalid address"),
    ("customer unknown", workspace, {"destination": [{"customerid": ["C-1"]}]},
     "7105", "Customer profile not found", "Customer profile not found"),
    ("no binding", service_with(channels={}), {},
     "7106", "Channel not configured", "Channel not configured"),
    ("text too long", workspace, {"channels": {"sms": {"text": "x" * 4001}}},
     "7107", "Message length exceeded", "Message length exceeded"),
    ("template unknown", workspace, {"channels": None, "message": {"template": "77"}},
     "7108", "Invalid template", "Invalid template"),
    ("template inactive", workspace, {"channels": None, "message": {"template": "1002"}},
     "7108", "Invalid template", "Invalid template"),
    ("type not allowed", workspace, {"channels": {"sms": {"text": "x", "type": 2, "senderid": "PLAIN"}}},
     "7112", "Invalid message type", "Invalid message type"),
    ("connector incomplete", tenant_with(connectors=NO_HOST), {},
     "7114", "Configuration Error. Please contact admin.", "Configuration Error. Please contact admin"),
    ("on the do-not-disturb list", tenant_with(dnd=[{"address": "+44 7700 900001", "channel": "sms"}]), {},
     "7109", "User in DnD", "User in DnD"),
    ("a spam word", tenant_with(spam_words=["say hello"]), {"channels": {"sms": {"text": "I say HELLO"}}},
     "7111", "Spam content detected", "Span content detected"),
    ("a spam expression", tenant_with(spam_words=[{"regex": "h.{3}o"}]), {},
     "7111", "Spam content detected", "Span content detected"),
    ("social hours", tenant_with(social_hours=CLOSED), {},
     "7113", "Social hours", "Social hours"),
    ("no price", tenant_with(billing=RATES), {},
     "7115", "Rate plan not defined", "Rate plan not defined"),
    ("verified profiles only", tenant_with(verified_only=True), {},
     "7116", "Destination profile is not verified", "Destination profile is not verified"),
    ("a sender of another service", tenant_with(senders=[{"id": "HELIO", "channel": "sms", "services": ["other"]}]),
     {}, "7101", "Invalid Sender ID", "Invalid Sender ID"),
    ("placeholder without value", workspace, {"channels": None, "message": {"template": "1001"}},
     "7121", "Replaceable params could not be fetched.", "Replaceable parameters could not be fetched."),
]  # fmt: skip


def body(changes: dict[str, Any]) -> dict[str, Any]:
    """A plain call with members replaced."""
    made = {"deliverychannel": "sms", "channels": HELLO, "destination": [{"msisdn": ["447700900001"]}], **changes}
    return {name: value for name, value in made.items() if value is not None}


def no_sandbox(make: Any) -> Any:
    """The same workspace with the service out of the sandbox, where connectors must be whole."""

    def changed(url: str) -> dict[str, Any]:
        document = make(url)
        document["tenants"][0]["services"][0]["sandbox"] = False
        return document

    return changed


@pytest.mark.parametrize(
    ("make", "changes", "code", "answer", "record"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
async def test_a_policy_refuses_and_says_so_everywhere(
    tmp_path: Path, make: Any, changes: dict[str, Any], code: str, answer: str, record: str
) -> None:
    async with running(tmp_path, no_sandbox(make) if code == "7114" else make) as live:
        element = (await live.send(body(changes))).json()["response"][0]
        row = (await live.status(element["transid"]))[0]
        told = (await live.calls("dr", 1))[0]
        story = await live.story(element["transid"])
        asked = await live.admin("POST", "/tenants/demo/explain?service=orders", json=body(changes))
        fault = asked.json()["destinations"][0]["faults"][0]

    assert (element["code"], element["description"]) == (code, answer)
    last = story["gates"][-1]
    assert (row["code"], row["error_code"], row["error_message"], row["status"]) == (code, code, record, "failed")
    assert last["decided_by"] in row["additionalInfo"]
    assert (
        json.loads(told["body"])["deliveryInfoNotification"]["deliveryInfo"]["additionalInfo"]
        == row["additionalInfo"]
    )
    assert (fault["code"], fault["decided_by"]) == (code, last["decided_by"])
    assert f'"code":"{code}"' in told["body"]
    assert '"deliveryStatus":"Failed"' in told["body"]
    assert [gate["ok"] for gate in story["gates"]][-1] is False
    assert story["gates"][-1]["decided_by"]


@pytest.fixture
async def later(tmp_path: Path) -> AsyncIterator[Running]:
    """A platform whose service decides at dispatch."""
    async with running(tmp_path, service_with(checks="at_dispatch")) as live:
        yield live


async def test_with_checks_at_dispatch_the_answer_is_1001_and_the_code_comes_later(later: Running) -> None:
    element = (await later.sms("12"))[0]
    row = await later.final(element["transid"])

    assert element["code"] == "1001"
    assert (row["code"], row["description"]) == ("7102", "Invalid address")


async def test_one_bad_destination_does_not_stop_the_others(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        response = await live.sms("447700900001", "12", "447700900003")
        rows = [await live.final(element["transid"]) for element in response]

    assert [element["code"] for element in response] == ["1001", "7102", "1001"]
    assert [row["status"] for row in rows] == ["delivered", "failed", "delivered"]


async def test_a_message_expires_while_it_waits(tmp_path: Path) -> None:
    gone = [{"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 9, "system_id": "x",
             "password": "y"}]  # fmt: skip
    async with running(tmp_path, no_sandbox(tenant_with(connectors=gone))) as live:
        text = (datetime.now(UTC) + timedelta(seconds=0.7)).isoformat()
        element = (await live.send(body({"expiry": text}))).json()["response"][0]
        row = await live.final(element["transid"])

    assert (row["code"], row["description"], row["status"]) == ("7019", "Request expired", "expired")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (service_with(status="suspended"), "7007"),
        (tenant_with(status="suspended"), "7007"),
        (tenant_with(ip_allowlist=["10.0.0.0/8"]), "7010"),
        (service_with(ip_allowlist=["10.0.0.0/8"]), "7208"),
    ],
    ids=["service suspended", "tenant suspended", "tenant's list", "service's list"],
)
async def test_a_service_that_may_not_send_is_refused_at_the_door(tmp_path: Path, make: Any, code: str) -> None:
    async with running(tmp_path, make) as live:
        response = await live.sms("447700900001")

    assert response["code"] == code


async def test_a_suspended_tenant_is_7008_for_what_it_had_queued(tmp_path: Path) -> None:
    gone = [{"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 9, "system_id": "x",
             "password": "y"}]  # fmt: skip
    make = no_sandbox(tenant_with(connectors=gone))
    async with running(tmp_path, make) as live:
        element = (await live.sms("447700900001"))[0]
        document = make(live.url)
        document["tenants"][0]["status"] = "suspended"
        document["tenants"][0]["services"][0]["channels"] = {}
        await live.admin("PUT", "/workspace", json=document)

        async def refused() -> Any:
            story = await live.story(element["transid"])
            return story if story["code"] == "7008" else None

        story = await eventually(refused)

    assert (story["description"], story["gates"][-1]["decided_by"]) == ("Inactive Profile", "tenants[demo].status")


@pytest.mark.parametrize("checks", ["at_accept", "at_dispatch"])
async def test_a_fault_of_ours_is_7006_for_its_message_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checks: str
) -> None:
    real = gates.content.fill

    def fails(text: str, parameters: Any) -> str:
        if parameters.get("name") == "Bug":
            raise ZeroDivisionError
        return real(text, parameters)

    monkeypatch.setattr(gates.content, "fill", fails)
    async with running(tmp_path, service_with(checks=checks)) as live:
        elements = [
            body({"channels": None, "message": {"template": "1001", "parameters": {"name": name}}})
            for name in ("Ann", "Bug")
        ]
        good, bad = (await live.send(elements)).json()["response"]
        rows = [await live.final(element["transid"]) for element in (good, bad)]
        told = await live.calls("dr", 3)

    assert [row["code"] for row in rows] == ["7500", "7006"]
    assert (rows[1]["error_message"], rows[1]["status"]) == ("Internal server error", "failed")
    assert any('"code":"7006","Description":"Internal server error"' in call["body"] for call in told)
    if checks == "at_accept":
        assert (good["code"], bad["code"], bad["description"]) == ("1001", "7006", "Internal server error")
