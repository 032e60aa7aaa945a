"""Message encryption for web push (RFC 8291) in the coding aes128gcm (RFC 8188), both ways. Pure."""

from __future__ import annotations

import hmac
import os
import struct

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from heliograph.channels.push.far_ends.credentials import from_base64url, point_of

RECORD_BYTES = 4_096
AUTH_BYTES, POINT_BYTES, SALT_BYTES = 16, 65, 16
_HEAD = struct.Struct(">16sIB")  # RFC 8188, 2.1: salt, record size, length of the key id
_LAST = b"\x02"  # RFC 8188, 2: the delimiter of the last record


class BadSubscription(ValueError):
    """A subscription cannot be used; the text says why."""


class Undecryptable(ValueError):
    """A body is no message for this subscription; the text says why."""


class Keys(msgspec.Struct, frozen=True):
    """A subscription's keys, base64url: the browser's point and the shared secret."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True):
    """What a browser gives for `PushSubscription.toJSON()`."""

    endpoint: str
    keys: Keys


def read_subscription(token: str) -> Subscription | None:
    """The subscription in a token, JSON or base64url of it; None when it is neither."""
    text = token.strip()
    try:
        data = text.encode() if text.startswith("{") else from_base64url(text)
        return msgspec.json.decode(data, type=Subscription)
    except (ValueError, msgspec.DecodeError):
        return None


def checked(subscription: Subscription) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    """The browser's point and secret; raises `BadSubscription`."""
    try:
        point, secret = from_base64url(subscription.keys.p256dh), from_base64url(subscription.keys.auth)
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise BadSubscription("`p256dh` is no point of P-256, or `auth` no base64url") from None
    if len(secret) != AUTH_BYTES or len(point) != POINT_BYTES:
        raise BadSubscription("`p256dh` has not 65 bytes, or `auth` not 16")
    return key, secret


def encrypt(plain: bytes, browser: ec.EllipticCurvePublicKey, secret: bytes) -> bytes:
    """The body of a push: head and one record."""
    ours, salt = ec.generate_private_key(ec.SECP256R1()), os.urandom(SALT_BYTES)
    point = point_of(ours.public_key())
    shared = ours.exchange(ec.ECDH(), browser)
    key, nonce = _derive(shared, secret, salt, point_of(browser) + point)
    head = _HEAD.pack(salt, RECORD_BYTES, len(point)) + point
    return head + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def decrypt(body: bytes, browser: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What the browser reads of a body; raises `Undecryptable`."""
    if len(body) < _HEAD.size + POINT_BYTES:
        raise Undecryptable("the body is too short")
    salt, size, length = _HEAD.unpack_from(body)
    point, record = body[_HEAD.size : _HEAD.size + length], body[_HEAD.size + length :]
    if length != POINT_BYTES or len(record) > size:
        raise Undecryptable("the key id is no point, or there is more than one record")
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        shared = browser.exchange(ec.ECDH(), theirs)
        key, nonce = _derive(shared, secret, salt, point_of(browser.public_key()) + point)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
    except (ValueError, InvalidTag):
        raise Undecryptable("the record was not made for this subscription") from None
    if not plain.endswith(_LAST):
        raise Undecryptable("the record is not the last one")
    return plain[:-1]


def _derive(shared: bytes, secret: bytes, salt: bytes, points: bytes) -> tuple[bytes, bytes]:
    """Content key and nonce (RFC 8291, 3.3 and 3.4)."""
    mixed = _expand(_hmac(secret, shared), b"WebPush: info\0" + points, 32)
    prk = _hmac(salt, mixed)
    return _expand(prk, b"Content-Encoding: aes128gcm\0", 16), _expand(prk, b"Content-Encoding: nonce\0", 12)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _expand(prk: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand of one block (RFC 5869, 2.3)."""
    return _hmac(prk, info + b"\x01")[:size]
