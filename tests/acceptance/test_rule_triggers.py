"""What sets rules off beside events: messages from people, receipts, clicks, profiles, hooks, over HTTP and the SMSC
simulator."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.model.automation import DEEPEST, Run, RunState
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE_KEY = "33333333-3333-4333-8333-333333333333"
PROFILES = "/resources/v2/customerprofile"
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)"}


def sms(text: str, to: str = "${destination}", **more: Any) -> dict[str, Any]:
    return {"send": {"channel": "sms", "to": {"msisdn": to}, "content": {"text": text}, **more}}


def declared(url: str) -> dict[str, Any]:
    """A rule for each trigger."""
    document = workspace(url)
    tenant = document["tenants"][0]
    tenant |= {
        "profile_key": PROFILE_KEY,
        "profile_store": {"attributes": [{"name": "city"}]},
        "links": [{"id": "shop", "url": "https://shop.example/sale"}],
        "hooks": [{"id": "HOOK00000001", "service": "orders", "auth": "none"}],
        "rules": [
            {"name": "help", "on": {"inbound": {"channel": "sms", "keyword": "help"}},
             "then": [sms("You wrote ${text}", "${from}")]},
            {"name": "full", "on": {"receipt": {"codes": ["7206"]}},
             "then": [sms("${channel} ${state} ${code}", "447700900901")]},
            {"name": "refused", "on": {"receipt": {"states": ["Failed"], "codes": ["7102"]}},
             "then": [sms("no address", "447700900902")]},
            {"name": "ping", "on": {"receipt": {"states": ["Delivered"]}},
             "when": [{"field": "destination", "value": "447700900903"}], "then": [sms("again")]},
            {"name": "clicked", "on": {"click": {"link": "shop"}}, "then": [sms("${link} on ${system}")]},
            {"name": "moved", "on": {"profile": {"acts": ["updated"], "attributes": ["city"]}},
             "then": [sms("${customerid} in ${profile.city}", "${profile.msisdn}")]},
            {"name": "back", "on": {"profile": {"attributes": ["city"]}}, "service": "orders",
             "when": [{"field": "attributes.city", "value": "Loop"}],
             "then": [{"profile": {"customer": "${customerid}", "attributes": {"city": "Pool"}}}]},
            {"name": "forth", "on": {"profile": {"attributes": ["city"]}}, "service": "orders",
             "when": [{"field": "attributes.city", "value": "Pool"}],
             "then": [{"profile": {"customer": "${customerid}", "attributes": {"city": "Loop"}}}]},
            {"name": "posted", "on": {"hook": "HOOK00000001"}, "when": [{"field": "data.status", "value": "paid"}],
             "then": [sms("order ${data.id}", "${data.phone}")]},
        ],
    }  # fmt: skip
    tenant["rules"][5]["service"] = "orders"
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with these rules."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


async def runs(live: Running, rule: str, count: int = 1) -> list[Run]:
    """The runs of a rule, oldest first, once so many ended."""

    async def ended() -> Any:
        found = await live.platform.store.runs_before("demo", 1 << 62, 100, rule)
        over = [run for run in reversed(found) if run.state > RunState.AWAITING]
        return over if len(over) >= count else None

    found: list[Run] = await eventually(ended)
    return found


async def sent(live: Running, run: Run) -> tuple[str, str]:
    """To whom a run sent which text."""
    assert run.state is RunState.DONE, run
    story = await live.story(run.log[-1].detail)
    return story["destination"], story["request"]["content"]["fields"]["text"]


async def profile(live: Running, customer: str, **attributes: str) -> None:
    body = {"Records": [{"customerId": customer, "Attributes": {"msisdn": "447700900905", **attributes}}]}
    known = await live.platform.store.customers_named("demo", [customer])
    send = live.client.put if known else live.client.post
    answer = await send(PROFILES, json=body, headers={"key": PROFILE_KEY})
    assert answer.status_code < 300, answer.text


async def test_a_message_from_a_person_is_answered(live: Running) -> None:
    await live.sms("447700900001")  # binds the connector
    live.platform.simulators.send_mo("447700900321", "HELIO", "Help me")
    [run] = await runs(live, "help")

    assert await sent(live, run) == ("447700900321", "You wrote Help me")


async def test_a_person_sets_a_rule_off_only_so_often(live: Running) -> None:
    for number in range(25):
        live.platform.simulators.send_mo("447700900322", "HELIO", f"help {number}")
    found = await runs(live, "help", 26)
    refused = [run for run in found if run.state is RunState.REFUSED]

    assert len(refused) == 5
    assert {run.log[0].detail for run in refused} == {"it was set off too often by the same person: a loop"}


async def test_a_receipt_sets_a_rule_off(live: Running) -> None:
    await live.sms("9990007206")
    [run] = await runs(live, "full")

    assert await sent(live, run) == ("447700900901", "sms Un-Delivered 7206")


async def test_a_message_that_is_refused_in_the_answer_sets_a_rule_off(live: Running) -> None:
    await live.sms("12")
    [run] = await runs(live, "refused")

    assert await sent(live, run) == ("447700900902", "no address")


async def test_rules_that_answer_receipts_of_their_own_messages_come_to_an_end(live: Running) -> None:
    await live.sms("447700900903")
    found = await runs(live, "ping", DEEPEST + 1)

    assert [run.state for run in found] == [RunState.DONE] * DEEPEST + [RunState.REFUSED]


async def test_a_click_sets_a_rule_off_once(live: Running) -> None:
    [element] = await live.sms("447700900904", text="See {{link_shop}}")
    await live.final(element["transid"])
    found = re.search(r"(/l/[0-9A-Za-z]{18})", str(await live.story(element["transid"])))
    assert found
    for _ in range(2):
        await live.client.get(found[1], headers=PHONE)
    [run] = await runs(live, "clicked")

    assert await sent(live, run) == ("447700900904", "shop on ios")


async def test_a_change_of_a_profile_sets_a_rule_off(live: Running) -> None:
    await profile(live, "c1", city="London")
    await profile(live, "c1", city="London")
    await profile(live, "c1", city="Bath")
    [run] = await runs(live, "moved")

    assert await sent(live, run) == ("447700900905", "c1 in Bath")


async def test_rules_that_change_a_profile_to_and_fro_come_to_an_end(live: Running) -> None:
    await profile(live, "c2", city="Loop")
    back, forth = await runs(live, "back", 5), await runs(live, "forth", 4)

    assert sum(run.state is RunState.DONE for run in (*back, *forth)) == DEEPEST
    assert [run.state for run in back].count(RunState.REFUSED) == 1


async def test_a_call_of_a_hook_sets_a_rule_off(live: Running) -> None:
    body = {"data": {"status": "paid", "id": 7, "phone": "447700900906"}}
    await live.client.post("/events/HOOK00000001", json=body)
    [run] = await runs(live, "posted")

    assert await sent(live, run) == ("447700900906", "order 7")
