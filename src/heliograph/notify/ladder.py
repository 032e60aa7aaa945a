"""What an endpoint's answer means, and when to try again. Pure: the random source and now are arguments."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Literal

from heliograph.wire.addresses import Kind

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

Steps = tuple[int, ...]

LADDER: Steps = (
    5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 1 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
)  # fmt: skip
COMPATIBLE: Steps = (MINUTE, MINUTE, MINUTE)
FAST: Steps = (100, 200, 400, 800, 1600)  # control.md 5: from 0.1 s, so that the end is seen within seconds
JITTER = 0.1

# messaging.md 8.3, less the 2xx, which count as delivered (decisions 7).
NO_RETRY = frozenset({*range(300, 309), 400, 402, *range(404, 412), 414, 415, 416, 418, 505})
_HOPELESS: frozenset[Kind] = frozenset({"refused_target", "bad_url"})


class Meaning(Enum):
    """What one try came to."""

    DONE = "done"
    RETRY = "retry"
    PARK = "park"


def of_status(status: int) -> Meaning:
    """What a status code means: any 2xx is success; the vendor's no-retry list ends it; all others are tried
    again (status_event_profile.md 8)."""
    if 200 <= status < 300:
        return Meaning.DONE
    return Meaning.PARK if status in NO_RETRY else Meaning.RETRY


def of_failure(kind: Kind) -> Meaning:
    """What a call without an answer means: only a target that can never be called ends it."""
    return Meaning.PARK if kind in _HOPELESS else Meaning.RETRY


def steps(retries: Literal["ladder", "compatible"], fast: bool) -> Steps:
    """The milliseconds between the tries of a service; `fast` for a sandbox with compressed waiting."""
    chosen = COMPATIBLE if retries == "compatible" else LADDER
    return FAST[: len(chosen)] if fast else chosen


def next_due(chosen: Steps, attempts: int, now_ms: int, rng: Random) -> int | None:
    """When to try again after so many failed attempts (1 or more); None when the ladder is climbed."""
    if attempts > len(chosen):
        return None
    step = chosen[attempts - 1]
    if chosen is COMPATIBLE:
        return now_ms + step
    return now_ms + round(step * rng.uniform(1 - JITTER, 1 + JITTER))


def span(chosen: Steps) -> int:
    """The milliseconds that the whole ladder takes."""
    return sum(chosen)
