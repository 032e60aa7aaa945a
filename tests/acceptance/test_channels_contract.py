"""The contract of voice, push, rt, fb, twitter and wechat over real HTTP: every published refusal of their calls,
every published skeleton taken, every alias read.

Nothing is set up for these channels here, so a call that passes the contract is told 7106 in the element of its
destination, or 7104 when it names an app; a call that does not is refused with one object.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.testing import Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_DESTINATION = "any one of [customerid,msisdn,email, userid,pushid,psid, twitterid, wechatid] is mandatory"
PRIORITY = "invalid value for param 'priority', it should be one of [1,2,3,4,5]"
PUSH_PLATFORM = "either android or ios information is mandatory for push channel"
VOICE = "either param 'callflowid' or param 'media' is required"
ACTION = "invalid value of param action or action is invalid for this channel"
CATEGORY = "Invalid value of param category or no identifiers mapped to this category"
IDENTIFIER = "invalid identifier or no actions mapped for this identifier"
POS = "Invalid value of param pos, only positions [{}] are allowed for this category"
SIZE = "Invalid number of actions, expected actions size {}, but found {}"
VALUE = "invalid value of param value, specified value is invalid for action {}"
DEVICE = "invalid device type {}, only ios or android is allowed"
NO_VALUE = "mandatory param value missing for action {}"

CATEGORIES = [
    {"name": "HOLE", "positions": [1, 2], "identifiers": {"1": "A"}, "actions": {"A": ["OPEN_APP"]}},
    {"name": "IDLE", "positions": [1], "identifiers": {"1": "A"}, "actions": {"A": []}},
    {"name": "EMPTY", "positions": [1], "identifiers": {}, "actions": {}},
    {"name": "TRIPLE", "positions": [1, 2, 3], "identifiers": {"1": "YES", "2": "NO", "3": "MINE"},
     "actions": {"MINE": ["OPEN_WEBVIEW"]}},
]  # fmt: skip

DESTINATIONS: dict[str, dict[str, Any]] = {
    "voice": {"msisdn": ["447700900001"]},
    "push": {"userid": ["u1"]},
    "rt": {"userid": ["u1"]},
    "appmessaging": {"userid": ["u1"]},
    "fb": {"psid": ["1257357297610042"]},
    "twitter": {"twitterid": ["1577568001"]},
    "wechat": {"wechatid": ["OPENID"]},
}


def call(channel: str, channels: Any, **more: Any) -> dict[str, Any]:
    """A call on a channel; None as `channels` leaves the member out."""
    body = {"deliverychannel": channel, "channels": channels, "destination": [DESTINATIONS[channel.lower()]], **more}
    return {name: value for name, value in body.items() if value is not None}


def push(**members: Any) -> dict[str, Any]:
    """A call with this push object."""
    return call("push", {"push": members})


def rt(**members: Any) -> dict[str, Any]:
    """A call with this appmessaging object."""
    return call("rt", {"appmessaging": members})


def ott(channel: str, **members: Any) -> dict[str, Any]:
    """A call with this object under OTT-Messaging."""
    return call(channel, {"OTT-Messaging": {channel: members}})


def tap(**action: Any) -> dict[str, Any]:
    """A push call with this notificationaction."""
    return push(android={"text": "Hi", "extras": {"notificationaction": action}})


REFUSALS: list[tuple[str, Any, str, str]] = [
    # 4: destinations
    ("fb without its key", {**ott("fb", text="x"), "destination": [{"msisdn": ["1"]}]}, "7003", NO_DESTINATION),
    ("push by phone", {**push(ios={"text": "x"}), "destination": [{"msisdn": ["1"]}]}, "7003", NO_DESTINATION),
    ("rt by token", {**rt(message={"text": "x"}), "destination": [{"ios_pushid": ["1"]}]}, "7003", NO_DESTINATION),
    ("wechat by email", {**ott("wechat", text="x"), "destination": [{"email": ["a@b.c"]}]}, "7003", NO_DESTINATION),
    # 5-8: push
    ("android text", push(android={"title": "T"}), "7003", "param 'text' is missing for android"),
    ("android nothing", push(android={}), "7003", "param 'text' is missing for android"),
    ("android text empty", push(android={"text": ""}, ios={"text": "x"}), "7003",
     "param 'text' is missing for android"),
    ("ios text", push(ios={"title": "T"}), "7003", "param 'text' is missing for ios"),
    ("ios text beside android", push(android={"text": "x"}, ios={"text": None}), "7003",
     "param 'text' is missing for ios"),
    ("no push", call("push", {"sms": {}}), "7003", "param 'push' missing for push channel"),
    ("no channels", call("push", None), "7003", "param 'push' missing for push channel"),
    ("push null", call("push", {"push": None}), "7003", "param 'push' missing for push channel"),
    ("no platform", push(), "7003", PUSH_PLATFORM),
    ("no platform in apnp", call("push", {"apnp": {}}), "7003", PUSH_PLATFORM),
    ("platforms null", push(android=None, ios=None), "7003", PUSH_PLATFORM),
    ("buttons alone", push(interactive={"category": "SINGLE_OPEN"}), "7003", PUSH_PLATFORM),
    ("web without browsers", push(web={"text": "x"}), "7003", "mandatory param platform_types missing"),
    ("web with no browser", push(web={"text": "x", "platform_types": []}), "7003",
     "mandatory param platform_types missing"),
    ("web text", push(web={"platform_types": ["chrome"]}), "7003", "param 'text' is missing for web"),
    ("web browser unknown", push(web={"platform_types": ["chrome", "lynx"], "text": "x"}), "7004",
     "invalid value for param 'platform_types'"),
    ("android no object", push(android="x"), "7000", "Invalid JSON"),
    ("android a list", push(android=[1]), "7000", "Invalid JSON"),
    ("ios text an object", push(ios={"text": {"a": 1}}), "7000", "Invalid JSON"),
    ("push a list", call("push", {"push": [1]}), "7000", "Invalid JSON"),
    ("notificationaction unknown", tap(action="JUMP", value="x"), "7004", ACTION),
    ("notificationaction a reply", tap(action="INLINE_REPLY"), "7004", ACTION),
    ("notificationaction without value", tap(action="OPEN_URL"), "7003", NO_VALUE.format("OPEN_URL")),
    ("notificationaction html without value", tap(action="OPEN_HTML", value=""), "7003",
     NO_VALUE.format("OPEN_HTML")),
    # 9-18: fb, wechat, twitter
    *(
        row
        for name in ("fb", "wechat", "twitter")
        for row in (
            (f"{name} text", ott(name, other="x"), "7003", f"param 'text' missing for channel {name}"),
            (f"{name} text empty", ott(name, text=""), "7003", f"param 'text' missing for channel {name}"),
            (f"{name} no OTT-Messaging", call(name, {name: {"text": "x"}}), "7003",
             f"param 'OTT-Messaging' missing for channel {name}"),
            (f"{name} no channels", call(name, None), "7003", f"param 'OTT-Messaging' missing for channel {name}"),
            (f"{name} absent", call(name, {"OTT-Messaging": {}}), "7003",
             f"param '{name}' missing for channel {name}"),
            (f"{name} null", call(name, {"OTT-Messaging": {name: None}}), "7003",
             f"param '{name}' missing for channel {name}"),
            (f"{name} no object", call(name, {"OTT-Messaging": {name: "x"}}), "7000", "Invalid JSON"),
        )
    ),
    ("fb attachment empty", ott("fb", attachment={}), "7003", "param 'text' missing for channel fb"),
    ("twitter attachment alone", ott("twitter", attachment={"type": "media", "media": {"id": "1"}}), "7003",
     "param 'text' missing for channel twitter"),
    # 19, 20: rt
    ("rt text", rt(message={}), "7003", "param 'text' missing for channel rt"),
    ("rt no message", rt(thread_id="t"), "7003", "param 'text' missing for channel rt"),
    ("rt text empty", rt(message={"text": "", "attachment": {}}), "7003", "param 'text' missing for channel rt"),
    ("rt no object", call("rt", {"rt": {"message": {"text": "x"}}}), "7003",
     "param 'appmessaging' missing for channel rt"),
    ("appmessaging no object", call("appmessaging", {}), "7003", "param 'appmessaging' missing for channel rt"),
    # 24, 25: voice
    ("voice nothing", call("voice", {"voice": {"cli": "1"}}), "7003", VOICE),
    ("voice empty", call("voice", {"voice": {"callflowid": "", "media": None}}), "7003", VOICE),
    ("no voice", call("voice", {"sms": {"text": "x"}}), "7003", "param 'voice' missing for channel voice"),
    # 33: priority, in all three places
    ("rt priority", rt(message={"text": "x"}, priority=6), "7004", PRIORITY),
    ("rt priority a word", rt(message={"text": "x"}, priority="high"), "7004", PRIORITY),
    ("android priority", push(android={"text": "x", "priority": "0"}), "7004", PRIORITY),
    ("top priority", call("rt", {"appmessaging": {"message": {"text": "x"}}}, priority=9), "7004", PRIORITY),
    # 35, 47
    ("telegram", {**ott("fb", text="x"), "deliverychannel": "telegram"}, "7004", "invalid delivery channel"),
    ("email", {**ott("fb", text="x"), "deliverychannel": "email"}, "7004", "invalid delivery channel"),
    ("expired", {**ott("fb", text="x"), "expiry": "2015-04-12T13:00:19.456Z"}, "7005", "Request expired"),
]  # fmt: skip

YES, NO = {"pos": 1, "identifier": "YES", "action": "OPEN_APP"}, {"pos": "2"}


def buttons(category: Any = "DOUBLE_YES_NO", actions: Any = (YES, NO), **members: Any) -> dict[str, Any]:
    """An interactive object; None leaves a member out."""
    found = {"category": category, "actions": list(actions) if isinstance(actions, tuple) else actions, **members}
    return {name: value for name, value in found.items() if value is not None}


def one(**action: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two actions, the first as given."""
    return {"pos": 1, **action}, NO


