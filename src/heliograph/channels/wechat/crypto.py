"""Signatures of WeChat's calls, and the encryption of safe mode: AES-256-CBC. Pure.

The plain text is 16 random bytes, the length of the message as 4 bytes (big-endian), the message, the appid; padded
after PKCS#7 to blocks of 32 bytes. The initialisation vector is the beginning of the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
RANDOM = 16
HEAD = RANDOM + 4
VECTOR = 16


class BadSecret(Exception):
    """It is not encrypted for us; the text says why."""


def signature(*parts: str) -> str:
    """The SHA-1 over the parts in their order as text: token, timestamp, nonce, and what is encrypted."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def signed_so(given: str, *parts: str) -> bool:
    """Whether `given` is the signature of the parts."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode())


def decrypted(key: bytes, appid: str, secret: str) -> bytes:
    """The message in base64 `secret`; raises `BadSecret`."""
    try:
        cipher = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("it is no base64") from None
    if not cipher or len(cipher) % VECTOR:
        raise BadSecret("it has no whole number of blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:VECTOR])).decryptor()
    padded = decryptor.update(cipher) + decryptor.finalize()
    count = padded[-1]
    if not 1 <= count <= BLOCK or padded[-count:] != bytes([count]) * count:
        raise BadSecret("the key is another one, or it was altered")
    plain = padded[:-count]
    if len(plain) < HEAD:
        raise BadSecret("it is too short")
    end = HEAD + int.from_bytes(plain[RANDOM:HEAD], "big")
    if end > len(plain):
        raise BadSecret("it is shorter than it says")
    if not hmac.compare_digest(plain[end:], appid.encode()):
        raise BadSecret("it is for another account")
    return plain[HEAD:end]


def encrypted(key: bytes, appid: str, message: bytes, random: bytes) -> str:
    """The message as base64; `random` are 16 bytes."""
    plain = random + len(message).to_bytes(4, "big") + message + appid.encode()
    count = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:VECTOR])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()
