"""Judging again before dispatch, with what is the same for a request element worked out once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.dispatch.story import line
from heliograph.lookup import Lookup, asked_of
from heliograph.model.channel import Outbound
from heliograph.model.ids import Ids
from heliograph.model.message import Request, Transaction
from heliograph.model.money import Ask
from heliograph.model.outcome import Refused
from heliograph.model.people import NOTHING_KNOWN, Known
from heliograph.model.record import StoryLine
from heliograph.policy import FAULT, Verdict, judge_address, judge_message, story
from heliograph.policy.directory import Directory
from heliograph.policy.facts import OTHER_WINDOW_MS
from heliograph.policy.objects.links import Codes
from heliograph.policy.outcomes import OutcomeBook, Outcomes
from heliograph.store.cache import Recent

log = logging.getLogger(__name__)

KEPT = 4_096
FRESH_MS = 1_000  # a judgement is good for a second: time, money and lists change
OVERTAKEN = Refused(
    keys.NOT_ENOUGH_CREDITS, "credit", "", "the account or the count was used up by messages that went out meanwhile"
)
NO_SERVICE = Refused(
    keys.CHANNEL_NOT_CONFIGURED, "service", "", "the service was removed from the workspace after acceptance"
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One request element as the workspace has it by now; `verdict` is None when its service is gone, or
    for what `instead` says. `window_ms` is how long a receipt is waited for, `expiry` Unix milliseconds or 0."""

    version: int
    at_ms: int
    verdict: Verdict | None
    outcomes: Outcomes
    window_ms: int
    expiry: int
    instead: Refused = NO_SERVICE

    def holds(self, now_ms: int) -> bool:
        """Whether it is still good: for a second, but not past the expiry."""
        return 0 <= now_ms - self.at_ms < FRESH_MS and not self.at_ms < self.expiry <= now_ms


class Ready(msgspec.Struct, frozen=True, gc=False):
    """It may go, at that price (millionths)."""

    outbound: Outbound
    price: int


class Wait(NamedTuple):
    """It may not go before `until` (Unix milliseconds)."""

    until: int


KnownOf = Mapping[tuple[int, int], Known]
"""What is known of the addresses of a chunk, by request and element."""


class Flight(msgspec.Struct, frozen=True, gc=False):
    """A message that may go: as the connector takes it, its row, its request, how that was judged, by what was known
    of its address, and what it costs (millionths)."""

    outbound: Outbound
    row: Transaction
    request: Request
    judgement: Judgement
    known: Known
    price: int

    @property
    def ask(self) -> Ask:
        """What is asked for before it goes out."""
        return asked_of(self.verdict.case, self.row.request, self.row.ordinal, self.outbound.to, self.price)

    @property
    def verdict(self) -> Verdict:
        """What the message gates said."""
        assert self.judgement.verdict is not None  # noqa: S101 - without a service nothing may go
        return self.judgement.verdict


