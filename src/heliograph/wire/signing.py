"""Signatures over what we tell callers, so that they know it came from us, unaltered and not replayed."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import lru_cache

HUB_SIGNATURE = "x-hub-signature"
TIMESTAMP = "x-heliograph-timestamp"
SIGNATURE = "x-heliograph-signature"

TOLERANCE = 300
"""Seconds by which a timestamp may differ from the receiver's clock."""


def sign(secret: str, body: bytes) -> str:
    """`sha256=<hex>`: the HMAC-SHA256 of the raw body."""
    keyed = _keyed(secret).copy()
    keyed.update(body)
    return "sha256=" + keyed.hexdigest()


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")


def signed_headers(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The three headers of a signed call; `timestamp` is Unix seconds."""
    return {
        HUB_SIGNATURE: sign(secret, body),
        TIMESTAMP: str(timestamp),
        SIGNATURE: sign(secret, b"%d.%b" % (timestamp, body)),
    }


def verify(secret: str, body: bytes, headers: Mapping[str, str], now: float, tolerance: float = TOLERANCE) -> bool:
    """Whether the headers (names in lower case) sign this body.

    Each signature that is there must be right, at least one must be there, and a timestamp must be within
    `tolerance` seconds of `now` (Unix seconds).
    """
    hub, signature = headers.get(HUB_SIGNATURE, ""), headers.get(SIGNATURE, "")
    if not hub and not signature:
        return False
    if hub and not _same(sign(secret, body), hub):
        return False
    if not signature:
        return True
    stamp = headers.get(TIMESTAMP, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12) or abs(now - int(stamp)) > tolerance:
        return False
    return _same(sign(secret, stamp.encode() + b"." + body), signature)


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode())
