"""When the wait for a receipt ends. Pure."""

from __future__ import annotations

GRAIN_MS = 250  # ends are rounded up to this, so that many share one row


def window_end_ms(window_ms: int, now_ms: int) -> int:
    """The Unix milliseconds at which the wait for a receipt of a message submitted now ends; 0, never, for a window
    of 0."""
    if not window_ms:
        return 0
    return -(-(now_ms + window_ms) // GRAIN_MS) * GRAIN_MS