class Judge:
    """Judgements by request element."""

    def __init__(self, directory: Callable[[], Directory], ids: Ids, lookup: Lookup, codes: Codes) -> None:
        self._codes = codes
        self._directory = directory
        self._ids = ids
        self._lookup = lookup
        self._kept: Recent[tuple[int, int, bool], Judgement] = Recent(KEPT)
        self._book = OutcomeBook(directory, ids.next)

    async def known(self, rows: Iterable[Transaction], requests: Mapping[int, Request], now_ms: int) -> KnownOf:
        """What is known of the addresses of many rows, looked up once for all that share a way."""
        directory = self._directory()
        by_way: dict[tuple[str, ...], list[Transaction]] = {}
        for row in rows:
            request = requests[row.request]
            content = request.messages[row.element].content
            by_way.setdefault((request.tenant, request.service, content.channel, content.appid), []).append(row)
        found: dict[tuple[int, int], Known] = {}
        for (tenant, service, *_), chosen in by_way.items():
            facts = directory.facts(tenant, service)
            if facts is not None:
                content = requests[chosen[0].request].messages[chosen[0].element].content
                known = await self._lookup.known(facts, content, [row.address for row in chosen], now_ms)
                found |= dict.fromkeys(((row.request, row.element) for row in chosen), known)
        return found

    def decide(
        self, request: Request, row: Transaction, now_ms: int, known: Known = NOTHING_KNOWN
    ) -> tuple[Judgement, Ready | Refused | Wait]:
        """The judgement of a row's request element, and what becomes of the row."""
        try:
            judgement = self.of(request, row, now_ms)
            return judgement, self.outbound(judgement, row, now_ms, known)
        except Exception:  # the verb's loop over messages: a fault of ours ends this one, not the lane
            log.exception("a message could not be judged")
            outcomes = self._book.of(request, row.element)
            return Judgement(-1, now_ms, None, outcomes, OTHER_WINDOW_MS, 0, FAULT), FAULT

    def of(self, request: Request, row: Transaction, now_ms: int) -> Judgement:
        """The judgement of a row's request element, at most a second old. One that was tried before ends otherwise
        when it expires."""
        directory = self._directory()
        element, attempted = row.element, row.attempt > 0
        identity = (request.id, element, attempted)
        kept = self._kept.get(identity)
        if kept is not None and kept.version == directory.version and kept.holds(now_ms):
            return kept
        facts = directory.facts(request.tenant, request.service)
        message = request.messages[element]
        verdict = judge_message(message, facts, now_ms, attempted=attempted) if facts else None
        if verdict and kept and kept.verdict and kept.verdict.body == verdict.body:
            verdict = verdict.with_body(kept.verdict.body)  # connectors keep what they encoded by identity
        window = facts.windows.get(message.content.channel, OTHER_WINDOW_MS) if facts else OTHER_WINDOW_MS
        outcomes = self._book.of(request, element)
        made = Judgement(
            directory.version, now_ms, verdict, outcomes, window, directory.real_ms(request.tenant, message.expiry)
        )
        self._kept.put(identity, made)
        return made

    def outbound(
        self, judgement: Judgement, row: Transaction, now_ms: int, known: Known = NOTHING_KNOWN
    ) -> Ready | Refused | Wait:
        """The message as the connector takes it, or why it may not go now."""
        if judgement.verdict is None:
            return judgement.instead
        judged = judge_address(row.address, judgement.verdict, known)
        if judged.refused is not None:
            return judged.refused
        if judged.opens > now_ms:
            return Wait(judged.opens)
        body = judged.body
        assert body is not None  # noqa: S101 - a verdict that refuses nobody has a body
        if body.links:
            text = self._codes.personal(body.text, body.links, row.request, row.ordinal)
            body = msgspec.structs.replace(body, text=text)
        expiry = judgement.expiry
        validity = max(1, (expiry - now_ms) // 1000) if expiry else 0
        outbound = Outbound(
            row.request, row.ordinal, judged.to, body, validity, row.attempt + 1, row.duplicate, judged.kind,
            judged.devices,
        )  # fmt: skip
        return Ready(outbound, judged.price)

    async def afford(
        self, flights: list[Flight], now_ms: int
    ) -> tuple[list[Flight], list[tuple[Flight, Refused, Known]]]:
        """Set aside what messages cost, and count them, where that matters; which may go, and of those that may not
        after all why, and what is known of them by now."""
        by_tenant: dict[str, list[Flight]] = {}
        for flight in flights:
            declared = flight.verdict.case.facts.declared
            if declared.plan or declared.caps:
                by_tenant.setdefault(flight.request.tenant, []).append(flight)
        short: dict[int, tuple[Flight, Refused, Known]] = {}
        for chosen in by_tenant.values():
            asks = [one.ask for one in chosen]
            granted, after = await self._lookup.reserve(chosen[0].verdict.case.facts, asks, now_ms)
            for flight, may in zip(chosen, granted, strict=True):
                if not may:
                    known = replace(flight.known, sent={**flight.known.sent, **after.sent}, balance=after.balance)
                    made = self.outbound(flight.judgement, flight.row, now_ms, known)
                    short[id(flight)] = (flight, made if isinstance(made, Refused) else OVERTAKEN, known)
        return [flight for flight in flights if id(flight) not in short], list(short.values())

    def gates(self, judgement: Judgement, row: Transaction, now_ms: int, known: Known = NOTHING_KNOWN) -> StoryLine:
        """The gates a message passed or failed, as a story line."""
        data: list[dict[str, object]]
        if judgement.verdict is None:
            why = judgement.instead
            data = [{"gate": why.gate, "ok": False, "value": why.value, "decided_by": why.decided_by}]
        else:
            data = story(judgement.verdict, row.address, known)
        return line(self._ids.next(), (row.request, row.ordinal), now_ms, "gates", data)
