"""What Meta's calls about a WhatsApp number mean."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.catalogue import keys
from heliograph.channels.whatsapp.hook import hook
from heliograph.model.channel import HookCall, Hooked
from heliograph.model.outcome import Inbound, Reachability, Reference
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph import webhook

SECRET, NUMBER, PERSON = "an app secret", "77", "447700900001"
SPEC = ConnectorSpec(
    name="a_4", channel="whatsapp", kind="cloud",
    options={"phone_number_id": NUMBER, "app_secret": SECRET, "verify_token": "word", "access_token": "EAA"},
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "status", "type", "text", "from", "errors", "code", "image", "interactive"]), inner,
        max_size=3,
    ),
    max_leaves=10,
)  # fmt: skip


def call(found: Any, secret: str = SECRET) -> Hooked:
    body = msgspec.json.encode(found)
    return hook(SPEC, HookCall("POST", {}, {webhook.SIGNATURE: webhook.signature(secret, body)}, body), 0)


def value(number: str = NUMBER, field: str = "messages", **members: Any) -> Any:
    """What a call with one change brings."""
    whole = {"metadata": {"display_phone_number": "1555", "phone_number_id": number}, **members}
    change = {"field": field, "value": whole}
    return call({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).items


def said(**message: Any) -> Inbound:
    whole = {"from": PERSON, "id": "wamid.IN", "timestamp": "1700000000", **message}
    inbound, news = value(contacts=[{"profile": {"name": "Ann"}, "wa_id": PERSON}], messages=[whole])
    assert isinstance(inbound, Inbound)
    assert isinstance(news, Reachability)
    assert (news.address, news.reachable, news.at_ms) == (PERSON, True, 1_700_000_000_000)
    return inbound


@pytest.mark.parametrize(
    ("word", "key"),
    [("sent", keys.SUBMITTED), ("delivered", keys.DELIVERED), ("read", keys.READ), ("played", keys.READ)],
)
def test_a_status_says_where_a_message_stands(word: str, key: str) -> None:
    [receipt] = value(statuses=[{"id": "wamid.1", "status": word}])

    assert (receipt.native_id, receipt.key, receipt.native_code, receipt.reference) == ("wamid.1", key, word, None)


@pytest.mark.parametrize(
    ("errors", "key", "code"),
    [
        ([{"code": 131026, "title": "Undeliverable"}], keys.SUBSCRIBER_UNREACHABLE, "131026"),
        ([{"code": 131047, "title": "x", "error_data": {"details": "24 h"}}], keys.EXPIRED_BEFORE_SENDING, "131047"),
        ([{"code": 4711, "title": "x"}], keys.PROVIDER_EXCEPTION, "4711"),
        ([], keys.PROVIDER_EXCEPTION, "failed"),
        ("x", keys.PROVIDER_EXCEPTION, "failed"),
    ],
)
def test_a_failed_status_says_why(errors: Any, key: str, code: str) -> None:
    [receipt] = value(statuses=[{"id": "wamid.1", "status": "failed", "errors": errors}])

    assert (receipt.key, receipt.native_code) == (key, code)


def test_a_status_repeats_our_reference() -> None:
    reference = Reference(1 << 40, 2)
    data = webhook.named(reference, SECRET)
    [receipt] = value(statuses=[{"id": "wamid.1", "status": "sent", "biz_opaque_callback_data": data}])

    assert receipt.reference == reference


def test_a_status_that_says_nothing_of_us_is_left_alone() -> None:
    assert value(statuses=[{"id": "wamid.1", "status": "deleted"}, {"id": "wamid.1", "status": "warning"}]) == ()


@pytest.mark.parametrize(
    ("message", "text", "native"),
    [
        ({"type": "text", "text": {"body": "Hi"}}, "Hi", {"event": "text"}),
        ({"type": "text", "text": {"body": "Hi"}, "context": {"id": "wamid.9"}}, "Hi",
         {"event": "text", "replyTo": "wamid.9"}),
        ({"type": "image", "image": {"id": "5", "caption": "See"}}, "See",
         {"event": "image", "attachments": [{"type": "image", "id": "5", "caption": "See"}]}),
        ({"type": "interactive", "interactive": {"button_reply": {"id": "1", "title": "Yes"}}},
         "Yes", {"event": "interactive", "payload": "1"}),
        ({"type": "interactive", "interactive": {"list_reply": {"id": "r", "title": "Row"}}}, "Row",
         {"event": "interactive", "payload": "r"}),
        ({"type": "interactive", "interactive": {"nfm_reply": {"body": "Sent", "response_json": "{}"}}}, "Sent",
         {"event": "interactive", "payload": "{}"}),
        ({"type": "button", "button": {"text": "Stop", "payload": "STOP"}}, "Stop",
         {"event": "button", "payload": "STOP"}),
        ({"type": "reaction", "reaction": {"emoji": "+1", "message_id": "wamid.9"}}, "+1",
         {"event": "reaction", "replyTo": "wamid.9"}),
        ({"type": "location", "location": {"latitude": 1}}, "", {"event": "location", "location": {"latitude": 1}}),
        ({"type": "unsupported"}, "", {"event": "unsupported"}),
    ],
)  # fmt: skip
def test_what_a_person_writes_is_an_inbound_message(
    message: dict[str, Any], text: str, native: dict[str, Any]
) -> None:
    inbound = said(**message)

    assert (inbound.sender, inbound.destination, inbound.text, inbound.native_id) == (
        PERSON, "1555", text, "wamid.IN",
    )  # fmt: skip
    assert inbound.native == {"waid": PERSON, "profileName": "Ann", **native}


@pytest.mark.parametrize("more", [{"number": "78"}, {"field": "account_update"}])
def test_what_is_not_about_this_numbers_messages_is_left_alone(more: dict[str, str]) -> None:
    assert value(statuses=[{"id": "wamid.1", "status": "read"}], **more) == ()


def test_a_call_with_the_signature_of_another_app_is_refused() -> None:
    assert call({"object": "whatsapp_business_account", "entry": []}, "another secret").refused


def test_the_url_is_checked_with_the_verify_token() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "word", "hub.challenge": "123"}

    assert hook(SPEC, HookCall("GET", query, {}, b""), 0).body == b"123"


@given(anything)
def test_no_signed_body_breaks_the_reading(found: Any) -> None:
    value(statuses=[found], messages=[found], contacts=found)
    call({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": found}]}]})
