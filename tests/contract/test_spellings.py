"""The same request in any of its documented spellings gives the same result, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.testing import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/resources/v1/messaging"
SMS = {"sms": {"text": "Hello"}}
IOS = {"ios": {"text": "Hi"}}
TO_SMS, TO_USER = [{"msisdn": ["447700900001"]}], [{"userid": ["u1"]}]
YES_NO = {"category": "DOUBLE_YES_NO", "device_types": ["ios"]}


def sms(**members: Any) -> dict[str, Any]:
    """A call by SMS with members of the call replaced."""
    return {"deliverychannel": "sms", "channels": SMS, "destination": TO_SMS, **members}


def push(**members: Any) -> dict[str, Any]:
    """A call with this push."""
    return {"deliverychannel": "push", "channels": {"push": members}, "destination": TO_USER}


def rt(name: str = "rt") -> dict[str, Any]:
    """A call inside an app."""
    return {
        "deliverychannel": name,
        "channels": {"appmessaging": {"message": {"text": "Hi"}}},
        "destination": TO_USER,
    }


def ott(channel: str, destination: Any, name: str = "") -> dict[str, Any]:
    """A call under `OTT-Messaging`."""
    return {
        "deliverychannel": name or channel,
        "channels": {"OTT-Messaging": {channel: {"text": "Hi"}}},
        "destination": [destination],
    }


def tap(action: str, value: str = "https://example.com") -> dict[str, Any]:
    """A push whose first button does this."""
    actions = [{"pos": 1, "action": action, "value": value}, {"pos": 2}]
    return push(**IOS, interactive={**YES_NO, "actions": actions})


# What is meant, and the other ways to say it.
SPELLINGS: dict[str, tuple[Any, list[Any]]] = {
    "capitals of deliverychannel": (sms(), [sms(deliverychannel=name) for name in ("SMS", "Sms", " sms ")]),
    "capitals of WeChat": (
        ott("wechat", {"wechatid": ["OPENID"]}),
        [ott("wechat", {"wechatid": ["OPENID"]}, name) for name in ("WeChat", "WECHAT")],
    ),
    "rt by its other name": (rt(), [rt(name) for name in ("RT", "appmessaging", "AppMessaging")]),
    "push by its old name": (
        push(**IOS),
        [
            {**push(), "channels": {"apnp": IOS}},
            {**push(), "channels": {"push": None, "apnp": IOS}},
            {**push(), "channels": {"push": IOS, "apnp": {"ios": {"text": "another"}}}},
        ],
    ),
    "psid by its old name": (
        ott("fb", {"psid": ["1257357297610042"]}),
        [ott("fb", {name: ["1257357297610042"]}) for name in ("fbid", "FBID", "PSID", "Psid")],
    ),
    "capitals of destination keys": (
        ott("wechat", {"wechatid": ["OPENID"]}),
        [ott("wechat", {name: ["OPENID"]}) for name in ("wechatID", "WechatId", "WECHATID")],
    ),
    "capitals of msisdn": (sms(), [sms(destination=[{"MSISDN": ["447700900001"]}])]),
    "a direct address wins": (
        sms(),
        [sms(destination=[{"customerid": ["C-1"], "msisdn": ["447700900001"]}])],
    ),
    "a bare address": (
        sms(),
        [sms(destination=[{"msisdn": one}]) for one in ("447700900001", 447700900001, [447700900001])],
    ),
    "the correlation id of the call": (
        sms(correlationid="7"),
        [sms(**{name: value}) for name in ("correlationid", "correlationId", "CorrelationID") for value in ("7", 7)],
    ),
    "the correlation id of a destination": (
        sms(correlationid="c"),
        [
            sms(correlationid="of the call", destination=[{**TO_SMS[0], name: "c"}])
            for name in ("correlationid", "correlationId", "CORRELATIONID")
        ],
    ),
    "a list of one": (sms(), [[sms()]]),
    "null for what is absent": (
        sms(),
        [sms(**{name: None}) for name in ("correlationid", "expiry", "priority", "message", "appid", "notifyurl")],
    ),
    "members that nobody knows": (sms(), [sms(icmessage=1, gtrId={"a": [1]}, Text="another")]),
    "another channel's content": (sms(), [sms(channels={**SMS, "voice": {"callflowid": "1"}})]),
    "numbers for texts": (
        {
            **sms(channels={"sms": {"text": "5", "senderid": "12"}}, callbackData="4", appid="3"),
            "message": {"template": "1001", "parameters": {"name": "x"}},
        },
        [
            {
                **sms(channels={"sms": {"text": 5, "senderid": 12}}, callbackData=4, appid=3),
                "message": {"template": 1001, "parameters": {"name": "x"}},
            }
        ],
    ),
    "a priority": (sms(priority=2), [sms(priority=value) for value in ("2", " 2 ")]),
    "an expiry": (
        sms(expiry="2999-04-12T13:00:19.000Z"),
        [
            sms(expiry=text)
            for text in (
                "2999-04-12T13:00:19Z", "2999-04-12T13:00:19", "2999-04-12 13:00:19", "2999-04-12T18:30:19+5:30",
                "2999-04-12T18:30:19.000+05:30", "2999-04-12T18:30:19+0530", "2999-04-12T08:00:19-05",
            )
        ],
    ),
    **{
        f"type {number} of an SMS": (
            sms(channels={"sms": {"type": number, "text": "x", "body": "00"}}),
            [
                sms(channels={"sms": {"type": spelled, "text": "x", "body": "00"}})
                for spelled in (int(number), word, word.upper())
            ],
        )
        for number, word in (("1", "text"), ("2", "flash"), ("3", "binary"), ("4", "unicode"))
    },
    "a prompt wins over a call flow": (
        {"deliverychannel": "voice", "channels": {"voice": {"media": "welcome"}}, "destination": TO_SMS},
        [
            {
                "deliverychannel": "voice",
                "channels": {"voice": {"media": "welcome", "callflowid": "184"}},
                "destination": TO_SMS,
            }
        ],
    ),
    "browsers": (
        push(web={"platform_types": ["chrome", "safari"], "text": "x"}),
        [
            push(web={"platform_types": ["Chrome", "SAFARI"], "text": "x"}),
            push(web={"platorm_types": ["chrome", "safari"], "text": "x"}),
            push(web={"platform_types": ["chrome", "safari", "chrome"], "text": "x"}),
        ],
    ),
    "one browser": (
        push(web={"platform_types": ["chrome"], "text": "x"}),
        [push(web={"platform_types": "chrome", "text": "x"}), push(web={"platorm_types": "Chrome", "text": "x"})],
    ),
    "an action by its other name": (tap("OPENWEBVIEW"), [tap("OPEN_WEBVIEW")]),
    "buttons with what is left out": (
        push(**IOS, interactive={**YES_NO, "actions": [{"pos": 1}, {"pos": 2}]}),
        [
            push(**IOS, interactive={**YES_NO, "actions": actions})
            for actions in (
                [{"pos": "1"}, {"pos": "2"}],
                [{"pos": 1, "identifier": "YES"}, {"pos": 2, "action": "DISMISS"}],
                [{"pos": 1, "identifier": "YES", "action": "OPEN_APP"}, {"pos": 2, "identifier": "NO"}],
            )
        ],
    ),
    "a tap on the notification": (
        push(ios={"text": "Hi", "extras": {"notificationaction": {"action": "OPEN_APP"}}}),
        [push(ios={"text": "Hi", "extras": {"notificationaction": {}}})],
    ),
}  # fmt: skip

PAIRS = [(name, index) for name, (_, others) in SPELLINGS.items() for index in range(len(others))]


async def result(live: Running, body: Any, path: str = PATH, **headers: str) -> list[Any]:
    """What became of a call: per destination its answer, and what is kept and would be sent."""
    sent = await live.client.post(path, json=body, headers={"key": "key-of-later", **headers})
    found = []
    for element in sent.json()["response"]:
        story = await live.story(element["transid"])
        kept = {name: value for name, value in story["request"].items() if name != "accepted_at"}
        whom = [story[name] for name in ("channel", "destination", "destinationType", "correlationid")]
        found.append((element["code"], element["correlationid"], whom, kept))
    return found


@pytest.mark.parametrize(("name", "index"), PAIRS)
async def test_another_spelling_gives_the_same(live: Running, name: str, index: int) -> None:
    meant, others = SPELLINGS[name]
    wanted = await result(live, meant)

    assert [row[0] for row in wanted] == ["1001"]
    assert await result(live, others[index]) == wanted


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{PATH}/", {}),
        (PATH, {"Key": "key-of-later"}),
        (PATH, {"KEY": "key-of-later"}),
        (PATH, {"content-type": "text/plain"}),
        (PATH, {"content-type": "application/json; charset=utf-8"}),
    ],
)
async def test_another_way_to_call_gives_the_same(live: Running, path: str, headers: dict[str, str]) -> None:
    assert await result(live, sms(), path, **headers) == await result(live, sms())


@pytest.mark.parametrize(
    "address",
    ["447700900001", "+447700900001", "00447700900001", "+44 7700 900-001", "(44) 7700 900001", 447700900001],
)
async def test_an_address_is_the_same_however_it_is_written(live: Running, address: Any) -> None:
    body = sms(destination=[{"msisdn": [address]}])
    answer = await live.admin("POST", "/tenants/demo/explain?service=orders", json=body)
    [destination] = answer.json()["destinations"]

    assert (destination["normalised"], destination["faults"]) == ("447700900001", [])
