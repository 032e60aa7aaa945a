"""When to look at an endpoint's notices again, kept in order of time."""

from __future__ import annotations

import heapq

GRAIN = 50
"""Milliseconds: alarms of an endpoint this close to each other are one."""


class Alarms:
    """A heap of (Unix milliseconds, origin) without doubles."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._set: set[tuple[int, str]] = set()

    def add(self, due: int, origin: str) -> bool:
        """Set an alarm, rounded up to the grain; whether it is the next one to come."""
        alarm = (due - due % -GRAIN, origin)
        if alarm in self._set:
            return False
        self._set.add(alarm)
        heapq.heappush(self._heap, alarm)
        return self._heap[0] is alarm

    def past(self, now_ms: int) -> list[str]:
        """Take out the origins whose time has come."""
        origins = []
        while self._heap and self._heap[0][0] <= now_ms:
            alarm = heapq.heappop(self._heap)
            self._set.discard(alarm)
            origins.append(alarm[1])
        return origins

    def next(self, otherwise: int) -> int:
        """When the next one comes, or `otherwise` if that is sooner."""
        return min(self._heap[0][0], otherwise) if self._heap else otherwise
