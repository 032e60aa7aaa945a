"""One connection of a device: which messages it may be given next, and what it still owes an answer for.

Messages go out in the order of their numbers and at most `WINDOW` of them without an acknowledgement; a device that
is behind is caught up from what is kept, so that nothing piles up here. No I/O: a `Line` is told when frames wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from heliograph.realtime import frames
from heliograph.realtime.frames import Close

WINDOW = 64  # messages without an acknowledgement
RECENT = 128  # acknowledged ones that a read mark finds without the table
QUEUED = 256  # frames that wait for the socket besides messages
BURST, PER_SECOND = 60, 20  # frames of an app
ACKS_FREE = 4  # so many acknowledgements count as one frame


class Line(Protocol):
    """The connection under a session."""

    def flush(self) -> None:
        """There are frames in `out`."""

    def end(self, why: Close) -> None:
        """Close; called once."""


class Message(Protocol):
    """A kept message."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def request(self) -> int:
        """Whose it is."""

    @property
    def ordinal(self) -> int:
        """And which of it."""

    @property
    def body(self) -> str:
        """What the app gets."""


class Need(Enum):
    """What a session asks for."""

    NOTHING = 0
    PULL = 1  # to be caught up from what is kept


class Session:
    """A device of a user. `sent` and `acked` are numbers of messages; `ends_ms` is when its token dies (Unix ms)."""

    __slots__ = (
        "_tokens", "_tokens_at", "acked", "again", "behind", "closed", "device", "ends_ms", "handed", "key", "line",
        "marked", "oldest", "out", "pulling", "recent", "sent", "simulated", "waiting",
    )  # fmt: skip

    def __init__(self, key: tuple[str, str], device: str, ends_ms: int, line: Line) -> None:
        self.key = key
        self.device = device
        self.ends_ms = ends_ms
        self.line = line
        self.sent = 0
        self.acked = 0
        self.waiting: dict[int, tuple[int, int]] = {}  # number -> request and ordinal, in order
        self.recent: dict[int, tuple[int, int]] = {}
        self.out: deque[str] = deque()
        self.behind = True
        self.pulling = True  # until it is begun
        self.again = False
        self.closed = False
        self.oldest = 0.0  # monotonic seconds since when the first of `waiting` waits
        self.marked = 0  # up to where it is known in the table what was put on the wire
        self._tokens, self._tokens_at = float(BURST), 0.0

    @property
    def user(self) -> str:
        """Who is connected."""
        return self.key[1]

    def begin(self, acked: int) -> None:
        """The device is known to have had everything up to a number."""
        self.sent = self.acked = self.marked = acked

    def offer(self, message: Message, now: float) -> Need:
        """A message was just kept. It goes out if it is the next one; else the session is behind."""
        if self.closed or message.seq <= self.sent:
            return Need.NOTHING
        if self.pulling:
            self.again = True
            return Need.NOTHING
        if self.behind or message.seq != self.sent + 1 or len(self.waiting) >= WINDOW:
            self.behind = True
            return self._need()
        self._give(message, now)
        self.line.flush()
        return Need.NOTHING

    def _need(self) -> Need:
        return Need.PULL if len(self.waiting) <= WINDOW // 2 else Need.NOTHING

    def room(self) -> int:
        """How many messages it may be given now."""
        return WINDOW - len(self.waiting)

    def pulled(self, messages: Sequence[Message], asked: int, now: float) -> Need:
        """What is kept behind `sent`, `asked` at most, in order."""
        self.pulling = False
        for message in messages:
            if message.seq > self.sent and not self.closed:
                self._give(message, now)
        if messages:
            self.line.flush()
        whole = len(messages) < asked and not self.again
        self.again = False
        self.behind = not whole
        return Need.NOTHING if whole or self.closed else self._need()

    def _give(self, message: Message, now: float) -> None:
        if not self.waiting:
            self.oldest = now
        self.sent = message.seq
        self.waiting[message.seq] = (message.request, message.ordinal)
        self.out.append(frames.message(message.seq, message.body))

    def say(self, frame: str) -> None:
        """Anything but a message. A device that reads nothing is cut."""
        if self.closed:
            return
        if len(self.out) >= QUEUED + WINDOW:
            self.end(Close.TOO_SLOW)
            return
        self.out.append(frame)
        self.line.flush()

    def hint(self, frame: str) -> None:
        """What may get lost."""
        if not self.closed and len(self.out) < QUEUED // 4:
            self.say(frame)

    def acknowledged(self, seq: int, now: float) -> list[tuple[int, tuple[int, int]]]:
        """The device has everything up to a number; what it had not said of before."""
        found = []
        for number, identity in list(self.waiting.items()):
            if number > seq:
                break
            del self.waiting[number]
            found.append((number, identity))
            self._remember(number, identity)
        self.oldest = now
        self.acked = max(self.acked, min(seq, self.sent))
        return found

    def _remember(self, number: int, identity: tuple[int, int]) -> None:
        if len(self.recent) >= RECENT:
            del self.recent[next(iter(self.recent))]
        self.recent[number] = identity

    def wants(self) -> Need:
        """Whether there is room for what it is behind with."""
        return self._need() if self.behind and not self.pulling and not self.closed else Need.NOTHING

    def allows(self, frame: frames.Frame, now: float) -> bool:
        """Whether the app may say that much."""
        self._tokens = min(float(BURST), self._tokens + (now - self._tokens_at) * PER_SECOND)
        self._tokens_at = now
        self._tokens -= 1 / (ACKS_FREE * 16) if isinstance(frame, frames.Ack) else 1
        return self._tokens >= 0

    def end(self, why: Close) -> None:
        """Close it, once."""
        if not self.closed:
            self.closed = True
            self.line.end(why)
