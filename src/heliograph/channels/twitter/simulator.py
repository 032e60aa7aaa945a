"""A stand-in of X: takes direct messages in both versions of the API, checks who sends, posts signed events."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

import msgspec

from heliograph.channels.twitter.credentials import TOKEN_PATH
from heliograph.channels.twitter.message import OLD_PATH
from heliograph.channels.twitter.settings import PEER, made_up
from heliograph.channels.twitter.simulated.doors import Doors, Refused
from heliograph.channels.twitter.simulated.events import Events
from heliograph.channels.twitter.simulated.plans import Plan, plan_of, problem
from heliograph.model.channel import Peer
from heliograph.wire.plain_asgi import Asked, Reply, application, said
from heliograph.wire.standin import HttpStandIn, StandInKind

ME_PATH = "/2/users/me"
PORT = 2782
TEXT_CHARACTERS = 10_000
KEPT = 1_000  # messages that are remembered
SLOW_SECONDS = 0.5
WAIT_SECONDS = 2  # until the window of an account opens again, as a refused call is told

NOT_FOUND = problem(404, "Not Found", "There is nothing here.")
INVALID = problem(400, "Invalid Request", "One or more parameters to your request was invalid.", "invalid-request")
TOO_LONG = problem(400, "Invalid Request", "The text is over the max character limit of 10000.", "invalid-request")


class XSimulator:
    """See `StandIn`. `doors` says whom it lets in and how much it takes; `taken` are messages, newest last."""

    def __init__(self, host: str, port: int, platform_url: str) -> None:
        self.doors = Doors()
        self.events = Events(platform_url)
        self.taken: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._server = HttpStandIn(application(self._handle), host, port)

    async def start(self) -> Peer:
        """See `StandIn`."""
        return await self._server.start()

    async def stop(self) -> None:
        """See `StandIn`."""
        await self.events.close()
        await self._server.stop()

    async def say(self, lane: str, sender: str, text: str, *, old: bool = False, **more: Any) -> int:
        """A person writes to the account of a lane; the status of the platform's answer."""
        payload = self.events.message(lane, sender, made_up(lane)["user_id"], text, **more)
        return await self.events.post(lane, "dm.received", payload, old=old)

    async def read(self, lane: str, reader: str, last: str, *, old: bool = False) -> int:
        """A person has read up to an event; the status of the platform's answer."""
        return await self.events.post(lane, "dm.read", self.events.mark(lane, reader, last), old=old)

    async def revoke(self, lane: str, *, old: bool = False) -> int:
        """The account of a lane takes its permission back; the status of the platform's answer."""
        self.doors.revoked.add(lane)
        own, stamp = made_up(lane)["user_id"], time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        if old:
            revoke = {"date_time": stamp, "target": {"app_id": "1"}, "source": {"user_id": own}}
            return await self.events.post(lane, "", {"user_event": {"revoke": revoke}}, old=True)
        return await self.events.post(lane, "oauth.revoke", {"date_time": stamp, "user_id": own, "app_id": "1"})

    def restore(self, lane: str) -> None:
        """The account of a lane gives its permission again."""
        self.doors.revoked.discard(lane)

    async def _handle(self, asked: Asked) -> Reply:
        self.asked[asked.path] += 1
        if asked.path == TOKEN_PATH:
            return self.doors.token(asked)
        if asked.path.startswith("/sim/") and asked.method == "POST":
            return await self._told(asked)
        if asked.path == ME_PATH and asked.method == "GET":
            return self._me(asked)
        recipient, text = _message(asked)
        if asked.method != "POST" or recipient is None:
            return _reply(NOT_FOUND)
        try:
            lane = self.doors.lane(asked, signed_only=asked.path == OLD_PATH)
            window = self.doors.count(lane).headers(self.doors.limit)
        except Refused as refused:
            return _reply(refused.plan, _used_up() if refused.plan.waits else ())
        if text is None:
            return _reply(INVALID, window)
        if len(text) > TEXT_CHARACTERS:
            return _reply(TOO_LONG, window)
        return await self._sent(asked, lane, recipient, text, window)

    async def _sent(
        self, asked: Asked, lane: str, recipient: str, text: str, window: tuple[tuple[str, str], ...]
    ) -> Reply:
        plan = self._plan(recipient)
        if plan.status != 201 or plan.body is not None:
            return _reply(plan, _used_up() if plan.waits else window)
        own, identity = made_up(lane)["user_id"], self.events.new_id()
        self.taken.append({"lane": lane, "to": recipient, "id": identity, "path": asked.path,
                           "body": msgspec.json.decode(asked.body)})  # fmt: skip
        in_old = int(recipient[-1]) % 2 == 1  # both envelopes are in use
        if plan.stored is not None:
            stored = self.events.message(lane, own, recipient, text, event_id=identity)
            events = [(plan.stored, "dm.sent", stored)] * (2 if plan.answer == "twice" else 1)
            if plan.read is not None:
                events.append((plan.read, "dm.read", self.events.mark(lane, recipient, identity)))
            self.events.later(lane, *events, old=in_old)
        if plan.answer == "never":
            return Reply(silent=True)
        if plan.answer == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if asked.path == OLD_PATH:
            found: Any = {"event": {"type": "message_create", "id": identity, "created_timestamp": "0"}}
            return said(found, 200, window)._replace(cut=plan.answer == "cut")
        low, high = sorted((own, recipient), key=int)
        found = {"data": {"dm_conversation_id": f"{low}-{high}", "dm_event_id": identity}}
        return said(found, 201, window)._replace(cut=plan.answer == "cut")

    def _me(self, asked: Asked) -> Reply:
        try:
            own = made_up(self.doors.lane(asked))["user_id"]
        except Refused as refused:
            return _reply(refused.plan)
        return said({"data": {"id": own, "name": "Simulated", "username": "simulated"}})

    def _plan(self, recipient: str) -> Plan:
        plan = plan_of(recipient)
        if plan.fail_first:
            self._failed[recipient] += 1
            if self._failed[recipient] > plan.fail_first:
                return Plan()
        return plan

    async def _told(self, asked: Asked) -> Reply:
        """What a person at the keyboard makes happen."""
        try:
            wish = msgspec.json.decode(asked.body, type=_Wish)
        except msgspec.DecodeError as error:
            return said({"error": str(error)}, 400)
        match asked.path:
            case "/sim/say":
                status = await self.say(wish.lane, wish.sender, wish.text)
            case "/sim/revoke":
                status = await self.revoke(wish.lane)
            case "/sim/restore":
                self.restore(wish.lane)
                status = 200
            case _:
                return _reply(NOT_FOUND)
        return said({"platform_answered": status})


