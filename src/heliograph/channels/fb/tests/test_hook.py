"""What Meta's calls about a page mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.channels.fb.hook import hook
from heliograph.model.channel import HookCall, Hooked
from heliograph.model.outcome import Inbound, Reachability, Receipt, Reference
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph import webhook

SECRET, PAGE, PERSON = "an app secret", "77", "42"
SPEC = ConnectorSpec(
    name="a_1", channel="fb", kind="graph",
    options={"page_id": PAGE, "app_secret": SECRET, "verify_token": "word", "page_access_token": "EAA"},
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "mid", "message", "delivery", "read", "watermark", "mids", "sender", "text"]), inner,
        max_size=3,
    ),
    max_leaves=10,
)  # fmt: skip


def call(found: Any, secret: str = SECRET) -> Hooked:
    body = msgspec.json.encode(found)
    return hook(SPEC, HookCall("POST", {}, {webhook.SIGNATURE: webhook.signature(secret, body)}, body), 0)


def event(page: str = PAGE, where: str = "messaging", **members: Any) -> Any:
    """What a call with one event brings."""
    whole = {"sender": {"id": PERSON}, "recipient": {"id": PAGE}, "timestamp": 1_700_000_000_123, **members}
    return call({"object": "page", "entry": [{"id": page, "time": 1, where: [whole]}]}).items


def test_a_delivery_speaks_of_ids_and_of_everything_before() -> None:
    first, second, mark = event(delivery={"mids": ["m_1", "m_2"], "watermark": 5})

    assert (first.native_id, second.native_id, first.key) == ("m_1", "m_2", keys.DELIVERED)
    assert (mark.native_id, mark.destination, mark.until_ms, mark.key) == ("", PERSON, 5, keys.DELIVERED)


def test_a_delivery_without_ids_speaks_of_everything_before() -> None:
    [mark] = event(delivery={"watermark": 5})

    assert (mark.until_ms, mark.key) == (5, keys.DELIVERED)


def test_a_read_speaks_of_everything_before() -> None:
    [mark] = event(read={"watermark": 6})

    assert (mark.until_ms, mark.key, mark.destination) == (6, keys.READ, PERSON)


def test_an_echo_of_ours_names_the_message_and_its_moment() -> None:
    reference = Reference(1 << 40, 3)
    echo = {"is_echo": True, "mid": "m_1", "metadata": webhook.named(reference, SECRET), "text": "Hi"}
    [found] = event(sender={"id": PAGE}, recipient={"id": PERSON}, message=echo)

    assert (found.reference, found.native_id, found.key) == (reference, "m_1", keys.SUBMITTED)
    assert (found.destination, found.sent_ms) == (PERSON, 1_700_000_000_123)


@pytest.mark.parametrize("metadata", ["", "hg1.0.0.1.0000000000000000", "somebody else's"])
def test_an_echo_of_somebody_else_says_nothing(metadata: str) -> None:
    assert event(message={"is_echo": True, "mid": "m_1", "metadata": metadata}) == ()


@pytest.mark.parametrize(
    ("members", "text", "native", "native_id"),
    [
        ({"message": {"mid": "m_9", "text": "Hi"}}, "Hi", {"event": "message"}, "m_9"),
        (
            {"message": {"mid": "m_9", "text": "Red", "quick_reply": {"payload": "RED"}}},
            "Red", {"event": "message", "payload": "RED"}, "m_9",
        ),
        (
            {"message": {"mid": "m_9", "attachments": [{"type": "image", "payload": {"url": "https://x"}}]}},
            "", {"event": "message", "attachments": [{"type": "image", "url": "https://x"}]}, "m_9",
        ),
        (
            {"message": {"mid": "m_9", "text": "Yes", "reply_to": {"mid": "m_1"}}},
            "Yes", {"event": "message", "replyTo": "m_1"}, "m_9",
        ),
        (
            {"postback": {"mid": "m_8", "title": "Start", "payload": "START"}},
            "Start", {"event": "postback", "payload": "START"}, "m_8",
        ),
        ({"postback": {"title": "Start"}}, "Start", {"event": "postback"}, "postback.42.1700000000123"),
        ({"optin": {"ref": "door"}}, "", {"event": "optin", "ref": "door"}, "optin.42.1700000000123"),
        (
            {"reaction": {"emoji": "+1", "action": "react", "mid": "m_1"}},
            "+1", {"event": "reaction", "action": "react", "replyTo": "m_1"}, "reaction.42.1700000000123",
        ),
    ],
)  # fmt: skip
def test_what_a_person_does_is_an_inbound_message(
    members: dict[str, Any], text: str, native: dict[str, Any], native_id: str
) -> None:
    inbound, news = event(**members)

    assert isinstance(inbound, Inbound)
    assert (inbound.sender, inbound.destination, inbound.text, inbound.native_id) == (PERSON, PAGE, text, native_id)
    assert inbound.native == {"psid": PERSON, **native}
    assert isinstance(news, Reachability)
    assert (news.address, news.reachable) == (PERSON, True)


def test_what_a_person_says_to_another_app_is_not_ours() -> None:
    assert event(where="standby", message={"mid": "m_9", "text": "Hi"}) == ()


def test_what_becomes_of_our_messages_is_ours_all_the_same() -> None:
    assert [type(item) for item in event(where="standby", read={"watermark": 6})] == [Receipt]


def test_events_of_another_page_are_left_to_it() -> None:
    assert event(page="78", read={"watermark": 6}) == ()


@pytest.mark.parametrize("found", [[], {"object": "user", "entry": []}, {"object": "page"}, "x"])
def test_what_is_no_event_of_a_page_brings_nothing(found: Any) -> None:
    assert call(found).items == ()


def test_a_call_with_the_signature_of_another_app_is_refused() -> None:
    assert call({"object": "page", "entry": []}, "another secret").refused


def test_the_url_is_checked_with_the_verify_token() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "123"}

    assert hook(SPEC, HookCall("GET", query, {}, b""), 0).body == b"123"
    assert hook(SPEC, HookCall("GET", {**query, "hub.verify_token": "x"}, {}, b""), 0).refused


@given(anything)
def test_no_signed_body_breaks_the_reading(found: Any) -> None:
    call({"object": "page", "entry": [{"id": PAGE, "messaging": [found], "standby": found}]})
