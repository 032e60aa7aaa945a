"""What WeChat tells us by itself, in plain and in safe mode, signed and encrypted by another implementation."""

from __future__ import annotations

from typing import Any

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from heliograph.catalogue import keys
from heliograph.channels.wechat import xml
from heliograph.channels.wechat.hook import TOLERANCE_SECONDS, hook
from heliograph.model.channel import HookCall, Hooked
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

TOKEN, APPID, NONCE = "token", "wx1234567890abcdef", "nonce"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NOW = 1_700_000_000
PERSON, ACCOUNT = "oPerson", "gh_account"
PLAIN = ConnectorSpec(name="a_3", channel="wechat", kind="wechat",
                      options={"appid": APPID, "secret": "s", "token": TOKEN})  # fmt: skip
SAFE = ConnectorSpec(name="a_3", channel="wechat", kind="wechat",
                     options={**PLAIN.options, "encoding_aes_key": AES_KEY})  # fmt: skip
KEPT_PLAIN = ConnectorSpec(name="a_3", channel="wechat", kind="wechat",
                           options={**SAFE.options, "callbacks": "plain"})  # fmt: skip


def signature(*parts: str) -> str:
    """As the other implementation makes it."""
    signer = WeChatSigner()
    signer.add_data(*parts)
    return str(signer.signature)


def call(found: dict[str, Any], spec: ConnectorSpec = SAFE, at: int = NOW, **query: str) -> Hooked:
    """What a call of WeChat means, made as the mode of the account asks; `query` over what WeChat would say."""
    said = {"timestamp": str(at), "nonce": NONCE, "signature": signature(TOKEN, str(at), NONCE), "openid": PERSON}
    sent = xmltodict.unparse({"xml": {"ToUserName": ACCOUNT, "FromUserName": PERSON, "CreateTime": NOW, **found}})
    if spec is SAFE:
        sealed = WeChatCrypto(TOKEN, AES_KEY, APPID).encrypt_message(sent, NONCE, str(at))
        said |= {"encrypt_type": "aes", "msg_signature": xmltodict.parse(sealed)["xml"]["MsgSignature"]}
        sent = sealed
    return hook(spec, HookCall("POST", said | query, {}, sent.encode()), NOW * 1000)


MODES = pytest.mark.parametrize("spec", [PLAIN, SAFE, KEPT_PLAIN], ids=["plain", "safe", "plain though it has a key"])
TEXT = {"MsgType": "text", "Content": "你好", "MsgId": "1234567890123456"}


@MODES
def test_the_url_is_verified(spec: ConnectorSpec) -> None:
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature(TOKEN, str(NOW), NONCE), "echostr": "5432"}

    assert hook(spec, HookCall("GET", query, {}, b""), NOW * 1000).body == b"5432"


def test_a_verification_with_another_token_is_refused() -> None:
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature("x", str(NOW), NONCE), "echostr": "5432"}
    found = hook(PLAIN, HookCall("GET", query, {}, b""), NOW * 1000)

    assert (bool(found.refused), found.body) == (True, b"")


@MODES
def test_a_person_writes(spec: ConnectorSpec) -> None:
    found = call(TEXT, spec)

    assert found.body == b"success"
    assert found.items == (
        Inbound("a_3", "wechat", PERSON, ACCOUNT, "你好", {"type": "text"}, native_id="1234567890123456"),
    )


@pytest.mark.parametrize(
    ("found", "text", "native"),
    [
        ({"MsgType": "image", "PicUrl": "http://p", "MediaId": "M", "MsgId": "7"}, "",
         {"type": "image", "media_url": "http://p", "media_id": "M"}),
        ({"MsgType": "voice", "MediaId": "M", "Format": "amr", "Recognition": "hi", "MsgId": "7"}, "hi",
         {"type": "voice", "media_id": "M", "format": "amr"}),
        ({"MsgType": "location", "Location_X": "23.1", "Location_Y": "113.3", "Label": "here", "MsgId": "7"}, "",
         {"type": "location", "latitude": "23.1", "longitude": "113.3", "label": "here"}),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "MENU_1"}, "MENU_1",
         {"type": "event", "event": "CLICK"}),
        ({"MsgType": "event", "Event": "SCAN", "EventKey": "42", "Ticket": "T"}, "42",
         {"type": "event", "event": "SCAN", "ticket": "T"}),
    ],
)  # fmt: skip
def test_other_messages_say_what_they_are(found: Any, text: str, native: dict[str, str]) -> None:
    [inbound] = call(found).items

    assert isinstance(inbound, Inbound)
    assert (inbound.text, inbound.native) == (text, native)
    assert inbound.native_id == found.get("MsgId", f"{PERSON}-{NOW}")


