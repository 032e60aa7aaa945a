"""Everything of events that is served."""

from __future__ import annotations

from typing import NamedTuple

from heliograph.api.admin.rules.events import EventViews
from heliograph.api.events.endpoints import Events
from heliograph.api.events.hooks import InboundHooks


class EventEdges(NamedTuple):
    """The Event API, the inbound webhooks, and what operators see."""

    api: Events
    hooks: InboundHooks
    views: EventViews
