"""A store in memory, endpoints on loopback, and a teller over them."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import pytest

from heliograph.model.message import Address, Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Delivery, Notice, Told
from heliograph.model.workspace import Notify, Service, Tenant
from heliograph.notify.seams import Settings
from heliograph.notify.teller import Teller
from heliograph.wire.http import Client

Script = Callable[["Far", asyncio.StreamWriter], Awaitable[None]]


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Far:
    """An endpoint; `script` answers, else 200. `calls` are (headers, body)."""

    script: Script | None = None
    port: int = 0
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def transids(self) -> list[str]:
        return [json.loads(body)["deliveryInfoNotification"]["transid"] for _, body in self.calls]

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while not writer.is_closing():
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.split(": ", 1) for line in lines[1:] if line)
                self.calls.append((headers, await reader.readexactly(int(headers["content-length"]))))
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                try:
                    if self.script:
                        await self.script(self, writer)
                    else:
                        answer(writer, 200)
                finally:
                    self.under_way -= 1
        writer.close()


def answer(writer: asyncio.StreamWriter, status: int) -> None:
    writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)


@contextlib.asynccontextmanager
async def served(script: Script | None = None) -> AsyncIterator[Far]:
    far = Far(script)
    server = await asyncio.start_server(far.meet, "127.0.0.1", 0, backlog=512)
    far.port = server.sockets[0].getsockname()[1]
    try:
        yield far
    finally:
        server.close()
        await asyncio.sleep(0)


class MemoryStore:
    """The table as the teller sees it."""

    def __init__(self) -> None:
        self.rows: dict[int, Notice] = {}
        self.due: dict[int, int] = {}
        self.delivery: dict[int, Delivery] = {}
        self.told_log: list[Told] = []
        self.told_calls = 0
        self.fetches = 0
        self.known: dict[int, Request] = {}
        self.broken = False

    def add(self, notices: Collection[Notice]) -> None:
        for notice in notices:
            self.rows[notice.id], self.due[notice.id] = notice, notice.at
            self.delivery[notice.id] = Delivery.PENDING

    def _due(self, now_ms: int) -> list[Notice]:
        pending = [n for n in self.rows.values() if self.delivery[n.id] is Delivery.PENDING]
        return sorted((n for n in pending if self.due[n.id] <= now_ms), key=lambda n: self.due[n.id])

    async def notice_origins(self, now_ms: int) -> list[str]:
        if self.broken:
            raise OSError("the store is away")
        return sorted({notice.origin for notice in self._due(now_ms)})

    async def due_notices(self, origin: str, now_ms: int, limit: int, skip: Collection[int]) -> list[Notice]:
        self.fetches += 1
        return [n for n in self._due(now_ms) if n.origin == origin and n.id not in skip][:limit]

    async def told(self, outcomes: list[Told]) -> None:
        if self.broken:
            raise OSError("the store is away")
        self.told_calls += 1
        self.told_log += outcomes
        for told in outcomes:
            self.delivery[told.id], self.due[told.id] = told.delivery, told.due
            self.rows[told.id] = msgspec.structs.replace(self.rows[told.id], attempts=told.attempts)

    async def requests(self, ids: Collection[int]) -> dict[int, Request]:
        return {i: self.known[i] for i in ids if i in self.known}


class Desk:
    """A teller with its store, client and workspace."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.client = Client(max_connections_per_origin=16)
        self.service = Service(id="s", sandbox=True, notify=Notify(secret="hush"))
        self.tenant = Tenant(id="t")
        self.gone = False
        self.others: set[str] | None = None  # origins that other processes tell; None: there are none
        self.teller: Teller | None = None
        self._run: asyncio.Task[None] | None = None
        self._ids = iter(range(1, 1_000_000))

    def services(self, tenant: str, service: str) -> tuple[Tenant, Service] | None:
        return None if self.gone else (self.tenant, self.service)

    def start(self, **settings: Any) -> Teller:
        settings = {"poll": 0.05, "rest": 0.2, "longest_rest": 0.4} | settings
        mine = None if self.others is None else lambda origin: origin not in self.others
        self.teller = Teller(self.store, self.client, self.services, clock_ms, Random(1), Settings(**settings), mine)
        self._run = asyncio.create_task(self.teller.run())
        return self.teller

    def notices(self, far: Far | str, count: int, request: int = 0, **more: Any) -> list[Notice]:
        """Committed notices of one request (a new one unless given), one per destination."""
        origin = far if isinstance(far, str) else far.origin
        request = request or next(self._ids) << 22
        message = Message(content=Content(channel="sms"), addresses=())
        self.store.known[request] = Request(
            id=request, nonce=1, tenant="t", service="s", accepted=0, messages=(message,)
        )
        values = {"state": State.DELIVERED, "key": "delivered", "at": clock_ms(), "body": ""} | more
        made = [
            Notice(
                next(self._ids),
                request,
                ordinal,
                0,
                Address("msisdn", "447700900001"),
                values["state"],
                values["key"],
                "",
                values["at"],
                f"{origin}/dr?token=hunter2",
                origin,
                "t",
                "s",
                0,
                values["body"],
            )
            for ordinal in range(count)
        ]
        self.store.add(made)
        return made

    async def until(self, holds: Callable[[], bool], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    def standing(self, delivery: Delivery) -> int:
        return sum(value is delivery for value in self.store.delivery.values())

    async def all_are(self, delivery: Delivery, seconds: float = 5) -> None:
        await self.until(lambda: self.standing(delivery) == len(self.store.rows), seconds)

    async def close(self) -> None:
        if self.teller is not None:
            await self.teller.stop(0.1)
        if self._run is not None:
            await self._run
        await self.client.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.close()


@pytest.fixture
def serve() -> Callable[..., contextlib.AbstractAsyncContextManager[Far]]:
    return served


@pytest.fixture
def reply() -> Callable[[int], Script]:
    def script_of(status: int) -> Script:
        async def script(_: Far, writer: asyncio.StreamWriter) -> None:
            answer(writer, status)

        return script

    return script_of
