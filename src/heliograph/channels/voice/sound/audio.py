"""WAV files to what a phone takes: 8000 Hz, one channel, 16-bit samples in the machine's byte order. Pure.

PCM of 8, 16, 24 and 32 bits and both laws of G.711 are read, at 8000 to 48000 Hz, mono and stereo.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Iterator
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from heliograph.wire.rtp import g711

RATE = 8_000
SECONDS_MOST = 600
LOWEST, HIGHEST = 8_000, 48_000
PCM, A_LAW, MU_LAW, EXTENSIBLE = 1, 6, 7, 0xFFFE
ZEROS = 8  # zero crossings of the filter to each side
CUT = 3_600  # Hz: what is above is taken away before the rate goes down


class AudioError(Exception):
    """Bytes that are no audio we can play; the text says why."""


class Format(NamedTuple):
    """What stands in `fmt `."""

    kind: int
    channels: int
    rate: int
    bits: int


def decode_wav(data: bytes) -> bytes:
    """The samples of a WAV file. Raises AudioError."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise AudioError("it is no WAV file")
    form: Format | None = None
    for name, chunk in _chunks(data):
        if name == b"fmt ":
            form = _format(chunk)
        elif name == b"data":
            if form is None:
                raise AudioError("its data comes before its format")
            return _samples(form, chunk)
    raise AudioError("it has no data")


def seconds_of(samples: bytes) -> float:
    """How long samples last."""
    return len(samples) / 2 / RATE


def tone(hertz: int, seconds: float) -> bytes:
    """A quiet tone."""
    count = int(RATE * seconds)
    step = 2 * math.pi * hertz / RATE
    return array("h", (int(4_000 * math.sin(step * number)) for number in range(count))).tobytes()


def silence(seconds: float) -> bytes:
    """Nothing, for so long."""
    return bytes(2 * int(RATE * seconds))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        yield name, data[at + 8 : at + 8 + size]  # a size beyond the end means: to the end (written to a pipe)
        at += 8 + size + (size & 1)


def _format(chunk: bytes) -> Format:
    if len(chunk) < 16:
        raise AudioError("its format is cut off")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == EXTENSIBLE and len(chunk) >= 26:
        kind = struct.unpack_from("<H", chunk, 24)[0]
    if kind not in (PCM, A_LAW, MU_LAW):
        raise AudioError(f"its coding ({kind}) is none of PCM and G.711")
    if bits not in ((8, 16, 24, 32) if kind == PCM else (8,)):
        raise AudioError(f"it has {bits} bits a sample")
    if channels not in (1, 2):
        raise AudioError(f"it has {channels} channels")
    if not LOWEST <= rate <= HIGHEST:
        raise AudioError(f"its rate of {rate} Hz is not within {LOWEST} to {HIGHEST}")
    return Format(kind, channels, rate, bits)


def _samples(form: Format, data: bytes) -> bytes:
    frame = form.channels * form.bits // 8
    frames = len(data) // frame
    if frames > SECONDS_MOST * form.rate:
        raise AudioError(f"it is longer than {SECONDS_MOST} seconds")
    numbers = _linear(form, data[: frames * frame])
    if form.channels == 2:
        left, right = numbers[::2], numbers[1::2]
        numbers = array("h", ((one + other) // 2 for one, other in zip(left, right, strict=True)))
    return resample(numbers, form.rate).tobytes()


def _linear(form: Format, data: bytes) -> array[int]:
    if form.kind != PCM:
        numbers = array("h")
        numbers.frombytes(g711.decode(data, g711.PCMA if form.kind == A_LAW else g711.PCMU))
        return numbers
    if form.bits == 8:
        return array("h", ((byte - 128) * 256 for byte in data))
    size = form.bits // 8
    if size > 2:  # the two upper bytes of each sample
        high = bytearray(len(data) // size * 2)
        high[::2], high[1::2] = data[size - 2 :: size], data[size - 1 :: size]
        data = bytes(high)
    numbers = array("h")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def resample(numbers: array[int], rate: int) -> array[int]:
    """The same sound at 8000 Hz: a windowed sinc for each phase of the two rates."""
    if rate == RATE:
        return numbers
    shared = math.gcd(rate, RATE)
    up, down = RATE // shared, rate // shared
    reach, taps = _filter(rate, up)
    padded = array("h", bytes(2 * reach)) + numbers + array("h", bytes(2 * (reach + 1)))
    width = 2 * reach + 1
    out = array("h")
    for number in range(len(numbers) * up // down):
        at, phase = divmod(number * down, up)
        value = sum(map(mul, taps[phase], padded[at : at + width]))
        out.append(max(-32_768, min(32_767, round(value))))
    return out


@lru_cache(maxsize=16)
def _filter(rate: int, phases: int) -> tuple[int, tuple[tuple[float, ...], ...]]:
    """How many samples to each side count, and their weights for each phase between two samples."""
    cut = CUT / rate  # of the sampling rate
    reach = math.ceil(ZEROS / (2 * cut))
    taps = []
    for phase in range(phases):
        weights = [_weight(index - reach - phase / phases, cut, reach + 1) for index in range(2 * reach + 1)]
        whole = sum(weights)
        taps.append(tuple(weight / whole for weight in weights))
    return reach, tuple(taps)


def _weight(distance: float, cut: float, reach: float) -> float:
    if abs(distance) >= reach:
        return 0.0
    angle = 2 * math.pi * cut * distance
    sinc = 1.0 if angle == 0 else math.sin(angle) / angle
    return sinc * (0.5 + 0.5 * math.cos(math.pi * distance / reach))