class _Wish(msgspec.Struct, frozen=True):
    """What is to happen: in which lane, `sender` and `text` of what a person says."""

    lane: str
    sender: str = "447700900001"
    text: str = "Hello"


def _message(asked: Asked) -> tuple[str | None, str | None]:
    """The recipient (None: no message is sent there) and the text (None: it cannot be read) of a call."""
    beginning, _, end = asked.path.partition("/with/")
    recipient, _, last = end.partition("/")
    is_new = beginning == "/2/dm_conversations" and last == "messages" and recipient.isdigit()
    if not is_new and asked.path != OLD_PATH:
        return None, None
    try:
        found = msgspec.json.decode(asked.body)
    except msgspec.DecodeError:
        found = {}
    if is_new:
        return recipient, _text(found, found.get("attachments") if isinstance(found, dict) else None)
    create = _inner(_inner(found, "event"), "message_create")
    recipient = str(_inner(create, "target").get("recipient_id") or "0")
    data = _inner(create, "message_data")
    return recipient, _text(data, data.get("attachment"))


def _text(found: Any, attached: Any) -> str | None:
    text = found.get("text", "") if isinstance(found, dict) else ""
    return text if isinstance(text, str) and (text or attached) else None


def _inner(found: Any, name: str) -> Mapping[str, Any]:
    inner = found.get(name) if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else {}


def _reply(plan: Plan, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return said(plan.body, plan.status, headers)


def _used_up() -> tuple[tuple[str, str], ...]:
    reset = str(int(time.time()) + WAIT_SECONDS)
    return ("x-rate-limit-limit", "15"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", reset)


STAND_INS = (StandInKind(PEER, PORT, XSimulator),)
