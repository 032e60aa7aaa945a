"""The stand-in for users of apps: it is woken as an app is by a push, connects by WebSocket and does what the user's
name asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from heliograph.model.channel import Peer
from heliograph.wire.graph.simulated import asked
from heliograph.wire.plain_asgi import Asked, Reply, application, said
from heliograph.wire.standin import HttpStandIn, StandInKind

log = logging.getLogger(__name__)

PORT = 2785
PROTOCOL = Subprotocol("heliograph.v1")
IDLE_SECONDS = 3.0  # without a message before a simulated user goes
READ_SECONDS = 0.15
LATER_SECONDS = 1.0
LAPSE_MS = 2_000
MOST_AT_ONCE = 400  # connections that simulated users hold
AWAY, ABSENT, SILENT, UNREAD = "7301", "7602", ("7303", "7501"), "7500"

# The word of an app for each published code.
REASONS = {
    "7010": "refused", "7011": "other", "7107": "too_long", "7202": "unsupported", "7207": "unreachable",
    "7213": "unregistered", "7301": "expired", "7302": "rate", "7304": "app_credentials",
    "7305": "user_credentials", "7602": "absent",
}  # fmt: skip


class User(msgspec.Struct, frozen=True):
    """Whom to wake: a user of the app of a lane, with a token for them."""

    lane: str
    user: str
    token: str


class AppUsers:
    """Everybody's phone."""

    def __init__(self, host: str, port: int, platform_url: str) -> None:
        self._http = HttpStandIn(application(self._take), host, port)
        self._platform = platform_url.replace("http", "ws", 1)
        self._here: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._later: set[asyncio.Task[None]] = set()

    async def start(self) -> Peer:
        """See `StandIn`."""
        return await self._http.start()

    async def stop(self) -> None:
        """See `StandIn`."""
        tasks = [*self._here.values(), *self._later]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.stop()

    async def _take(self, asked_for: Asked) -> Reply:
        """`POST /wake`: whether the user comes, and for how long to keep what they do not come for."""
        if asked_for.method != "POST" or asked_for.path != "/wake":
            return said({"error": "POST /wake"}, 404)
        try:
            user = msgspec.json.decode(asked_for.body, type=User)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return said({"error": "no user"}, 400)
        code, later = asked(user.user)
        if not later and code == ABSENT:
            return said({"comes": False})
        if not later and code == AWAY:
            return said({"comes": True, "keep_ms": LAPSE_MS})
        key = (user.lane, user.user)
        if key not in self._here:
            task = self._here[key] = asyncio.create_task(self._connect(user))
            task.add_done_callback(lambda _: self._here.pop(key, None))
        return said({"comes": True})

    async def _connect(self, user: User) -> None:
        url = f"{self._platform}/rt/{user.lane}"
        try:
            async with (
                self._room,
                connect(url, subprotocols=[PROTOCOL], compression=None, proxy=None, ping_interval=None) as socket,
            ):
                await socket.send(_frame("hello", token=user.token, device=""))
                await self._attend(user, socket)
        except (OSError, WebSocketException, TimeoutError) as error:
            log.debug("the simulated user %s: %s", user.user, error)

    async def _attend(self, user: User, socket: ClientConnection) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    text = await socket.recv()
            except TimeoutError:
                return
            frame = msgspec.json.decode(text)
            if frame["t"] == "message":
                task = asyncio.create_task(self._answer(user, socket, frame["seq"]))
                self._later.add(task)
                task.add_done_callback(self._later.discard)

    async def _answer(self, user: User, socket: ClientConnection, seq: int) -> None:
        code, later = asked(user.user)
        try:
            for pause, frame in _doings(code, later, seq):
                await asyncio.sleep(pause)
                await socket.send(frame)
        except WebSocketException as error:
            log.debug("the simulated user %s is gone: %s", user.user, error)


def _doings(code: str, later: bool, seq: int) -> Iterable[tuple[float, str]]:
    """What a user does with a message: pauses in seconds and frames."""
    before = LATER_SECONDS if later else 0.0
    if code in SILENT:
        return ()
    if code in REASONS:
        return ((before, _frame("fail", seq=seq, reason=REASONS[code])),)
    if code == UNREAD:
        return ((before, _frame("ack", seq=seq)),)
    return ((before, _frame("ack", seq=seq)), (READ_SECONDS, _frame("read", seqs=[seq])))


def _frame(kind: str, **members: Any) -> str:
    return msgspec.json.encode({"t": kind, **members}).decode()


STAND_INS = (StandInKind("app_users", PORT, AppUsers),)
