"""A message as the Send API takes it: one call for a text, one for an attachment, one for a sender action. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from heliograph.catalogue import keys
from heliograph.model.channel import Outbound
from heliograph.model.outcome import Reference, SendError
from heliograph.wire.graph.connector import Piece
from heliograph.wire.graph.webhook import named

HEAVY = frozenset({"audio", "video"})
"""Attachments of which a page may send 10 a second (providers 1.5)."""


def pieces(outbound: Outbound, secret: str, tags: Collection[str] = ()) -> Sequence[Piece] | SendError:
    """The calls of a message, or why it cannot be one. The Send API takes a text or an attachment, never both, and an
    action by itself. With `tags` only those may be used."""
    fields = outbound.body.content.fields
    tag = str(fields.get("tag") or "")
    if tags and tag and tag not in tags:
        return _refused(f"the tag {tag[:64]} is none of this app's `tags`")
    contents: list[dict[str, Any]] = []
    if outbound.body.text:
        contents.append({"text": outbound.body.text})
    if isinstance(attachment := fields.get("attachment"), dict) and attachment:
        contents.append({"attachment": attachment})
    replies = fields.get("quick_replies")
    if replies and not contents:
        return _refused("quick_replies need a text or an attachment to stand under")
    recipient = {"id": outbound.to}
    made = []
    if action := fields.get("sender_action"):
        made.append(Piece({"recipient": recipient, "sender_action": action}, reports=False))
    head = {"recipient": recipient, **_head(fields, tag)}
    for part, content in enumerate(contents):
        last = part == len(contents) - 1
        reference = Reference(outbound.request, outbound.ordinal, part, len(contents))
        message = {**content, **({"quick_replies": replies} if replies and last else {})}
        heavy = "attachment" in content and content["attachment"].get("type") in HEAVY
        made.append(Piece({**head, "message": {**message, "metadata": named(reference, secret)}}, media=heavy))
    return made or _refused("there is nothing to send")


def _head(fields: Mapping[str, object], tag: str) -> dict[str, object]:
    """The members beside the message; RESPONSE is what the API assumes of a message inside the 24 hours."""
    kind = fields.get("messaging_type") or ("MESSAGE_TAG" if tag else "RESPONSE")
    given = {"messaging_type": kind, "tag": tag, "notification_type": fields.get("notification_type")}
    return {name: value for name, value in given.items() if value}


def message_id(answer: Mapping[str, Any]) -> str:
    """The id of a message in a good answer."""
    found = answer.get("message_id")
    return found if isinstance(found, str) else ""


def _refused(why: str) -> SendError:
    return SendError(keys.FAILED_AT_PLATFORM, "no", "request", why)