def single(category: str, **action: Any) -> dict[str, Any]:
    """An interactive object of one button."""
    return buttons(category, ({"pos": 1, **action},))


# 29-32 and 38-46 of the table: the same on push and on rt
BUTTON_REFUSALS: list[tuple[str, Any, str, str]] = [
    ("no category", buttons(category=None), "7003", "mandatory param category missing"),
    ("category empty", buttons(category=""), "7003", "mandatory param category missing"),
    ("an empty object", {}, "7003", "mandatory param category missing"),
    ("category unknown", buttons(category="DOUBLE_TROUBLE"), "7004", CATEGORY),
    ("category a number", buttons(category=5), "7004", CATEGORY),
    ("category without identifiers", single("EMPTY"), "7004", CATEGORY),
    ("no actions", buttons(actions=None), "7003", "mandatory param actions missing"),
    ("actions no list", buttons(actions={"pos": 1}), "7003", "mandatory param actions missing"),
    ("actions empty", buttons(actions=[]), "7003", "mandatory param actions missing"),
    ("one action of two", buttons(actions=(YES,)), "7004", SIZE.format(2, 1)),
    ("two actions of one", buttons("SINGLE_OPEN", (YES, NO)), "7004", SIZE.format(1, 2)),
    ("two actions of three", buttons("TRIPLE", (YES, NO)), "7004", SIZE.format(3, 2)),
    ("no pos", buttons(actions=({"action": "OPEN_APP"}, NO)), "7003", "mandatory param pos missing"),
    ("pos empty", buttons(actions=({"pos": ""}, NO)), "7003", "mandatory param pos missing"),
    ("pos 3 of two", buttons(actions=one(pos=3)), "7004", POS.format("1,2")),
    ("pos 0", buttons(actions=one(pos=0)), "7004", POS.format("1,2")),
    ("pos a fraction", buttons(actions=one(pos=1.5)), "7004", POS.format("1,2")),
    ("pos true", buttons(actions=one(pos=True)), "7004", POS.format("1,2")),
    ("pos a word", buttons(actions=one(pos="first")), "7004", POS.format("1,2")),
    ("pos 2 of one", single("SINGLE_OPEN", pos=2), "7004", POS.format("1")),
    ("pos 4 of three", buttons("TRIPLE", (*one(pos=4), YES)), "7004", POS.format("1,2,3")),
    ("pos twice", buttons(actions=(YES, {**NO, "pos": "1"})), "7004",
     "invalid value of param pos, duplicate values for pos are not allowed"),
    ("a hole", buttons("HOLE", one(identifier="A")), "7004",
     "no identifier found for this category and at this position"),
    ("identifier of the other", buttons(actions=one(identifier="NO")), "7004", IDENTIFIER),
    ("identifier unknown", buttons(actions=one(identifier="Openapp")), "7004", IDENTIFIER),
    ("identifier with nothing mapped", single("IDLE"), "7004", IDENTIFIER),
    ("action unknown", buttons(actions=one(action="JUMP")), "7004", ACTION),
    ("action of the notification", buttons(actions=one(action="OPEN_HTML")), "7004", ACTION),
    ("action an object", buttons(actions=one(action={"a": 1})), "7004", ACTION),
    ("action not for it", buttons(actions=one(action="SHARE", value="x")), "7004",
     "invalid action for identifier YES"),
    ("action not for an own one", buttons("HOLE", one(action="DISMISS")), "7004",
     "invalid action for identifier A"),
    ("no url", buttons(actions=one(action="OPEN_URL")), "7003", NO_VALUE.format("OPEN_URL")),
    ("url empty", buttons(actions=one(action="OPENWEBVIEW", value="")), "7003", NO_VALUE.format("OPENWEBVIEW")),
    ("no share by default", single("SINGLE_SHARE"), "7003", NO_VALUE.format("SHARE")),
    ("no page by default", single("SINGLE_DEEPLINK"), "7003", NO_VALUE.format("DEEPLINK")),
    ("url wrong", buttons(actions=one(action="OPEN_URL", value="example")), "7004", VALUE.format("OPEN_URL")),
    ("url ftp", buttons(actions=one(action="OPENWEBVIEW", value="ftp://a")), "7004", VALUE.format("OPENWEBVIEW")),
    ("page without scheme", single("SINGLE_DEEPLINK", value="Settings"), "7004", VALUE.format("DEEPLINK")),
    ("share no text", single("SINGLE_SHARE", value={"a": 1}), "7004", VALUE.format("SHARE")),
    ("share blank", single("SINGLE_SHARE", value="  "), "7004", VALUE.format("SHARE")),
    ("an action no object", buttons(actions=[1, 2]), "7000", "Invalid JSON"),
    ("no object", "DOUBLE_YES_NO", "7000", "Invalid JSON"),
]  # fmt: skip

