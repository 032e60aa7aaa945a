"""The rules of direct messages on X: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.twitter import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

MEDIA = {"type": "media", "media": {"id": "1"}}
REFUSED: list[tuple[Any, str]] = [
    ({}, keys.TWITTER_TEXT_MISSING),
    ({"attachment": MEDIA}, keys.TWITTER_TEXT_MISSING),
    ({"text": "Hi", "attachment": "x"}, keys.INVALID_JSON),
    ({"text": "Hi", "attachment": {"media": 1}}, keys.INVALID_JSON),
    ({"text": "Hi", "quick_reply": [1]}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"text": "Hi", "attachment": MEDIA}, {"text": "Hi", "attachment": MEDIA}),
    ({"text": 5, "quick_reply": None}, {"text": "5"}),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields
