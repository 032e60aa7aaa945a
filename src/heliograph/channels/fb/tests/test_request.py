"""The rules of Messenger: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.fb import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

REFUSED: list[tuple[Any, str]] = [
    ({}, keys.FB_TEXT_MISSING),
    ({"attachment": {}, "sender_action": ""}, keys.FB_TEXT_MISSING),
    ({"attachment": "x"}, keys.INVALID_JSON),
    ({"text": ["x"]}, keys.INVALID_JSON),
    ({"text": "x", "tag": {}}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"text": "Hi", "other": 1}, {"text": "Hi"}),
    ({"sender_action": "typing_on"}, {"sender_action": "typing_on"}),
    (
        {"attachment": {"type": "image"}, "quick_replies": [{}]},
        {"attachment": {"type": "image"}, "quick_replies": [{}]},
    ),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


@pytest.mark.parametrize("entry", [{"psid": ["1"]}, {"fbid": ["1"]}, {"FbId": 1}, {"fbid": ["2"], "PSID": ["1"]}])
def test_an_address_is_kept_as_psid(entry: dict[str, Any]) -> None:
    [address] = message_of(CHANNEL, {"text": "Hi"}, destination=[entry]).addresses

    assert (address.kind, address.value) == ("psid", "1")