BOTH_DEVICES = ["ios", "android"]


def with_buttons(channel: str, interactive: Any) -> dict[str, Any]:
    """A call on push or rt with an interactive object; on push for both kinds of devices."""
    if channel == "rt":
        return rt(message={"text": "Hi"}, notification={"title": "T", "text": "Hi", "interactive": interactive})
    if isinstance(interactive, dict) and "device_types" not in interactive:
        interactive = {"device_types": BOTH_DEVICES, **interactive}
    return push(android={"text": "Hi"}, interactive=interactive)


PUSH_BUTTON_REFUSALS: list[tuple[str, Any, str, str]] = [
    ("no devices", push(ios={"text": "x"}, interactive=buttons()), "7003", "mandatory param device_types missing"),
    ("devices empty", with_buttons("push", buttons(device_types=[])), "7003", "mandatory param device_types missing"),
    ("devices no list", with_buttons("push", buttons(device_types="ios")), "7003",
     "mandatory param device_types missing"),
    ("device unknown", with_buttons("push", buttons(device_types=["ios", "windows"])), "7004",
     DEVICE.format("windows")),
    ("device twice", with_buttons("push", buttons(device_types=["ios", "ios"])), "7004", "duplicate device type ios"),
    ("category of rt", with_buttons("push", buttons("DOUBLE_REPLY_DISMISS")), "7004", CATEGORY),
    ("reply on push", with_buttons("push", single("SINGLE_REPLY", action="INLINE_REPLY")), "7004", ACTION),
    ("canned reply on push", with_buttons("push", buttons(actions=one(action="TRIVIAL_REPLY", value="x"))), "7004",
     ACTION),
]  # fmt: skip
RT_BUTTON_REFUSALS: list[tuple[str, Any, str, str]] = [
    ("no canned reply", with_buttons("rt", buttons("DOUBLE_REPLY_YES_NO", ({"pos": 1}, {"pos": 2}))), "7003",
     NO_VALUE.format("TRIVIAL_REPLY")),
    ("open on a reply", with_buttons("rt", single("SINGLE_REPLY", action="OPEN_APP")), "7004",
     "invalid action for identifier REPLY"),
    ("rt tap unknown", rt(message={"text": "x"}, notification={"ios_extras": {"notificationaction": {"action": 1}}}),
     "7004", ACTION),
]  # fmt: skip

