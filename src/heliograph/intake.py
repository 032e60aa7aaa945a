"""The verb ACCEPT: contract, service state, policy, store; then, and only then, the answer.

What is decided per destination stands in its element of the answer; everything that was accepted is durable
before the caller hears 1001.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.envelope import BadElement, Call, read_call
from heliograph.lookup import Lookup
from heliograph.model.channel import BodyLink
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.message import Address, Message, Request, Transaction
from heliograph.model.outcome import Inbound, Refused, Rejected, State
from heliograph.model.people import NOTHING_KNOWN, Known
from heliograph.model.policies import TRANSACTIONAL
from heliograph.model.record import RELAY_MS, Accepted, Counted, KeptAnswer, LinkRow, Notice, Owed, Run, StoryLine
from heliograph.model.workspace import Service, Tenant
from heliograph.named import Caller, Name, Named, kept_answer
from heliograph.policy import FAULT, Explained, explain, judge_addresses, judge_message, story
from heliograph.policy.directory import Directory
from heliograph.policy.facts import Facts
from heliograph.policy.limits import Limiter, Standing
from heliograph.policy.objects.links import asks_for_links
from heliograph.policy.outcomes import Made, OutcomeBook, notices_owed, reports_of
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

ACCEPTED = keys.ACCEPTED
ANSWER_CATEGORY = TRANSACTIONAL[0]
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One element of the answer: the catalogue key with its values, the ordinal of the transaction, the
    correlation id."""

    key: str
    ordinal: int
    correlation: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that was taken: the base of its transids and one answer per destination, in request order."""

    transid: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of a call at `now_ms`: what is against all of it, and each element in request order, a
    message with what policy says of its destinations."""

    now_ms: int
    against: list[Rejected]
    elements: list[BadElement | tuple[Message, Explained]]


@dataclass(slots=True)
class _Plan:
    """What one call becomes, while it is worked out. `name` is the caller's key and the digest of the body."""

    request: int
    answers: list[Answer]
    messages: list[Message]
    firsts: list[int]
    runs: list[Run]
    refused: list[tuple[int, int, Address, Refused]]
    story: list[StoryLine]
    counted: tuple[Counted, ...]
    name: Name | None
    links: list[LinkRow] = field(default_factory=list)
    next: int = 0


