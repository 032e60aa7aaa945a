"""When a failed attempt is tried again: classes as data, delays with jitter. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """At most `tries` attempts; the delay starts at `first` seconds and doubles up to `longest`."""

    tries: int
    first: float
    longest: float

    def delay(self, attempt: int, rng: Callable[[], float]) -> float | None:
        """Seconds before the attempt after `attempt` (from 1), +-20 %; None when there is no further one."""
        if attempt >= self.tries:
            return None
        return min(self.first * 2.0 ** (attempt - 1), self.longest) * (0.8 + 0.4 * rng())


# Source: providers 2.1, "what to do". `once` is the unknown error's single retry after a minute.
CLASSES = {
    "soon": Backoff(5, 1.0, 60.0),
    "resend": Backoff(5, 1.0, 60.0),  # the fate of the attempt is unknown: the next may be a duplicate
    "late": Backoff(8, 30.0, 3600.0),
    "once": Backoff(2, 60.0, 60.0),
}
SANDBOX = Backoff(3, 0.1, 1.0)  # control 5: every outcome within 20 s

LEAST_WAIT = 0.05  # seconds before a message that only waits is looked at again
THROTTLE_PAUSE = 1.0
SANDBOX_THROTTLE_PAUSE = 0.1
SANDBOX_THROTTLES = 10  # a simulated throttling that never ends must end for the viewer


def delay_of(retry: str, attempt: int, fast: bool, rng: Callable[[], float]) -> float | None:
    """Seconds until the next attempt, None for none."""
    if retry not in CLASSES:
        return None
    return (SANDBOX if fast else CLASSES[retry]).delay(attempt, rng)
