"""What would become of a call: every fault, the text, the way; nothing kept, nothing sent."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import Running, running, workspace

COMMAND = "from heliograph.cli.main import main; main()"
pytestmark = pytest.mark.asyncio(loop_scope="module")


def declared(url: str) -> dict[str, Any]:
    """The test workspace with a suspended service and a tenant with limits."""
    made = workspace(url)
    tenant = made["tenants"][0]
    tenant["services"].append(
        {**tenant["services"][0], "id": "asleep", "keys": ["asleep-key"], "status": "suspended"}
    )
    limited = {**tenant, "id": "limited", "limits": {"messaging_per_day": 2}}
    limited["services"] = [{**tenant["services"][0], "id": "few", "keys": ["few-key-1"]}]
    made["tenants"].append(limited)
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    rates = [{"channel": "sms", "prefix": "44", "price": "0.0400"}]
    priced = {
        **tenant,
        "id": "priced",
        "billing": {"currency": "EUR", "balance": "1.00", "rate_plan": rates},
        "social_hours": {"zone": "tenant", "windows": [{"days": [day], "start": "09:00", "end": "18:00"}]},
        "services": [{**tenant["services"][0], "id": "dear", "keys": ["dear-key-1"]}],
    }
    made["tenants"].append(priced)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform of its own, so that nothing is sent but by mistake."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


def call(*numbers: str, sms: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """A call to these numbers."""
    return {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Hello"} if sms is None else sms},
        "destination": [{"msisdn": list(numbers) or ["447700900001"]}],
        **members,
    }


async def explain(live: Running, body: Any, service: str = "orders", tenant: str = "demo") -> Any:
    """The answer to a question."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = await live.admin("POST", f"/tenants/{tenant}/explain?service={service}", content=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


ONE: dict[str, tuple[Any, list[str]]] = {
    "good": (call(), []),
    "no address": (call("12"), ["7102"]),
    "a profile's id": ({**call(), "destination": [{"customerid": ["C1"]}]}, ["7105", "7102"]),
    "unknown sender": (call(sms={"text": "x", "senderid": "NOBODY"}), ["7101"]),
    "a type the sender has not": (call(sms={"text": "x", "senderid": "PLAIN", "type": "2"}), ["7112"]),
    "unknown template": (call(sms={}, message={"template": "9"}), ["7108"]),
    "a template that is inactive": (call(sms={}, message={"template": "1002"}), ["7108"]),
    "a placeholder without value": (call(sms={}, message={"template": "1001"}), ["7121"]),
    "too long": (call(sms={"text": "x" * 4001}), ["7107"]),
    "many at once": (call("12", sms={"text": "x" * 4001, "senderid": "NOBODY"}), ["7101", "7102", "7107"]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "codes"), ONE.values(), ids=ONE)
async def test_every_fault_of_a_destination_is_told(live: Running, body: Any, codes: list[str]) -> None:
    answer = await explain(live, body)
    [item] = answer["destinations"]

    assert [fault["code"] for fault in item["faults"]] == codes
    assert all(fault[name] for fault in item["faults"] for name in ("gate", "decided_by", "cause", "fix", "key"))
    assert answer["accepted"] == (not codes)
    assert answer["faults"] == []


CALLS: dict[str, tuple[Any, str, str]] = {
    "no json": (b"{", "7000", "Invalid JSON"),
    "no channel": ({}, "7003", "param 'deliverychannel' missing"),
    "expired": (call(expiry="2015-04-12T13:00:19"), "7005", "Request expired"),
    "too many": (call(*["447700900001"] * 1001), "7009", "Maximum number of destination address"),
    "a value": (call(expiry="tomorrow"), "7004", "invalid value for param 'expiry'"),
}


@pytest.mark.parametrize(("body", "code", "text"), CALLS.values(), ids=CALLS)
async def test_a_refusal_of_the_contract_is_told_in_the_same_answer(
    live: Running, body: Any, code: str, text: str
) -> None:
    answer = await explain(live, body)

    assert [(fault["code"], fault["description"]) for fault in answer["faults"]] == [(code, text)]
    assert (answer["accepted"], answer["destinations"]) == (False, [])


async def test_what_would_be_sent_is_shown(live: Running) -> None:
    body = call("+44 7700 900-001", sms={"text": "Ω" * 80}, correlationid="c")
    before = live.platform.clock_ms()
    answer = await explain(live, body)
    [item] = answer["destinations"]
    templated = call(sms={}, message={"template": "1001", "parameters": {"name": "you"}})

    assert item == {
        "ordinal": 0, "channel": "sms", "destination": "+44 7700 900-001", "destinationType": "msisdn",
        "normalised": "447700900001", "correlationid": "c", "faults": [], "sender": "HELIO", "connector": "smsc",
        "text": "Ω" * 80, "parts": 1, "encoding": item["encoding"], "price": None, "earliest": answer["at"],
    }  # fmt: skip
    assert item["encoding"]
    assert before <= answer["at"] <= live.platform.clock_ms()
    assert (await explain(live, templated))["destinations"][0]["text"] == "Hello you"


