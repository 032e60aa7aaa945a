"""Every row of policy over HTTP, each by an object as an operator declares it: the text of the Messaging section in
the answer and in the receipt, that of the Transaction Status section in the record, the object in the story."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.policy import gates
from heliograph.testing import Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE_KEY = "key-of-the-profiles"
NUMBER = "447700900001"
APP, NO_PUSH, NO_RTM, ASLEEP, PAGE = "AP00000001", "AP00000002", "AP00000003", "AP00000004", "a_100000000000000002"
SMS: dict[str, Any] = {"sms": {"text": "Say hello"}}
PUSH: dict[str, Any] = {"push": {"android": {"text": "Hi"}}}
RT: dict[str, Any] = {"appmessaging": {"message": {"text": "Hi"}}}
DIRECT: dict[str, Any] = {"OTT-Messaging": {"twitter": {"text": "Hi"}}}
FLOW: dict[str, Any] = {"voice": {"callflowid": "184"}}
CLOSED = {"windows": [{"days": [f"{datetime.now(UTC) + timedelta(days=3):%a}".lower()], "start": "09:00",
                       "end": "18:00"}], "zone": "tenant"}  # fmt: skip
NOWHERE = {"channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 9, "system_id": "x", "password": "y"}

APPS = [
    {"id": APP, "features": {"push": True, "rtm": True}, "android": {}},
    {"id": NO_PUSH, "features": {"rtm": True}, "android": {}},
    {"id": NO_RTM, "features": {"push": True}, "android": {}},
    {"id": ASLEEP, "features": {"push": True}, "android": {}, "status": "inactive"},
    {"id": PAGE, "twitter": {}},
]
CHANNELS = {
    "sms": {"connector": "smsc", "sender": "HELIO"}, "voice": {"connector": "trunk", "sender": "442079460000"},
    "push": {"app": APP}, "rt": {"app": APP}, "twitter": {"app": PAGE},
}  # fmt: skip

# What of the tenant, and what of its service, differs from the others.
TENANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "demo": ({}, {}),
    "poor": ({"billing": {"balance": "0.01", "rate_plan": [{"channel": "sms", "price": "0.04"}]}}, {}),
    "unpriced": ({"billing": {"balance": "9", "rate_plan": [{"channel": "sms", "prefix": "1", "price": "1"}]}}, {}),
    "listed": ({"dnd": [{"address": f"+{NUMBER}", "channel": "sms"}]}, {}),
    "capped": ({"frequency_caps": [{"most": 1, "per": "month"}]}, {}),
    "spam": ({"spam_words": ["say hello"]}, {}),
    "closed": ({"social_hours": CLOSED}, {}),
    "strict": ({"verified_only": True}, {}),
    "unbound": ({}, {"channels": {}}),
    "mute": ({}, {"channels": {**CHANNELS, "push": {"app": NO_PUSH}, "rt": {"app": NO_RTM}}}),
    "half": ({"connectors": [{"name": "smsc", "channel": "sms", "kind": "smpp", "system_id": "x"}]},
             {"sandbox": False, "channels": {"sms": CHANNELS["sms"]}}),
    "cut": ({"connectors": [{"name": "smsc", **NOWHERE}]}, {"sandbox": False, "channels": {"sms": CHANNELS["sms"]}}),
}  # fmt: skip


def key_of(tenant: str) -> str:
    """The key of a tenant's service."""
    return f"key-of-the-service-of-{tenant}"


def document(url: str) -> dict[str, Any]:
    """A tenant for each object that decides."""
    plain = workspace(url)["tenants"][0]
    found = []
    for name, (changes, service) in TENANTS.items():
        own = {**plain["services"][0], "id": name, "keys": [key_of(name)], "channels": CHANNELS, **service}
        found.append(
            {
                **plain, "id": name, "apps": APPS, "profile_key": f"{PROFILE_KEY}-of-{name}", "services": [own],
                "senders": [*plain["senders"], {"id": "442079460000", "channel": "voice"}],
                "connectors": [*plain["connectors"], {"name": "trunk", "channel": "voice", "kind": "sip"}],
                "callflows": [{"id": "184", "steps": [{"say": "Hello ${name}"}, {"hangup": True}]}],
                "profile_store": {"attributes": [{"name": "msisdn", "type": "msisdn", "mandatory": False}]},
                **changes,
            }
        )  # fmt: skip
    return {"tenants": found}


@dataclass(frozen=True)
class Case:
    """A call and what it comes to: the key of its status, the gate that decided, where in the workspace or whose
    profile. What is not `answered` so is found out later: the answer says 1001."""

    key: str
    gate: str
    decided_by: str
    tenant: str = "demo"
    channel: str = "sms"
    channels: Any = None
    to: Any = None
    answered: bool = True
    more: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """The call."""
        objects = {"sms": SMS, "push": PUSH, "rt": RT, "twitter": DIRECT, "voice": FLOW}[self.channel]
        people = {"push": {"userid": ["ada"]}, "rt": {"userid": ["ada"]}, "twitter": {"twitterid": ["1577568001"]}}
        made = {
            "deliverychannel": self.channel, "channels": self.channels or objects,
            "destination": [self.to or people.get(self.channel, {"msisdn": [NUMBER]})], **(self.more or {}),
        }  # fmt: skip
        return {
            name: in_seconds(value) if name == "expiry" else value for name, value in made.items() if value != "none"
        }


