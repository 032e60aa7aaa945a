"""The verb RECEIVE: receipts in any order become changes of state; nothing is answered before it is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from heliograph.catalogue import keys
from heliograph.model.channel import Report
from heliograph.model.ids import Ids
from heliograph.model.message import Request
from heliograph.model.outcome import Inbound, Reachability, Receipt, State
from heliograph.model.record import Match, Notice, Reported, Settlement
from heliograph.policy.directory import Directory
from heliograph.policy.outcomes import Made, OutcomeBook, notices_owed
from heliograph.receipts.inbound import InboundKeeper
from heliograph.receipts.parts import Parts, state_of
from heliograph.receipts.reachability import NewsKeeper
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator

log = logging.getLogger(__name__)

Stored = Callable[[bool], None]
Tell = Callable[[list[Notice]], None]


@dataclass(slots=True)
class _Batch:
    """What one commit will hold."""

    fresh: list[Reported]
    adopted: list[Reported]
    made: list[Made]


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
    ) -> None:  # fmt: skip
        self._store = store
        self._correlator = correlator
        correlator.on_late = self._adopt
        self._directory = directory
        self._book = OutcomeBook(directory, ids.next)
        self._ids = ids
        self._clock_ms = clock_ms
        self._tell = tell
        self._parts = Parts(store)
        self._keeper = InboundKeeper(store, directory, ids, clock_ms, tell)
        self._receipts: list[tuple[str, Receipt, Stored]] = []
        self._inbound: list[tuple[str, Inbound, Stored]] = []
        self._news_keeper = NewsKeeper(store, clock_ms)
        self._news: list[tuple[str, Reachability, Stored]] = []
        self._late: list[tuple[Reported, Match]] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.counts = {"receipts": 0, "unmatched": 0, "late": 0, "inbound": 0, "reachability": 0}

    def receive(self, connector: str, item: Report, stored: Stored) -> None:
        """A connector's report; `stored` is called once it is durable, or cannot be."""
        if isinstance(item, Receipt):
            self._receipts.append((connector, item, stored))
        elif isinstance(item, Inbound):
            self._inbound.append((connector, item, stored))
        else:
            self.counts["reachability"] += 1
            self._news.append((connector, item, stored))
        self._idle.clear()
        self._wake.set()

    async def recover(self) -> int:
        """At start: receipts that came before the answer to their submit, when the process ended between the
        two; how many."""
        found = await self._store.rematched()
        for reported, match in found:
            self._adopt(reported, match)
        return len(found)

    def _adopt(self, reported: Reported, match: Match) -> None:
        """A receipt that came before the answer to its submit has found its transaction."""
        self._late.append((reported, match))
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Keep what comes, for ever; ends by cancellation, after `drained`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._receipts or self._late or self._inbound or self._news:
                receipts, self._receipts = self._receipts, []
                late, self._late = self._late, []
                inbound, self._inbound = self._inbound, []
                news, self._news = self._news, []
                if receipts or late:
                    await self._keep(receipts, late)
                await self._news_keeper.keep(news)
                for connector, item, stored in inbound:
                    self.counts["inbound"] += 1
                    await self._keeper.keep(connector, item, stored)
            self._idle.set()

    async def drained(self) -> None:
        """Everything that came is durable or was given back."""
        await self._idle.wait()

    async def _keep(self, receipts: list[tuple[str, Receipt, Stored]], late: list[tuple[Reported, Match]]) -> None:
        try:
            batch = await self._plan(receipts, late)
            settlement = Settlement(changes=[made.change for made in batch.made])
            applied = await self._store.receive(batch.fresh, settlement, batch.adopted)
        except StoreUnavailable as error:
            log.warning("receipts cannot be kept and are given back to their operator: %s", error)
            self._late.extend(late)
            for _, _, stored in receipts:
                stored(False)
            await asyncio.sleep(0.5)
            return
        for _, _, stored in receipts:
            stored(True)
        if notices := notices_owed(batch.made, applied):
            self._tell(notices)

    async def _plan(self, receipts: list[tuple[str, Receipt, Stored]], late: list[tuple[Reported, Match]]) -> _Batch:
        batch = _Batch([], [], [])
        now_ms = self._clock_ms()
        known = await self._match(receipts)
        pairs: list[tuple[Reported, Match]] = []
        for connector, receipt, _ in receipts:
            match = known.get((connector, receipt.native_id)) or self._by_destination(connector, receipt)
            reported = self._report(connector, receipt, match, now_ms)
            batch.fresh.append(reported)
            if match is None:
                self.counts["unmatched"] += 1
                self._correlator.early(reported)
            else:
                pairs.append((reported, match))
        for reported, match in late:
            self.counts["late"] += 1
            batch.adopted.append(_adopted(reported, match))
            pairs.append((reported, match))
        requests = await self._store.requests({match.transaction.request for _, match in pairs})
        for reported, match in pairs:
            key, detail = reported.key, _detail(reported)
            request = requests.get(match.transaction.request)
            if match.parts > 1 and request is not None:
                whole = self._whole(request, match)
                key, detail = await self._parts.combined(reported, match, detail, whole)
            state = state_of(key)
            if state is not State.SUBMITTED and request is not None:  # else the receipt alone is kept
                outcomes = self._book.of(request, match.transaction.element)
                change = outcomes.change(match.transaction.ordinal, state, key, reported.at, detail)
                batch.made.append(Made(change, outcomes, match.transaction))
        return batch

    def _whole(self, request: Request, match: Match) -> str:
        name = request.messages[match.transaction.element].content.channel
        channel = self._directory().channels.get(name)
        return channel.whole if channel else "all"

    async def _match(self, receipts: list[tuple[str, Receipt, Stored]]) -> dict[tuple[str, str], Match]:
        known: dict[tuple[str, str], Match] = {}
        missing = []
        for connector, receipt, _ in receipts:
            self.counts["receipts"] += 1
            match = self._correlator.find(connector, receipt.native_id)
            if match is None:
                missing.append((connector, receipt.native_id))
            else:
                known[connector, receipt.native_id] = match
        if missing:
            known.update(await self._store.matches(missing))
            for identity in missing:  # the answer to the submit may have come while the table was read
                if identity not in known and (match := self._correlator.find(*identity)):
                    known[identity] = match
        return known

    def _by_destination(self, connector: str, receipt: Receipt) -> Match | None:
        """The submit that was never answered, if its destination is named; from now on the id is known as its."""
        if match := self._correlator.find(connector, receipt.native_id):
            return match
        transaction = self._correlator.claim_unanswered(connector, receipt.destination)
        if transaction is None:
            return None
        if receipt.native_id:
            self._correlator.submitted(connector, (receipt.native_id,), transaction)
        return Match(transaction)

    def _report(self, connector: str, receipt: Receipt, match: Match | None, now_ms: int) -> Reported:
        transaction = match.transaction if match else None
        return Reported(
            self._ids.next(),
            transaction.request if transaction else 0,
            transaction.ordinal if transaction else 0,
            match.part if match else 0,
            connector, receipt.native_id, receipt.key, now_ms, receipt.native_code, receipt.detail,
            receipt.destination, receipt.raw,
        )  # fmt: skip


def _adopted(reported: Reported, match: Match) -> Reported:
    return Reported(
        reported.id, match.transaction.request, match.transaction.ordinal, match.part, reported.connector,
        reported.native_id, reported.key, reported.at,
    )  # fmt: skip


def _detail(reported: Reported) -> str:
    """What the caller reads as additionalInfo: nothing for a plain delivery, the native words for the rest."""
    if reported.key == keys.DELIVERED:
        return ""
    return " ".join(part for part in (reported.native_code, reported.detail) if part)
