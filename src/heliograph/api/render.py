"""Answers as bytes: the published envelopes, and the only place that knows HTTP statuses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from heliograph import catalogue
from heliograph.model.outcome import Rejected
from heliograph.policy.limits import Standing

ACCEPTED_LATER, NO_CONTENT, FOUND, GONE = 202, 204, 302, 410
HOOK_TOO_LARGE = 430  # status_event_profile.md 1.4
OK, BAD_REQUEST, UNAUTHORISED, FORBIDDEN, NOT_FOUND = 200, 400, 401, 403, 404
NOT_ALLOWED, CONFLICT, TOO_LARGE, INTERNAL_ERROR, UNAVAILABLE = 405, 409, 413, 500, 503

JSON_TYPE = (b"content-type", b"application/json")

_encode = msgspec.json.Encoder().encode


class Element(msgspec.Struct):
    """One element of the answer to an accepted call."""

    code: str
    transid: str
    description: str
    correlationid: str


class Accepted(msgspec.Struct):
    """The answer to an accepted call."""

    response: Sequence[Element]


def ascii_json(value: object) -> bytes:
    """JSON in ASCII: other characters are escaped, as the vendor's clients expect."""
    encoded = _encode(value)
    if encoded.isascii():
        return encoded
    return json.dumps(msgspec.json.decode(encoded), ensure_ascii=True, separators=(",", ":")).encode()


def rejected(error: Rejected, transid: str, api: str = catalogue.MESSAGING) -> bytes:
    """The object form: a call that was refused as a whole."""
    row = catalogue.find(error.key, api)
    description = catalogue.text(error.key, api, error.values)
    return ascii_json({"response": {"code": row.code, "description": description, "transid": transid}})


def admin_error(key: str, message: str, field: str = "") -> dict[str, Any]:
    """The one error shape of the admin API."""
    return {"error": {"key": key, "message": message, "field": field}}


def rate_headers(standing: Standing | None) -> Sequence[tuple[bytes, bytes]]:
    """What a caller is told of its limit; nothing when there is none."""
    if standing is None:
        return ()
    return [
        (b"x-rate-limit-limit", b"%d" % standing.limit),
        (b"x-rate-limit-remaining", b"%d" % standing.remaining),
        (b"x-rate-limit-reset", b"%d" % standing.reset),
    ]


async def send_json(send: Any, body: bytes, status: int = OK, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """One whole JSON answer over ASGI."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [JSON_TYPE, (b"content-length", str(len(body)).encode()), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})
