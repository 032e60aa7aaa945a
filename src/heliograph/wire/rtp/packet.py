"""RTP packets (RFC 3550 5.1). Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

VERSION = 2 << 6
MARKER = 0x80
HEAD = struct.Struct("!BBHII")


class Packet(NamedTuple):
    """One packet: sequence number of 16 bits, timestamp and source (SSRC) of 32."""

    kind: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False


def pack(packet: Packet) -> bytes:
    """A packet as bytes; numbers are cut to their size."""
    head = HEAD.pack(
        VERSION, packet.kind & 0x7F | (MARKER if packet.marker else 0), packet.sequence & 0xFFFF,
        packet.timestamp & 0xFFFFFFFF, packet.source & 0xFFFFFFFF,
    )  # fmt: skip
    return head + packet.payload


def unpack(data: bytes) -> Packet | None:
    """The packet in a datagram; None when it is no RTP (or RTCP, RFC 5761 4)."""
    if len(data) < HEAD.size or data[0] & 0xC0 != VERSION:
        return None
    first, second, sequence, timestamp, source = HEAD.unpack_from(data)
    if 192 <= second <= 223:
        return None
    begin, end = HEAD.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:  # 5.3.1: an extension of so many words
        if begin + 4 > end:
            return None
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    if first & 0x20:  # padding, its size at the end
        end -= data[-1]
    if begin > end:
        return None
    return Packet(second & 0x7F, sequence, timestamp, source, data[begin:end], bool(second & MARKER))
