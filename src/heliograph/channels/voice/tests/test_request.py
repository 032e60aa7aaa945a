"""The rules of voice: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.voice import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

REFUSED: list[tuple[Any, str]] = [
    ({}, keys.VOICE_CONTENT_MISSING),
    ({"callflowid": [], "media": ""}, keys.VOICE_CONTENT_MISSING),
    ({"callflowid": {"id": 1}}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"callflowid": 184, "media": "", "cli": 453745878}, {"callflowid": "184", "cli": "453745878"}),
    ({"callflowid": "184", "media": "hi"}, {"media": "hi"}),
    ({"callflowid": "184", "promptid": "7"}, {"promptid": "7"}),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


def test_the_caller_id_chooses_the_sender() -> None:
    assert CHANNEL.sender_field == "cli"