def in_seconds(seconds: float) -> str:
    """An expiry so far ahead."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def templated(template: str, **parameters: str) -> dict[str, Any]:
    """The members of a call by a template."""
    return {"channels": "none", "message": {"template": template, "parameters": parameters}}


CASES = [
    Case("inactive_profile", "customer", "customer profile silent, status", to={"customerid": ["silent"]}),
    Case("request_expired", "expiry", "expiry of the request", "cut", answered=False, more={"expiry": 0.5}),
    Case("invalid_sender_id", "sender", "tenants[demo].senders[NOBODY] is not declared for sms",
         channels={"sms": {"text": "x", "senderid": "NOBODY"}}),
    Case("invalid_address", "address", "form of an address of sms", to={"msisdn": ["12"]}),
    Case("not_enough_credits", "credit", "tenants[poor].billing.balance", "poor"),
    Case("invalid_app_id", "channel", f"tenants[demo].apps[{ASLEEP}].status", channel="push", more={"appid": ASLEEP}),
    Case("invalid_app_id", "channel", "tenants[demo].apps[NONE] is not declared", channel="push",
         more={"appid": "NONE"}),
    Case("profile_not_found", "profile", "no profile has this id", to={"customerid": ["nobody"]}),
    Case("profile_not_found", "profile", "customer profile emailed has no address for sms",
         to={"customerid": ["emailed"]}),
    Case("channel_not_configured", "channel", "tenants[unbound].services[unbound].channels[sms] is not declared",
         "unbound"),
    Case("message_too_long", "length", "limit of the channel", channels={"sms": {"text": "x" * 4001}}),
    Case("invalid_template", "template", "tenants[demo].templates[77] is not declared", more=templated("77")),
    Case("invalid_template", "template", "tenants[demo].templates[1002].status", more=templated("1002")),
    Case("user_in_dnd", "dnd", f"tenants[listed].dnd[{NUMBER}]", "listed"),
    Case("user_in_dnd", "frequency", "tenants[capped].frequency_caps[0]", "capped",
         to={"msisdn": ["447700900077"]}),
    Case("user_not_active", "user", "app profile left, status", channel="push", to={"userid": ["left"]}),
    Case("spam_content", "content", "tenants[spam].spam_words[0]", "spam"),
    Case("invalid_message_type", "type", "tenants[demo].senders[PLAIN].types",
         channels={"sms": {"text": "x", "type": 2, "senderid": "PLAIN"}}),
    Case("social_hours", "hours", "tenants[closed].social_hours", "closed"),
    Case("configuration_error", "channel", "tenants[half].connectors[smsc]", "half"),
    Case("rate_plan_missing", "plan", "tenants[unpriced].billing.rate_plan", "unpriced"),
    Case("profile_not_verified", "verified", "tenants[strict].verified_only", "strict"),
    Case("rtm_not_enabled", "channel", f"tenants[mute].apps[{NO_RTM}].features.rtm", "mute", channel="rt"),
    Case("push_not_enabled", "channel", f"tenants[mute].apps[{NO_PUSH}].features.push", "mute", channel="push"),
    Case("os_details_missing", "system", "app profile plain, os", channel="push", to={"userid": ["plain"]}),
    Case("voice_params_too_long", "parameters", "limit of the channel", channel="voice",
         more={"message": {"parameters": {"name": "x" * 1100}}}),
    Case("params_unresolved", "template", "`message.parameters`", more=templated("1001")),
    Case("expired_before_sending", "attempts", "expiry of the request", channel="twitter",
         to={"twitterid": ["9990007301"]}, answered=False, more={"expiry": 0.6}),
    Case("expired_before_attempt", "attempts", "expiry of the request", channel="push",
         to={"android_pushid": ["tok-sim-7503"]}, answered=False, more={"expiry": 2}),
]  # fmt: skip
FAULT = "internal_server_error"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with all of them, and with people."""
    data: Path = tmp_path_factory.mktemp("rows")
    async with running(data, document) as platform:
        await create(platform, "demo", [customer("silent", status=0, msisdn="447700900002"),
                                        customer("emailed", email="e@example.com")])  # fmt: skip
        users = [
            user("ada", os="Android", pushId="t"),
            user("left", os="Android", pushId="u", status=0),
            user("plain"),
        ]
        await create(platform, "demo", users, APP)
        await create(platform, "mute", [user("ada", os="Android", pushId="t")], NO_PUSH)
        await create(platform, "mute", [user("ada", os="Android", pushId="t")], NO_RTM)
        yield platform


