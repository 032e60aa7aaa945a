"""The rules of WhatsApp: what they refuse, and with what words."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels.whatsapp import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

BUTTONS = {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]}
REFUSED: list[tuple[Any, str]] = [
    ({}, "param 'text.body' missing for channel whatsapp"),
    ({"type": "text"}, "param 'text.body' missing for channel whatsapp"),
    ({"type": "text", "text": {"body": ""}}, "param 'text.body' missing for channel whatsapp"),
    ({"type": "IMAGE", "text": {"body": "x"}}, "param 'image.url' missing for channel whatsapp"),
    ({"type": "image", "image": {"caption": "x"}}, "param 'image.url' missing for channel whatsapp"),
    ({"type": "contacts", "contacts": []}, "param 'contacts' missing for channel whatsapp"),
    ({"type": "location", "location": {"latitude": 0}}, "param 'location.longitude' missing for channel whatsapp"),
    ({"type": "reply", "reply": {"action": BUTTONS}}, "param 'reply.body.text' missing for channel whatsapp"),
    ({"type": "list", "list": {"body": {"text": "x"}}}, "param 'list.action' missing for channel whatsapp"),
    ({"type": "reaction", "reaction": {"emoji": "+1"}}, "param 'reaction.message_id' missing for channel whatsapp"),
    ({"type": "fax"}, "invalid value for param 'type'"),
    ({"text": "x"}, "Invalid JSON"),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"type": "text", "text": {"body": "Hi"}, "preview_url": True},
     {"type": "text", "text": {"body": "Hi"}, "preview_url": True}),
    ({"text": {"body": "Hi"}, "other": 1}, {"text": {"body": "Hi"}}),
    ({"type": "Image", "image": {"id": "5"}}, {"type": "image", "image": {"id": "5"}}),
    ({"type": "location", "location": {"latitude": 0.0, "longitude": 0}},
     {"type": "location", "location": {"latitude": 0.0, "longitude": 0}}),
    ({"type": "contacts", "contacts": [{"name": {}}]}, {"type": "contacts", "contacts": [{"name": {}}]}),
]  # fmt: skip


@pytest.mark.parametrize(("found", "text"), REFUSED)
def test_an_object_is_refused(found: Any, text: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert catalogue.text(caught.value.key, values=caught.value.values) == text


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


@pytest.mark.parametrize("entry", [{"waid": ["+44 7700 900001"]}, {"msisdn": "447700900001"}])
def test_an_address_is_a_phone_number(entry: dict[str, Any]) -> None:
    [address] = message_of(CHANNEL, {"text": {"body": "x"}}, destination=[entry]).addresses

    assert CHANNEL.normalise(address.value) == "447700900001"


def test_a_template_needs_no_object() -> None:
    message = message_of(CHANNEL, {"identity_key_hash": "abc"}, message={"template": "1"})

    assert message.content.fields == {"identity_key_hash": "abc"}


def test_its_refusals_are_extensions_of_the_table() -> None:
    found = {row.key for row in catalogue.EXTENSIONS}

    assert {keys.WHATSAPP_OTT_MISSING, keys.WHATSAPP_OBJECT_MISSING, keys.WHATSAPP_CONTENT_MISSING} <= found
