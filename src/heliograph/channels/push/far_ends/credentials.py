"""What proves to a far end who we are: read from the workspace, checked, and turned into short-lived proofs. Pure.

Whoever reads a credential gets `BadCredential` with a sentence that holds nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 3_600
VAPID_SECONDS = 43_200  # RFC 8292, 2: at most a day; half of one is safe
_SALT = b"heliograph push receipts"


class BadCredential(ValueError):
    """A credential cannot be used; the text says why."""


def base64url(data: bytes) -> str:
    """Without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes, padded or not, of either alphabet; raises ValueError."""
    plain = text.strip().translate(str.maketrans("+/", "-_")).rstrip("=")
    try:
        if plain.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"):
            raise ValueError("it is no base64url")
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        raise ValueError("it is no base64url") from None


def signed_jwt(key: Key, head: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """A token signed with RS256 or ES256 (RFC 7518, 3.3 and 3.4), as the key asks for."""
    algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    parts = [msgspec.json.encode(part) for part in ({"alg": algorithm, "typ": "JWT", **head}, claims)]
    signed = ".".join(map(base64url, parts))
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        numbers = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = b"".join(number.to_bytes(32, "big") for number in numbers)
    return f"{signed}.{base64url(signature)}"


@lru_cache(maxsize=1024)
def private_key(pem: str, password: str = "") -> Key:
    """A private key in PEM; parsing one costs milliseconds and happens once."""
    wanted = "ENCRYPTED" in pem
    try:
        key = serialization.load_pem_private_key(pem.encode(), password.encode() if wanted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadCredential("is no private key in PEM that can be read (is it encrypted, or cut short?)") from None
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise BadCredential("is a private key of another kind: RSA, or EC on the curve P-256, is wanted")


def _text(found: Mapping[str, Any], name: str, default: str = "") -> str:
    value = found.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise BadCredential(f"has no `{name}`")
    return value.strip()


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account of Google, as its JSON file has it."""

    project_id: str
    client_email: str
    key_id: str
    token_uri: str
    key: rsa.RSAPrivateKey = field(repr=False)
    identity: str = field(repr=False)
    """What its access tokens are kept under: nobody gets them who has not the same key."""

    def assertion(self, now: float) -> bytes:
        """The form that is posted for an access token at `now` (Unix seconds). `aud` is Google's own address,
        whatever stands in front of it."""
        claims = {
            "iss": self.client_email, "scope": SCOPE, "aud": GOOGLE_TOKEN_URI, "iat": int(now),
            "exp": int(now) + ASSERTION_SECONDS,
        }  # fmt: skip
        token = signed_jwt(self.key, {"kid": self.key_id}, claims)
        return f"grant_type={GRANT.replace(':', '%3A')}&assertion={token}".encode()


