"""What waits for one connector: strictly by priority, but nobody starves. Memory behind committed rows.

A waiting request element is one small integer; its rows are at hand while there are few, else they are read
again when their turn comes. So a queued message costs tens of bytes.
"""

from __future__ import annotations

from collections import deque

from heliograph.model.message import PRIORITIES, Transaction

STARVE_SECONDS = 4.0  # decisions 3: no class waits more than 5 s while it has work
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
        self._clear()

    def _clear(self) -> None:
        self._slots: dict[int, deque[int]] = {priority: deque() for priority in PRIORITIES}
        self._rows: dict[int, deque[Transaction]] = {priority: deque() for priority in PRIORITIES}
        self.loaded = 0

    def add(self, slot: int, priority: int, now: float) -> None:
        """A request element joins the end of its class."""
        if not self._slots[priority] and not self._rows[priority]:
            self._served[priority] = now
        self._slots[priority].append(slot)

    def load(self, priority: int, rows: list[Transaction], *, front: bool = False) -> None:
        """Rows of a slot are at hand now; `front` for what comes back to be sent next."""
        self.loaded += len(rows)
        if front:
            self._rows[priority].extendleft(reversed(rows))
        else:
            self._rows[priority].extend(rows)

    def choose(self, now: float) -> int | None:
        """The class to serve next: the highest with work, unless a lower one has waited too long."""
        best = None
        for priority in PRIORITIES:
            if not self._slots[priority] and not self._rows[priority]:
                continue
            if best is None or now - self._served[priority] > STARVE_SECONDS:
                best = priority
        if best is not None:
            self._served[best] = now
        return best

    def take_slots(self, priority: int, limit: int) -> list[int]:
        """Up to so many slots of the class, to be loaded."""
        slots = self._slots[priority]
        return [slots.popleft() for _ in range(min(limit, len(slots)))]

    def take_rows(self, priority: int, limit: int) -> list[Transaction]:
        """Up to so many loaded rows of the class."""
        rows = self._rows[priority]
        taken = [rows.popleft() for _ in range(min(limit, len(rows)))]
        self.loaded -= len(taken)
        return taken

    def drain(self) -> tuple[list[tuple[int, int]], list[tuple[int, Transaction]]]:
        """Everything, as `(priority, slot)` and `(priority, row)`, when the queue is given up."""
        slots = [(priority, slot) for priority in PRIORITIES for slot in self._slots[priority]]
        rows = [(priority, row) for priority in PRIORITIES for row in self._rows[priority]]
        self._clear()
        return slots, rows

    def __len__(self) -> int:
        """Slots and rows that wait."""
        return self.loaded + sum(map(len, self._slots.values()))
