"""A whole platform in a test: real HTTP, a real database, real SMPP to the simulator, on free ports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from heliograph import config
from heliograph.cli.data import prepare
from heliograph.cli.platform import DATABASE_FILE, Platform
from heliograph.cli.serve import Server
from heliograph.contract.envelope import Categories, read_call
from heliograph.model.categories import SHIPPED
from heliograph.model.channel import Channel
from heliograph.model.message import Message
from heliograph.testing.databases import Database, PostgresDatabase, SqliteDatabase

KEY = "11111111-1111-4111-8111-111111111111"
OTHER_KEY = "22222222-2222-4222-8222-222222222222"
SECRET = "test-signing-secret"  # noqa: S105 - of the test workspace
ADMIN_TOKEN = "test-admin-token"  # noqa: S105
WAIT_SECONDS = 20.0


NOW_MS = 1_700_000_000_000


def message_of(channel: Channel, found: Any, categories: Categories = SHIPPED, **more: Any) -> Message:
    """The message of a call with `found` as the channel's object, to one address of the channel's first kind; None
    leaves the object out. Raises `Rejected` as the contract does."""
    for name in reversed(channel.path):
        found = {} if found is None else {name: found}
    body = {
        "deliverychannel": channel.name,
        "channels": found,
        "destination": [{channel.addresses[0]: ["447700900001"]}],
        **more,
    }
    [element] = read_call(msgspec.json.encode(body), {channel.name: channel}, NOW_MS, categories).elements
    if not isinstance(element, Message):
        raise element
    return element


def on_sqlite(data: Path) -> str:
    """Every platform on SQLite, in its data folder."""
    return config.SQLITE


def within_one_process(data: Path) -> str:
    """Every platform on the bus of its own process."""
    return config.LOCAL


database_of: Callable[[Path], str] = on_sqlite  # the tests of this repository put another one here
bus_of: Callable[[Path], str] = within_one_process  # and here


class Running:
    """A platform that serves, and a client for it."""

    def __init__(self, platform: Platform, client: httpx.AsyncClient, url: str) -> None:
        self.platform = platform
        self.client = client
        self.url = url

    @property
    def database(self) -> Database:
        """Where it keeps its state, to be looked at past the store."""
        settings = self.platform.config
        if settings.database == config.SQLITE:
            return SqliteDatabase(settings.data / DATABASE_FILE)
        return PostgresDatabase(settings.database)

    async def send(self, body: Any, key: str = KEY, **headers: str) -> httpx.Response:
        """One Messaging call; a dict goes as JSON, bytes and text as they are."""
        more = {"content": body} if isinstance(body, bytes | str) else {"json": body}
        return await self.client.post("/resources/v1/messaging", headers={"key": key, **headers}, **more)

    async def sms(self, *numbers: str, **sms: Any) -> Any:
        """The `response` of a plain SMS to these numbers."""
        body = {
            "deliverychannel": "sms",
            "channels": {"sms": {"text": "Hello", **sms}},
            "destination": [{"msisdn": list(numbers)}],
        }
        return (await self.send(body)).json()["response"]

    async def app_message(self, user: str, text: str = "Hi") -> str:
        """The transid of an in-app message to a user."""
        body = {
            "deliverychannel": "rt",
            "channels": {"appmessaging": {"message": {"text": text}}},
            "destination": [{"userid": [user]}],
        }
        transid: str = (await self.send(body)).json()["response"][0]["transid"]
        return transid

    async def status(self, transid: str, key: str = KEY) -> Any:
        """The status API's answer."""
        return (await self.client.get(f"/resources/v1/messaging/status/{transid}", headers={"key": key})).json()

    async def admin(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One admin call."""
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}", **more.pop("headers", {})}
        return await self.client.request(method, f"/admin/v1{path}", headers=headers, **more)

    async def story(self, transid: str) -> Any:
        """The whole story of a message."""
        return (await self.admin("GET", f"/messages/{transid}")).json()

    async def final(self, transid: str) -> Any:
        """The status record once it is final."""

        async def ended() -> Any:
            rows = await self.status(transid)
            return rows[0] if rows[0]["status"] not in ("queued", "sent") else None

        return await eventually(ended)

    async def calls(self, name: str, count: int) -> list[dict[str, Any]]:
        """What the webhook bin was sent, once there are `count` calls."""

        async def came() -> Any:
            found = (await self.client.get(f"/sim/bin/{name}")).json()["calls"]
            return found if len(found) >= count else None

        found: list[dict[str, Any]] = await eventually(came)
        return found


async def eventually(check: Callable[[], Awaitable[Any]], seconds: float = WAIT_SECONDS) -> Any:
    """The first true value that `check` gives; raises TimeoutError when it gives none in time."""
    async with asyncio.timeout(seconds):
        while not (value := await check()):
            await asyncio.sleep(0.02)
        return value


def workspace(url: str, **service: Any) -> dict[str, Any]:
    """A workspace with a sandbox service `orders` on the SMSC simulator, told at the webhook bin `dr`."""
    return {
        "tenants": [
            {
                "id": "demo",
                "name": "Demo",
                "allow_private_targets": True,
                "senders": [
                    {"id": "HELIO", "channel": "sms"},
                    {"id": "PLAIN", "channel": "sms", "types": ["text"]},
                ],
                "connectors": [{"name": "smsc", "channel": "sms", "kind": "smpp", "window": 50}],
                "templates": [
                    {"id": "1001", "channel": "sms", "text": "Hello ${name}"},
                    {"id": "1002", "channel": "sms", "text": "Old", "status": "inactive"},
                ],
                "services": [
                    {
                        "id": "orders",
                        "name": "Orders",
                        "sandbox": True,
                        "keys": [KEY],
                        "notify": {
                            "url": f"{url}/sim/bin/dr",
                            "secret": SECRET,
                            "inbound_url": f"{url}/sim/bin/inbound",
                        },
                        "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}},
                        **service,
                    },
                    {"id": "other", "sandbox": True, "keys": [OTHER_KEY], "channels": {}},
                ],
            }
        ]
    }


@asynccontextmanager
async def running(
    data: Path, document: Callable[[str], dict[str, Any]] = workspace, database: str = "", **more: str
) -> AsyncIterator[Running]:
    """A platform with all roles on free ports; the workspace is applied when there is none. `database` is the setting
    of that name; without one it is what `database_of` says for the data folder. `more` are further settings."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle's algorithm on
    listener.bind(("127.0.0.1", 0))
    host, port = listener.getsockname()
    settings = config.load(
        {
            "DATA": str(data), "LISTEN": f"{host}:{port}", "SMSC_SIMULATOR": "127.0.0.1:0",
            "SIMULATOR_PORTS": "free",
            "ADMIN_TOKEN": ADMIN_TOKEN, "DATABASE": database or database_of(data),
            "BUS": config.LOCAL if database else bus_of(data), **more,
        },
        {},
    )  # fmt: skip
    platform = Platform(settings, prepare(settings))
    await platform.start()
    server = Server(platform.surface.app())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        if not platform.workspaces.directory().tenants:
            await platform.workspaces.apply(document(settings.url))
        async with httpx.AsyncClient(base_url=settings.url, timeout=30, trust_env=False) as client:
            yield Running(platform, client, settings.url)
    finally:
        platform.tail.close()
        server.end()
        await serving
        await platform.stop()
