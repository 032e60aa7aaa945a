"""Builds what takes events, and what shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from heliograph.api.admin.rules.events import EventViews
from heliograph.api.events.edges import EventEdges
from heliograph.api.events.endpoints import Events
from heliograph.api.events.hooks import InboundHooks
from heliograph.api.key_use import KeyUse
from heliograph.events.declared import Definitions
from heliograph.events.hooks import HookTaker
from heliograph.events.rerunning import Rerunner
from heliograph.events.taking import Happening, Means, Taker
from heliograph.model.ids import Ids
from heliograph.policy.directory import Directory
from heliograph.policy.limits import Limiter
from heliograph.store import Store


class EventAround(NamedTuple):
    """What is there already; `happened` is called after the commit with what rules have to look at."""

    store: Store
    directory: Callable[[], Directory]
    ids: Ids
    clock_ms: Callable[[], int]
    limits: Limiter
    use: KeyUse
    happened: Happening


class EventParts:
    """The verb of events and its edges."""

    def __init__(self, around: EventAround) -> None:
        store, directory, ids, clock_ms, limits, use, happened = around

        def has_rule(tenant: str, trigger: str, name: str) -> bool:
            return directory().rules(tenant).has(trigger, name)

        means = Means(store, ids, clock_ms, limits, has_rule, happened)
        definitions = Definitions(directory)
        self.taker = Taker(means, definitions)
        self.hook_taker = HookTaker(means)
        self.rerunner = Rerunner(means, definitions)
        self.edges = EventEdges(
            Events(self.taker, directory, ids, use),
            InboundHooks(self.hook_taker, directory, ids, use),
            EventViews(store, self.rerunner, directory, lambda: (ids.next(), clock_ms())),
        )

    def counts(self) -> dict[str, float]:
        """What `/metrics` shows of events."""
        return {**self.taker.counts, **self.hook_taker.counts, **self.rerunner.counts}
