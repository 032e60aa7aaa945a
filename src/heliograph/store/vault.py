"""What is secret at rest: the workspace is one sealed box, service keys are only hashes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASH_PREFIX = "sha256:"
NONCE_BYTES = 12
_HASHED = re.compile(HASH_PREFIX + "[0-9a-f]{64}")
KEY_BYTES = 32


class VaultError(Exception):
    """The key is unusable, or the box cannot be opened with it."""


def new_secret() -> str:
    """32 random bytes as text, for `HELIOGRAPH_SECRET_KEY`."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def hash_key(key: str) -> str:
    """A service or profile key as it is stored; keys are random, so a plain hash cannot be reversed."""
    if _HASHED.fullmatch(key):
        return key
    return HASH_PREFIX + hashlib.sha256(key.encode()).hexdigest()


class Vault:
    """Seals and opens documents with AES-256-GCM."""

    def __init__(self, secret: str) -> None:
        """`secret` is what `new_secret` makes; raises `VaultError` for anything else."""
        try:
            raw = base64.urlsafe_b64decode(secret)
        except (binascii.Error, ValueError) as error:
            raise VaultError("HELIOGRAPH_SECRET_KEY must be 32 bytes in URL-safe base64") from error
        if len(raw) != KEY_BYTES:
            raise VaultError(f"HELIOGRAPH_SECRET_KEY must be 32 bytes in URL-safe base64, not {len(raw)}")
        self._cipher = AESGCM(raw)
        self._mark = hmac.digest(raw, b"fingerprints", "sha256")

    def fingerprint(self, text: str) -> str:
        """The same for the same text, and nothing to anybody without the key."""
        return hmac.digest(self._mark, text.encode(), "sha256").hex()[:32]

    def seal(self, plain: bytes) -> bytes:
        """Encrypted and authenticated."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """The plain bytes; raises `VaultError` when the key is another or the box was changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                "the stored workspace cannot be opened with this HELIOGRAPH_SECRET_KEY; "
                "restore the key it was sealed with"
            ) from error
