"""The connection to NATS: it comes up when a server does, and comes back by itself while the process runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from heliograph.bus.tasks import lasting

log = logging.getLogger(__name__)

START_SECONDS = 3.0  # how long a start waits for the first connection; without it the platform works from its table
CONNECT_SECONDS = 2
RETRY_SECONDS = 0.25  # between two tries of the same server
PING_SECONDS = 2  # a server that is silent for two of them is taken for gone
LOOK_SECONDS = 1.0
STUCK_SECONDS = 4.0  # a client that does not come back in that time is replaced
SILENT_SECONDS = 30.0  # how long a broker that did not keep something counts as one that keeps nothing
PENDING_BYTES = 8 << 20

Headers = dict[str, str]
Handler = Callable[[Msg], Awaitable[None]]


class BusAway(Exception):
    """The broker cannot be reached, or did not answer in time; it is not known whether it heard."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are and who asks: `urls` without user and password. `replicas` is how many of them keep what
    is published; `authority` a file with the certificates that theirs must be signed by; `space` what every subject
    begins with. After `ack_wait` seconds without a sign of life work goes to another, `deliveries` times at most."""

    urls: tuple[str, ...]
    user: str = ""
    password: str = ""
    token: str = ""
    secured: bool = False
    authority: str = ""
    replicas: int = 1
    space: str = "hg"
    ack_wait: float = 30.0
    deliveries: int = 100

    def __repr__(self) -> str:
        return f"Servers({', '.join(self.urls)})"


def servers_of(setting: str) -> Servers:
    """The setting `nats://USER:PASSWORD@HOST:4222,nats://HOST:4222?replicas=3&ca=FILE` taken apart. User and
    password, or a token in place of the user, are those of the first server that has them."""
    place, _, query = setting.partition("?")
    options = dict(parse_qsl(query))
    parts = [urlsplit(url.strip()) for url in place.split(",")]
    named = next((part for part in parts if part.username), None)
    user, password = (unquote(named.username or ""), named.password) if named else ("", None)
    return Servers(
        urls=tuple(f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts),
        user=user if password is not None else "",
        password=unquote(password or ""),
        token=user if password is None else "",
        secured=any(part.scheme == "tls" for part in parts),
        authority=options.get("ca", ""),
        replicas=int(options.get("replicas", "1")),
        space=options.get("space", Servers.space),
        ack_wait=float(options.get("ack_wait", Servers.ack_wait)),
        deliveries=int(options.get("deliveries", Servers.deliveries)),
    )


class Connection:
    """One connection to any of the servers. What is subscribed stays so whatever becomes of them; `came` is called
    after each time it came up."""

    def __init__(self, servers: Servers, name: str = "heliograph") -> None:
        self.servers = servers
        self._name = name
        self.client = Client()
        self.came: list[Callable[[], None]] = []
        self._wanted: dict[str, Handler] = {}
        self._subscribed: dict[str, Subscription] = {}
        self._up = asyncio.Event()
        self._since = 0.0
        self._unkept: float | None = None  # when it last did not keep something, and has kept nothing since
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether a server is there now."""
        return self.client.is_connected

    @property
    def state(self) -> str:
        """`ok`; `away` without a connection; `silent` when there is one, and what is published is not kept."""
        if not self.connected:
            return "away"
        silent = self._unkept is not None and time.monotonic() - self._unkept < SILENT_SECONDS
        return "silent" if silent else "ok"

    def kept(self, well: bool) -> None:
        """The broker kept something that was published, or did not."""
        self._unkept = None if well else time.monotonic()

    async def start(self) -> None:
        """Connect. Waits a little for it; what is not there yet is waited for in the background."""
        self._task = lasting(self._run(), "bus")
        try:
            await asyncio.wait_for(self._up.wait(), START_SECONDS)
        except TimeoutError:
            log.error("the broker at %s is not there; it is waited for", ", ".join(self.servers.urls))

    async def stop(self) -> None:
        """Let go, after what was published has left."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.connected:
            with contextlib.suppress(Error, TimeoutError, OSError):
                await self.client.flush(CONNECT_SECONDS)
        await self._close(self.client)

    async def publish(
        self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Send something to whoever listens. Raises `BusAway`; a message may be lost when the connection breaks."""
        if not self.connected:
            raise BusAway("the broker is away")
        try:
            await self.client.publish(subject, data, reply, headers)
        except (Error, OSError) as error:
            raise BusAway(str(error) or type(error).__name__) from error

    async def subscribe(self, subject: str, handler: Handler) -> None:
        """Hear what is sent to a subject from now on, across every reconnection."""
        self._wanted[subject] = handler
        if self.connected:
            with contextlib.suppress(Error, OSError):  # it broke just now; the next connection subscribes
                await self._subscribe(subject)

    async def unsubscribe(self, subject: str) -> None:
        """Hear no more of a subject."""
        self._wanted.pop(subject, None)
        subscription = self._subscribed.pop(subject, None)
        if subscription is not None and not self.client.is_closed:
            with contextlib.suppress(Error, OSError):
                await subscription.unsubscribe()

    async def _subscribe(self, subject: str) -> None:
        if subject not in self._subscribed:
            self._subscribed[subject] = await self.client.subscribe(subject, cb=self._wanted[subject])

    async def _run(self) -> None:
        """Connects, and looks after a client whose own reconnecting ended (nats-py gives up for ever on an error that
        it did not expect)."""
        loop = asyncio.get_running_loop()
        await self._connect()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.connected:
                self._since = loop.time()
            elif self.client.is_closed or loop.time() - self._since > STUCK_SECONDS:
                await self._close(self.client)
                await self._connect()

    async def _connect(self) -> None:
        """A new client, however long it takes."""
        loop = asyncio.get_running_loop()
        failed = ""
        while True:
            self.client, self._subscribed = Client(), {}
            try:
                await self.client.connect(**self._options())
                for subject in self._wanted:
                    await self._subscribe(subject)
            except (Error, OSError, TimeoutError, ValueError) as error:
                if (text := str(error) or type(error).__name__) != failed:
                    log.warning("no connection to the broker: %s", text)
                failed = text
                await self._close(self.client)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._since = loop.time()
            log.info("connected to the broker at %s", ", ".join(self.servers.urls))
            self._came()
            return

    def _options(self) -> dict[str, Any]:
        servers = self.servers
        given: dict[str, Any] = {
            "servers": list(servers.urls),
            "name": self._name,
            "allow_reconnect": True,
            "max_reconnect_attempts": 1,  # of the first connection; afterwards see below
            "reconnect_time_wait": RETRY_SECONDS,
            "connect_timeout": CONNECT_SECONDS,
            "ping_interval": PING_SECONDS,
            "max_outstanding_pings": 2,
            "pending_size": PENDING_BYTES,
            "flusher_queue_size": 16_384,
            "error_cb": self._fault,
            "disconnected_cb": self._went,
            "reconnected_cb": self._returned,
        }
        for name in ("user", "password", "token"):
            if text := getattr(servers, name):
                given[name] = text
        if servers.secured:
            given["tls"] = ssl.create_default_context(cafile=servers.authority or None)
        return given

    def _came(self) -> None:
        self.client.options["max_reconnect_attempts"] = -1  # from now on it comes back by itself
        self._up.set()
        self._unkept = None
        for call in self.came:
            call()

    async def _returned(self) -> None:
        log.warning("the broker is back")
        self._came()

    async def _went(self) -> None:
        if self._up.is_set() and not self._stopping:
            log.error("the broker is away; what is accepted stays in the table until it is back")
        self._up.clear()

    async def _fault(self, error: Exception) -> None:
        log.debug("the broker's connection: %s", error)

    @staticmethod
    async def _close(client: Client) -> None:
        with contextlib.suppress(Error, OSError, TimeoutError, AssertionError):
            await client.close()
