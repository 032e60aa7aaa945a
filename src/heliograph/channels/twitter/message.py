"""A direct message as X takes it. Pure.

Version 2 knows text and one attachment; quick replies exist in version 1.1 only, which takes OAuth 1.0a alone. The
ids of events are the same in both.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Body
from heliograph.model.outcome import SendError

OLD_PATH = "/1.1/direct_messages/events/new.json"
OPTIONS = 20  # quick replies of one message


class Call(NamedTuple):
    """Where a message is posted, and its JSON."""

    path: str
    body: bytes


def path_to(user_id: str) -> str:
    """Where version 2 takes messages to a user."""
    return f"/2/dm_conversations/with/{user_id}/messages"


def call_of(to: str, body: Body, *, bearer: bool) -> Call | SendError:
    """The call that sends a message to a user, or why it cannot be said to X."""
    fields = body.content.fields
    media = _media(fields.get("attachment"))
    if isinstance(media, SendError):
        return media
    replies = fields.get("quick_reply")
    if replies:
        return _with_replies(to, body.text, media, replies, bearer=bearer)
    message: dict[str, Any] = {"text": body.text}
    if media:
        message["attachments"] = [{"media_id": media}]
    return Call(path_to(to), msgspec.json.encode(message))


def event_id(answer: bytes) -> str:
    """The id that X gave the message in either version's answer; "" when there is none."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    for name, member in (("data", "dm_event_id"), ("event", "id")):
        inner = found.get(name)
        if isinstance(inner, dict) and inner.get(member):
            return str(inner[member])
    return ""


def _media(attachment: object) -> str | SendError:
    if not attachment:
        return ""
    media = attachment.get("media") if isinstance(attachment, dict) else None
    identity = media.get("id") if isinstance(media, dict) else None
    if not isinstance(identity, str | int) or not str(identity).isdigit():
        return _unsaid("`attachment.media.id` must be the number of an upload to X")
    return str(identity)


def _with_replies(to: str, text: str, media: str, replies: object, *, bearer: bool) -> Call | SendError:
    options = replies.get("options") if isinstance(replies, dict) else None
    if bearer:
        return _unsaid("X takes quick replies with OAuth 1.0a keys only, and the account speaks by OAuth 2")
    if not isinstance(options, list) or not 1 <= len(options) <= OPTIONS:
        return _unsaid(f"`quick_reply.options` must be a list of 1 to {OPTIONS}")
    data: dict[str, Any] = {"text": text, "quick_reply": {"type": "options", "options": options}}
    if media:
        data["attachment"] = {"type": "media", "media": {"id": media}}
    create = {"target": {"recipient_id": to}, "message_data": data}
    return Call(OLD_PATH, msgspec.json.encode({"event": {"type": "message_create", "message_create": create}}))


def _unsaid(detail: str) -> SendError:
    return SendError(keys.INVALID_MESSAGE_TYPE, detail=detail)
