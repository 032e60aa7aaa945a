"""One call's audio: sent every 20 ms by the clock, whatever the last packet's delay was; heard, counted and recorded.

Silence is sent where nothing is to be played, so that the way stays open and the far end's buffer fed.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from heliograph.wire.rtp import g711
from heliograph.wire.rtp.digits import DIGITS, GAP_PACKETS, STEP, Event, Presses, press
from heliograph.wire.rtp.packet import HEAD, MARKER, VERSION, Packet, unpack

TICK = 0.020
CATCH_UP = 5  # packets sent at once after a stall; what is later than that shifts the schedule
TOS = 0xB8  # EF, what voice is marked with (RFC 4594 4.1)
TRIES = 40  # ports tried before there is none


class NoPort(OSError):
    """There is no free port in the range."""


@dataclass(slots=True)
class Counts:
    """What was sent and heard. `late` are packets sent more than 10 ms after their time, `latest` the greatest delay
    in seconds, `stray` packets from somewhere else, `missing` those that did not come."""

    sent: int = 0
    late: int = 0
    latest: float = 0.0
    heard: int = 0
    stray: int = 0
    missing: int = 0


@dataclass(slots=True)
class _Playing:
    audio: bytes
    done: asyncio.Future[bool]
    at: int = 0


@dataclass(slots=True)
class Way:
    """Where audio goes and how: address, payload type and law, that of events (None: digits cannot be sent)."""

    host: str
    port: int
    kind: int = 0
    law: str = g711.PCMU
    events: int | None = None


@dataclass(slots=True)
class _Heard:
    """Where audio comes from, once it does."""

    address: tuple[str, int] | None = None
    source: int = 0
    sequence: int = -1
    presses: Presses = field(default_factory=Presses)


class Stream(asyncio.DatagramProtocol):
    """`pressed` is told of digits; `record` of the audio that came, as G.711 of the law that is spoken."""

    def __init__(self, pressed: Callable[[str], None], record: Callable[[bytes], None] | None = None) -> None:
        self.counts = Counts()
        self.hold = False
        """While this is set nothing is sent and what is played waits."""
        self._pressed = pressed
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._way: Way | None = None
        self._events_in: int | None = None
        self._heard = _Heard()
        self._queue: deque[_Playing] = deque()
        self._events: deque[Event | None] = deque()
        self._event_time = 0
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._sequence = random.randrange(1 << 15)
        self._timestamp = random.randrange(1 << 31)
        self._source = random.randrange(1, 1 << 32)
        self._begun = False
        self._silence = b""

    async def open(self, host: str, ports: tuple[int, int]) -> int:
        """Take an even port (RFC 3550 11) of the range, `(0, 0)` any that is free. Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            _bind(made, host, ports)
            if family == socket.AF_INET:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, TOS)
            self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=made)
        except OSError:
            made.close()
            raise
        return int(made.getsockname()[1])

    def start(self, way: Way, events_in: int | None) -> None:
        """Begin to send; again, to send elsewhere or otherwise. `events_in` is the payload type of digits that
        come."""
        moved = self._way is None or (way.host, way.port) != (self._way.host, self._way.port)
        self._way, self._events_in = way, events_in
        self._silence = g711.SILENCE[way.law] * STEP
        if moved:
            self._heard.address = None
        if self._timer is None and self._transport is not None:
            self._next = self._loop.time()
            self._tick()

    def play(self, samples: bytes) -> asyncio.Future[bool]:
        """Play 16-bit samples of 8000 Hz behind what plays already; true once all of it was sent, false when it was
        cut short."""
        assert self._way is not None  # noqa: S101 - `start` comes first
        playing = _Playing(g711.encode(samples, self._way.law), self._loop.create_future())
        self._queue.append(playing)
        return playing.done

    def hush(self) -> None:
        """Stop what plays."""
        while self._queue:
            _finish(self._queue.popleft(), False)

    def press(self, digits: str) -> bool:
        """Send digits; whether the far end takes any."""
        if self._way is None or self._way.events is None:
            return False
        for digit in digits:
            if digit in DIGITS:
                self._events.extend([*press(digit), *([None] * GAP_PACKETS)])
        return True

    @property
    def pressing(self) -> bool:
        """Whether digits are still to be sent."""
        return bool(self._events)

    def close(self) -> None:
        """Stop and give the port back."""
        self.hush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    # Sending

    def _tick(self) -> None:
        """Send what is due. The schedule is of the beginning, so that delays do not add up."""
        now = self._loop.time()
        for _ in range(CATCH_UP):
            if self._next > now + 0.001:  # timers of the loop have milliseconds
                break
            if not self.hold:
                self._send(now - self._next)
            self._timestamp += STEP
            self._next += TICK
        else:
            if self._next <= now:
                self._next = now + TICK
        self._timer = self._loop.call_at(self._next, self._tick)

    def _send(self, late: float) -> None:
        way, transport = self._way, self._transport
        if way is None or transport is None:
            return
        kind, timestamp, payload, marker = self._payload(way)
        self._sequence = self._sequence + 1 & 0xFFFF
        head = HEAD.pack(
            VERSION, kind | (MARKER if marker else 0), self._sequence, timestamp & 0xFFFFFFFF, self._source
        )
        transport.sendto(head + payload, (way.host, way.port))
        counts = self.counts
        counts.sent += 1
        if late > 0.010:
            counts.late += 1
        counts.latest = max(counts.latest, late)

    def _payload(self, way: Way) -> tuple[int, int, bytes, bool]:
        """The next packet: payload type, timestamp, payload, marker."""
        event = self._events.popleft() if self._events else None
        if event is not None and way.events is not None:
            if event.first:
                self._event_time = self._timestamp
            return way.events, self._event_time, event.payload, event.first
        marker, self._begun = not self._begun, True
        return way.kind, self._timestamp, self._audio(), marker

    def _audio(self) -> bytes:
        """The next 20 ms: what plays, filled up from what follows, else with silence."""
        piece = b""
        while self._queue and len(piece) < STEP:
            playing = self._queue[0]
            taken = playing.audio[playing.at : playing.at + STEP - len(piece)]
            playing.at += len(taken)
            piece += taken
            if playing.at >= len(playing.audio):
                _finish(self._queue.popleft(), True)
        return piece + self._silence[len(piece) :]

    # Hearing

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Called by asyncio."""
        packet = unpack(data)
        if packet is None or self._way is None:
            return
        heard, address = self._heard, (str(addr[0]), int(addr[1]))
        if heard.address is None:
            heard.address = address  # the first to speak is who we hear, wherever a NAT put it
        elif heard.address != address:
            self.counts.stray += 1
            return
        self._follow(packet)
        if packet.kind == self._events_in:
            if digit := heard.presses.feed(packet):
                self._pressed(digit)
        elif packet.kind == self._way.kind and self._record is not None:
            self._record(packet.payload)

    def _follow(self, packet: Packet) -> None:
        heard, counts = self._heard, self.counts
        counts.heard += 1
        if packet.source != heard.source:
            heard.source, heard.sequence = packet.source, packet.sequence
            return
        ahead = packet.sequence - heard.sequence & 0xFFFF
        if 0 < ahead < 0x8000:
            counts.missing += ahead - 1
            heard.sequence = packet.sequence

    def error_received(self, exc: Exception) -> None:
        """Called by asyncio: the far end's port is closed; its BYE is on the way, or our limits end the call."""


def _finish(playing: _Playing, whole: bool) -> None:
    if not playing.done.done():
        playing.done.set_result(whole)


def _bind(made: socket.socket, host: str, ports: tuple[int, int]) -> None:
    for port in _ports(ports):
        try:
            made.bind((host, port))
        except OSError:
            if port == 0:
                raise
            continue
        return
    raise NoPort(f"no port of {ports[0]}-{ports[1]} is free for the audio of a call")


def _ports(ports: tuple[int, int]) -> Iterator[int]:
    low, high = ports
    if not high:
        yield 0
        return
    even = range(low + (low & 1), high + 1, 2)
    begin = random.randrange(len(even))
    for step in range(min(len(even), TRIES)):
        yield even[(begin + step) % len(even)]
