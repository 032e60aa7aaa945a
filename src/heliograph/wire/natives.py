"""One HTTP exchange as it is kept for a message's story: bytes written beside the call, read only when it is shown.
Headers and queries are left out, for credentials stand there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliograph.wire.http_connection import Answer

SHOWN = 2_000  # characters of a body that is no JSON


def asked(method: str, url: str, body: bytes) -> bytes:
    """What we sent."""
    return f"{method} {urlsplit(url).path}\n".encode() + body


def answered(answer: Answer) -> bytes:
    """What came back."""
    return b"HTTP %d\n" % answer.status + answer.body


def described(native: bytes) -> dict[str, Any]:
    """Either of them for people: the first line, and the body as JSON where it is some."""
    head, _, body = native.partition(b"\n")
    shown: Any
    try:
        shown = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        shown = body[:SHOWN].decode("utf-8", "replace")
    return {"http": head.decode("utf-8", "replace"), "body": shown}
