"""What the verb SEND is given."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from heliograph.lookup import Lookup
from heliograph.model.channel import Report
from heliograph.model.ids import Ids
from heliograph.model.record import Notice
from heliograph.policy.directory import Directory
from heliograph.policy.objects.links import Codes
from heliograph.store import Store
from heliograph.store.correlator import Correlator


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The store, the workspace as it is now, whom to tell, where receipts go, time, ids and chance, what is known
    of addresses, and what makes the codes of short links.

    `clock_ms` is Unix milliseconds, `monotonic` seconds, `rng` a number in 0..1.
    """

    store: Store
    directory: Callable[[], Directory]
    correlator: Correlator
    ids: Ids
    tell: Callable[[list[Notice]], None]
    receive: Callable[[str, Report, Callable[[bool], None]], None]
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    monotonic: Callable[[], float] = time.monotonic
    rng: Callable[[], float] = random.random
    lookup: Lookup = field(default_factory=Lookup)
    codes: Codes = field(default_factory=lambda: Codes(b""))
