"""`heliograph demo`: a workspace to play with, one message on every channel, and what to try next."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import httpx

from heliograph.cli import show
from heliograph.cli.parts.shipped import ship, with_event
from heliograph.cli.platform import Platform
from heliograph.simulators.bin import Behaviour

TENANT, SERVICE, BIN = "demo", "orders", "demo"
KEY = "11111111-1111-4111-8111-111111111111"
PROFILE_KEY = "22222222-2222-4222-8222-222222222222"
SECRET = "demo-signing-secret"  # noqa: S105 - the demo's, for the webhook bin of the same process
WAIT_SECONDS = 15.0

# One message for each channel that can be sent on; a channel adds its line when it can.
FIRST_MESSAGES: dict[str, dict[str, Any]] = {
    "sms": {
        "deliverychannel": "sms",
        "message": {"template": "1001", "parameters": {"name": "world"}},
        "destination": [{"msisdn": ["447700900123"], "correlationid": "first"}],
    },
    "twitter": {
        "deliverychannel": "twitter",
        "channels": {"OTT-Messaging": {"twitter": {"text": "Hello world"}}},
        "destination": [{"twitterid": ["1577568002"]}],
    },
    "wechat": {
        "deliverychannel": "wechat",
        "channels": {
            "OTT-Messaging": {
                "wechat": {
                    "attachment": {"type": "template", "template_id": "hello", "data": {"thing1": "Hello world"}}
                }
            }
        },
        "destination": [{"wechatid": ["oDemoPerson"]}],
    },
    "fb": {
        "deliverychannel": "fb",
        "channels": {"OTT-Messaging": {"fb": {"text": "Hello world"}}},
        "destination": [{"psid": ["1257357297610042"]}],
    },
    "whatsapp": {
        "deliverychannel": "whatsapp",
        "channels": {"OTT-Messaging": {"wa": {"type": "text", "text": {"body": "Hello world"}}}},
        "destination": [{"waid": ["447700900123"]}],
    },
    "voice": {
        "deliverychannel": "voice",
        "channels": {"voice": {"callflowid": "184"}},
        "message": {"parameters": {"name": "world"}},
        "destination": [{"msisdn": ["447700900123"], "correlationid": "first call"}],
    },
}
TRY_NUMBERS = (
    ("447700900123", "is delivered"),
    ("9990007206", "ends as 7206, SIM full"),
    ("9990017207", "is submitted first, then 7207, not reachable"),
    ("9990007101", "the operator refuses the sender, 7101"),
    ("9990007402", "on voice: the callee is busy, 7402"),
    ("12", "is no address, 7102 in the answer"),
)


def demo_document(url: str) -> dict[str, Any]:
    """The demo workspace for a server at `url`."""
    return with_event(_document(url))


def _document(url: str) -> dict[str, Any]:
    return {
        "tenants": [
            {
                "id": TENANT,
                "name": "Demo",
                "timezone": "Europe/London",
                "allow_private_targets": True,
                "profile_key": PROFILE_KEY,
                "profile_store": {"attributes": [{"name": "city", "type": "string"}]},
                "senders": [{"id": "HELIO", "channel": "sms"}, {"id": "442079460000", "channel": "voice"}],
                "connectors": [
                    {
                        "name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 2775,
                        "system_id": "helio", "password": "secret", "window": 50,
                    },
                    {
                        "name": "trunk", "channel": "voice", "kind": "sip", "host": "127.0.0.1", "port": 5060,
                        "username": "helio", "password": "secret",
                    },
                ],
                "apps": [
                    {"id": "a_100000000000000002", "twitter": {}},
                    {"id": "a_100000000000000003", "wechat": {}},
                    {"id": "a_100000000000000001", "messenger": {}},
                    {"id": "a_100000000000000004", "whatsapp": {}},
                ],
                "callflows": [{"id": "184", "steps": [{"say": "Hello ${name}"}, {"hangup": True}]}],
                "templates": [{"id": "1001", "channel": "sms", "text": "Hello ${name}"}],
                "services": [
                    {
                        "id": SERVICE,
                        "name": "Orders",
                        "sandbox": True,
                        "keys": [KEY],
                        "notify": {
                            "url": f"{url}/sim/bin/{BIN}", "secret": SECRET, "inbound_url": f"{url}/sim/bin/inbound",
                        },
                        "channels": {
                            "sms": {"connector": "smsc", "sender": "HELIO"},
                            "twitter": {"app": "a_100000000000000002"},
                            "wechat": {"app": "a_100000000000000003"},
                            "fb": {"app": "a_100000000000000001"},
                            "whatsapp": {"app": "a_100000000000000004"},
                            "voice": {"connector": "trunk", "sender": "442079460000"},
                        },
                    }
                ],
            }
        ]
    }  # fmt: skip


async def introduce(platform: Platform, document: dict[str, Any]) -> None:
    """Apply the demo workspace where nothing else is declared, send the first messages, show what came of them."""
    declared = set(platform.workspaces.directory().tenants)
    if declared - {TENANT}:
        show.console.print(
            f"the data folder {platform.config.data} holds a workspace of yours "
            f"({', '.join(sorted(declared))}): it is served as it is, without the demo"
        )
        return
    await platform.workspaces.apply(document)
    platform.simulators.bins.get(BIN).behave(Behaviour(secret=SECRET))
    url = platform.config.url
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        await _bound(platform)
        for channel, body in FIRST_MESSAGES.items():
            answer = await client.post("/resources/v1/messaging", json=body, headers={"key": KEY})
            element = answer.json()["response"][0]
            show.console.print(f"\n[bold]{channel}[/]: answered {element['code']} {element['description']}")
            await _timeline(client, platform, element["transid"])
        admin = {"authorization": f"Bearer {platform.admin_token}"}
        await ship(client, KEY, admin, lambda transid: _timeline(client, platform, transid))
    _what_next(url, platform)


async def _bound(platform: Platform) -> None:
    """Wait, but not for ever, until the connectors are up."""
    end = time.monotonic() + WAIT_SECONDS
    lanes = [lane for lane in platform.lanes.all() if lane.spec.kind]
    while time.monotonic() < end and not all(lane.connector.capacity() for lane in lanes):
        await asyncio.sleep(0.05)


async def _timeline(client: httpx.AsyncClient, platform: Platform, transid: str) -> None:
    headers = {"authorization": f"Bearer {platform.admin_token}"}
    end = time.monotonic() + WAIT_SECONDS
    while True:
        document = (await client.get(f"/admin/v1/messages/{transid}", headers=headers)).json()
        told = document["callbacks"] and all(item["state"] == "done" for item in document["callbacks"])
        final = document["state"] in ("delivered", "read", "failed", "lapsed") and _over(document["steps"])
        if (final and told) or time.monotonic() > end:
            break
        await asyncio.sleep(0.1)
    show.story(document)


def _over(steps: list[dict[str, Any]]) -> bool:
    """Whether a call is over; what has no steps is."""
    return not steps or str(steps[-1]["what"]).startswith("ended")


def _what_next(url: str, platform: Platform) -> None:
    listen, data = platform.config.listen, platform.config.data
    show.console.print("\n[bold]Try it[/]: the number chooses what happens")
    for number, meaning in TRY_NUMBERS:
        show.console.print(f"  {number:<14} {meaning}")
    body = (
        '{"deliverychannel": "sms", "channels": {"sms": {"text": "Hello"}}, '
        '"destination": [{"msisdn": ["9990007206"]}]}'
    )
    lines = [
        "",
        f"curl -s {url}/resources/v1/messaging -H 'key: {KEY}' -H 'content-type: application/json' -d '{body}'",
        "",
        f"service key    {KEY}",
        f"profile key    {PROFILE_KEY}",
        f"status         curl -s -H 'key: {KEY}' {url}/resources/v1/messaging/status/TRANSID",
        f"callbacks      {url}/sim/bin/{BIN}",
        f"why            {sys.argv[0]} explain TRANSID --listen {listen} --data {data}",
        "stop           Ctrl-C",
    ]
    for text in lines:
        show.console.print(text, markup=False, soft_wrap=True)