async def test_price_and_moment_are_told(live: Running, tmp_path: Path, command: Any) -> None:
    answer = await explain(live, call(), "dear", "priced")
    [item] = answer["destinations"]
    days = (item["earliest"] - answer["at"]) / 86_400_000

    assert item["price"] == {"amount": "0.04", "currency": "EUR"}
    assert [fault["code"] for fault in item["faults"]] == ["7113"]
    assert 2 < days < 4
    file = tmp_path / "call.json"
    file.write_text(json.dumps(call()))
    _, out, _ = await command(live, "explain", str(file), "--service", "dear")
    assert "costs   0.04 EUR" in out
    assert re.search(r"when    \d{4}-\d\d-\d\d 09:00 UTC", out)


@pytest.mark.parametrize(
    ("body", "service"),
    [(call("12"), "orders"), ([{}], "orders"), (call(), "asleep")],
    ids=["policy", "contract", "7007"],
)
async def test_what_waiting_does_not_help_has_no_moment(live: Running, body: Any, service: str) -> None:
    [item] = (await explain(live, body, service))["destinations"]

    assert (item["price"], item["earliest"]) == (None, None)


async def test_elements_are_numbered_as_their_transids_will_be(live: Running) -> None:
    body = [call("447700900001", "12"), {"deliverychannel": "sms", "correlationid": "mine"}, call()]
    answer = await explain(live, body)
    shown = [
        (item["ordinal"], item["correlationid"], [fault["code"] for fault in item["faults"]])
        for item in answer["destinations"]
    ]
    sent = (await live.send(body)).json()["response"]

    assert shown == [(0, "", []), (1, "", ["7102"]), (2, "mine", ["7003"]), (3, "", [])]
    assert [element["code"] for element in sent] == ["1001", "7102", "7003", "1001"]
    assert answer["accepted"]


async def test_a_suspended_service_is_told_beside_the_rest(live: Running) -> None:
    answer = await explain(live, call("12"), "asleep")

    assert [fault["code"] for fault in answer["faults"]] == ["7007"]
    assert [fault["code"] for fault in answer["destinations"][0]["faults"]] == ["7102"]


async def test_a_limit_is_told_and_not_used(live: Running) -> None:
    for _ in range(3):
        within = await explain(live, call("447700900001", "447700900002"), "few", "limited")
        over = await explain(live, call(*["447700900001"] * 3), "few", "limited")

        assert (within["accepted"], within["faults"]) == (True, [])
        assert [fault["code"] for fault in over["faults"]] == ["7020"]


async def test_nothing_is_kept(live: Running) -> None:
    before = (await live.admin("GET", "/stats")).json()["accepted"]
    await explain(live, call())

    assert (await live.admin("GET", "/stats")).json()["accepted"] == before


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/tenants/nobody/explain?service=orders", 404, "tenant"),
        ("/tenants/demo/explain", 400, "service"),
        ("/tenants/demo/explain?service=nobody", 404, "service"),
    ],
)
async def test_who_would_send_must_be_known(live: Running, path: str, status: int, field: str) -> None:
    answer = await live.admin("POST", path, json=call())

    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)


async def test_the_command_explains_a_file(live: Running, tmp_path: Path, command: Any) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(call("447700900001", "447700900002")))
    bad.write_text(json.dumps(call("12")))
    status, out, _ = await command(live, "explain", str(good), "--service", "orders")

    assert (status, "would be accepted" in out, "447700900001, 447700900002" in out) == (0, True, True)
    assert "when    now" in out
    status, out, _ = await command(live, "explain", str(bad), "--service", "orders", "--tenant", "demo")
    assert (status, "7102" in out, "mend" in out) == (1, True, True)
    status, out, _ = await command(live, "explain", str(bad), "--service", "orders", "--json")
    assert (status, json.loads(out)["destinations"][0]["faults"][0]["code"]) == (1, "7102")


async def test_the_command_names_what_is_missing(live: Running, tmp_path: Path, command: Any) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(call()))

    assert "--service" in (await command(live, "explain", str(file)))[2]
    assert "no tenant has a service nobody" in (await command(live, "explain", str(file), "--service", "nobody"))[2]
