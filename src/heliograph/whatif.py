"""Replays what was accepted against other policies: what would have become of it, and what not.

Each message is judged twice at the moment it was accepted, as the workspace has its tenant now and as it would have
it, with the same facts: profiles and the do-not-disturb list as they are now, counts of caps as the replay counts
them, money (if the policies say what it costs) as the replay spends it. Nothing is sent, stored or told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from heliograph import catalogue
from heliograph.contract.workspace import Faults, read_workspace
from heliograph.lookup import Lookup, asked_of
from heliograph.model.channel import Channel
from heliograph.model.message import Message, Request, Transaction
from heliograph.model.outcome import Refused
from heliograph.model.people import NOTHING_KNOWN, Known
from heliograph.model.workspace import Document, Tenant
from heliograph.policy import Verdict, judge_address, judge_message
from heliograph.policy.directory import Directory
from heliograph.policy.facts import Facts
from heliograph.policy.objects.people import slot_of
from heliograph.store import Store
from heliograph.store.filters import MessageFilter

MEMBERS = (
    "billing", "dnd", "dnd_exempt", "frequency_caps", "spam_words", "social_hours", "verified_only", "timezone",
    "senders", "templates",
)  # fmt: skip
"""What of a tenant may be tried otherwise."""

GOES, WAITS = "1001", "held"
EXAMPLES = 20
PAGE = 2_000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One message of which something else would have become: the codes, `1001` for one that goes and `held` for one
    that waits, and what decided."""

    transid: str
    accepted: int
    channel: str
    destination: str
    before: str
    after: str
    stored: str
    gate: str = ""
    value: str = ""
    decided_by: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found: how many messages were judged, codes with how often each, the changes from one code to
    another with how often each, and examples. `more` says that there was more to replay."""

    judged: int
    before: dict[str, int]
    after: dict[str, int]
    changes: dict[str, int]
    examples: list[Difference]
    more: bool


@dataclass(slots=True)
class _Side:
    """One of the two worlds: the facts of its services, what was counted and is left in it."""

    tenant: Tenant
    facts: Callable[[str], Facts | None]
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: int | None = None
    codes: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None
    judging: tuple[int, int] = (0, 0)


class _Counts(Mapping[tuple[str, str], int]):
    """What addresses have had by a moment, by the names of caps."""

    def __init__(self, sent: Counter[tuple[str, str]], facts: Facts, now_ms: int) -> None:
        self._sent = sent
        self._slots = {
            cap.name: slot_of(cap, now_ms + facts.ahead_ms, facts.tenant.timezone)[0] for cap in facts.declared.caps
        }

    def __getitem__(self, place: tuple[str, str]) -> int:
        return self._sent[self._slots[place[0]], place[1]]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._sent)

    def __len__(self) -> int:
        return len(self._slots)


class WhatIf:
    """Replays the messages of a tenant."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        lookup: Lookup,
        channels: Mapping[str, Channel],
    ) -> None:
        self._store = store
        self._directory = directory
        self._lookup = lookup
        self._channels = channels

    async def replay(self, tenant: Tenant, policy: Mapping[str, Any], chosen: MessageFilter) -> Report:
        """Replay the chosen messages (the newest, when they are more than its limit) under `policy`: members of the
        tenant, or a workspace that has it. Raises `Faults`."""
        other = changed(tenant, policy, self._channels)
        rows, more = await self._rows(chosen)
        money = "billing" in _members(tenant, policy)
        before, after = (self._side(one, money=money) for one in (tenant, other))
        changes: Counter[str] = Counter()
        examples: list[Difference] = []
        for start in range(0, len(rows), PAGE):
            page = rows[start : start + PAGE]
            requests = await self._store.requests({row.request for row in page})
            for request, element, chunk in _chunks(page, requests):
                known = await self._known(request, request.messages[element], chunk)
                for row in chunk:
                    first, _ = _judged(before, request, row, known)
                    second, refused = _judged(after, request, row, known)
                    if first != second:
                        changes[f"{first} -> {second}"] += 1
                        if len(examples) < EXAMPLES:
                            examples.append(_difference(request, row, first, second, refused))
        return Report(
            judged=len(rows), before=dict(before.codes), after=dict(after.codes), changes=dict(changes.most_common()),
            examples=examples, more=more,
        )  # fmt: skip

    def _side(self, tenant: Tenant, *, money: bool) -> _Side:
        directory = Directory(Document(tenants=(tenant,)), self._channels)
        plan = directory.declared(tenant.id).plan
        left = plan.opening if money and plan else None
        return _Side(tenant, lambda service: directory.facts(tenant.id, service), left=left)

    async def _rows(self, chosen: MessageFilter) -> tuple[list[Transaction], bool]:
        """The rows in the order they were accepted, and whether there were more."""
        found: list[Transaction] = []
        while len(found) < chosen.limit:
            size = min(PAGE, chosen.limit - len(found))
            page = await self._store.recent(replace(chosen, limit=size))
            found += page
            if len(page) < size:
                return found[::-1], False
            chosen = replace(chosen, before=(page[-1].request, page[-1].ordinal))
        return found[::-1], bool(await self._store.recent(replace(chosen, limit=1)))

    async def _known(self, request: Request, message: Message, rows: Sequence[Transaction]) -> Known:
        facts = self._directory().facts(request.tenant, request.service)
        if facts is None:
            return NOTHING_KNOWN
        return await self._lookup.known(facts, message.content, [row.address for row in rows], request.accepted)


