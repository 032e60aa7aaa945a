"""The verb RECEIVE: receipts in any order become changes of state; nothing is answered before it is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heliograph.model.channel import Report
from heliograph.model.ids import Ids
from heliograph.model.outcome import Inbound, Reachability, Receipt
from heliograph.model.record import Match, Notice, Release, Reported, Settlement
from heliograph.policy.directory import Directory
from heliograph.policy.outcomes import owed_by, reports_of
from heliograph.receipts.inbound import InboundKeeper, Wished, nobody_asked
from heliograph.receipts.planning import Planner
from heliograph.receipts.reachability import NewsKeeper
from heliograph.receipts.references import Marked, References
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator

log = logging.getLogger(__name__)

Stored = Callable[[bool], None]
Tell = Callable[[list[Notice]], None]


class Receiver:
    """Takes reports from connectors, keeps them in batches, tells of what they changed."""

    def __init__(
        self,
        store: Store,
        correlator: Correlator,
        directory: Callable[[], Directory],
        ids: Ids,
        clock_ms: Callable[[], int],
        tell: Tell,
        wished: Wished = nobody_asked,
    ) -> None:
        self._store = store
        self._correlator = correlator
        correlator.on_late = self._adopt
        self._tell = tell
        self._keeper = InboundKeeper(store, directory, ids, clock_ms, tell, wished)
        self._receipts: list[tuple[str, Receipt, Stored]] = []
        self._inbound: list[tuple[str, Inbound, Stored]] = []
        self._news_keeper = NewsKeeper(store, clock_ms)
        self._news: list[tuple[str, Reachability, Stored]] = []
        self._late: list[tuple[Reported, Match]] = []
        self._marks: list[Marked] = []
        self._references = References(store, self._look_again)
        self._planner = Planner(store, correlator, directory, ids, clock_ms, self._references)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._counts = {"inbound": 0, "reachability": 0}

    @property
    def counts(self) -> dict[str, int]:
        """What came so far, by kind."""
        return {**self._planner.counts, **self._counts}

    def receive(self, connector: str, item: Report, stored: Stored) -> None:
        """A connector's report; `stored` is called once it is durable, or cannot be."""
        if isinstance(item, Receipt):
            self._receipts.append((connector, item, stored))
        elif isinstance(item, Inbound):
            self._inbound.append((connector, item, stored))
        else:
            self._counts["reachability"] += 1
            self._news.append((connector, item, stored))
        self._idle.clear()
        self._wake.set()

    async def recover(self, since: int = 0) -> int:
        """Receipts, of those with ids from `since` on, that came before the answer to their submit, when the process
        ended between the two or another one keeps the answer; how many."""
        found = await self._store.rematched(since)
        for reported, match in found:
            self._adopt(reported, match)
        return len(found)

    def _adopt(self, reported: Reported, match: Match) -> None:
        """A receipt that came before the answer to its submit has found its transaction."""
        self._late.append((reported, match))
        self._idle.clear()
        self._wake.set()

    def _look_again(self, marked: Marked) -> None:
        self._marks.append(marked)
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Keep what comes, for ever; ends by cancellation, after `drained`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._receipts or self._late or self._inbound or self._marks or self._news:
                receipts, self._receipts = self._receipts, []
                late, self._late = self._late, []
                inbound, self._inbound = self._inbound, []
                marks, self._marks = self._marks, []
                news, self._news = self._news, []
                if receipts or late or marks:
                    await self._keep(receipts, late, marks)
                await self._news_keeper.keep(news)
                for connector, item, stored in inbound:
                    self._counts["inbound"] += 1
                    await self._keeper.keep(connector, item, stored)
            self._idle.set()

    async def drained(self) -> None:
        """Everything that came is durable or was given back."""
        await self._idle.wait()

    async def _keep(
        self,
        receipts: list[tuple[str, Receipt, Stored]],
        late: list[tuple[Reported, Match]],
        marks: list[Marked],
    ) -> None:
        try:
            batch = await self._planner.plan(
                [(connector, receipt) for connector, receipt, _ in receipts], late, marks
            )
            reserves = any(made.outcomes is not None and made.outcomes.reserves for made in batch.made)
            release = Release.SPENT if reserves else Release.NOTHING
            settlement = Settlement(
                changes=[made.change for made in batch.made], sent=batch.sent, release=release,
                owed=batch.owed, occurrences=reports_of(batch.made),
            )  # fmt: skip
            applied = await self._store.receive(batch.fresh, settlement, batch.adopted)
        except StoreUnavailable as error:
            log.warning("receipts cannot be kept and are given back to their operator: %s", error)
            self._late.extend(late)
            self._marks.extend(marks)
            for _, _, stored in receipts:
                stored(False)
            await asyncio.sleep(0.5)
            return
        for marked, kept in batch.looked:
            self._references.look_again(marked, kept)
        for _, _, stored in receipts:
            stored(True)
        if notices := owed_by(batch.made, batch.owed, applied):
            self._tell(notices)
