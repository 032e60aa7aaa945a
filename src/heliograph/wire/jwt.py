"""JSON web tokens of callers (RFC 7519), signed with HMAC-SHA-256 alone. Pure: the time is an argument."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

LIFE_SECONDS = 3_600  # a token dies 60 minutes after its `iat`
SKEW_SECONDS = 60  # a caller's clock may be that far ahead
LONGEST = 8_192  # characters of a token that is looked at

_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_NOBODY = b"a secret that signs nothing"

Owner = TypeVar("Owner")
Owners = Callable[[str], tuple[tuple[bytes, Owner], ...]]
"""Gives, for an issuer, the secrets that may have signed for it, each with whom it speaks for."""


class BadToken(Exception):
    """The token proves nothing; the text says why, for logs and not for the caller."""


def owner_of(token: str, owners: Owners[Owner], now: float) -> Owner:
    """Whose token it is; `now` is Unix seconds. Raises `BadToken`."""
    return read(token, owners, now)[0]


def read(token: str, owners: Owners[Owner], now: float, life: float = LIFE_SECONDS) -> tuple[Owner, dict[str, Any]]:
    """Whose token it is, and its claims; it dies `life` seconds after its `iat`; `now` is Unix seconds. Raises
    `BadToken`.

    An unknown issuer costs one signature like a known one, so that the time taken does not tell them apart.
    """
    match = _FORM.fullmatch(token) if len(token) <= LONGEST else None
    if match is None:
        raise BadToken("it has not the form of a token")
    head, claims = _object(match[1]), _object(match[2])
    if head.get("alg") != "HS256" or "crit" in head:  # RFC 7515, 4.1.11: what is critical must be understood
        raise BadToken("it is not signed with HS256 alone")
    issuer = claims.get("iss")
    candidates = owners(issuer) if isinstance(issuer, str) else ()
    signed, given = token[: match.end(2)].encode(), _bytes(match[3])
    found = [owner for secret, owner in candidates if _fits(secret, signed, given)]
    if not candidates:
        _fits(_NOBODY, signed, given)
    if len(found) != 1:  # two services with one issuer and one secret: it does not say which of them calls
        raise BadToken("no secret of its issuer made its signature, or more than one did")
    _check_times(claims, now, life)
    return found[0], claims


def sign(claims: dict[str, Any], secret: bytes) -> str:
    """A token with these claims, signed with HS256."""
    parts = (msgspec.json.encode({"alg": "HS256", "typ": "JWT"}), msgspec.json.encode(claims))
    signed = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).rstrip(b"=")
    return f"{signed}.{signature.decode()}"


def secret_bytes(text: str) -> bytes:
    """A declared secret, base64 of either alphabet with or without padding; b"" when it cannot be used."""
    plain = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _fits(secret: bytes, signed: bytes, given: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256), given)


def _check_times(claims: dict[str, Any], now: float, life: float) -> None:
    issued = _moment(claims, "iat")
    if issued is None or issued > now + SKEW_SECONDS or now - issued >= life:
        raise BadToken("its `iat` is missing, in the future or too long ago")
    ends, begins = _moment(claims, "exp"), _moment(claims, "nbf")
    if ends is not None and now >= ends:
        raise BadToken("its `exp` has passed")
    if begins is not None and begins > now + SKEW_SECONDS:
        raise BadToken("its `nbf` is still to come")


def _moment(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadToken(f"its `{name}` is no number")
    return value


def _object(part: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(_bytes(part), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadToken("a part of it is no JSON object") from error


def _bytes(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadToken("a part of it is no base64url") from error
