"""Prepaid accounts over HTTP: set aside, spent, given back; never below nothing; booked by the admin API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from heliograph.testing import Running, eventually, running, workspace

PRICE = {"channel": "sms", "prefix": "", "price": "0.0400"}


def billed(balance: str = "1.00", **service: Any) -> Any:
    """A workspace whose tenant pays for its messages."""

    def make(url: str) -> dict[str, Any]:
        document = workspace(url, **service)
        document["tenants"][0]["billing"] = {"currency": "EUR", "balance": balance, "rate_plan": [PRICE]}
        return document

    return make


async def account(live: Running) -> Any:
    return (await live.admin("GET", "/tenants/demo/account")).json()


async def settled(live: Running) -> Any:
    """How the account stands once nothing is set aside any more."""

    async def still() -> Any:
        found = await account(live)
        return found if found["reserved"] == "0.00" else None

    return await eventually(still)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    """A platform whose tenant has one euro."""
    async with running(tmp_path, billed()) as platform:
        yield platform


async def test_an_account_is_opened_with_its_balance(live: Running) -> None:
    found = await account(live)
    [entry] = found.pop("entries")

    assert found == {"currency": "EUR", "opening": "1.00", "balance": "1.00", "reserved": "0.00", "spent": "0.00"}
    assert (entry["kind"], entry["amount"], entry["by"]) == ("opening", "1.00", "workspace")


async def test_what_the_far_end_takes_is_spent(live: Running) -> None:
    for element in await live.sms("447700900001", "447700900002"):
        await live.final(element["transid"])
    found = await settled(live)

    assert (found["balance"], found["spent"]) == ("0.92", "0.08")


@pytest.mark.parametrize(
    ("number", "code", "spent"),
    [("9990007202", "7202", "0.00"), ("9990007206", "7206", "0.04")],
    ids=["the platform could not hand it over", "the operator failed to deliver it"],
)
async def test_what_fails_before_it_is_taken_is_given_back(live: Running, number: str, code: str, spent: str) -> None:
    element = (await live.sms(number))[0]
    row = await live.final(element["transid"])
    found = await settled(live)

    assert (row["code"], found["spent"]) == (code, spent)


async def test_what_costs_too_much_is_7103_in_the_answer_the_record_and_the_receipt(tmp_path: Path) -> None:
    async with running(tmp_path, billed("0.05")) as live:
        first, second = await live.sms("447700900001", "447700900002")
        row = (await live.status(second["transid"]))[0]
        story = await live.story(second["transid"])
        told = await live.calls("dr", 1)

    assert (first["code"], second["code"], second["description"]) == ("1001", "7103", "Not enough credits")
    assert (row["code"], row["error_message"], row["status"]) == ("7103", "Not enough credits", "failed")
    assert row["additionalInfo"] == "0.04 EUR needed, 0.01 EUR left; tenants[demo].billing.balance"
    assert story["gates"][-1]["gate"] == "credit"
    assert any('"code":"7103"' in call["body"] for call in told)


async def test_what_is_decided_at_dispatch_never_overdraws(tmp_path: Path) -> None:
    async with running(tmp_path, billed("0.10", checks="at_dispatch")) as live:
        calls = await asyncio.gather(*(live.sms("447700900001") for _ in range(50)))
        rows = [await live.final(element["transid"]) for [element] in calls]
        found = await settled(live)

    assert sorted(row["code"] for row in rows) == ["7103"] * 48 + ["7500"] * 2
    assert (found["balance"], found["spent"]) == ("0.02", "0.08")


async def test_a_top_up_is_booked_with_its_note(live: Running) -> None:
    answer = await live.admin("POST", "/tenants/demo/account/entries", json={"amount": "2.50", "note": "May"})
    entries = (await account(live))["entries"]

    assert answer.json()["balance"] == "3.50"
    assert [(entry["kind"], entry["amount"], entry["note"], entry["by"]) for entry in entries] == [
        ("top-up", "2.50", "May", "admin"), ("opening", "1.00", "", "workspace"),
    ]  # fmt: skip


async def test_money_comes_back_with_a_top_up(tmp_path: Path) -> None:
    async with running(tmp_path, billed("0.00")) as live:
        before = (await live.sms("447700900001"))[0]
        await live.admin("POST", "/tenants/demo/account/entries", json={"amount": "0.04"})
        after = (await live.sms("447700900001"))[0]

    assert (before["code"], after["code"]) == ("7103", "1001")


@pytest.mark.parametrize(
    ("body", "status", "key"),
    [
        ({"amount": "-1.01"}, 409, "not_enough_credits"),
        ({"amount": 5}, 400, "invalid_value"),
        ({"amount": "0"}, 400, "invalid_value"),
        ({"amount": "1", "note": 7}, 400, "invalid_value"),
        ({}, 400, "invalid_value"),
    ],
)
async def test_a_booking_that_cannot_be_is_refused(live: Running, body: Any, status: int, key: str) -> None:
    answer = await live.admin("POST", "/tenants/demo/account/entries", json=body)

    assert (answer.status_code, answer.json()["error"]["key"]) == (status, key)
    assert (await account(live))["balance"] == "1.00"


async def test_a_tenant_without_billing_has_no_account(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        answers = [await live.admin("GET", f"/tenants/{name}/account") for name in ("demo", "nobody")]

    assert [(answer.status_code, answer.json()["error"]["key"]) for answer in answers] == [
        (404, "no_account"), (404, "not_found"),
    ]  # fmt: skip


async def test_another_opening_in_the_workspace_moves_the_balance(live: Running) -> None:
    document = billed("1.50")(live.url)
    for _ in range(2):
        await live.admin("PUT", "/workspace", json=document)
    found = await account(live)

    assert (found["opening"], found["balance"]) == ("1.50", "1.50")
    assert [entry["amount"] for entry in found["entries"]] == ["0.50", "1.00"]


async def test_the_price_is_explained_before_anything_is_sent(live: Running) -> None:
    body = {
        "deliverychannel": "sms", "channels": {"sms": {"text": "x" * 200}},
        "destination": [{"msisdn": ["447700900001"]}],
    }  # fmt: skip
    answer = (await live.admin("POST", "/tenants/demo/explain?service=orders", json=body)).json()

    assert answer["destinations"][0]["price"] == {"amount": "0.08", "currency": "EUR"}
    assert (await account(live))["balance"] == "1.00"


async def test_the_command_shows_the_price_and_when_it_may_go(tmp_path: Path, command: Any) -> None:
    def make(url: str) -> dict[str, Any]:
        document = billed()(url)
        day = f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()
        window = {"days": [day], "start": "09:00", "end": "18:00"}
        document["tenants"][0]["social_hours"] = {"zone": "tenant", "windows": [window], "outside": "hold"}
        return document

    file = tmp_path / "call.json"
    body = {
        "deliverychannel": "sms", "channels": {"sms": {"text": "hello"}},
        "destination": [{"msisdn": ["447700900001"]}],
    }  # fmt: skip
    file.write_text(json.dumps(body))
    async with running(tmp_path, make) as live:
        status, out, _ = await command(live, "explain", str(file), "--service", "orders")

    assert (status, "costs   0.04 EUR" in out, "09:00" in out) == (0, True, True)
