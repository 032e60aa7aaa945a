"""G.711, both laws, by table: 16-bit samples of the machine's byte order to bytes and back. Pure.

Source: ITU-T G.711; mu-law of the magnitude at 16 bits, as it is usually written.
"""

from __future__ import annotations

from array import array
from functools import lru_cache

PCMU, PCMA = "PCMU", "PCMA"
SILENCE = {PCMU: b"\xff", PCMA: b"\xd5"}
BIAS, CLIP = 132, 32_635


def _mu(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    size = min(-sample if sample < 0 else sample, CLIP) + BIAS
    exponent = size.bit_length() - 8
    return ~(sign | exponent << 4 | size >> (exponent + 3) & 0x0F) & 0xFF


def _mu_back(byte: int) -> int:
    byte = ~byte & 0xFF
    size = (((byte & 0x0F) << 3) + BIAS << (byte >> 4 & 0x07)) - BIAS
    return -size if byte & 0x80 else size


def _a(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = (sample if sample >= 0 else ~sample) >> 4
    if size < 16:
        return (sign | size) ^ 0x55
    exponent = size.bit_length() - 4
    return (sign | exponent << 4 | size >> (exponent - 1) & 0x0F) ^ 0x55


def _a_back(byte: int) -> int:
    byte ^= 0x55
    exponent, mantissa = byte >> 4 & 0x07, (byte & 0x0F) << 4
    size = mantissa + 8 if exponent == 0 else mantissa + 264 << exponent - 1
    return size if byte & 0x80 else -size


_LAWS = {PCMU: (_mu, _mu_back), PCMA: (_a, _a_back)}


@lru_cache(maxsize=2)
def _encoder(law: str) -> bytes:
    """The byte of each 16-bit sample, by the sample as an unsigned number."""
    encode = _LAWS[law][0]
    return bytes(encode(number - 65_536 if number > 32_767 else number) for number in range(65_536))


@lru_cache(maxsize=2)
def _decoder(law: str) -> tuple[int, ...]:
    decode = _LAWS[law][1]
    return tuple(decode(byte) for byte in range(256))


def encode(samples: bytes, law: str) -> bytes:
    """16-bit samples to one byte each; `law` is PCMU or PCMA."""
    numbers = array("H")
    numbers.frombytes(samples)
    return bytes(map(_encoder(law).__getitem__, numbers))


def decode(data: bytes, law: str) -> bytes:
    """Bytes to 16-bit samples."""
    return array("h", map(_decoder(law).__getitem__, data)).tobytes()