class Cause(NamedTuple):
    """Why a call is made that nobody made: `depth` rules led to it, the last of them in a `run`, and `keep` makes it
    durable with what it follows from; whether it did, or somebody else was faster."""

    depth: int
    run: int
    keep: Callable[[Accepted], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Means:
    """What decides beside the workspace: limits, and what is known of addresses. With `owes` a broker is owed what is
    to be sent."""

    limits: Limiter = field(default_factory=Limiter)
    lookup: Lookup = field(default_factory=Lookup)
    owes: bool = False


class Intake:
    """Accepts calls. `queued` and `tell` are called after the commit, with what is to be sent and told."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        ids: Ids,
        queued: Callable[[Accepted], None],
        tell: Callable[[list[Notice]], None],
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        means: Means | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._ids = ids
        self._book = OutcomeBook(directory, ids.next)
        self._queued = queued
        self._tell = tell
        self._clock_ms = clock_ms
        self._limits = (means or Means()).limits
        self._lookup = (means or Means()).lookup
        self._owes = (means or Means()).owes
        self._named = Named(store)
        self.counts = {"calls": 0, "destinations": 0, "refused": 0, "rejected": 0, "limited": 0, "replayed": 0}

    def standing(self, tenant: Tenant, service: Service) -> Standing | None:
        """Where a service stands with the limits it counts towards; None when there are none."""
        facts = self._directory().facts(tenant.id, service.id)
        return self._limits.messages(facts.meters, self._clock_ms()) if facts and facts.meters else None

    async def follow(self, tenant: Tenant, service: Service, body: bytes, cause: Cause) -> None:
        """Take the call of a rule, which `cause` keeps together with what it has come from. Raises as `accept`."""
        await self._accept(tenant, service, body, None, cause)

    async def accept(self, tenant: Tenant, service: Service, body: bytes, key: str | None = None) -> Taken:
        """Take a call of an authenticated service. Raises `Rejected` when the contract refuses all of it and
        `StoreUnavailable` when it cannot be kept.

        A call that its caller named with a key is taken once: for 24 hours the same key gives the same answer.
        """
        if key is None:
            return await self._accept(tenant, service, body, None)
        taken: list[Taken] = []

        async def take(name: Name) -> None:
            taken.append(await self._accept(tenant, service, body, name))

        kept = await self._named.once(Caller(tenant.id, service.id), key, body, self._clock_ms(), take)
        if kept is None:
            return taken[0]
        self.counts["replayed"] += 1
        return msgspec.json.decode(kept, type=Taken)

    async def _accept(
        self, tenant: Tenant, service: Service, body: bytes, name: Name | None, cause: Cause | None = None
    ) -> Taken:
        now_ms = self._clock_ms()
        directory = self._directory()
        try:
            call = read_call(body, directory.channels, _there(tenant, now_ms), directory.categories(tenant.id))
        except Rejected:
            self.counts["rejected"] += 1
            raise
        facts = directory.facts(tenant.id, service.id)
        if facts is None:
            raise Rejected(keys.SERVICE_INACTIVE)
        counted = await self._take(facts, call, now_ms) if facts.meters else ()
        plan = _Plan(self._ids.next(), [], [], [], [], [], [], counted, name)
        for element in call.elements:
            if isinstance(element, BadElement):
                plan.answers.append(Answer(element.key, plan.next, element.correlation, element.values))
                plan.next += 1
            else:
                element = _caused(element, cause)
                self._plan_message(plan, element, facts, now_ms, await self._known(element, facts, now_ms))
        nonce = new_nonce()
        if plan.messages:
            await self._keep(plan, nonce, tenant, service, now_ms, cause)
        self.counts["calls"] += 1
        self.counts["destinations"] += len(plan.answers)
        return Taken(transid_of(plan.request, nonce), plan.answers)

    async def _known(self, message: Message, facts: Facts, now_ms: int) -> Known:
        if facts.service.checks == "at_dispatch":
            return NOTHING_KNOWN
        return await self._lookup.known(facts, message.content, message.addresses, now_ms)

    async def answer(self, tenant: Tenant, service: Service, item: Inbound, text: str) -> None:
        """Answer a person who has written to us, whatever list they are on by now. On SMS only."""
        if item.channel != "sms" or not text:
            return
        body = {
            "deliverychannel": item.channel,
            "channels": {
                "sms": {"text": text, "senderid": item.destination, "extras": {"category": ANSWER_CATEGORY}}
            },
            "destination": [{"msisdn": [item.sender]}],
        }
        try:
            await self.accept(tenant, service, msgspec.json.encode(body))
        except (Rejected, StoreUnavailable) as error:
            log.warning("an answer to %s of %s could not be sent: %s", service.id, tenant.id, error)

    async def preview(self, tenant: Tenant, service: Service, body: bytes) -> Preview:
        """What would become of a call now: every fault and not only the first. Nothing is taken, kept or sent."""
        now_ms, directory = self._clock_ms(), self._directory()
        found = Preview(now_ms, [], [])
        if tenant.status != "active" or service.status != "live":
            found.against.append(Rejected(keys.SERVICE_INACTIVE))
        try:
            call = read_call(body, directory.channels, _there(tenant, now_ms), directory.categories(tenant.id))
        except Rejected as error:
            found.against.append(error)
            return found
        facts = directory.facts(tenant.id, service.id)
        if facts is None:
            raise Rejected(keys.SERVICE_INACTIVE)
        if not self._limits.room(facts.meters, _destinations(call), now_ms):
            found.against.append(Rejected(keys.TRANSACTION_LIMIT))
        for element in call.elements:
            if isinstance(element, BadElement):
                found.elements.append(element)
            else:
                known = await self._lookup.known(facts, element.content, element.addresses, now_ms)
                found.elements.append((element, explain(element, facts, now_ms, known)))
        return found

    async def _take(self, facts: Facts, call: Call, now_ms: int) -> tuple[Counted, ...]:
        """Take the call's destinations from the limits they count towards."""
        counts = _destinations(call)
        await self._limits.provide_messages(facts.meters, counts, now_ms)
        try:
            return self._limits.take_messages(facts.meters, counts, now_ms)
        except Rejected:
            self.counts["limited"] += 1
            raise

    def _plan_message(self, plan: _Plan, message: Message, facts: Facts, now_ms: int, known: Known) -> None:
        index, first = len(plan.messages), plan.next
        plan.messages.append(msgspec.structs.replace(message, addresses=()))
        plan.firsts.append(first)
        plan.runs.extend(_runs(index, first, message.addresses))
        plan.next += len(message.addresses)
        later = facts.service.checks == "at_dispatch"
        judged: list[_Judged] = []
        if not later or asks_for_links(message.content):
            judged, links = _judged(message, facts, now_ms, known)
            plan.links.extend(_link_rows(plan.request, first, facts, links, now_ms))
        if later:
            plan.answers.extend(
                Answer(ACCEPTED, first + offset, address.correlation)
                for offset, address in enumerate(message.addresses)
            )
            return
        for offset, (address, refused, gates) in enumerate(judged):
            ordinal = first + offset
            if refused is None:
                plan.answers.append(Answer(ACCEPTED, ordinal, address.correlation))
                continue
            plan.answers.append(Answer(refused.key, ordinal, address.correlation))
            plan.refused.append((index, ordinal, address, refused))
            data = msgspec.json.encode(gates).decode()
            plan.story.append(StoryLine(self._ids.next(), plan.request, ordinal, now_ms, "gates", data))

    async def _keep(
        self, plan: _Plan, nonce: int, tenant: Tenant, service: Service, now_ms: int, cause: Cause | None
    ) -> None:
        request = Request(
            id=plan.request, nonce=nonce, tenant=tenant.id, service=service.id, accepted=now_ms,
            messages=tuple(plan.messages), firsts=tuple(plan.firsts),
        )  # fmt: skip
        made: list[Made] = []
        for index, ordinal, address, refused in plan.refused:
            outcomes = self._book.of(request, index)
            change = outcomes.change(ordinal, State.FAILED, refused.key, now_ms, refused.detail)
            made.append(Made(change, outcomes, Transaction(request.id, ordinal, index, address)))
        count = sum(len(run.values) for run in plan.runs)
        accepted = Accepted(
            request=request, runs=tuple(plan.runs), changes=tuple(each.change for each in made),
            story=tuple(plan.story), occurrences=tuple(report for _, report in reports_of(made)),
            counted=self._limits.uncounted(plan.counted), links=tuple(plan.links), kept=_kept(plan, request),
            owed=_owed(plan, now_ms) if self._owes else (),
        )  # fmt: skip
        try:
            took = await self._commit(accepted, cause)
        except StoreUnavailable:
            self._limits.give_back(plan.counted)
            raise
        if not took:
            self._limits.give_back(plan.counted)
            return
        self.counts["refused"] += len(made)
        if len(made) < count:
            self._queued(accepted)
        if notices := notices_owed(made, [True] * len(made)):
            self._tell(notices)

    async def _commit(self, accepted: Accepted, cause: Cause | None) -> bool:
        if cause is not None:
            return await cause.keep(accepted)
        await self._store.accept(accepted)
        return True


_Judged = tuple[Address, Refused | None, list[dict[str, object]]]


def _judged(message: Message, facts: Facts, now_ms: int, known: Known) -> tuple[list[_Judged], tuple[BodyLink, ...]]:
    """Every destination with why it may not go, and then with the gates it passed before that; the links in the
    text."""
    try:
        verdict = judge_message(message, facts, now_ms)
        judged = judge_addresses(message.addresses, verdict, known)
        found = [
            (address, refused, story(verdict, address, known, refused) if refused else [])
            for address, refused in zip(message.addresses, judged, strict=True)
        ]
        return found, verdict.case.links
    except Exception:  # the verb's loop over elements: a fault of ours ends this one, not the others
        log.exception("a message could not be judged")
        gates: list[dict[str, object]] = [
            {"gate": FAULT.gate, "ok": False, "value": FAULT.value, "decided_by": FAULT.decided_by}
        ]
        return [(address, FAULT, gates) for address in message.addresses], ()


def _caused(message: Message, cause: Cause | None) -> Message:
    if cause is None:
        return message
    content = msgspec.structs.replace(message.content, depth=cause.depth, run=cause.run)
    return msgspec.structs.replace(message, content=content)


def _there(tenant: Tenant, now_ms: int) -> int:
    """What the tenant's clock shows."""
    return now_ms + tenant.clock_ahead * 1_000


def _destinations(call: Call) -> dict[str, int]:
    """How many destinations on each channel."""
    counts: dict[str, int] = {}
    for element in call.elements:
        if isinstance(element, Message):
            name = element.content.channel
            counts[name] = counts.get(name, 0) + len(element.addresses)
    return counts


def _link_rows(request: int, first: int, facts: Facts, links: Sequence[BodyLink], now_ms: int) -> Iterator[LinkRow]:
    """Where the links of a message lead, from its first destination on."""
    for number, link in enumerate(links):
        yield LinkRow(
            request, first, number, facts.tenant.id, link.label, link.url, link.ios, link.android, link.expired,
            now_ms + link.minutes * MINUTE_MS,
        )  # fmt: skip


def _owed(plan: _Plan, now_ms: int) -> tuple[Owed, ...]:
    """A chunk per element of which something is to be sent."""
    counts = [0] * len(plan.messages)
    for run in plan.runs:
        counts[run.element] += len(run.values)
    for index, *_ in plan.refused:
        counts[index] -= 1
    due = now_ms + RELAY_MS
    return tuple(Owed(due, plan.request, index, count) for index, count in enumerate(counts) if count)


def _kept(plan: _Plan, request: Request) -> KeptAnswer | None:
    """The answer to a named call as it will be given, to be given again."""
    if plan.name is None:
        return None
    answer = msgspec.json.encode(Taken(request.transid(0), plan.answers)).decode()
    return kept_answer(request.id, Caller(request.tenant, request.service), plan.name, answer)


def _runs(index: int, first: int, addresses: Sequence[Address]) -> list[Run]:
    """Consecutive addresses of one kind and correlation id as runs."""
    runs = []
    for (kind, correlation), group in groupby(addresses, key=lambda item: (item.kind, item.correlation)):
        values = [address.value for address in group]
        runs.append(Run(index, first, kind, correlation, values))
        first += len(values)
    return runs