ALL_REFUSALS = [
    *REFUSALS,
    *((f"{channel}: {name}", with_buttons(channel, interactive), code, text)
      for channel in ("push", "rt") for name, interactive, code, text in BUTTON_REFUSALS),
    *PUSH_BUTTON_REFUSALS,
    *RT_BUTTON_REFUSALS,
]  # fmt: skip

# The skeletons of messaging.md 6, member by member
PUSH_SKELETON: dict[str, Any] = {
    "ios": {"title": "T", "text": "Hi", "extras": {
        "badge": "1", "sound": "default", "time_to_live": "3600", "collapse_key": "k", "attachmenturl": "https://..",
        "customtags": {"k": "v"}, "notificationaction": {"action": "OPEN_URL", "value": "https://example.com"}}},
    "android": {"title": "T", "text": "Hi", "priority": "5", "extras": {
        "collapse_key": "k", "time_to_live": "3600", "delay_while_idle": "false",
        "customtags": {"imageurl": "https://.."}, "notificationaction": {"action": "OPEN_APP"}}},
    "web": {"platform_types": ["chrome", "firefox", "safari"], "title": "T", "text": "Hi",
            "url": "https://example.com", "actiontext": "Open",
            "extras": {"collapse_key": "k", "time_to_live": "3600", "customtags": {}}},
    "interactive": {"pushref": "ref", "device_types": ["ios", "android"], "category": "DOUBLE_YES_NO", "actions": [
        {"pos": 1, "identifier": "YES", "action": "OPEN_URL", "value": "https://example.com"},
        {"pos": 2, "identifier": "NO", "action": "OPEN_APP"}]},
}  # fmt: skip
RT_SKELETON: dict[str, Any] = {
    "thread_id": "t1", "priority": 3,
    "message": {"text": "Hi", "attachment": {"file": "https://../i.jpg", "contentType": "image", "size": "10"}},
    "notification": {
        "title": "T", "text": "Hi",
        "ios_extras": {"badge": "1", "sound": "default", "collapse_key": "k", "attachmenturl": "https://..",
                       "notificationaction": {"action": "OPEN_URL", "value": "https://.."}},
        "android_extras": {"collapse_key": "k", "notificationaction": {"action": "OPEN_APP"}},
        "web_extras": {"collapse_key": "k", "action": "a", "url": "https://.."},
        "windows_extras": {"logo": "https://..", "image": "https://..", "sound": "s", "badge": "b"},
        "interactive": {"category": "DOUBLE_YES_NO", "pushref": "r", "actions": [
            {"pos": 1, "identifier": "YES", "action": "OPEN_APP"},
            {"pos": 2, "identifier": "NO", "action": "OPEN_APP"}]},
    },
}  # fmt: skip
MEDIA = {"type": "media", "media": {"id": "1057943604868669445"}}
COMMON = {
    "correlationid": "c1", "notifyurl": "https://example.com/dr", "callbackData": "x",
    "expiry": "2999-01-01T00:00:00.000Z", "priority": "2",
}  # fmt: skip
TEMPLATE = {"template": "t1", "parameters": {"parameter1": "v"}}

