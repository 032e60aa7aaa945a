"""Receipts of apps: what they prove, what is refused, what is made of a call."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.channels.push import APP, CHANNEL, settings
from heliograph.channels.push.app_receipts import (
    LIFE_SECONDS,
    MOST,
    BadReceipt,
    check,
    make,
    push_id,
)
from heliograph.channels.push.far_ends.credentials import base64url, from_base64url
from heliograph.channels.push.payloads import RECEIPT_CHARACTERS
from heliograph.model.channel import HookCall, Hooked, Peer
from heliograph.model.outcome import Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

from .conftest import LANE

NOW = 1_900_000_000
PEERS = dict.fromkeys(("fcm", "apns", "webpush"), Peer("127.0.0.1", 9))
SPEC = APP.sandbox(ConnectorSpec(name="AP1", channel="push", kind="app"), LANE, PEERS)
SETTINGS = settings.read(SPEC)
ID = push_id(7, 1, "tok")


def receipt(system: str = "android", token: str = "tok", sent: int = NOW) -> str:
    reach = SETTINGS.reach_of(system)
    assert reach is not None
    return make(system, push_id(7, 1, token), token, sent, reach.receipt_key)


def call(body: Any, method: str = "POST", spec: ConnectorSpec = SPEC) -> Hooked:
    assert CHANNEL.hook is not None
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CHANNEL.hook(spec, HookCall(method, {}, {}, raw), NOW * 1000)


def one(event: str, **more: str) -> Any:
    hooked = call({"receipts": [{"receipt": receipt(), "event": event, **more}]})
    assert not hooked.refused
    return hooked.items[0]


def test_the_id_of_a_push_is_a_uuid_that_stays_the_same_for_a_device() -> None:
    assert push_id(7, 1, "tok") == ID
    assert len({push_id(7, 1, "tok"), push_id(7, 2, "tok"), push_id(8, 1, "tok"), push_id(7, 1, "other")}) == 4
    assert ID[14] == "8"
    assert ID[19] in "89ab"


def test_a_receipt_has_the_length_that_payloads_count_with() -> None:
    assert len(receipt()) == RECEIPT_CHARACTERS


@pytest.mark.parametrize("system", ["android", "ios", "web"])
def test_a_receipt_proves_its_push_and_its_device(system: str) -> None:
    claim = check(receipt(system), SETTINGS, NOW + 60)

    assert (claim.id, claim.system) == (ID, system)


@given(st.integers(0, RECEIPT_CHARACTERS - 1), st.sampled_from("ABCxyz019-_"))
def test_a_receipt_that_was_altered_proves_nothing(place: int, letter: str) -> None:
    good = receipt()
    altered = good[:place] + letter + good[place + 1 :]

    if altered != good:
        with pytest.raises(BadReceipt):
            check(altered, SETTINGS, NOW)


@given(st.text(max_size=80))
def test_anything_else_proves_nothing(text: str) -> None:
    with pytest.raises(BadReceipt):
        check(text, SETTINGS, NOW)


def test_a_receipt_of_another_app_proves_nothing() -> None:
    other = settings.read(APP.sandbox(SPEC, "demo/other~sandbox", PEERS))
    reach = other.reach_of("android")
    assert reach is not None

    with pytest.raises(BadReceipt, match="signature"):
        check(make("android", ID, "tok", NOW, b"another key"), SETTINGS, NOW)


def test_a_receipt_of_a_system_is_not_one_of_another() -> None:
    raw = bytearray(from_base64url(receipt("android")))
    raw[0] = ord("i")

    with pytest.raises(BadReceipt, match="signature"):
        check(base64url(bytes(raw)), SETTINGS, NOW)


@pytest.mark.parametrize("sent", [NOW - LIFE_SECONDS - 1, NOW + 2 * 86_400])
def test_a_receipt_ends(sent: int) -> None:
    with pytest.raises(BadReceipt, match="too old"):
        check(receipt(sent=sent), SETTINGS, NOW)


@pytest.mark.parametrize(("event", "code"), [("delivered", "7500"), ("read", "7502"), ("tapped", "7502")])
def test_what_an_app_says_is_a_receipt_of_its_push(event: str, code: str) -> None:
    item = one(event, button="YES")

    assert isinstance(item, Receipt)
    assert (item.native_id, catalogue.code(item.key)) == (ID, code)
    assert (item.native_code, item.detail) == (("tapped", "YES") if event == "tapped" else ("", ""))


@pytest.mark.parametrize(
    ("reason", "code"), [("blocked", "7518"), ("UNREGISTERED", "7513"), ("", "7518"), ("what\nnow", "7518")]
)
def test_an_app_may_say_that_it_failed(reason: str, code: str) -> None:
    item = one("failed", reason=reason)

    assert catalogue.code(item.key) == code
    assert item.native_code.isprintable()


def test_a_token_that_moved_is_replaced() -> None:
    item = one("moved", was="tok", pushid="fresh")

    assert item == Reachability("AP1", "push", "tok", False, replaced_by="fresh", reason="moved")


@pytest.mark.parametrize(
    "more", [{"was": "another", "pushid": "x"}, {"was": "tok"}, {"was": "tok", "pushid": "a\nb"}]
)
def test_only_the_device_itself_may_say_that_its_token_moved(more: dict[str, str]) -> None:
    assert call({"receipts": [{"receipt": receipt(), "event": "moved", **more}]}).refused


def test_one_receipt_needs_no_list() -> None:
    assert len(call({"receipt": receipt(), "event": "read"}).items) == 1


def test_a_bad_receipt_does_not_harm_the_others_and_is_named() -> None:
    hooked = call(
        {
            "receipts": [
                {"receipt": receipt(), "event": "delivered"},
                {"receipt": "x", "event": "delivered"},
                {"receipt": receipt(), "event": "eaten"},
                "what",
            ]
        }
    )

    assert len(hooked.items) == 1
    answer = json.loads(hooked.body)
    assert (answer["accepted"], [one["index"] for one in answer["refused"]]) == (1, [1, 2, 3])
    assert hooked.media_type == "application/json"


def test_the_same_receipt_twice_in_a_call_is_one() -> None:
    item = {"receipt": receipt(), "event": "read"}

    assert len(call({"receipts": [item, item]}).items) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"[" * 100_000, {"receipts": []}, {"receipts": 1}, {},
     {"receipts": [{}] * (MOST + 1)}, {"receipt": "x", "event": "read"}, {"receipt": 5, "event": "read"}],
)  # fmt: skip
def test_a_call_of_which_nothing_is_right_is_refused(body: Any) -> None:
    hooked = call(body)

    assert hooked.refused
    assert hooked.items == ()


def test_receipts_come_by_post() -> None:
    assert call({"receipt": receipt(), "event": "read"}, method="GET").refused


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["receipts", "receipt", "event", "button"]), inner, max_size=4)))  # fmt: skip
def test_no_json_breaks_the_hook(body: Any) -> None:
    assert call(body).items == ()


def test_an_app_for_ios_alone_takes_no_receipt_of_android() -> None:
    spec = APP.sandbox(ConnectorSpec(name="AP1", channel="push", kind="app", options={"ios": {}}), LANE, PEERS)

    assert "not for its system" in call({"receipt": receipt(), "event": "read"}, spec=spec).refused
