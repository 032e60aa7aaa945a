"""What we look at of HTTP/2 frames ourselves: where each one ends, and the GOAWAY that the codec cannot survive.

The codec counts a connection as closed once it has read GOAWAY, although the streams up to its last id are still
answered (RFC 9113, 6.8). So that frame is taken out of what the codec reads. Pure.
"""

from __future__ import annotations

import struct

import msgspec

HEAD = struct.Struct(">HBBBI")  # length in two pieces, type, flags, stream
HEAD_BYTES = 9
GOAWAY = 7
LONGEST = 16_384  # RFC 9113, 4.2: the largest payload, as we do not allow more
_LAST_AND_CODE = struct.Struct(">II")


class Goaway(msgspec.Struct, frozen=True):
    """The far end takes no streams behind `last`; `code` is an error code of RFC 9113, 7, `data` its own words."""

    last: int
    code: int
    data: bytes


class FrameTooLong(Exception):
    """The peer announced a frame that is longer than we allow."""


class Splitter:
    """Takes what was read in pieces of any size."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> tuple[bytes, list[Goaway]]:
        """Whole frames for the codec, and every GOAWAY among them. Raises `FrameTooLong`."""
        whole = self._kept + data if self._kept else data
        end, start, pieces, found = 0, 0, [], []
        size = len(whole)
        while size - end >= HEAD_BYTES:
            high, low, kind, _, _ = HEAD.unpack_from(whole, end)
            length = high << 8 | low
            if length > LONGEST:
                raise FrameTooLong(length)
            if size - end - HEAD_BYTES < length:
                break
            if kind == GOAWAY and length >= _LAST_AND_CODE.size:
                last, code = _LAST_AND_CODE.unpack_from(whole, end + HEAD_BYTES)
                words = whole[end + HEAD_BYTES + _LAST_AND_CODE.size : end + HEAD_BYTES + length]
                found.append(Goaway(last & 0x7FFFFFFF, code, words))
                pieces.append(whole[start:end])
                start = end + HEAD_BYTES + length
            end += HEAD_BYTES + length
        self._kept = whole[end:]
        if not pieces:
            return (whole if end == size else whole[:end]), found
        return b"".join([*pieces, whole[start:end]]), found


def goaway(last: int, code: int = 0, data: bytes = b"") -> bytes:
    """The frame that says so."""
    payload = _LAST_AND_CODE.pack(last, code) + data
    return HEAD.pack(len(payload) >> 8, len(payload) & 0xFF, GOAWAY, 0, 0) + payload