def customer(name: str, **attributes: Any) -> dict[str, Any]:
    return {"customerId": name, "Attributes": attributes}


def user(name: str, **attributes: Any) -> dict[str, Any]:
    given = {"connectStatus": 0, "deviceId": "d", "rtmId": f"{name}_d", "status": 1, **attributes}
    return {"customerId": name, "Attributes": given}


async def create(live: Running, tenant: str, records: list[Any], app: str = "") -> None:
    path = f"/resources/v2/customerappprofile/{app}" if app else "/resources/v2/customerprofile"
    headers = {"key": f"{PROFILE_KEY}-of-{tenant}"}
    answer = await live.client.post(path, headers=headers, json={"Records": records})
    assert answer.json()["code"] == "1000", answer.text


async def send(live: Running, case: Case) -> Any:
    [element] = (await live.send(case.body(), key_of(case.tenant))).json()["response"]
    return element


async def record_of(live: Running, case: Case, transid: str) -> Any:
    """The status record once it is final."""

    async def ended() -> Any:
        [row] = await live.status(transid, key_of(case.tenant))
        return row if row["status"] in ("failed", "expired") else None

    return await eventually(ended)


async def told(live: Running, transid: str) -> list[dict[str, Any]]:
    """The receipts of a message, once there are any."""

    async def came() -> Any:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        found = [json.loads(call["body"])["deliveryInfoNotification"] for call in calls]
        return [item["deliveryInfo"] for item in found if item["transid"] == transid]

    found: list[dict[str, Any]] = await eventually(came)
    return found


def published(key: str, api: str) -> tuple[str, str]:
    """Code and text of a key, as a section of the table prints them."""
    [row] = [row for row in catalogue.ROWS if (row.key, row.api) == (key, api)]
    return row.code, row.message


async def test_no_row_of_policy_is_left_out() -> None:
    rows = {
        (row.code, row.key, row.api)
        for row in catalogue.ROWS
        if row.phase == "policy" and row.api in (catalogue.MESSAGING, catalogue.STATUS)
    }
    tried = {case.key for case in CASES} | {FAULT}

    assert {key for _, key, _ in rows} == tried
    assert {code for code, *_ in rows} == {
        "7006", "7008", "7019", *(str(code) for code in range(7101, 7122)), "7301", "7503",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case.key}-{case.gate}-{case.tenant}" for case in CASES])
async def test_a_row_is_read_in_the_answer_the_record_and_the_receipt(live: Running, case: Case) -> None:
    if case.gate == "frequency":
        await told(live, (await send(live, case))["transid"])  # the first is sent, and counts
    element = await send(live, case)
    record = await record_of(live, case, element["transid"])
    receipt = (await told(live, element["transid"]))[-1]
    story = await live.story(element["transid"])

    code, text = published(case.key, catalogue.MESSAGING)
    said = (code, text) if case.answered else ("1001", "Queued")
    assert (element["code"], element["description"]) == said
    _, recorded = published(case.key, catalogue.STATUS)
    assert (record["code"], record["description"], record["error_message"]) == (code, recorded, recorded)
    assert (receipt["code"], receipt["Description"], receipt["deliveryStatus"]) == (code, text, "Failed")
    gate = story["gates"][-1]
    assert (gate["gate"], gate["ok"], gate["decided_by"]) == (case.gate, False, case.decided_by)
    assert record["additionalInfo"] == receipt["additionalInfo"]
    assert case.decided_by in record["additionalInfo"]
    assert story["explanation"]["cause"]
    assert story["explanation"]["fix"]


@pytest.mark.parametrize("key", ["user_in_dnd", "configuration_error", "os_details_missing", "profile_not_verified"])
async def test_the_command_says_what_decided_and_what_to_change_in_no_time(
    live: Running, key: str, command: Any
) -> None:
    case = next(case for case in CASES if case.key == key)
    transid = (await send(live, case))["transid"]
    started = time.monotonic()
    status, out, _ = await command(live, "explain", transid)

    assert status == 0
    assert time.monotonic() - started < 10
    assert published(key, catalogue.MESSAGING)[0] in out
    assert case.decided_by in out
    assert f"mend     {catalogue.find(key).fix}" in out


async def test_a_fault_of_ours_is_read_everywhere(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(gates.content, "fill", fails)
    case = Case(FAULT, "fault", "an error of the server, which its log describes", more=templated("1001", name="Ann"))
    await test_a_row_is_read_in_the_answer_the_record_and_the_receipt(live, case)


async def test_a_call_that_cannot_be_kept_is_an_internal_error(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the store is broken in this test")

    monkeypatch.setattr(live.platform.store, "accept", broken)
    refusal = (await live.send(Case("", "", "").body(), key_of("demo"))).json()["response"]

    assert (refusal["code"], refusal["description"]) == published("internal_error_at_accept", catalogue.MESSAGING)
