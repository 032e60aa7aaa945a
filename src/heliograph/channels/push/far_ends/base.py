"""What all senders share: a push to one device, what became of it, and how it is shown."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from heliograph.channels.push.payloads import RECEIPT_CHARACTERS, Payload
from heliograph.wire.addresses import HttpError
from heliograph.wire.http_connection import Answer

LONGEST_PAUSE = 86_400.0  # seconds that a far end may ask us to wait
SHOWN = 2_048  # bytes of a body that are shown

_RECEIPT = re.compile(rf'(\\?"receipt\\?":\\?")[A-Za-z0-9_-]{{{RECEIPT_CHARACTERS}}}')


class Push(msgspec.Struct, frozen=True):
    """One push to one device. `id` is ours, a UUID that is the same however often it is sent; `receipt` what the
    app shows to say that it came; `ttl` seconds from now."""

    token: str
    payload: Payload
    id: str
    receipt: str
    ttl: int

    def ours(self) -> dict[str, Any]:
        """Our member of the payload."""
        return {**self.payload.ours, "receipt": self.receipt}


class Result(msgspec.Struct, frozen=True):
    """What a far end made of a push. Without `codes` it was taken; else they are its native codes, the most
    particular one first. `after` is how many seconds it wants to be left alone, `since_ms` since when the token is
    dead, `replaced_by` the token that took its place; `native` is request and answer."""

    codes: tuple[str, ...] = ()
    detail: str = ""
    after: float = 0.0
    since_ms: int = 0
    replaced_by: str = ""
    native: tuple[bytes, ...] = ()


class Sender(Protocol):
    """Speaks to one far end with one set of credentials."""

    async def send(self, push: Push) -> Result:
        """Send one push; never raises."""

    async def close(self) -> None:
        """Close the connections."""

    def health(self) -> dict[str, Any]:
        """The credentials, for people: what they are and until when they are good; no secrets."""


def request_shown(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as it is kept for the story: without credentials."""
    return _head(f"{method} {url}", headers) + body


def answer_shown(answer: Answer) -> bytes:
    """An answer as it is kept for the story."""
    return _head(f"HTTP {answer.status}", answer.headers) + answer.body


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items() if name != "authorization"]
    return "\n".join([first, *lines, "", ""]).encode()


def describe(native: bytes) -> dict[str, Any]:
    """One side of an exchange for people. The receipt is left out: who has it may say that the message was read."""
    head, _, body = native.decode(errors="replace").partition("\n\n")
    first, *lines = head.split("\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    shown: dict[str, Any] = {"line": first}
    if headers:
        shown["headers"] = headers
    if body:
        shown["body"] = _RECEIPT.sub(r"\1...", body)[:SHOWN]
    return shown


def failed(error: HttpError) -> Result:
    """No answer."""
    return Result((error.kind,), error.detail)


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Seconds that the header Retry-After asks for at `now` (Unix seconds): a number or a date (RFC 9110, 10.2.3);
    0 where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:6]), LONGEST_PAUSE)
    try:
        moment = email.utils.parsedate_to_datetime(value).timestamp() if value else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return min(max(0.0, moment - now), LONGEST_PAUSE)


def decoded(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty one when it is none."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
