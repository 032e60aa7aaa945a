"""What goes to the Send API."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.channels.fb.payload import message_id, pieces
from heliograph.model.channel import Body, Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Reference, SendError
from heliograph.wire.graph.webhook import referred

SECRET = "an app secret"
IMAGE = {"type": "image", "payload": {"url": "https://x/y.png"}}


def calls(text: str = "", tags: tuple[str, ...] = (), **fields: Any) -> Any:
    """The bodies of the calls of a message, or its refusal."""
    body = Body(content=Content(channel="fb", fields=fields), text=text)
    made = pieces(Outbound(7, 3, "42", body), SECRET, tags)
    return made if isinstance(made, SendError) else [piece.body for piece in made]


def test_a_text() -> None:
    [call] = calls("Hi")
    reference = call["message"].pop("metadata")

    assert call == {"recipient": {"id": "42"}, "messaging_type": "RESPONSE", "message": {"text": "Hi"}}
    assert referred(reference, SECRET) == Reference(7, 3, 0, 1)


@pytest.mark.parametrize(
    ("fields", "head"),
    [
        ({"messaging_type": "UPDATE"}, {"messaging_type": "UPDATE"}),
        ({"tag": "HUMAN_AGENT"}, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}),
        ({"notification_type": "NO_PUSH"}, {"messaging_type": "RESPONSE", "notification_type": "NO_PUSH"}),
    ],
)
def test_types_tags_and_notifications(fields: dict[str, Any], head: dict[str, Any]) -> None:
    [call] = calls("Hi", **fields)

    assert {name: value for name, value in call.items() if name not in ("recipient", "message")} == head


def test_an_attachment_goes_as_it_is_with_its_quick_replies() -> None:
    [call] = calls(attachment=IMAGE, quick_replies=[{"content_type": "text", "title": "Red"}])

    assert call["message"]["attachment"] == IMAGE
    assert call["message"]["quick_replies"] == [{"content_type": "text", "title": "Red"}]


def test_an_action_goes_before_the_message() -> None:
    first, second = calls("Hi", sender_action="typing_on")

    assert first == {"recipient": {"id": "42"}, "sender_action": "typing_on"}
    assert second["message"]["text"] == "Hi"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"quick_replies": [{}], "sender_action": "typing_on"}, "quick_replies need"),
        ({"text": "Hi", "tag": "OTHER", "tags": ("HUMAN_AGENT",)}, "the tag OTHER"),
        ({}, "nothing to send"),
    ],
)
def test_what_the_far_end_cannot_express_is_refused(more: dict[str, Any], why: str) -> None:
    found = calls(**more)

    assert (found.key, found.retry) == (keys.FAILED_AT_PLATFORM, "no")
    assert why in found.detail


def test_parts_of_a_message_are_told_apart() -> None:
    found = [referred(call["message"]["metadata"], SECRET) for call in calls("Hi", attachment=IMAGE)]

    assert found == [Reference(7, 3, 0, 2), Reference(7, 3, 1, 2)]


@pytest.mark.parametrize("answer", [{}, {"message_id": 5}, {"message_id": None}])
def test_an_answer_without_an_id_has_none(answer: dict[str, Any]) -> None:
    assert message_id(answer) == ""
