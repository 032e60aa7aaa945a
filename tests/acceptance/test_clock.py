"""The clock of a tenant in the sandbox: hours, caps and expiries without waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from heliograph.testing import Running, eventually, running, workspace

HOURS = {"zone": "tenant", "windows": [{"days": ["mon"], "start": "09:00", "end": "18:00"}]}
MONDAY, SUNDAY = "2035-01-01T10:00:00Z", "2034-12-31T10:00:00Z"


def made(url: str, **tenant: Any) -> dict[str, Any]:
    """A workspace of two tenants, of which the first has hours and a cap."""
    document = workspace(url)
    other = {"id": "other", "services": [{"id": "live", "channels": {}}]}
    document["tenants"] = [{**document["tenants"][0], **tenant}, other]
    return document


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    """A tenant that is open on Mondays, with a cap of one message a day."""
    caps = [{"most": 1, "per": "day"}]
    async with running(tmp_path, lambda url: made(url, social_hours=HOURS, frequency_caps=caps)) as platform:
        yield platform


async def set_clock(live: Running, now: str) -> Any:
    return (await live.admin("PUT", "/tenants/demo/clock", json={"now": now})).json()


async def test_hours_follow_the_clock_of_the_tenant(live: Running) -> None:
    shown = await set_clock(live, MONDAY)
    on_monday = (await live.sms("447700900001"))[0]["code"]
    await set_clock(live, SUNDAY)
    on_sunday = (await live.sms("447700900002"))[0]["code"]

    assert shown["now"] == "2035-01-01T10:00:00+00:00"
    assert (on_monday, on_sunday) == ("1001", "7113")


async def test_a_cap_counts_the_days_of_the_tenant(live: Running) -> None:
    await set_clock(live, MONDAY)
    await live.final((await live.sms("447700900001"))[0]["transid"])
    same_day = (await live.sms("447700900001"))[0]["code"]
    await set_clock(live, "2035-01-08T10:00:00Z")
    week_later = (await live.sms("447700900001"))[0]["code"]

    assert (same_day, week_later) == ("7109", "1001")


async def test_what_is_held_goes_when_the_clock_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, lambda url: made(url, social_hours={**HOURS, "outside": "hold"})) as live:
        await set_clock(live, SUNDAY)
        element = (await live.sms("447700900001"))[0]

        async def held() -> Any:
            gates = (await live.story(element["transid"]))["gates"]
            return gates if gates else None

        [hours] = [gate for gate in await eventually(held) if gate["gate"] == "hours"]
        before = (await live.status(element["transid"]))[0]["status"]
        await set_clock(live, MONDAY)
        row = await live.final(element["transid"])

    assert (before, row["status"], hours["ok"]) == ("queued", "delivered", True)
    assert "opens Mon 2035-01-01 09:00 +0000, held until then" in hours["value"]


async def test_what_waits_expires_by_the_clock_of_the_tenant(tmp_path: Path) -> None:
    async with running(tmp_path, lambda url: made(url, social_hours={**HOURS, "outside": "hold"})) as live:
        await set_clock(live, SUNDAY)
        body = {
            "deliverychannel": "sms", "channels": {"sms": {"text": "x"}}, "expiry": "2034-12-31T20:00:00Z",
            "destination": [{"msisdn": ["447700900001"]}],
        }  # fmt: skip
        element = (await live.send(body)).json()["response"][0]
        await set_clock(live, "2034-12-31T20:00:01Z")
        row = await live.final(element["transid"])

    assert (element["code"], row["code"]) == ("1001", "7019")


async def test_an_expiry_that_is_past_there_is_refused(live: Running) -> None:
    await set_clock(live, MONDAY)
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {
        "deliverychannel": "sms", "channels": {"sms": {"text": "x"}}, "expiry": soon,
        "destination": [{"msisdn": ["447700900001"]}],
    }  # fmt: skip

    assert (await live.send(body)).json()["response"]["code"] == "7005"


async def test_the_clock_is_set_right_again(live: Running) -> None:
    await live.admin("PUT", "/tenants/demo/clock", json={"ahead": 3_600})
    ahead = (await live.admin("GET", "/tenants/demo/clock")).json()["ahead"]
    after = (await live.admin("DELETE", "/tenants/demo/clock")).json()["ahead"]

    assert (ahead, after) == (3_600, 0)


@pytest.mark.parametrize(
    ("tenant", "body", "status", "key"),
    [
        ("other", {"ahead": 1}, 409, "not_a_sandbox"),
        ("nobody", {"ahead": 1}, 404, "not_found"),
        ("demo", {"now": "tomorrow"}, 400, "invalid_value"),
        ("demo", {}, 400, "invalid_value"),
    ],
)
async def test_what_cannot_be_set_is_refused(live: Running, tenant: str, body: Any, status: int, key: str) -> None:
    answer = await live.admin("PUT", f"/tenants/{tenant}/clock", json=body)

    assert (answer.status_code, answer.json()["error"]["key"]) == (status, key)
