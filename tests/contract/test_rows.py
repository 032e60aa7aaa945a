"""Every row of the published table that a Messaging call can be answered with, provoked over real HTTP and compared
to the letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.store import StoreUnavailable
from heliograph.testing import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLACEHOLDER = re.compile(r"\bx{2,3}\b(?:,x{2,3}\b)*")

# Policy rows that need more than a declaration (accounts, apps, profiles, a queue); provoked where those are tested.
ELSEWHERE = {
    keys.INTERNAL_SERVER_ERROR, keys.INACTIVE_PROFILE, keys.REQUEST_EXPIRED, keys.NOT_ENOUGH_CREDITS,
    keys.INVALID_APP_ID, keys.USER_NOT_ACTIVE, keys.CONFIGURATION_ERROR, keys.RTM_NOT_ENABLED,
    keys.PUSH_NOT_ENABLED, keys.OS_DETAILS_MISSING, keys.VOICE_PARAMS_TOO_LONG, keys.EXPIRED_BEFORE_SENDING,
    keys.EXPIRED_BEFORE_ATTEMPT,
}  # fmt: skip
DUPLICATE = "twitter_object_missing_duplicate"  # printed twice, counted once (decisions 1)


@dataclass(frozen=True)
class Case:
    """A call and what fills the placeholders of its row. `caller` is a service of the test's workspace, or whole
    headers; `store` says that the store is out of order."""

    body: Any
    values: tuple[Any, ...] = ()
    caller: str | dict[str, str] = "orders"
    store: str = "works"


DESTINATIONS = {
    "sms": {"msisdn": ["447700900001"]}, "voice": {"msisdn": ["447700900001"]}, "push": {"userid": ["u1"]},
    "rt": {"userid": ["u1"]}, "fb": {"psid": ["1257357297610042"]}, "twitter": {"twitterid": ["1577568001"]},
    "wechat": {"wechatid": ["OPENID"]},
}  # fmt: skip


def call(channel: str, channels: Any = None, **members: Any) -> dict[str, Any]:
    """A call on a channel."""
    more = {} if channels is None else {"channels": channels}
    return {"deliverychannel": channel, "destination": [DESTINATIONS[channel]], **more, **members}


def sms(**members: Any) -> dict[str, Any]:
    """A call with this SMS."""
    return call("sms", {"sms": members})


def ott(channel: str, **members: Any) -> dict[str, Any]:
    """A call with this object under `OTT-Messaging`."""
    return call(channel, {"OTT-Messaging": {channel: members}})


def push(**members: Any) -> dict[str, Any]:
    """A call with this push."""
    return call("push", {"push": members})


def buttons(category: str = "DOUBLE_YES_NO", *actions: Any, **members: Any) -> dict[str, Any]:
    """A push with buttons."""
    given = list(actions) or [{"pos": 1}, {"pos": 2}]
    made = {"category": category, "device_types": ["ios"], "actions": given, **members}
    return push(ios={"text": "x"}, interactive={name: value for name, value in made.items() if value is not None})


def first(**members: Any) -> dict[str, Any]:
    """A push whose first button has these members."""
    return buttons("DOUBLE_YES_NO", {"pos": 1, **members}, {"pos": 2})


GOOD = sms(text="Hello")
TWO = call("sms", {"sms": {"text": "x"}}, destination=[{"msisdn": ["447700900001", "447700900002"]}])

CASES: dict[str, Case] = {
    # who calls
    keys.SERVICE_KEY_MISSING: Case(GOOD, caller={}),
    keys.AUTHENTICATION_FAILED: Case(GOOD, caller={"key": "33333333-3333-4333-8333-333333333333"}),
    keys.IP_NOT_ALLOWED: Case(GOOD, caller="walled"),
    keys.SERVICE_IP_NOT_ALLOWED: Case(GOOD, caller="fenced"),
    keys.SERVICE_INACTIVE: Case(GOOD, caller="asleep"),
    # the envelope
    keys.INVALID_JSON: Case("{"),
    keys.DELIVERYCHANNEL_MISSING: Case({"destination": [{"msisdn": ["447700900001"]}]}),
    keys.DELIVERYCHANNEL_EMPTY: Case({**GOOD, "deliverychannel": ""}),
    keys.INVALID_DELIVERY_CHANNEL: Case({**GOOD, "deliverychannel": "pigeon"}),
    keys.DESTINATION_MISSING: Case({**GOOD, "destination": [{"msisdn": []}]}),
    keys.TOO_MANY_DESTINATIONS: Case({**GOOD, "destination": [{"msisdn": ["447700900001"] * 1_001}]}),
    keys.INVALID_PRIORITY: Case({**GOOD, "priority": 6}),
    keys.REQUEST_EXPIRED_ON_ARRIVAL: Case({**GOOD, "expiry": "2015-04-12T13:00:19.456Z"}),
    keys.TRANSACTION_LIMIT: Case(TWO, caller="limited"),
    keys.INTERNAL_ERROR_AT_ACCEPT: Case(GOOD, store="is out of order"),
    # sms
    keys.SMS_OBJECT_MISSING: Case(call("sms", {})),
    keys.SMS_TEXT_MISSING: Case(sms(senderid="HELIO")),
    keys.SMS_BODY_MISSING: Case(sms(type=3, text="x")),
    keys.INVALID_SMS_TYPE: Case(sms(type="9", text="x")),
    # voice
    keys.VOICE_OBJECT_MISSING: Case(call("voice", {})),
    keys.VOICE_CONTENT_MISSING: Case(call("voice", {"voice": {"cli": "0453745878"}})),
    # push
    keys.PUSH_OBJECT_MISSING: Case(call("push", {})),
    keys.PUSH_PLATFORM_MISSING: Case(push()),
    keys.ANDROID_TEXT_MISSING: Case(push(android={"title": "T"})),
    keys.IOS_TEXT_MISSING: Case(push(ios={"title": "T"})),
    # rt, fb, twitter, wechat
    keys.RT_OBJECT_MISSING: Case(call("rt", {})),
    keys.RT_TEXT_MISSING: Case(call("rt", {"appmessaging": {"message": {}}})),
    keys.FB_OTT_MISSING: Case(call("fb", {})),
    keys.FB_OBJECT_MISSING: Case(call("fb", {"OTT-Messaging": {}})),
    keys.FB_TEXT_MISSING: Case(ott("fb")),
    keys.TWITTER_OTT_MISSING: Case(call("twitter", {})),
    keys.TWITTER_OBJECT_MISSING: Case(call("twitter", {"OTT-Messaging": {}})),
    keys.TWITTER_TEXT_MISSING: Case(ott("twitter", attachment={"type": "media", "media": {"id": "1"}})),
    keys.WECHAT_OTT_MISSING: Case(call("wechat", {})),
    keys.WECHAT_OBJECT_MISSING: Case(call("wechat", {"OTT-Messaging": {}})),
    keys.WECHAT_TEXT_MISSING: Case(ott("wechat")),
    # buttons
    keys.CATEGORY_MISSING: Case(push(ios={"text": "x"}, interactive={"device_types": ["ios"], "actions": [{}]})),
    keys.INVALID_CATEGORY: Case(buttons("TRIPLE_YES_NO_MAYBE")),
    keys.DEVICE_TYPES_MISSING: Case(buttons(device_types=None)),
    keys.INVALID_DEVICE_TYPE: Case(buttons(device_types=["windows"]), ("windows",)),
    keys.DUPLICATE_DEVICE_TYPE: Case(buttons(device_types=["ios", "ios"]), ("ios",)),
    keys.ACTIONS_MISSING: Case(buttons(actions=None)),
    keys.INVALID_NUMBER_OF_ACTIONS: Case(buttons("SINGLE_OPEN"), (1, 2)),
    keys.ACTION_POS_MISSING: Case(first(pos=None)),
    keys.INVALID_POS: Case(first(pos=3), ("1,2",)),
    keys.DUPLICATE_POS: Case(first(pos=2)),
    keys.NO_IDENTIFIER_AT_POSITION: Case(buttons("HOLE")),
    keys.INVALID_IDENTIFIER: Case(first(identifier="MAYBE")),
    keys.INVALID_ACTION: Case(first(action="JUMP")),
    keys.ACTION_NOT_ALLOWED_FOR_IDENTIFIER: Case(first(action="SHARE", value="x"), ("YES",)),
    keys.ACTION_VALUE_MISSING: Case(first(action="OPEN_URL"), ("OPEN_URL",)),
    keys.INVALID_ACTION_VALUE: Case(first(action="DEEPLINK", value="no link"), ("DEEPLINK",)),
    # policy, in the element of the destination
    keys.INVALID_SENDER_ID: Case(sms(text="x", senderid="NOBODY")),
    keys.INVALID_ADDRESS: Case({**GOOD, "destination": [{"msisdn": ["12"]}]}),
    keys.PROFILE_NOT_FOUND: Case({**GOOD, "destination": [{"customerid": ["C-77"]}]}),
    keys.CHANNEL_NOT_CONFIGURED: Case(GOOD, caller="bare"),
    keys.MESSAGE_TOO_LONG: Case(sms(text="x" * 4_001)),
    keys.INVALID_TEMPLATE: Case(call("sms", message={"template": "9"})),
    keys.INVALID_MESSAGE_TYPE: Case(sms(text="x", type=2, senderid="PLAIN")),
    keys.PARAMS_UNRESOLVED: Case(call("sms", message={"template": "1001"})),
    keys.USER_IN_DND: Case(GOOD, caller="quiet"),
    keys.SPAM_CONTENT: Case(sms(text="Get FREE MONEY now"), caller="clean"),
    keys.RATE_PLAN_MISSING: Case(GOOD, caller="unpriced"),
    keys.PROFILE_NOT_VERIFIED: Case(GOOD, caller="trial"),
    keys.SOCIAL_HOURS: Case(GOOD, caller="closed"),
}


def answered() -> dict[str, catalogue.Row]:
    """The rows of the Messaging section that may stand in an answer."""
    rows = [row for row in catalogue.ROWS if row.api == catalogue.MESSAGING and row.phase in ("accept", "policy")]
    return {row.key: row for row in rows if row.key != DUPLICATE}


def filled(message: str, values: tuple[Any, ...]) -> str:
    """The published text with values in the places of xx and xxx."""
    rest = iter(values)
    return PLACEHOLDER.sub(lambda _: str(next(rest)), message)


@pytest.mark.parametrize("key", CASES)
async def test_a_row_is_answered_to_the_letter(live: Running, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def out_of_order(_: Any) -> None:
        raise StoreUnavailable("in this test")

    case, row = CASES[key], answered()[key]
    if case.store != "works":
        monkeypatch.setattr(live.platform.store, "accept", out_of_order)
    named = "11111111-1111-4111-8111-111111111111" if case.caller == "orders" else f"key-of-{case.caller}"
    headers = case.caller if isinstance(case.caller, dict) else {"key": named}
    body = {"content": case.body} if isinstance(case.body, str) else {"json": case.body}
    answer = await live.client.post("/resources/v1/messaging", headers=headers, **body)
    response = answer.json()["response"]
    refusal = response if row.phase == "accept" else response[0]

    assert answer.status_code == 200
    assert (refusal["code"], refusal["description"]) == (row.code, filled(row.message, case.values))
    assert sorted(refusal) == sorted(
        {"code", "description", "transid", *([] if row.phase == "accept" else ["correlationid"])}
    )


async def test_no_row_of_an_answer_is_missing() -> None:
    rows = answered()

    assert sorted(rows.keys() - CASES.keys() - ELSEWHERE) == []
    assert sorted(CASES.keys() - rows.keys()) == []
    assert {key for key in ELSEWHERE if rows[key].phase == "accept"} == set()