@pytest.mark.parametrize(("event", "reachable"), [("subscribe", True), ("unsubscribe", False)])
def test_following_and_leaving_is_news(event: str, reachable: bool) -> None:
    [news] = call({"MsgType": "event", "Event": event, "EventKey": "qrscene_1"}).items

    assert news == Reachability("a_3", "wechat", PERSON, reachable, at_ms=NOW * 1000, reason=event)


@pytest.mark.parametrize(
    ("status", "key"),
    [
        ("success", keys.DELIVERED),
        ("failed:user block", keys.WECHAT_NOT_A_FOLLOWER),
        ("failed: system failed", keys.FAILED_AT_PLATFORM),
    ],
)
def test_a_template_is_reported_on(status: str, key: str) -> None:
    [receipt] = call(
        {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 200163836, "Status": status}
    ).items

    assert receipt == Receipt("a_3", "200163836", key, status)


def test_a_mass_job_is_reported_on() -> None:
    found = {"MsgType": "event", "Event": "MASSSENDJOBFINISH", "MsgID": 1, "Status": "err(20002)", "SentCount": 0}
    [receipt] = call(found).items

    assert isinstance(receipt, Receipt)
    assert receipt.key == keys.SPAM_CONTENT


@pytest.mark.parametrize(
    "found",
    [
        {"MsgType": "event", "Event": "VIEW", "EventKey": "https://a"},
        {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "Status": "success"},
        {"MsgType": "event"},
        {"FromUserName": "", **TEXT},
    ],
)
def test_what_says_nothing_to_us_is_taken_and_left(found: Any) -> None:
    assert call(found) == Hooked(body=b"success")


@pytest.mark.parametrize(
    "query",
    [
        {"msg_signature": "0" * 40},
        {"msg_signature": ""},
        {"msg_signature": "ü"},
        {"nonce": "another"},
        {"encrypt_type": "raw"},
        {"timestamp": ""},
        {"timestamp": "1e9"},
    ],
)
def test_a_call_in_safe_mode_that_is_not_signed_is_refused(query: dict[str, str]) -> None:
    assert call(TEXT, **query).refused


@pytest.mark.parametrize("query", [{"signature": "0" * 40}, {"signature": ""}, {"nonce": "another"}])
def test_a_call_in_plain_mode_that_is_not_signed_is_refused(query: dict[str, str]) -> None:
    assert call(TEXT, PLAIN, **query).refused


def test_a_plain_call_to_an_account_in_safe_mode_is_refused() -> None:
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature(TOKEN, str(NOW), NONCE)}
    found = hook(SAFE, HookCall("POST", query, {}, xml.written({"FromUserName": PERSON, **TEXT})), NOW * 1000)

    assert "not encrypted" in found.refused


@pytest.mark.parametrize("spec", [PLAIN, SAFE])
@pytest.mark.parametrize("off", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_an_old_signature_is_worth_nothing(spec: ConnectorSpec, off: int) -> None:
    assert call(TEXT, spec, at=NOW + off).refused


def test_what_is_encrypted_for_another_account_is_refused() -> None:
    sealed = WeChatCrypto(TOKEN, AES_KEY, "wxanother").encrypt_message("<xml/>", NONCE, str(NOW))
    query = {"timestamp": str(NOW), "nonce": NONCE, "encrypt_type": "aes",
             "msg_signature": xmltodict.parse(sealed)["xml"]["MsgSignature"]}  # fmt: skip

    assert "another account" in hook(SAFE, HookCall("POST", query, {}, sealed.encode()), NOW * 1000).refused


def test_without_a_token_nothing_is_believed() -> None:
    spec = ConnectorSpec(name="a", channel="wechat", kind="wechat", options={"appid": APPID, "secret": "s"})

    assert call(TEXT, spec).refused


def test_a_repeated_call_has_the_same_id() -> None:
    first, second = (call({"MsgType": "event", "Event": "CLICK", "EventKey": "x"}).items[0] for _ in range(2))

    assert isinstance(first, Inbound)
    assert first == second


@given(st.binary(max_size=200))
def test_any_body_is_refused_or_left(sent: bytes) -> None:
    query = {"timestamp": str(NOW), "nonce": NONCE, "signature": signature(TOKEN, str(NOW), NONCE)}

    assert hook(PLAIN, HookCall("POST", query, {}, sent), NOW * 1000).items == ()
