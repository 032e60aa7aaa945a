"""Digits as telephone events (RFC 4733), both ways. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from heliograph.wire.rtp.packet import Packet

DIGITS = "0123456789*#ABCD"
END = 0x80
VOLUME = 10  # dBm0, with its sign dropped
STEP = 160  # timestamp units of one packet: 20 ms
TONE_PACKETS = 6  # 120 ms
END_PACKETS = 3  # 2.5.1.4: the end is sent three times
GAP_PACKETS = 4  # 80 ms of silence between two digits
REMEMBERED = 16


class Event(NamedTuple):
    """One packet of a digit that is sent: its payload, and whether it is the first."""

    payload: bytes
    first: bool


def press(digit: str) -> Iterator[Event]:
    """The packets of one digit in order, 20 ms apart, all with the timestamp at which it begins. Raises ValueError
    for what is no digit."""
    code = DIGITS.index(digit)
    for number in range(1, TONE_PACKETS + 1):
        yield Event(_payload(code, 0, number * STEP), number == 1)
    for _ in range(END_PACKETS):
        yield Event(_payload(code, END, TONE_PACKETS * STEP), False)


def _payload(code: int, flags: int, duration: int) -> bytes:
    return bytes((code, flags | VOLUME)) + duration.to_bytes(2, "big")


class Presses:
    """Reads what is pressed: a digit counts once, when its first packet comes, whatever is lost, repeated or late
    of it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def feed(self, packet: Packet) -> str:
        """The digit that a packet is the first news of, else ""."""
        if len(packet.payload) < 4 or packet.payload[0] >= len(DIGITS):
            return ""
        event = (packet.source, packet.timestamp)  # 2.5.1.2: one timestamp for all packets of an event
        if event in self._seen:
            return ""
        self._seen.append(event)
        return DIGITS[packet.payload[0]]
