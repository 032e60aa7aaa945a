"""The clock of a process."""

import time


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000
