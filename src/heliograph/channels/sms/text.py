"""The content of an SMS as text: what is sent, whether a sender may send it, how many parts it takes."""

from __future__ import annotations

from heliograph.model.message import Content
from heliograph.model.workspace import Sender
from heliograph.wire.smpp.segment import (
    MAX_PARTS,
    Codings,
    Options,
    TooLong,
    choose_coding,
    count_parts,
    segment_binary,
)

_NAMES = {Codings.GSM: "gsm", Codings.LATIN1: "latin1", Codings.UCS2: "ucs2", Codings.BINARY: "binary"}


def kind_of(content: Content) -> str:
    """The type of a message: text, flash, binary or unicode."""
    return str(content.fields.get("type") or "text")


def compose(content: Content, text: str) -> str:
    """The text to send, a link to media behind it; of a binary message its `body`, hexadecimal."""
    body = str(content.fields.get("body") or "")
    if kind_of(content) == "binary":
        return body
    text = text or body  # flash and unicode may use either (messaging 6.1)
    media = str(content.fields.get("media-path") or "")
    return f"{text} {media}".strip() if media else text


def allows(content: Content, sender: Sender) -> str | None:
    """Why the sender may not send this type (7112), None when it may."""
    kind = kind_of(content)
    if kind in sender.types:
        return None
    return f"sender {sender.id} sends {', '.join(sender.types) or 'nothing'}, not {kind}"


def octets_of(body: str) -> bytes | None:
    """The octets of a binary message's hexadecimal body; None when it is none (7205)."""
    try:
        return bytes.fromhex(body) or None
    except ValueError:
        return None


def measure(content: Content, text: str) -> tuple[int, str, int]:
    """`(parts, encoding, characters)`; of a binary message its octets."""
    kind = kind_of(content)
    if kind == "binary":
        octets = octets_of(text) or b""
        return len(segment_binary(octets)), "binary", len(octets)
    options = Options(flash=kind == "flash", unicode=kind == "unicode")
    coding = choose_coding(text, options)
    try:
        return count_parts(text, options), _NAMES[coding], len(text)
    except TooLong:
        return MAX_PARTS, _NAMES[coding], len(text)
