"""Reading signed tokens as a far end does. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from heliograph.channels.push.far_ends.credentials import from_base64url

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class BadJwt(ValueError):
    """A token proves nothing; the text says why."""


class Jwt(msgspec.Struct, frozen=True):
    """A token taken apart, its signature not looked at yet."""

    head: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    def verify(self, key: PublicKey) -> None:
        """Raises `BadJwt` when the key did not make its signature."""
        try:
            if isinstance(key, rsa.RSAPublicKey):
                self._is("RS256")
                key.verify(self.signature, self.signed, padding.PKCS1v15(), hashes.SHA256())
                return
            self._is("ES256")
            if len(self.signature) != 64:
                raise BadJwt("the signature has not 64 bytes")
            r, s = (int.from_bytes(half, "big") for half in (self.signature[:32], self.signature[32:]))
            key.verify(encode_dss_signature(r, s), self.signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise BadJwt("the signature is wrong") from None

    def _is(self, algorithm: str) -> None:
        if self.head.get("alg") != algorithm:
            raise BadJwt(f"the algorithm is not {algorithm}")

    def moment(self, name: str) -> int:
        """A claim that is a time; raises `BadJwt`."""
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadJwt(f"`{name}` is no time")
        return value


def read_jwt(token: str) -> Jwt:
    """The parts of a token; raises `BadJwt`."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadJwt("it has not three parts")
    try:
        head, claims, signature = (from_base64url(part) for part in parts)
        return Jwt(_object(head), _object(claims), f"{parts[0]}.{parts[1]}".encode(), signature)
    except (ValueError, msgspec.DecodeError):
        raise BadJwt("a part of it cannot be read") from None


def _object(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])