ACCEPTED: list[tuple[str, Any]] = [
    ("voice", {**call("voice", {"voice": {"callflowid": "184", "media": "", "cli": "0453745878"}}), **COMMON}),
    ("voice media", call("voice", {"voice": {"media": "welcome"}})),
    ("voice prompt", call("voice", {"voice": {"promptid": 7}})),
    ("voice both", call("voice", {"voice": {"callflowid": "184", "media": "welcome"}})),
    ("push", {**push(**PUSH_SKELETON), "appid": "AP04045412",
              "destination": [{"userid": ["u1"]}, {"android_pushid": ["tok"]}], **COMMON}),
    ("push web alone", push(web=PUSH_SKELETON["web"])),
    ("push android alone", push(android={"text": "Hi"})),
    ("push ios alone, a number as text", push(ios={"text": 5, "extras": {"badge": 1, "time_to_live": 3600}})),
    ("push a tap by default", tap()),
    ("rt", {**rt(**RT_SKELETON), "appid": "AP04045412", **COMMON}),
    ("rt attachment alone", rt(message={"attachment": {"file": "https://a/b", "contentType": "file"}})),
    ("fb", {**ott("fb", text="Hi", notification_type="REGULAR", messaging_type="RESPONSE",
                  quick_replies=[{"content_type": "text", "title": "Red", "payload": "RED"}]),
            "appid": "a_1", **COMMON}),
    ("fb attachment", ott("fb", attachment={"type": "image", "payload": {"url": "https://a/b.png"}})),
    ("fb sender action", ott("fb", sender_action="typing_on")),
    ("twitter", {**ott("twitter", text="hi", attachment=MEDIA, quick_reply={
        "type": "options", "options": [{"label": "Start", "description": "d", "metadata": "m"}]}), "appid": "a_1"}),
    ("wechat", {**ott("wechat", text="hi", attachment=MEDIA), "appid": "a_1", **COMMON}),
    ("wechat attachment", ott("wechat", attachment=MEDIA)),
    ("wechat news", ott("wechat", attachment={"type": "news", "articles": [{"title": "t", "url": "https://a"}]})),
    *((f"{name} by a template alone", call(name, None, message=TEMPLATE)) for name in DESTINATIONS),
    ("push by a template, objects bare", {**push(android={}, ios={}), "message": TEMPLATE}),
    ("fb by a template, object bare", {**ott("fb"), "message": TEMPLATE}),
    ("rt by a template, no message", {**rt(thread_id="t"), "message": TEMPLATE}),
]  # fmt: skip

