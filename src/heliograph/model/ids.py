"""Identifiers: a request's 63-bit number is inside its transid, so no index is needed to find it.

A request id is `milliseconds since 2020-01-01 (41 bits) | node (6) | sequence (16)`: it grows with time, so
retention is a range and inserts append. The public transid is a UUID of version 7 built from the same
fields plus 52 random bits, which are checked on look-up, so that a transid cannot be guessed from another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

EPOCH_MS = 1_577_836_800_000
NODE_BITS = 6
SEQUENCE_BITS = 16
NONCE_BITS = 52
SHIFT = NODE_BITS + SEQUENCE_BITS
LATEST_MS = EPOCH_MS + (1 << 63 - SHIFT) - 2
"""The last moment, in Unix milliseconds, that an id before and after it can be told of (in the year 2089)."""

_TRANSID = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})(?:_([1-9][0-9]{0,5}))?", re.ASCII
)


class Ids:
    """Makes ids that only grow, even when the clock goes back; one per process, `node` in 0..63. `floor` is the
    greatest id of an earlier process, above which this one begins."""

    def __init__(self, clock_ms: Callable[[], int], node: int = 0, floor: int = 0) -> None:
        if not 0 <= node < 1 << NODE_BITS:
            raise ValueError(f"node must be 0..{(1 << NODE_BITS) - 1}, not {node}")
        self._clock_ms = clock_ms
        self._node = node << SEQUENCE_BITS
        self._last_ms, self._sequence = 0, 0
        self.rise_above(floor)

    def rise_above(self, floor: int) -> None:
        """Begin above the greatest id of an earlier process."""
        if floor and floor >> SHIFT >= self._last_ms:
            self._last_ms, self._sequence = floor >> SHIFT, (1 << SEQUENCE_BITS) - 1

    def next(self) -> int:
        """A new id, greater than every earlier one of this process."""
        now = self._clock_ms() - EPOCH_MS
        if now > self._last_ms:
            self._last_ms, self._sequence = now, 0
            return self._current()
        return self._following()

    def several(self, count: int) -> list[int]:
        """So many new ids that follow each other whatever the clock does meanwhile: they lie within two
        milliseconds."""
        return [self.next(), *(self._following() for _ in range(count - 1))]

    def _following(self) -> int:
        self._sequence += 1
        if self._sequence >> SEQUENCE_BITS:
            self._last_ms, self._sequence = self._last_ms + 1, 0
        return self._current()

    def _current(self) -> int:
        return (self._last_ms << SHIFT) | self._node | self._sequence


def first_id_at(ms: int) -> int:
    """The smallest id a request accepted at `ms` (Unix milliseconds) can have."""
    return max(0, ms - EPOCH_MS) << SHIFT


def accepted_ms(request: int) -> int:
    """The Unix milliseconds at which the request with this id was accepted."""
    return (request >> SHIFT) + EPOCH_MS


def transid_of(request: int, nonce: int) -> str:
    """The public UUID (version 7) of a request id and its 52-bit nonce."""
    ms = accepted_ms(request)
    low = request & ((1 << SHIFT) - 1)
    tail = ((low & 0x3FF) << 52) | nonce
    head = f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{low >> 10:03x}"
    return f"{head}-{0x8000 | tail >> 48:04x}-{tail & 0xFFFFFFFFFFFF:012x}"


_POOL_BYTES = 7 * 1024
_pool: list[int] = []


def new_nonce() -> int:
    """52 random bits from the operating system, drawn a thousand at a time: each draw is a system call that
    gives up the interpreter lock."""
    if not _pool:
        drawn = os.urandom(_POOL_BYTES)
        _pool.extend(
            int.from_bytes(drawn[start : start + 7], "big") & ((1 << NONCE_BITS) - 1)
            for start in range(0, _POOL_BYTES, 7)
        )
    return _pool.pop()


def parse_transid(text: str) -> tuple[int, int, int | None] | None:
    """`(request id, nonce, ordinal or None for a bare UUID)`; None when the text is no transid at all.

    A well-formed UUID that we did not make gives the id of a request that does not exist.
    """
    match = _TRANSID.fullmatch(text.lower())
    if match is None:
        return None
    a, b, c, d, e, ordinal = match.groups()
    ms = int(a + b, 16)
    tail = ((int(d, 16) & 0x3FFF) << 48) | int(e, 16)
    low = ((int(c, 16) & 0xFFF) << 10) | (tail >> 52)
    request = (max(0, ms - EPOCH_MS) << SHIFT) | low
    return request & (2**63 - 1), tail & ((1 << 52) - 1), int(ordinal) if ordinal else None
