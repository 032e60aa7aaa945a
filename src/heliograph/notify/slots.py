"""Who may call now: a global number of calls at once, shared fairly between endpoints."""

from __future__ import annotations

import asyncio
from collections import deque


class Share:
    """One endpoint's part of the slots: how many it holds, and how many it may hold at present."""

    __slots__ = ("held", "limit", "listed", "turns")

    def __init__(self, limit: int) -> None:
        self.held = 0
        self.limit = limit
        self.listed = False
        self.turns: deque[asyncio.Future[None]] = deque()


class Slots:
    """So many calls at once in all. A free slot goes round the endpoints that wait, one each, so that an
    endpoint that holds many for long cannot starve one that needs few."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._ring: deque[Share] = deque()

    def take(self, share: Share) -> bool:
        """Take a slot without waiting, if one is free for this endpoint and no earlier one waits for it."""
        if not self._free or share.held >= share.limit or share.turns:
            return False
        self._free -= 1
        share.held += 1
        return True

    async def wait(self, share: Share) -> None:
        """Wait for a slot and take it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        share.turns.append(turn)
        self.grant(share)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(share)  # the slot came together with the cancellation
            raise

    def give(self, share: Share) -> None:
        """Give a slot back."""
        self._free += 1
        share.held -= 1
        self.grant(share)

    def grant(self, share: Share) -> None:
        """Hand out what is free; to be called when a share's limit grew."""
        self._list(share)
        while self._free and self._ring:
            chosen = self._ring.popleft()
            chosen.listed = False
            while chosen.turns and chosen.turns[0].done():
                chosen.turns.popleft()  # cancelled
            if chosen.turns and chosen.held < chosen.limit:
                self._free -= 1
                chosen.held += 1
                chosen.turns.popleft().set_result(None)
            self._list(chosen)

    def _list(self, share: Share) -> None:
        if share.turns and not share.listed and share.held < share.limit:
            share.listed = True
            self._ring.append(share)
