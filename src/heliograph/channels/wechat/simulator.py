"""A stand-in of WeChat: hands out access tokens, takes messages and uploads, posts signed and encrypted events."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import msgspec

from heliograph.channels.wechat.api import KNOWN_PATH, TOKEN_PATH
from heliograph.channels.wechat.media import UPLOAD_PATH
from heliograph.channels.wechat.message import CUSTOM_PATH, TEMPLATE_PATH
from heliograph.channels.wechat.settings import PEER, made_up
from heliograph.channels.wechat.simulated import checks
from heliograph.channels.wechat.simulated.doors import Doors, Refused, fault
from heliograph.channels.wechat.simulated.events import Events
from heliograph.channels.wechat.simulated.plans import Plan, plan_of
from heliograph.model.channel import Peer
from heliograph.wire.plain_asgi import Asked, Reply, application, said
from heliograph.wire.standin import HttpStandIn, StandInKind

PORT = 2783
KEPT = 1_000  # messages that are remembered
REPEATED = 45065


class WechatSimulator:
    """See `StandIn`. `doors` says whom it lets in; `taken` are messages, newest last."""

    def __init__(self, host: str, port: int, platform_url: str) -> None:
        self.doors = Doors()
        self.events = Events(platform_url)
        self.taken: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._once: dict[tuple[str, str], int] = {}  # msgids by OpenID and client_msg_id
        self._server = HttpStandIn(application(self._handle), host, port)

    async def start(self) -> Peer:
        """See `StandIn`."""
        return await self._server.start()

    async def stop(self) -> None:
        """See `StandIn`."""
        await self.events.close()
        await self._server.stop()

    async def say(self, appid: str, openid: str, text: str, **more: str | int) -> int:
        """A person writes to an account; the status of the platform's answer."""
        members: dict[str, str | int] = {
            "FromUserName": openid, "MsgType": "text", "Content": text, "MsgId": self.events.number(),
        }  # fmt: skip
        return await self.events.post(appid, members | more)

    async def event(self, appid: str, openid: str, event: str, **more: str | int) -> int:
        """A person follows, leaves, taps ...; the status of the platform's answer."""
        members: dict[str, str | int] = {"FromUserName": openid, "MsgType": "event", "Event": event}
        return await self.events.post(appid, members | more)

    async def _handle(self, asked: Asked) -> Reply:
        self.asked[asked.path] += 1
        if asked.path.startswith("/sim/") and asked.method == "POST":
            return await self._told(asked)
        try:
            if asked.path == TOKEN_PATH:
                return self.doors.token(asked)
            appid = self.doors.appid(asked)
            if asked.path == KNOWN_PATH:
                return said({"ip_list": ["127.0.0.1"]})
            if asked.method != "POST":
                raise Refused(43002)
            if asked.path == UPLOAD_PATH:
                return self._uploaded(appid, asked)
            if asked.path in (CUSTOM_PATH, TEMPLATE_PATH):
                return await self._sent(appid, asked)
        except Refused as refused:
            return fault(refused.errcode)
        return said({"errcode": 404, "errmsg": "there is nothing here"}, 404)

    def _uploaded(self, appid: str, asked: Asked) -> Reply:
        kind = asked.query.get("type", "")
        checks.file_of(kind, asked.body)
        identity = self.doors.keep(appid, kind)
        member = "thumb_media_id" if kind == "thumb" else "media_id"
        return said({"type": kind, member: identity, "created_at": 0})

    async def _sent(self, appid: str, asked: Asked) -> Reply:
        found = checks.object_of(asked.body)
        openid = str(found["touser"])
        plan = self._plan(openid)
        if plan.errcode:
            raise Refused(plan.errcode)
        is_template = asked.path == TEMPLATE_PATH
        if is_template:
            checks.check_template(found)
        else:
            checks.check_custom(found, lambda identity: self.doors.knows(appid, identity))
        answer: dict[str, Any] = {"errcode": 0, "errmsg": "ok"}
        repeated = False
        if is_template:
            answer["msgid"], repeated = self._number(openid, str(found.get("client_msg_id") or ""))
        if repeated:
            return said(answer | {"errcode": REPEATED, "errmsg": "clientmsgid exist"})
        self.taken.append({"appid": appid, "path": asked.path, "body": found})
        if is_template and plan.status:
            self.events.later(plan.after, appid, {
                "FromUserName": openid, "MsgType": "event", "Event": "TEMPLATESENDJOBFINISH",
                "MsgID": answer["msgid"], "Status": plan.status,
            })  # fmt: skip
        return _answer(plan, answer)

    def _number(self, openid: str, client_msg_id: str) -> tuple[int, bool]:
        """The id of a template message, and whether it was sent before."""
        if not client_msg_id:
            return self.events.number(), False
        known = self._once.get((openid, client_msg_id))
        number = known or self.events.number()
        self._once[openid, client_msg_id] = number
        if len(self._once) > KEPT:
            del self._once[next(iter(self._once))]
        return number, known is not None

    def _plan(self, openid: str) -> Plan:
        plan = plan_of(openid)
        if plan.fail_first:
            self._failed[openid] += 1
            if self._failed[openid] > plan.fail_first:
                return Plan()
        return plan

    async def _told(self, asked: Asked) -> Reply:
        """What a person at the keyboard makes happen."""
        try:
            wish = msgspec.json.decode(asked.body, type=_Wish)
        except msgspec.DecodeError as error:
            return said({"error": str(error)}, 400)
        appid = made_up(wish.lane, plain=wish.plain)["appid"]
        match asked.path:
            case "/sim/say":
                status = await self.say(appid, wish.openid, wish.text)
            case "/sim/follow" | "/sim/leave":
                event = "subscribe" if asked.path == "/sim/follow" else "unsubscribe"
                status = await self.event(appid, wish.openid, event)
            case _:
                return said({"error": "there is nothing here"}, 404)
        return said({"platform_answered": status})


def _answer(plan: Plan, answer: dict[str, Any]) -> Reply:
    match plan.answer:
        case "never":
            return Reply(silent=True)
        case "cut":
            return said(answer)._replace(cut=True)
        case "garbage":
            return Reply(200, b"<html>")
        case "503":
            return Reply(503, b"")
    return said(answer)


class _Wish(msgspec.Struct, frozen=True):
    """What is to happen: in which lane (`plain`: its callbacks are in plain mode), who does it, and what is said."""

    lane: str
    plain: bool = False
    openid: str = "oSimulatedPerson"
    text: str = "Hello"


STAND_INS = (StandInKind(PEER, PORT, WechatSimulator),)
