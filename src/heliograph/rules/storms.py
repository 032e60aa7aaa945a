"""Loops that lead through somebody else, as between two machines that answer each other: bounded by time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from heliograph.model.events import Occurrence

MOST, SPAN_MS = 20, 600_000  # runs of one rule for one person, in so many milliseconds
KEPT = 20_000


class Storms:
    """Counts how often rules are set off by the same person."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._seen: OrderedDict[tuple[str, str, str, str], tuple[int, int]] = OrderedDict()

    def is_storm(self, occurrence: Occurrence, rule: str) -> bool:
        """Count a rule that is set off; whether that is too often. Only messages from people and clicks count: all
        else has a depth."""
        if occurrence.trigger not in ("inbound", "click"):
            return False
        who = str(occurrence.payload.get("from") or occurrence.payload.get("destination") or "")
        name, now_ms = (occurrence.tenant, rule, occurrence.trigger, who), self._clock_ms()
        since, count = self._seen.pop(name, (now_ms, 0))
        if now_ms - since >= SPAN_MS:
            since, count = now_ms, 0
        self._seen[name] = (since, count + 1)
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return count >= MOST
