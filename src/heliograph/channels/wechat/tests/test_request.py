"""The rules of WeChat: what they refuse and what they make of a call."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.wechat import CHANNEL
from heliograph.model.outcome import Rejected
from heliograph.testing import message_of

MEDIA = {"type": "media", "media": {"id": "1"}}
REFUSED: list[tuple[Any, str]] = [
    ({}, keys.WECHAT_TEXT_MISSING),
    ({"text": "", "attachment": {}}, keys.WECHAT_TEXT_MISSING),
    ({"text": True}, keys.INVALID_JSON),
    ({"attachment": {"type": {}}}, keys.INVALID_JSON),
]
TAKEN: list[tuple[Any, Any]] = [
    ({"text": "Hi"}, {"text": "Hi"}),
    ({"attachment": MEDIA}, {"attachment": MEDIA}),
]


@pytest.mark.parametrize(("found", "key"), REFUSED)
def test_an_object_is_refused(found: Any, key: str) -> None:
    with pytest.raises(Rejected) as caught:
        message_of(CHANNEL, found)

    assert caught.value.key == key


@pytest.mark.parametrize(("found", "fields"), TAKEN)
def test_an_object_is_taken(found: Any, fields: Any) -> None:
    assert message_of(CHANNEL, found).content.fields == fields


def test_a_text_is_measured_in_bytes() -> None:
    content = message_of(CHANNEL, {"text": "\u4f60\u597d"}).content

    assert CHANNEL.measure(content, "\u4f60\u597d") == (1, "utf-8", 6)