ALIASED: list[tuple[str, Any, Any]] = [
    ("apnp", push(**PUSH_SKELETON), call("push", {"apnp": PUSH_SKELETON})),
    ("appmessaging", rt(**RT_SKELETON), call("appmessaging", {"appmessaging": RT_SKELETON})),
    ("RT", rt(**RT_SKELETON), call("RT", {"appmessaging": RT_SKELETON})),
    ("WeChat", ott("wechat", text="x"), {**ott("wechat", text="x"), "deliverychannel": "WeChat"}),
    ("fbid", ott("fb", text="x"), {**ott("fb", text="x"), "destination": [{"fbid": ["1257357297610042"]}]}),
    ("FBID", ott("fb", text="x"), {**ott("fb", text="x"), "destination": [{"FBID": 1257357297610042}]}),
    ("wechatID", ott("wechat", text="x"), {**ott("wechat", text="x"), "destination": [{"wechatID": ["OPENID"]}]}),
    ("platorm_types", push(web={"platform_types": ["chrome"], "text": "x"}),
     push(web={"platorm_types": ["Chrome"], "text": "x"})),
    ("OPEN_WEBVIEW", with_buttons("push", buttons(actions=one(action="OPENWEBVIEW", value="https://a.b"))),
     with_buttons("push", buttons(actions=one(action="OPEN_WEBVIEW", value="https://a.b")))),
    ("what is left out", with_buttons("push", buttons(actions=({"pos": 1}, {"pos": 2}))),
     with_buttons("push", buttons(actions=({"pos": "1", "identifier": "YES", "action": "OPEN_APP"},
                                           {"pos": "2", "identifier": "NO", "action": "DISMISS"})))),
]  # fmt: skip