def _members(tenant: Tenant, policy: Mapping[str, Any]) -> Mapping[str, Any]:
    """The members that a policy gives; of a whole workspace those of the tenant in it."""
    if "tenants" not in policy:
        return policy
    tenants = policy["tenants"]
    for one in tenants if isinstance(tenants, list) else ():
        if isinstance(one, dict) and one.get("id") == tenant.id:
            return {name: value for name, value in one.items() if name in MEMBERS}
    raise Faults([("tenants", f"the document has no tenant {tenant.id}")])


def changed(tenant: Tenant, policy: Mapping[str, Any], channels: Mapping[str, Channel]) -> Tenant:
    """The tenant with the members of a policy. Raises `Faults` for what is wrong with it."""
    members = _members(tenant, policy)
    if unknown := [name for name in members if name not in MEMBERS]:
        raise Faults([(unknown[0], f"is no policy; there are {', '.join(MEMBERS)}")])
    plain = msgspec.json.decode(msgspec.json.encode(tenant))
    read: Tenant = read_workspace({"tenants": [{**plain, **members}]}, channels).tenants[0]
    return read


def _chunks(
    rows: Sequence[Transaction], requests: Mapping[int, Request]
) -> list[tuple[Request, int, list[Transaction]]]:
    """Neighbouring rows of one element of a call."""
    found: list[tuple[Request, int, list[Transaction]]] = []
    for row in rows:
        if found and (found[-1][0].id, found[-1][1]) == (row.request, row.element):
            found[-1][2].append(row)
        elif row.request in requests:
            found.append((requests[row.request], row.element, [row]))
    return found


def _judged(side: _Side, request: Request, row: Transaction, known: Known) -> tuple[str, Refused | None]:
    """What becomes of a destination in one of the worlds: its code, and what refused it."""
    facts = side.facts(request.service)
    if facts is None:
        side.codes[GOES] += 1
        return GOES, None
    place = (request.id, row.element)
    if side.verdict is None or side.judging != place:
        side.verdict, side.judging = judge_message(request.messages[row.element], facts, request.accepted), place
    counts = _Counts(side.sent, facts, request.accepted)
    judged = judge_address(row.address, side.verdict, replace(known, sent=counts, balance=side.left))
    if judged.refused is not None:
        code = catalogue.code(judged.refused.key)
    else:
        code = WAITS if judged.opens > request.accepted else GOES
        side.left = None if side.left is None else side.left - judged.price
        for slot in asked_of(side.verdict.case, request.id, row.ordinal, judged.to, judged.price).slots:
            side.sent[slot, judged.to] += 1
    side.codes[code] += 1
    return code, judged.refused


def _difference(request: Request, row: Transaction, before: str, after: str, refused: Refused | None) -> Difference:
    return Difference(
        transid=request.transid(row.ordinal),
        accepted=request.accepted,
        channel=request.messages[row.element].content.channel,
        destination=row.address.value,
        before=before,
        after=after,
        stored=catalogue.code(row.key) if row.key else "",
        gate=refused.gate if refused else "",
        value=refused.value if refused else "",
        decided_by=refused.decided_by if refused else "",
    )
