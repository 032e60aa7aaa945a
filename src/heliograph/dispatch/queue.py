"""What waits: for a connector, by priority, without starving anyone; and for a moment. Memory behind rows.

A waiting request element is one small integer; its rows are at hand while there are few, else they are read
again when their turn comes. So a queued message costs tens of bytes.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from itertools import count

from heliograph.model.message import PRIORITIES, Transaction

STARVE_SECONDS = 4.0  # decisions 3: no class waits more than 5 s while it has work
TIDY_SECONDS = 0.5  # how often the clock is looked at when nothing is due earlier
ELEMENT_BITS = 10  # a call has at most 1,000 elements


def slot_of(request: int, element: int) -> int:
    """A request and one of its elements as one integer."""
    return request << ELEMENT_BITS | element


def request_of(slot: int) -> int:
    """The request of a slot."""
    return slot >> ELEMENT_BITS


def element_of(slot: int) -> int:
    """The element of a slot."""
    return slot & ((1 << ELEMENT_BITS) - 1)


class PriorityQueue:
    """Slots (not loaded yet) and transactions (loaded) by priority. Time is an argument, in seconds."""

    def __init__(self) -> None:
        self._served: dict[int, float] = dict.fromkeys(PRIORITIES, 0.0)
        self._loading = 0  # the class whose slots are away to be loaded
        self._clear()

    def _clear(self) -> None:
        self._slots: dict[int, deque[int]] = {priority: deque() for priority in PRIORITIES}
        self._rows: dict[int, deque[Transaction]] = {priority: deque() for priority in PRIORITIES}
        self._waiting = 0

    def add(self, slot: int, priority: int, now: float) -> None:
        """A request element joins the end of its class."""
        self._begin(priority, now)
        self._slots[priority].append(slot)
        self._waiting += 1

    def join(self, priority: int, rows: list[Transaction], now: float, *, front: bool = False) -> None:
        """Rows that were elsewhere join the class; `front` for what is to be sent next."""
        self._begin(priority, now)
        self._put(priority, rows, front)

    def load(self, priority: int, rows: list[Transaction], *, front: bool = False) -> None:
        """Rows of slots that were taken are at hand now; `front` for rows that were taken and come back."""
        self._loading = 0
        self._put(priority, rows, front)

    def give_back(self, priority: int, slots: list[int]) -> None:
        """Slots that were taken could not be loaded: they stand where they were."""
        self._loading = 0
        self._slots[priority].extendleft(reversed(slots))
        self._waiting += len(slots)

    def _begin(self, priority: int, now: float) -> None:
        """A class that was empty has not waited yet."""
        if not self._slots[priority] and not self._rows[priority] and priority != self._loading:
            self._served[priority] = now

    def _put(self, priority: int, rows: list[Transaction], front: bool) -> None:
        self._waiting += len(rows)
        if front:
            self._rows[priority].extendleft(reversed(rows))
        else:
            self._rows[priority].extend(rows)

    def choose(self, now: float) -> int:
        """The class to serve next: the highest with work, unless a lower one has waited too long."""
        classes = [priority for priority in PRIORITIES if self._slots[priority] or self._rows[priority]]
        if not classes:
            raise LookupError("the queue is empty")
        starved = [priority for priority in classes if now - self._served[priority] > STARVE_SECONDS]
        return starved[-1] if starved else classes[0]

    def take_slots(self, priority: int, limit: int) -> list[int]:
        """Up to so many slots of the class, to be loaded."""
        slots = self._slots[priority]
        taken = [slots.popleft() for _ in range(min(limit, len(slots)))]
        self._waiting -= len(taken)
        self._loading = priority
        return taken

    def take_rows(self, priority: int, limit: int, now: float) -> list[Transaction]:
        """Up to so many loaded rows of the class, which is served by that."""
        rows = self._rows[priority]
        taken = [rows.popleft() for _ in range(min(limit, len(rows)))]
        self._waiting -= len(taken)
        if taken:
            self._served[priority] = now
        return taken

    def drain(self) -> tuple[list[tuple[int, int]], list[tuple[int, Transaction]]]:
        """Everything, as `(priority, slot)` and `(priority, row)`, when the queue is given up."""
        slots = [(priority, slot) for priority in PRIORITIES for slot in self._slots[priority]]
        rows = [(priority, row) for priority in PRIORITIES for row in self._rows[priority]]
        self._clear()
        return slots, rows

    def at_hand(self, priority: int) -> int:
        """Loaded rows of a class."""
        return len(self._rows[priority])

    def __len__(self) -> int:
        """Slots and rows that wait."""
        return self._waiting


class Timers:
    """Two heaps over Unix milliseconds."""

    def __init__(self) -> None:
        self._order = count()
        self._delayed: list[tuple[int, int, Transaction]] = []
        self._expiring: list[tuple[int, int]] = []

    def delay(self, rows: Iterable[Transaction]) -> None:
        """Rows to be sent from their `due` on."""
        for row in rows:
            heapq.heappush(self._delayed, (row.due, next(self._order), row))

    def expire(self, at_ms: int, slot: int) -> None:
        """A slot whose message ends at that moment if it still waits; 0 is never."""
        if at_ms:
            heapq.heappush(self._expiring, (at_ms, slot))

    def due(self, now_ms: int) -> list[Transaction]:
        """Rows whose moment has come; they are given once."""
        rows = []
        while self._delayed and self._delayed[0][0] <= now_ms:
            rows.append(heapq.heappop(self._delayed)[2])
        return rows

    def expired(self, now_ms: int) -> list[int]:
        """Slots whose messages have expired; they are given once."""
        slots = []
        while self._expiring and self._expiring[0][0] <= now_ms:
            slots.append(heapq.heappop(self._expiring)[1])
        return slots

    def seconds_left(self, now_ms: int) -> float:
        """How long until something may be due."""
        if not self._delayed:
            return TIDY_SECONDS
        return min(TIDY_SECONDS, max(0.01, (self._delayed[0][0] - now_ms) / 1000))