GOOD_BUTTONS: list[tuple[str, str, Any]] = [
    ("identifiers and actions left out", "push", buttons(actions=({"pos": 2}, {"pos": "1"}))),
    ("a host that begins www", "push", buttons(actions=one(action="OPEN_URL", value="www.example.com"))),
    ("another spelling", "push", buttons(actions=one(action="OPEN_WEBVIEW", value="https://example.com"))),
    ("a page", "push", single("SINGLE_DEEPLINK", value="<APPID>://command/Settings")),
    ("a share", "push", single("SINGLE_SHARE", action="SHARE", value="look at this")),
    ("a reply on push", "push", single("SINGLE_REPLY", action="DEEPLINK", value="app://reply")),
    ("a value that is not needed", "push", buttons(actions=one(action="OPEN_APP", value={"a": 1}))),
    ("one device", "push", buttons(device_types=["android"])),
    ("an own category", "push", buttons("TRIPLE", (*one(), {"pos": 3, "value": "https://example.com"}))),
    ("an inline reply", "rt", single("SINGLE_REPLY", action="IN_LINE_REPLY")),
    ("canned replies", "rt", buttons("DOUBLE_REPLY_YES_NO", ({"pos": 1, "value": "yes"}, {"pos": 2, "value": "no"}))),
    ("a canned reply by another spelling", "rt", buttons(actions=one(action="TRIVIAL_REPLIES", value="ok"))),
    ("a category of rt", "rt", buttons("DOUBLE_REPLY_DISMISS", ({"pos": 1}, {"pos": 2, "action": "DISMISS"}))),
    ("an own category on rt", "rt", buttons("TRIPLE", (*one(), {"pos": 3, "value": "https://example.com"}))),
]  # fmt: skip

ALL_ACCEPTED = [*ACCEPTED, *((f"{row[1]}: {row[0]}", with_buttons(row[1], row[2])) for row in GOOD_BUTTONS)]


# Nothing is set up here to send these: what passed the contract ends at policy.
PASSED = {("7106", "Channel not configured"), ("7104", "Invalid app id")}


def document(url: str) -> dict[str, Any]:
    """The test workspace with categories of buttons, one of which has a hole."""
    found = copy.deepcopy(workspace(url))
    found["tenants"][0]["push_categories"] = CATEGORIES
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with categories of its own."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data, document) as platform:
        yield platform


@pytest.mark.parametrize(
    ("body", "code", "text"), [row[1:] for row in ALL_REFUSALS], ids=[row[0] for row in ALL_REFUSALS]
)
async def test_a_call_is_refused_with_its_row(live: Running, body: Any, code: str, text: str) -> None:
    answer = await live.send(body)

    refusal = answer.json()["response"]
    assert answer.status_code == 200
    assert (refusal["code"], refusal["description"]) == (code, text)
    assert sorted(refusal) == ["code", "description", "transid"]


async def test_every_published_refusal_of_these_channels_is_provoked() -> None:
    elsewhere = {"deliverychannel_missing", "deliverychannel_empty", "invalid_sms_type"}  # test_messaging.py
    provoked = {text for _, _, _, text in ALL_REFUSALS}
    rows = [row for row in catalogue.ROWS if row.api == catalogue.MESSAGING and row.code in ("7003", "7004")]
    missed = [
        row.key
        for row in rows
        if not (row.key.startswith("sms_") or row.key in elsewhere)
        and not any(re.fullmatch(pattern(row.message), text) for text in provoked)
    ]

    assert len(rows) > 40
    assert missed == []


