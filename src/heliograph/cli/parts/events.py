"""Builds what takes events, and what shows them."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.api.admin.events import EventViews
from heliograph.api.events.endpoints import Events
from heliograph.api.events.hooks import InboundHooks
from heliograph.api.key_use import KeyUse
from heliograph.events.declared import Definitions
from heliograph.events.hooks import HookTaker
from heliograph.events.rerunning import Rerunner
from heliograph.events.taking import Means, Taker
from heliograph.policy.directory import Directory


class EventParts:
    """The verb of events and its edges."""

    def __init__(self, means: Means, directory: Callable[[], Directory], use: KeyUse) -> None:
        definitions = Definitions(directory)
        self.taker = Taker(means, definitions)
        self.rerunner = Rerunner(means, definitions)
        self.hook_taker = HookTaker(means)
        self.hooks = InboundHooks(self.hook_taker, directory, means.ids, use)
        self.endpoint = Events(self.taker, directory, means.ids, use)
        self.views = EventViews(means.store, self.rerunner, directory)

    def counts(self) -> dict[str, int]:
        """What `/metrics` shows of events."""
        return {**self.taker.counts, **self.hook_taker.counts, **self.rerunner.counts}
