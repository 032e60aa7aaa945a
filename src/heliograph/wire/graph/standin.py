"""A stand-in of the Graph API: checks tokens and proofs as Graph does, and calls back with signed webhooks.

What a channel sends and what is said of it stands in the channel's own simulator; this is what they share.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from heliograph.model.channel import Peer
from heliograph.wire.graph.account import lane_of, made_up_secret
from heliograph.wire.graph.meanings import Fault
from heliograph.wire.graph.webhook import SIGNATURE, proof, signature
from heliograph.wire.http import Client, HttpError
from heliograph.wire.standin import HttpStandIn

log = logging.getLogger(__name__)

WEBHOOK_TRIES = 6
WEBHOOK_AGAIN = 0.2  # seconds before the second try; it doubles
WEBHOOK_TIMEOUT = 20.0
SEEN = 1_000
HANG_STEP = 0.05
BODY_LIMIT = 1024 * 1024

_MESSAGES = re.compile(r"/v[0-9.]+/([0-9]+|me)/messages")
_DEBUG = re.compile(r"/v[0-9.]+/debug_token")
_HEADERS = ((b"content-type", b"application/json; charset=UTF-8"),)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Respond = Callable[[dict[str, Any]], Awaitable[None]]


class Reply(NamedTuple):
    """An HTTP answer; `first` is called back before it goes out, `wait` seconds pass between the two, `then` follows
    it: each time seconds to wait and the webhook's body."""

    status: int
    body: Any
    first: tuple[Any, ...] = ()
    wait: float = 0.0
    then: tuple[tuple[float, Any], ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Refusal(Exception):
    """A call that Graph would refuse."""

    def __init__(self, fault: Fault, status: int = 400) -> None:
        super().__init__(fault.message)
        self.reply = Reply(status, {"error": error_of(fault)})


def error_of(fault: Fault) -> dict[str, Any]:
    """A fault as Graph writes it."""
    error: dict[str, Any] = {"message": fault.message, "type": "OAuthException", "code": fault.code}
    if fault.subcode:
        error["error_subcode"] = fault.subcode
    if fault.transient:
        error["is_transient"] = True
    return {**error, "fbtrace_id": "A-simulated-trace"}


def demand(holds: object, message: str, code: int = 100, subcode: int = 0) -> None:
    """Refuse a call that lacks what Graph demands."""
    if not holds:
        raise Refusal(Fault(code, subcode, message))


class Call(NamedTuple):
    """A checked call to send: the lane it came from by its token, the page or phone number, the message."""

    lane: str
    node: str
    message: dict[str, Any]


class GraphStandIn(HttpStandIn):
    """`channel` names the callback path, `take` says what becomes of a message. `mood` is `fine`, `hang` (nothing is
    done or answered), `mute` (messages are taken and not answered) or `down` (503); `revoked` holds lanes whose
    token is dead, `expires` when tokens end (Unix seconds, 0: never)."""

    def __init__(self, channel: str, take: Callable[[Call], Reply], host: str, port: int, platform_url: str) -> None:
        super().__init__(self._serve, host, port)
        self.channel = channel
        self.mood = "fine"
        self.revoked: set[str] = set()
        self.expires = 0
        self.usage: dict[str, str] = {}  # headers of every answer
        self.seen: deque[Call] = deque(maxlen=SEEN)
        self.calls = self.refused = self.given_up = self.checks = 0
        self._take = take
        self._url = platform_url
        self._http = Client(max_connections_per_origin=32)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> Peer:
        """See `StandIn`."""
        return await super().start()

    async def stop(self) -> None:
        """See `StandIn`."""
        self.mood = "fine"
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().stop()
        await self._http.close()

    # HTTP

    async def _serve(self, scope: Mapping[str, Any], receive: Receive, send: Respond) -> None:
        body = await _body(receive)
        hung = self.mood == "hang"
        await self._while("hang")
        reply = Reply(503, {}) if hung or self.mood == "down" else await self._answer(scope, body)
        more = tuple((name.encode(), value.encode()) for name, value in self.usage.items())
        await send({"type": "http.response.start", "status": reply.status, "headers": [*_HEADERS, *more]})
        await send({"type": "http.response.body", "body": msgspec.json.encode(reply.body)})

    async def _answer(self, scope: Mapping[str, Any], body: bytes) -> Reply:
        try:
            if scope["method"] == "POST" and scope["path"] == "/sim/people":
                return self._person(body)
            lane = self._caller(scope)
            if scope["method"] == "GET" and _DEBUG.fullmatch(scope["path"]):
                return self._debugged(scope)
            match = _MESSAGES.fullmatch(scope["path"])
            demand(match and scope["method"] == "POST", "Unsupported request - method or object", 100, 33)
            assert match is not None  # noqa: S101
            return await self._message(Call(lane, match[1], _object(body)))
        except Refusal as refusal:
            self.refused += 1
            return refusal.reply

    def _caller(self, scope: Mapping[str, Any]) -> str:
        """The lane whose token this is; its proof is checked."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qs(scope["query_string"].decode("latin-1"))
        token = headers.get("authorization", "").removeprefix("Bearer ") or query.get("access_token", [""])[0]
        lane = lane_of(token)
        if not token:
            raise Refusal(Fault(190, 0, "An access token is required to request this resource."), 401)
        if not lane:
            raise Refusal(Fault(190, 0, "Invalid OAuth access token - Cannot parse access token"), 401)
        found = query.get("appsecret_proof", [""])[0]
        demand(found, "API calls from the server require an appsecret_proof argument")
        demand(found == proof(token, made_up_secret(lane)), "Invalid appsecret_proof provided in the API argument")
        if lane in self.revoked and not _DEBUG.fullmatch(scope["path"]):
            message = "Error validating access token: The session has been invalidated because the user changed it."
            raise Refusal(Fault(190, 460, message), 401)
        return lane

    def _debugged(self, scope: Mapping[str, Any]) -> Reply:
        self.checks += 1
        token = parse_qs(scope["query_string"].decode("latin-1")).get("input_token", [""])[0]
        lane = lane_of(token)
        if not lane or lane in self.revoked:
            error = {"code": 190, "message": "The session has been invalidated.", "subcode": 460}
            return Reply(200, {"data": {"is_valid": False, "error": error}})
        return Reply(200, {"data": {"is_valid": True, "type": "PAGE", "expires_at": self.expires, "scopes": []}})

    async def _message(self, call: Call) -> Reply:
        self.calls += 1
        self.seen.append(call)
        reply = self._take(call)
        for event in reply.first:
            await self.tell(call.lane, event)
        if reply.wait:
            await asyncio.sleep(reply.wait)
        if reply.then:
            self._background(self._tell_all(call.lane, reply.then))
        await self._while("mute")
        return reply

    async def _while(self, mood: str) -> None:
        """Do nothing while in that mood."""
        while self.mood == mood:
            await asyncio.sleep(HANG_STEP)

    # Webhooks

    async def tell(self, lane: str, event: Any) -> bool:
        """Call back with a signed webhook until it is answered 200, a few times; whether it was."""
        body = msgspec.json.encode(event)
        headers = {"content-type": "application/json", SIGNATURE: signature(made_up_secret(lane), body)}
        url = f"{self._url}/callbacks/{self.channel}/{lane}"
        for attempt in range(WEBHOOK_TRIES):
            try:
                answer = await self._http.request("POST", url, headers, body, WEBHOOK_TIMEOUT, allow_private=True)
                if answer.status == 200:
                    return True
                log.debug("a webhook is answered %d", answer.status)
            except HttpError as error:
                log.debug("a webhook is not answered: %s", error)
            await asyncio.sleep(WEBHOOK_AGAIN * 2**attempt)
        self.given_up += 1
        return False

    async def _tell_all(self, lane: str, events: Sequence[tuple[float, Any]]) -> None:
        for seconds, event in events:
            await asyncio.sleep(seconds)
            await self.tell(lane, event)

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # People

    def inbound(self, call: Mapping[str, Any]) -> Any:
        """The webhook of a message that a person writes; a channel's stand-in says how that looks."""
        raise NotImplementedError

    def _person(self, body: bytes) -> Reply:
        """Somebody writes: `{"lane", "from", ...}`."""
        found = _object(body)
        lane = found.get("lane")
        demand(isinstance(lane, str) and lane.count("/") == 1 and "~" in lane, "lane is TENANT/APP~sandbox")
        self._background(self._tell_all(str(lane), ((0.0, self.inbound(found)),)))
        return Reply(200, {"ok": True})


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    demand(isinstance(found, dict), "(#100) The body is no JSON object")
    assert isinstance(found, dict)  # noqa: S101
    return found


async def _body(receive: Receive) -> bytes:
    pieces, size, more = [], 0, True
    while more:
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        more = message.get("more_body", False) and size <= BODY_LIMIT
    return b"".join(pieces)


numbers = itertools.count(1)
"""What makes ids of messages different."""
