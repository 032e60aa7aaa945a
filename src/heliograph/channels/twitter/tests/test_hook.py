"""What X tells us by itself: the challenge, signed events in both envelopes, and what is not believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.channels.twitter.hook import EPOCH_MS, SIGNATURE, hook, moment_of
from heliograph.model.channel import HookCall, Hooked
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.workspace import ConnectorSpec

SECRET = "consumer-secret"
OWN, PERSON = "2244994945", "3805104374"
SPEC = ConnectorSpec(
    name="a_2", channel="twitter", kind="x",
    options={"consumer_key": "k", "consumer_secret": SECRET, "access_token": f"{OWN}-t", "access_token_secret": "s"},
)  # fmt: skip
NOW = 1_700_000_000_000


def digest(message: bytes, secret: str = SECRET) -> str:
    """As X describes it."""
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def posted(found: Any, spec: ConnectorSpec = SPEC, **headers: str) -> Hooked:
    """What a signed event means."""
    sent = found if isinstance(found, bytes) else msgspec.json.encode(found)
    return hook(spec, HookCall("POST", {}, {SIGNATURE: digest(sent), **headers}, sent), NOW)


def message(sender: str, recipient: str, identity: str = "954491830116155396", **data: Any) -> dict[str, Any]:
    create = {
        "target": {"recipient_id": recipient},
        "sender_id": sender,
        "source_app_id": "13090192",
        "message_data": {"text": "Hello World!", "entities": {}, **data},
    }
    event = {"type": "message_create", "id": identity, "created_timestamp": "1516403560557", "message_create": create}
    return {"direct_message_events": [event]}


def mark(reader: str = PERSON, last: str = "954491830116155396") -> dict[str, Any]:
    event = {"created_timestamp": "1516403560557", "sender_id": reader, "target": {"recipient_id": OWN},
             "last_read_event_id": last}  # fmt: skip
    return {"direct_message_mark_read_events": [event]}


def account(payload: dict[str, Any], user: str = OWN) -> dict[str, Any]:
    """The envelope of the Account Activity API."""
    return {"for_user_id": user, **payload, "users": {}, "apps": {}}


def activity(payload: dict[str, Any], kind: str = "dm.received", user: str = OWN) -> dict[str, Any]:
    """The envelope of the X Activity API."""
    return {"data": {"event_uuid": "-6850472171600526495", "filter": {"user_id": user} if user else {},
                     "event_type": kind, "tag": "dm", "payload": payload, "includes": {}}}  # fmt: skip


EITHER = pytest.mark.parametrize("envelope", [account, activity])


def test_a_challenge_is_answered() -> None:
    found = hook(SPEC, HookCall("GET", {"crc_token": "challenge"}, {}, b""), NOW)

    assert (msgspec.json.decode(found.body), found.media_type) == (
        {"response_token": digest(b"challenge")},
        "application/json",
    )


def test_a_call_that_asks_nothing_is_refused() -> None:
    assert hook(SPEC, HookCall("GET", {}, {}, b""), NOW).refused


@EITHER
def test_a_person_writes(envelope: Any) -> None:
    found = posted(envelope(message(PERSON, OWN)))

    assert found.items == (
        Inbound("a_2", "twitter", PERSON, OWN, "Hello World!", native_id="954491830116155396"),
        Reachability("a_2", "twitter", PERSON, True, at_ms=1516403560557, reason="dm.received"),
    )


@EITHER
def test_a_message_of_ours_is_kept_by_x(envelope: Any) -> None:
    [receipt] = posted(envelope(message(OWN, PERSON))).items

    assert receipt == Receipt("a_2", "954491830116155396", keys.DELIVERED, destination=PERSON, raw="dm.sent")


@EITHER
def test_a_person_has_read(envelope: Any) -> None:
    assert posted(envelope(mark())).items == (
        Receipt("a_2", "954491830116155396", keys.READ, raw="dm.read"),
        Receipt("a_2", "", keys.READ, destination=PERSON, raw="dm.read", until_ms=1516403560557),
    )


@EITHER
def test_what_we_read_ourselves_is_no_receipt(envelope: Any) -> None:
    assert posted(envelope(mark(OWN))).items == ()


def test_a_tapped_quick_reply_and_media_are_told_on() -> None:
    more = {
        "quick_reply_response": {"type": "options", "metadata": "m1"},
        "attachment": {"type": "media", "media": {"id": 1, "media_url_https": "https://ton.x.com/1.jpg"}},
    }
    inbound = posted(account(message(PERSON, OWN, **more))).items[0]

    assert isinstance(inbound, Inbound)
    assert (inbound.native["quick_reply"], inbound.native["media_url"]) == ("m1", "https://ton.x.com/1.jpg")


@pytest.mark.parametrize(
    "found",
    [
        activity({"date_time": "2026-07-23T21:44:05+00:00", "user_id": OWN, "app_id": "1"}, "oauth.revoke", ""),
        account({"user_event": {"revoke": {"target": {"app_id": "1"}, "source": {"user_id": OWN}}}}),
    ],
)
def test_a_permission_taken_back_is_told_to_the_operator(found: Any) -> None:
    hooked = posted(found)

    assert (hooked.items, "oauth.revoke" in hooked.notice, hooked.refused) == ((), True, "")


@pytest.mark.parametrize(
    "found",
    [
        activity(message(PERSON, "99"), user="99"),
        account(mark(), user="99"),
        activity({"user_id": "99", "app_id": "1"}, "oauth.revoke", ""),
        account({"tweet_create_events": [{"id": 1}]}),
        activity({"direct_message_indicate_typing_events": [{"sender_id": PERSON}]}, "dm.indicate_typing"),
        account({"direct_message_events": [{"type": "message_create"}, "x", None]}),
        account({"direct_message_mark_read_events": {"a": 1}}),
        {},
    ],
)
def test_what_is_not_ours_or_not_known_is_taken_and_left(found: Any) -> None:
    assert posted(found) == Hooked()


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=\xff", digest(b"another"), digest(b"{}", "another")])
def test_a_wrong_signature_is_refused(signature: str) -> None:
    assert posted(b"{}", **{SIGNATURE: signature}).refused


def test_without_a_secret_nothing_is_believed() -> None:
    spec = ConnectorSpec(name="a", channel="twitter", kind="x", options={"client_id": "c", "refresh_token": "r"})

    assert posted({}, spec).refused


def test_an_account_of_oauth_2_is_known_by_its_user_id_or_by_what_x_says() -> None:
    options = {"client_id": "c", "refresh_token": "r", "consumer_secret": SECRET}
    unnamed = ConnectorSpec(name="a", channel="twitter", kind="x", options=options)
    named = ConnectorSpec(name="a", channel="twitter", kind="x", options={**options, "user_id": "99"})

    assert len(posted(account(message(OWN, PERSON)), unnamed).items) == 1
    assert posted(account(message(OWN, PERSON)), named).items == ()


@pytest.mark.parametrize("sent", [b"", b"[1]", b"nonsense", b"\xff\xfe", b"[" * 100_000])
def test_a_signed_body_that_is_no_object_does_no_harm(sent: bytes) -> None:
    assert posted(sent).items == ()


NAMES = st.sampled_from([
    "data", "payload", "filter", "user_id", "for_user_id", "direct_message_events", "message_create", "target",
    "recipient_id", "sender_id", "id", "message_data", "text", "direct_message_mark_read_events", "user_event",
    "last_read_event_id", "revoke", "source", "event_type", "attachment", "media",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(OWN) | st.just("oauth.revoke"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=30,
)


@given(JSON)
def test_no_json_is_too_odd(found: Any) -> None:
    posted(found)


def test_an_id_tells_its_moment() -> None:
    assert moment_of("954491830116155396") == 1516403560557


@given(st.integers(0, 2**40), st.integers(0, 2**22 - 1))
def test_every_id_of_a_moment_tells_it(since: int, rest: int) -> None:
    found = moment_of(str((since << 22) + rest))

    assert found == (since + EPOCH_MS if since else 0)


@pytest.mark.parametrize("text", ["", "x", "-1", "12345678901234567890", "٣"])
def test_what_is_no_id_has_no_moment(text: str) -> None:
    assert moment_of(text) == 0
