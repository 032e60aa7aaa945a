"""A direct message as X takes it, and what cannot be said to X."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.catalogue import keys
from heliograph.channels.twitter.message import OLD_PATH, Call, call_of, event_id
from heliograph.model.outcome import SendError

from .conftest import body

MEDIA = {"type": "media", "media": {"id": "1057943604868669445"}}
OPTIONS = [{"label": "Start", "description": "d", "metadata": "m"}]
REPLIES = {"type": "options", "options": OPTIONS}


def call(bearer: bool = False, **fields: object) -> tuple[str, object]:
    """Path and JSON."""
    found = call_of("1577568001", body("hi", **fields), bearer=bearer)
    assert isinstance(found, Call)
    return found.path, msgspec.json.decode(found.body)


def test_a_text_goes_by_version_2() -> None:
    assert call() == ("/2/dm_conversations/with/1577568001/messages", {"text": "hi"})


def test_media_goes_along() -> None:
    assert call(attachment=MEDIA)[1] == {"text": "hi", "attachments": [{"media_id": "1057943604868669445"}]}


def test_quick_replies_go_by_version_1_1() -> None:
    path, found = call(quick_reply=REPLIES, attachment=MEDIA)
    data = {
        "text": "hi", "quick_reply": REPLIES,
        "attachment": {"type": "media", "media": {"id": "1057943604868669445"}},
    }  # fmt: skip
    create = {"target": {"recipient_id": "1577568001"}, "message_data": data}

    assert (path, found) == (OLD_PATH, {"event": {"type": "message_create", "message_create": create}})


@pytest.mark.parametrize(
    ("bearer", "fields"),
    [
        (True, {"quick_reply": REPLIES}),
        (False, {"quick_reply": {"type": "options", "options": []}}),
        (False, {"quick_reply": {"options": OPTIONS * 21}}),
        (False, {"quick_reply": {"options": "x"}}),
        (False, {"attachment": {"type": "media"}}),
        (False, {"attachment": {"media": {"id": "../../x"}}}),
        (True, {"attachment": {"media": {"id": None}}}),
    ],
)
def test_what_cannot_be_said_is_refused_and_not_dropped(bearer: bool, fields: dict[str, object]) -> None:
    found = call_of("1", body("hi", **fields), bearer=bearer)

    assert isinstance(found, SendError)
    assert (found.key, found.retry, bool(found.detail)) == (keys.INVALID_MESSAGE_TYPE, "no", True)


@pytest.mark.parametrize(
    ("answer", "identity"),
    [
        (b'{"data":{"dm_conversation_id":"1-2","dm_event_id":"99"}}', "99"),
        (b'{"event":{"type":"message_create","id":"98"}}', "98"),
        (b'{"data":{}}', ""),
        (b"[]", ""),
        (b"<html>", ""),
        (b"\xff", ""),
    ],
)
def test_the_id_is_read_of_either_answer(answer: bytes, identity: str) -> None:
    assert event_id(answer) == identity
