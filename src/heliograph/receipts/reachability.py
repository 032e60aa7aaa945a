"""News of addresses: a dead token, one that was replaced, a follower gone or back; kept in the profiles of apps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from heliograph.model.outcome import Reachability
from heliograph.model.profiles.records import News
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

Told = tuple[str, Reachability, Callable[[bool], None]]
"""The lane it came over, what was said, and who waits for it to be durable."""


class NewsKeeper:
    """Keeps news of addresses."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms

    async def keep(self, told: Sequence[Told]) -> None:
        """Make it durable and answer the far ends; what cannot be kept is given back to them."""
        if not told:
            return
        now_ms = self._clock_ms()
        news = [_news(lane, item, now_ms) for lane, item, _ in told]
        try:
            changed = await self._store.profile_news(news)
        except StoreUnavailable as error:
            log.warning("news of addresses cannot be kept and is given back to who told it: %s", error)
            changed = None
        for lane, item, stored in told:
            said = "back" if item.reachable else "replaced" if item.replaced_by else "gone"
            log.info("an address of %s is %s: %s", lane, said, item.reason)
            stored(changed is not None)


def _news(lane: str, item: Reachability, now_ms: int) -> News:
    """As profiles know it: the app is the name of the lane, without its tenant and without the word for the sandbox.
    A far end's clock that runs ahead of ours is not believed."""
    tenant, _, app = lane.partition("~")[0].partition("/")
    at = min(item.at_ms, now_ms) if item.at_ms else now_ms
    return News(tenant, app, item.address, item.reachable, at, item.replaced_by)
