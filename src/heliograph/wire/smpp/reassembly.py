"""Parts of a long inbound message back together: what a part says of itself, and where parts wait."""

from typing import Final, NamedTuple

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.segment import UDHI

_CONCAT_8: Final = 0x00
_CONCAT_16: Final = 0x08


class UserData(NamedTuple):
    """The content of one message: the octets of its text or data, and the header before them."""

    payload: bytes
    elements: tuple[tuple[int, bytes], ...] = ()
    """Information elements of the user data header, as (identifier, data)."""


class Fragment(NamedTuple):
    """One part of a longer message."""

    reference: int
    total: int
    number: int
    """From 1 to total."""
    payload: bytes
    """Its octets without the header."""


class Assembled(NamedTuple):
    """Parts put together, or given back because the others did not come."""

    source: str
    destination: str
    reference: int
    total: int
    parts: tuple[tuple[int, bytes], ...]
    """(number, payload) of the parts that came, by number."""
    first_at: float

    @property
    def is_complete(self) -> bool:
        """Whether no part is missing."""
        return len(self.parts) == self.total

    @property
    def payload(self) -> bytes:
        """The octets of the parts one after another, whatever is missing."""
        return b"".join(payload for _, payload in self.parts)


def user_data(message: ShortMessage) -> UserData:
    """The content of a message, from short_message or the TLV message_payload, parted from its header.

    A header that does not fit its own lengths is taken for content, so that nothing is lost.
    """
    content = message.short_message or message.tlvs.get(c.MESSAGE_PAYLOAD, b"")
    if not (message.esm_class & UDHI and content):
        return UserData(content)
    end = 1 + content[0]
    elements, at = [], 1
    while at + 2 <= end <= len(content):
        start, stop = at + 2, at + 2 + content[at + 1]
        if stop > end:
            break
        elements.append((content[at], content[start:stop]))
        at = stop
    return UserData(content[end:], tuple(elements)) if at == end else UserData(content)


def fragment(message: ShortMessage) -> Fragment | None:
    """Which part of what a message is, by its user data header or its sar_ TLVs; None if it is whole."""
    data = user_data(message)
    for identifier, value in data.elements:
        # GSM 03.40, 9.2.3.24.1 and 9.2.3.24.8: reference, maximum number, sequence number
        if (identifier, len(value)) in ((_CONCAT_8, 3), (_CONCAT_16, 4)):
            return _checked(int.from_bytes(value[:-2], "big"), value[-2], value[-1], data.payload)
    tags = (c.SAR_MSG_REF_NUM, c.SAR_TOTAL_SEGMENTS, c.SAR_SEGMENT_SEQNUM)
    if not all(tag in message.tlvs for tag in tags):
        return None
    reference, total, number = (int.from_bytes(message.tlvs[tag], "big") for tag in tags)
    return _checked(reference, total, number, data.payload)


def _checked(reference: int, total: int, number: int, payload: bytes) -> Fragment | None:
    # GSM 03.40, 9.2.3.24.1: a zero, or a number beyond the maximum, and the element shall be ignored
    if not (1 <= number <= total <= 255) or total == 1:
        return None
    return Fragment(reference, total, number, payload)


_Key = tuple[str, str, int, int]


class _Set(NamedTuple):
    """The parts of one message that have come so far."""

    first_at: float
    parts: dict[int, bytes]


class Reassembler:
    """Holds parts until their message is whole; bounded in count and in time, and gives back all it took."""

    def __init__(self, max_sets: int = 10_000, max_age: float = 3600.0) -> None:
        """`max_sets` messages may wait, each `max_age` seconds from its first part."""
        self._max_sets = max_sets
        self._max_age = max_age
        self._sets: dict[_Key, _Set] = {}  # oldest first

    def __len__(self) -> int:
        return len(self._sets)

    def add(self, source: str, destination: str, part: Fragment, now: float) -> list[Assembled]:
        """Take a part; give the message it completes, and those that are too old or pushed out for it.

        A part that is there already is ignored; another one in its place begins a message of its own,
        for an 8-bit reference comes round soon.
        """
        given = self.expire(now)
        key = (source, destination, part.reference, part.total)
        waiting = self._sets.get(key)
        if waiting is not None and waiting.parts.get(part.number, part.payload) != part.payload:
            given.append(self._take(key))
            waiting = None
        if waiting is None:
            if len(self._sets) >= self._max_sets:
                given.append(self._take(next(iter(self._sets))))
            waiting = self._sets[key] = _Set(now, {})
        waiting.parts.setdefault(part.number, part.payload)
        if len(waiting.parts) == part.total:
            given.append(self._take(key))
        return given

    def expire(self, now: float) -> list[Assembled]:
        """Give back the messages whose other parts did not come in time."""
        old = []
        for key, waiting in self._sets.items():
            if now - waiting.first_at < self._max_age:
                break
            old.append(key)
        return [self._take(key) for key in old]

    def flush(self) -> list[Assembled]:
        """Give back everything, as at the end of a connection."""
        return [self._take(key) for key in tuple(self._sets)]

    def _take(self, key: _Key) -> Assembled:
        first_at, parts = self._sets.pop(key)
        return Assembled(*key, tuple(sorted(parts.items())), first_at)
