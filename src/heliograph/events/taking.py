"""Takes calls of the Event API: each event becomes an occurrence, durable before the caller hears 1002."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.events.calls import BadEvent, Opened, Sent, open_call, read_event
from heliograph.events.declared import Definitions
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.record import KeptAnswer
from heliograph.model.workspace import Service, Tenant
from heliograph.named import Caller, Name, Named, kept_answer
from heliograph.policy.limits import Limiter, Standing
from heliograph.store import Store
from heliograph.store.areas.automation.events import Happened

NO_RULE = "no rule is for it"
NAMES_OF = "{}/events"  # a service's names of event calls are apart from those of its messages

Happening = Callable[[list[Occurrence]], None]
HasRule = Callable[[str, str, str], bool]
"""Whether a tenant has a rule for a trigger and the name of what happened."""


class Answer(NamedTuple):
    """What became of one event; `parameters` are those that were missing."""

    key: str
    ordinal: int
    correlation: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that was taken: the base of its transids and one answer per event, in their order."""

    transid: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class _Call:
    """One call while it is worked out: `numbers` are ids for its events, `answers` grows with them."""

    tenant: Tenant
    service: Service
    opened: Opened
    now_ms: int
    numbers: list[int]
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Means:
    """What events are taken with: `has_rule` says whether anything follows from them, `happened` is called after the
    commit with what somebody has to look at."""

    store: Store
    ids: Ids
    clock_ms: Callable[[], int]
    limits: Limiter
    has_rule: HasRule
    happened: Happening


class Taker:
    """Takes events."""

    def __init__(self, means: Means, definitions: Definitions) -> None:
        self._means = means
        self._definitions = definitions
        self._named = Named(means.store)
        self.counts = dict.fromkeys(
            ("calls", "events", "refused", "rejected", "limited", "replayed", "unresolved"), 0
        )

    def standing(self, tenant: Tenant) -> Standing | None:
        """Where a tenant stands with its events; None when it has no limit."""
        return self._means.limits.events(tenant, self._means.clock_ms())

    async def take(
        self, tenant: Tenant, service: Service, found: dict[str, Any], body: bytes, key: str | None = None
    ) -> Taken:
        """Take a call of an authenticated service, whose `body` says what was `found`. Raises `Rejected` when all of
        it is refused and `StoreUnavailable` when it cannot be kept. A call with a `key` is taken once."""
        if key is None:
            return await self._take(tenant, service, found, None)
        taken: list[Taken] = []

        async def take(name: Name) -> None:
            taken.append(await self._take(tenant, service, found, name))

        caller = Caller(tenant.id, NAMES_OF.format(service.id))
        kept = await self._named.once(caller, key, body, self._means.clock_ms(), take)
        if kept is None:
            return taken[0]
        self.counts["replayed"] += 1
        return msgspec.json.decode(kept, type=Taken)

    async def _take(self, tenant: Tenant, service: Service, found: dict[str, Any], name: Name | None) -> Taken:
        now_ms = self._means.clock_ms()
        try:
            opened = open_call(found)
        except Rejected:
            self.counts["rejected"] += 1
            raise
        await self._limit(tenant, len(opened.events), now_ms)
        if opened.expiry and opened.expiry <= now_ms:
            self.counts["rejected"] += 1
            raise Rejected(keys.REQUEST_EXPIRED)
        number, *numbers = self._means.ids.several(1 + len(opened.events))
        call = _Call(tenant, service, opened, now_ms, numbers, [])
        taken = Taken(transid_of(number, new_nonce()), call.answers)
        occurrences = self._read(call, taken.transid)
        if occurrences:
            await self._keep(occurrences, _kept(call, number, name, taken))
        self.counts["calls"] += 1
        self.counts["events"] += len(occurrences)
        self.counts["refused"] += len(taken.answers) - len(occurrences)
        return taken

    async def _limit(self, tenant: Tenant, count: int, now_ms: int) -> None:
        await self._means.limits.provide_events(tenant, count, now_ms)
        try:
            self._means.limits.take_events(tenant, count, now_ms)
        except Rejected:
            self.counts["limited"] += 1
            raise

    def _read(self, call: _Call, transid: str) -> list[Occurrence]:
        """The events that can be kept; what becomes of each is added to the answers."""
        definitions = self._definitions.of(call.tenant.id)
        found = []
        for ordinal, event in enumerate(call.opened.events):
            try:
                sent = read_event(event, definitions)
            except BadEvent as error:
                call.answers.append(Answer(error.key, ordinal, error.correlation, error.parameters))
                continue
            call.answers.append(Answer(keys.QUEUED, ordinal, sent.correlation))
            found.append(self._occurrence(call, sent, call.numbers[ordinal], ordinal_of(transid, ordinal)))
        return found

    def _occurrence(self, call: _Call, sent: Sent, number: int, transid: str) -> Occurrence:
        tenant, service, spec = call.tenant, call.service, sent.definition.spec
        payload = {
            "evtid": spec.id, "name": spec.name, "correlationid": sent.correlation, "parameters": sent.parameters,
        }  # fmt: skip
        note = "" if sent.definition.may_send(service.id) else foreign(service.id, spec.services)
        if not note and not self._means.has_rule(tenant.id, "event", spec.id):
            note = NO_RULE
        return Occurrence(
            number, tenant.id, service.id, "event", spec.id, payload, call.now_ms, origin=transid,
            state=OccurrenceState.UNRESOLVED if note else OccurrenceState.NEW, correlation=sent.correlation,
            notify=call.opened.notify_url or service.notify.event_url, note=note,
        )  # fmt: skip

    async def _keep(self, occurrences: list[Occurrence], kept: KeptAnswer | None) -> None:
        await self._means.store.accept_events(Happened(occurrences, kept))
        fresh = [one for one in occurrences if one.state is OccurrenceState.NEW]
        self.counts["unresolved"] += len(occurrences) - len(fresh)
        if fresh:
            self._means.happened(fresh)


def ordinal_of(transid: str, ordinal: int) -> str:
    """The transid of an event of a call: the first is bare, the next ones end in `_1`, `_2`."""
    return f"{transid}_{ordinal}" if ordinal else transid


def foreign(service: str, services: Sequence[str]) -> str:
    """Why nothing follows from an event that a service may not send."""
    return f"it came with a key of the service {service}; the event is for {', '.join(services)}"


def _kept(call: _Call, number: int, name: Name | None, taken: Taken) -> KeptAnswer | None:
    if name is None:
        return None
    caller = Caller(call.tenant.id, NAMES_OF.format(call.service.id))
    return kept_answer(number, caller, name, msgspec.json.encode(taken).decode())
