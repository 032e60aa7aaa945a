"""Apps that are connected to one process get what another one sends, and one process alone has their brokers."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

from websockets.asyncio.client import connect

from heliograph.realtime.frames import PROTOCOL
from heliograph.testing import eventually, workspace
from heliograph.testing.cluster import Cluster
from heliograph.wire import jwt

APP = "AP00000001"
SECRET = b"0123456789abcdef0123456789abcdef"
NO_BROKER = {"host": "127.0.0.1", "port": 1}  # nobody listens there


def document(url: str) -> dict[str, Any]:
    """An app in real time, whose broker is away."""
    found = workspace(url)
    tenant = found["tenants"][0]
    secret = {"id": "k1", "secret": base64.b64encode(SECRET).decode()}
    tenant["apps"] = [{"id": APP, "features": {"rtm": True}, "rtm": {"tokens": [secret], "mqtt": NO_BROKER}}]
    tenant["services"][0]["channels"] |= {"rt": {"app": APP}}
    return found


async def test_what_one_process_sends_reaches_an_app_at_another(shared: Cluster) -> None:
    async with (
        shared.node("one", document, ROLES="api,worker,simulators") as one,
        shared.node("two", document, ROLES="api") as two,
    ):
        claims = {"iss": APP, "sub": "ann", "iat": int(time.time())}
        place = f"{two.url.replace('http', 'ws')}/rt/demo/{APP}~sandbox"
        async with connect(place, subprotocols=[PROTOCOL], proxy=None) as app:
            await app.send(json.dumps({"t": "hello", "token": jwt.sign(claims, SECRET), "device": "phone"}))
            assert json.loads(await app.recv())["t"] == "welcome"
            transid = await one.app_message("ann", "From afar")
            async with asyncio.timeout(10):
                while (frame := json.loads(await app.recv()))["t"] != "message":
                    pass
            await app.send(json.dumps({"t": "ack", "seq": frame["seq"]}))
            record = await one.final(transid)

    assert (frame["text"], record["code"]) == ("From afar", "7500")


async def test_one_process_at_a_time_has_the_brokers_of_apps(shared: Cluster) -> None:
    async with shared.node("one", document) as one:
        async with shared.node("two", document, ROLES="worker") as two:
            both = (one, two)

            async def settled() -> bool:
                return sum(len(node.platform.realtime.bridges or ()) for node in both) == 1

            await eventually(settled)
            leases = [(await node.client.get("/readyz")).json()["leases"] for node in both]
            assert [held.count("mqtt") for held in leases] in ([1, 0], [0, 1])

        async def taken_over() -> bool:
            return len(one.platform.realtime.bridges or ()) == 1

        await eventually(taken_over)
