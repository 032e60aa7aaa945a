"""The demo's event: an order was shipped, and its customer hears of it on the phone, else by SMS."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from heliograph.cli import show

APP, EVENT, PUSH, SMS = "AP00000001", "4451", "1002", "1003"
TEXT = "Hello ${name}, order ${order} is on its way"
WAIT_SECONDS = 15.0

PEOPLE = (
    {"customerId": "ada", "Attributes": {"msisdn": "447700900124", "name": "Ada"}},
    {"customerId": "grace", "Attributes": {"msisdn": "447700900125", "name": "Grace"}},
)
DEVICE = {
    "customerId": "ada",
    "Attributes": {
        "deviceId": "phone", "rtmId": "ada_phone", "connectStatus": 1, "status": 1, "os": "android",
        "pushId": "token-of-the-phone-of-ada",
    },
}  # fmt: skip


def _send(channel: str, template: str) -> dict[str, Any]:
    return {
        "channel": channel,
        "template": template,
        "to": {"customerid": "${parameters.customer}"},
        "parameters": {"name": "${profile.name}", "order": "${parameters.order}"},
    }


RULE = {
    "name": "shipped",
    "on": {"event": EVENT},
    "person": {"customerid": "${parameters.customer}"},
    "then": [{"send": _send("push", PUSH), "within": "2m", "otherwise": [{"send": _send("sms", SMS)}]}],
}


def with_event(document: dict[str, Any]) -> dict[str, Any]:
    """The demo workspace with the event, its rule and what the rule sends by."""
    [tenant] = document["tenants"]
    [service] = tenant["services"]
    apps = tenant.setdefault("apps", [])
    if not any(app["id"] == APP for app in apps):
        apps.append({"id": APP, "features": {"push": True}, "android": {}})
    service["channels"].setdefault("push", {"app": APP})
    tenant["templates"] += [
        {"id": PUSH, "channel": "push", "text": TEXT}, {"id": SMS, "channel": "sms", "text": TEXT},
    ]  # fmt: skip
    parameters = [{"name": "customer", "mandatory": True}, {"name": "order", "mandatory": True}]
    tenant["events"] = [{"id": EVENT, "name": "order_shipped", "parameters": parameters}]
    tenant["rules"] = [RULE]
    return document


async def ship(
    client: httpx.AsyncClient, key: str, admin: dict[str, str], timeline: Callable[[str], Awaitable[None]]
) -> None:
    """Tell of two orders: Ada has the app, Grace has not; then show what each of them got."""
    for people, app in ((PEOPLE, ""), ((DEVICE,), APP)):
        body = {"Records": list(people)}
        await client.post("/admin/v1/tenants/demo/profiles", params={"app": app}, json=body, headers=admin)
    for customer in ("ada", "grace"):
        name, parameters = f"order of {customer}", {"customer": customer, "order": "4711"}
        event = {"evtid": EVENT, "correlationid": name, "parameters": parameters}
        path = "/resources/v1/events/externalevent"
        answer = await client.post(path, json={"events": [event]}, headers={"key": key})
        [element] = answer.json()["response"]
        show.console.print(
            f"\n[bold]event[/]: order shipped to {customer}: answered {element['code']} {element['description']}"
        )
        await _ended(client, element["transid"], admin)
        query = {"correlationid": name}
        found = (await client.get("/admin/v1/tenants/demo/messages", params=query, headers=admin)).json()["messages"]
        for message in reversed(found[:2]):
            await timeline(message["transid"])


async def _ended(client: httpx.AsyncClient, transid: str, admin: dict[str, str]) -> None:
    """Wait, but not for ever, until everything that follows from the event was done."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        found = (await client.get(f"/admin/v1/events/{transid}", headers=admin)).json()
        if found.get("state") in ("done", "unresolved"):
            return
        await asyncio.sleep(0.1)