def pattern(message: str) -> str:
    """A published text as a pattern, anything in the place of xx and xxx."""
    return re.sub(r"\bx{2,3}(?:,x{2,3})*\b", ".+", re.escape(message))


@pytest.mark.parametrize("body", [row[1] for row in ALL_ACCEPTED], ids=[row[0] for row in ALL_ACCEPTED])
async def test_a_good_call_passes_the_contract(live: Running, body: Any) -> None:
    elements = (await live.send(body)).json()["response"]

    assert isinstance(elements, list)
    told = {(one["code"], one["description"]) for one in elements}
    assert len(told) == 1
    assert told <= {("7106", "Channel not configured"), ("7104", "Invalid app id")}  # the latter where one is named
    assert len(elements) == len(body["destination"])


async def stored(live: Running, body: Any) -> tuple[Any, ...]:
    """What the status API says of a call: the channel, the destination and the content."""
    [element] = (await live.send(body)).json()["response"]
    [row] = await live.status(element["transid"])
    text = row["body"]
    return row["channel"], row["to"], json.loads(text) if text.startswith("{") else text, element["code"]


@pytest.mark.parametrize(("plain", "aliased"), [row[1:] for row in ALIASED], ids=[row[0] for row in ALIASED])
async def test_an_alias_gives_the_same(live: Running, plain: Any, aliased: Any) -> None:
    assert await stored(live, aliased) == await stored(live, plain)


async def test_a_bad_element_of_a_list_leaves_the_others(live: Running) -> None:
    bodies = [ott("fb", text="x"), ott("fb"), with_buttons("push", buttons("HOLE", one())), rt(**RT_SKELETON)]

    elements = (await live.send(bodies)).json()["response"]

    assert [one["code"] for one in elements] == ["7106", "7003", "7004", "7106"]
    assert elements[2]["description"] == "no identifier found for this category and at this position"


async def test_categories_of_another_tenant_are_not_seen(live: Running) -> None:
    current = document(live.url)
    current["tenants"].append(
        {"id": "second", "services": [{"id": "s", "keys": ["44444444-4444-4444-8444-444444444444"]}]}
    )
    applied = await live.admin("PUT", "/workspace", json=current)
    assert applied.status_code == 200, applied.text

    answer = await live.send(with_buttons("push", single("IDLE")), key="44444444-4444-4444-8444-444444444444")

    assert answer.json()["response"]["description"] == CATEGORY


async def test_a_category_that_cannot_be_used_is_a_fault_of_the_workspace(live: Running) -> None:
    current = document(live.url)
    current["tenants"][0]["push_categories"] = [{"name": "ODD", "actions": {"A": ["JUMP"]}, "positions": [0]}]

    answer = await live.admin("PUT", "/workspace", json=current)

    faults = answer.json()["error"]["faults"]
    assert answer.status_code >= 400
    assert [fault["path"] for fault in faults] == [
        "tenants[demo].push_categories[ODD].positions", "tenants[demo].push_categories[ODD].actions",
    ]  # fmt: skip


async def test_a_service_that_checks_at_dispatch_is_told_later(live: Running) -> None:
    current = document(live.url)
    current["tenants"][0]["services"][0]["checks"] = "at_dispatch"
    assert (await live.admin("PUT", "/workspace", json=current)).status_code == 200

    for body in (
        push(**PUSH_SKELETON),
        rt(**RT_SKELETON),
        ott("fb", text="x"),
        call("voice", None, message=TEMPLATE),
    ):
        [element] = (await live.send(body)).json()["response"]
        row = await live.final(element["transid"])

        assert (element["code"], row["code"], row["description"]) == ("1001", "7106", "Channel not configured")


async def test_a_fault_while_a_call_is_read_is_an_internal_error(
    live: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("the store is broken in this test")

    monkeypatch.setattr(live.platform.store, "accept", broken)

    refusal = (await live.send(ott("fb", text="x"))).json()["response"]

    assert (refusal["code"], refusal["description"]) == ("7006", "Internal error occurred")
