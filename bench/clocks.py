"""A process whose clock is wrong: the time of day is shifted before anything reads it, and again by signals."""

from __future__ import annotations

import signal
import time
from pathlib import Path

HOUR = 3_600
FORWARD, BACK = signal.SIGUSR1, signal.SIGUSR2  # an hour each

_time, _time_ns = time.time, time.time_ns
_ahead = [0]


def shift(seconds: int) -> None:
    """The clock jumps."""
    _ahead[0] += seconds


def wrong(seconds: int) -> None:
    """From now on `time.time` and `time.time_ns` are so far ahead. The clock that only counts stays as it is."""
    shift(seconds)
    time.time = lambda: _time() + _ahead[0]
    time.time_ns = lambda: _time_ns() + _ahead[0] * 1_000_000_000
    signal.signal(FORWARD, lambda *_: shift(HOUR))
    signal.signal(BACK, lambda *_: shift(-HOUR))


def source(seconds: int) -> str:
    """What Python runs to be the platform with such a clock."""
    here = str(Path(__file__).parent)
    return (
        f"import sys; sys.path.append({here!r}); import clocks; clocks.wrong({seconds})\n"
        "from heliograph.cli.main import main; main()"
    )
