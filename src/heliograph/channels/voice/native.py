"""A SIP message for people, its credentials left out. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.wire.sip.message import SipError, decode

HIDDEN = "***"
_SECRET = frozenset({"authorization", "proxy-authorization"})
BODY_SHOWN = 4_000


def describe(native: bytes) -> dict[str, Any]:
    """The first line, the headers and the body of a message, or the record of a call, fit for JSON; what cannot be
    read tells why."""
    if native.startswith(b"{"):
        record: dict[str, Any] = msgspec.json.decode(native)
        return record
    try:
        message = decode(native)
    except SipError as error:
        return {"error": str(error)}
    headers: dict[str, Any] = {}
    for name, value in message.headers:
        shown = HIDDEN if name.lower() in _SECRET else _plain(value)
        if name not in headers:
            headers[name] = shown
        elif isinstance(headers[name], list):
            headers[name].append(shown)
        else:
            headers[name] = [headers[name], shown]
    told: dict[str, Any] = {"message": _plain(message.start), "headers": headers}
    if message.body:
        told["body"] = message.body[:BODY_SHOWN].decode("utf-8", "replace")
    return told


def _plain(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
