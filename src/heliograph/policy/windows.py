"""When the wait for a receipt ends. Pure."""

from __future__ import annotations

from heliograph.policy.facts import OTHER_WINDOW_MS, Facts

GRAIN_MS = 250  # ends are rounded up to this, so that many share one row


def window_end_ms(facts: Facts | None, channel: str, now_ms: int) -> int:
    """The Unix milliseconds at which the wait for a receipt of a message submitted now ends."""
    window = facts.windows.get(channel, OTHER_WINDOW_MS) if facts else OTHER_WINDOW_MS
    return -(-(now_ms + window) // GRAIN_MS) * GRAIN_MS