def service_account(value: object) -> ServiceAccount:
    """From the object, or its JSON text."""
    found = value
    if isinstance(value, str):
        try:
            found = msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise BadCredential("is no JSON; paste the whole file of the service account") from None
    if not isinstance(found, dict):
        raise BadCredential("is no object; paste the whole file of the service account")
    pem, email = _text(found, "private_key"), _text(found, "client_email")
    token_uri = _text(found, "token_uri", GOOGLE_TOKEN_URI)
    try:
        key = private_key(pem)
    except BadCredential as error:
        raise BadCredential(f"`private_key` {error}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadCredential("`private_key` is no RSA key")
    key_id = str(found.get("private_key_id") or "")
    identity = hashlib.sha256("\0".join((token_uri, email, key_id, pem)).encode()).hexdigest()
    return ServiceAccount(_text(found, "project_id"), email, key_id, token_uri, key, identity)


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key for provider tokens of APNs."""

    key_id: str
    team_id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    identity: str = field(repr=False)

    def token(self, now: float) -> str:
        """A provider token of `now` (Unix seconds); good for an hour."""
        return signed_jwt(self.key, {"kid": self.key_id}, {"iss": self.team_id, "iat": int(now)})


def provider_key(value: object) -> ProviderKey:
    """From `{key_id, team_id, private_key}`."""
    if not isinstance(value, dict):
        raise BadCredential("is no object with `key_id`, `team_id` and `private_key`")
    key_id, team_id, pem = _text(value, "key_id"), _text(value, "team_id"), _text(value, "private_key")
    try:
        key = private_key(pem)
    except BadCredential as error:
        raise BadCredential(f"`private_key` {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadCredential("`private_key` is no EC key: paste the .p8 file that Apple gave")
    identity = hashlib.sha256("\0".join((key_id, team_id, pem)).encode()).hexdigest()
    return ProviderKey(key_id, team_id, key, identity)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client certificate of APNs with its key. `topic` is the one it names, "" where it names none; `ends` is Unix
    seconds."""

    pem: str = field(repr=False)
    password: str = field(repr=False)
    subject: str
    topic: str
    begins: int
    ends: int

    def show(self, context: ssl.SSLContext) -> None:
        """Have connections of this context show it. The library takes files only: this one is readable by nobody else
        and gone at once."""
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(self.pem)
            file.flush()
            context.load_cert_chain(file.name, password=self.password)


def certificate(value: object) -> Certificate:
    """From `{pem, password}`: certificate and key in one text."""
    if not isinstance(value, dict):
        raise BadCredential("is no object with `pem`")
    pem, password = _text(value, "pem"), str(value.get("password") or "")
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise BadCredential("`pem` has no certificate in PEM") from None
    start = pem.find("-----BEGIN", pem.find("PRIVATE KEY-----") - 30) if "PRIVATE KEY-----" in pem else -1
    if start < 0:
        raise BadCredential("`pem` has no private key: put it behind the certificate")
    try:
        key = private_key(pem[start:], password)
    except BadCredential as error:
        raise BadCredential(f"`pem`: its key {error}") from None
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != found.public_key().public_bytes(*form):
        raise BadCredential("`pem`: the key is not the certificate's")
    names = {attribute.oid: str(attribute.value) for attribute in found.subject}
    return Certificate(
        pem, password, found.subject.rfc4514_string(), names.get(NameOID.USER_ID, ""),
        int(found.not_valid_before_utc.timestamp()), int(found.not_valid_after_utc.timestamp()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vapid:
    """The key that browsers' subscriptions are bound to (RFC 8292)."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    public: str
    """The `applicationServerKey` of the site, base64url."""
    subject: str

    def header(self, origin: str, now: float) -> str:
        """The header Authorization for a push service, good until some hours after `now` (Unix seconds)."""
        claims = {"aud": origin, "exp": int(now) + VAPID_SECONDS, "sub": self.subject}
        return f"vapid t={signed_jwt(self.key, {}, claims)},k={self.public}"


def vapid(value: object, subject: object) -> Vapid:
    """From `vapid_private_key`, base64url of 32 bytes or PEM, and `subject`."""
    if not isinstance(value, str) or not value.strip():
        raise BadCredential("`vapid_private_key` is missing")
    if not isinstance(subject, str) or not subject.startswith(("mailto:", "https://")):
        raise BadCredential("`subject` must be a contact, mailto:... or https://...")
    if "-----BEGIN" in value:
        try:
            key = private_key(value)
        except BadCredential as error:
            raise BadCredential(f"`vapid_private_key` {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadCredential("`vapid_private_key` is no EC key")
    else:
        key = _raw_key(value)
    return Vapid(key, base64url(point_of(key.public_key())), subject)


def _raw_key(value: str) -> ec.EllipticCurvePrivateKey:
    try:
        raw = from_base64url(value)
        if len(raw) != 32:
            raise ValueError
        return ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except ValueError:
        raise BadCredential("`vapid_private_key` is neither base64url of 32 bytes nor PEM") from None


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as 65 bytes, uncompressed."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def receipt_key(secret: str) -> bytes:
    """The key that signs receipts of an app, from a secret of its."""
    return hmac.digest(_SALT, secret.encode(), "sha256")
