"""A message as the Cloud API takes it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.whatsapp.request import BUTTONS, MEDIA
from heliograph.channels.whatsapp.template import Native, Unresolved, medium, message_of, shown
from heliograph.model.channel import Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Reference, SendError
from heliograph.wire.graph.connector import Piece
from heliograph.wire.graph.webhook import named

CAPTION_CHARACTERS = 1_024
"""Of a caption and of the body above buttons."""

Fields = Mapping[str, Any]


def kind_of(content: Content) -> str:
    """The type of a message; a template is a text until it is sent."""
    return str(content.fields.get("type") or "text")


def compose(content: Content, text: str) -> str:
    """The text of a message: its body, its caption or what stands above its buttons; else the template's."""
    kind = kind_of(content)
    holder = content.fields.get(kind)
    if not isinstance(holder, dict):
        return shown(text, content.parameters)
    if kind == "text":
        return str(holder.get("body") or "")
    if kind in MEDIA:
        return str(holder.get("caption") or "")
    body = holder.get("body")
    return str(body.get("text") or "") if kind in BUTTONS and isinstance(body, dict) else ""


def pieces(outbound: Outbound, secret: str) -> Sequence[Piece] | SendError:
    """The one call of a message, or why it cannot be one."""
    content, native = outbound.body.content, outbound.body.attached
    if isinstance(native, Native):
        try:
            message: dict[str, Any] = {"type": "template", "template": message_of(native, content.parameters)}
        except Unresolved as error:
            return SendError(keys.PARAMS_UNRESOLVED, "no", "template", str(error))
    else:
        kind = kind_of(content)
        text = outbound.body.text
        if kind != "text" and len(text) > CAPTION_CHARACTERS:
            return SendError(
                keys.MESSAGE_TOO_LONG, "no", kind, f"{len(text)} characters, {CAPTION_CHARACTERS} at most"
            )
        holder = content.fields.get(kind)
        message = _MADE[kind](holder if isinstance(holder, dict | list) else {}, text)
        if kind == "text":
            message["text"]["preview_url"] = str(content.fields.get("preview_url")).lower() == "true"
    head: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": outbound.to}
    context = content.fields.get("context")
    if isinstance(context, dict) and context.get("message_id"):
        head["context"] = {"message_id": context["message_id"]}
    if key_hash := content.fields.get("identity_key_hash"):
        head["recipient_identity_key_hash"] = key_hash
    reference = Reference(outbound.request, outbound.ordinal)
    return (Piece({**head, **message, "biz_opaque_callback_data": named(reference, secret)}),)


def message_id(answer: Fields) -> str:
    """The id of a message in a good answer."""
    messages = answer.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    found = first.get("id") if isinstance(first, dict) else None
    return found if isinstance(found, str) else ""


def _text(holder: Any, text: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": text}}


def _media(kind: str) -> Callable[[Any, str], dict[str, Any]]:
    def make(holder: Any, text: str) -> dict[str, Any]:
        made = medium(holder)
        return {"type": kind, kind: {**made, "caption": text} if text else made}

    return make


def _as_is(kind: str) -> Callable[[Any, str], dict[str, Any]]:
    return lambda holder, text: {"type": kind, kind: holder}


def _buttons(native_kind: str) -> Callable[[Any, str], dict[str, Any]]:
    """`reply` and `list` are the interactive messages `button` and `list`."""

    def make(holder: Any, text: str) -> dict[str, Any]:
        made = {**holder, "type": native_kind or holder.get("type")}
        if text:
            made["body"] = {"text": text}
        header = holder.get("header")
        if isinstance(header, dict) and header.get("type") in MEDIA:
            kind = header["type"]
            made["header"] = {"type": kind, kind: medium(header.get(kind) or {})}
        return {"type": "interactive", "interactive": made}

    return make


_MADE: dict[str, Callable[[Any, str], dict[str, Any]]] = {
    "text": _text,
    **{kind: _media(kind) for kind in MEDIA},
    "contacts": _as_is("contacts"),
    "location": _as_is("location"),
    "reaction": _as_is("reaction"),
    "reply": _buttons("button"),
    "list": _buttons("list"),
    "interactive": _buttons(""),
}
