"""Fetches what policy must know of a chunk of addresses, and sets money aside before messages go out.

What a tenant keeps nothing of is not asked for. Whether there is anything on a tenant's do-not-disturb list is
remembered: that there is, for good; that there is not, for a second, or until this process writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from heliograph.model.channel import Channel
from heliograph.model.message import Address, Content
from heliograph.model.money import Account, Ask, Reserve, Reserved
from heliograph.model.people import NOTHING_KNOWN, DndRow, Known, People, Person, Where
from heliograph.policy.facts import Facts
from heliograph.policy.gates.case import PROFILE_KINDS, Case, reached
from heliograph.policy.objects.people import slot_of

EMPTY_MS = 1_000  # how long an empty list is taken for empty


class Kept(Protocol):
    """What is asked of the store."""

    async def has_dnd(self, tenant: str) -> bool:
        """Whether there is anything on the list."""

    async def dnd_of(self, tenant: str, addresses: Collection[str]) -> list[DndRow]:
        """The entries of these addresses."""

    async def sent_to(
        self, tenant: str, slots: Collection[str], addresses: Collection[str]
    ) -> list[tuple[str, str, int]]:
        """What these addresses have had."""

    async def account(self, tenant: str) -> Account | None:
        """How the tenant's account stands."""

    async def reserve(self, asked: Reserve) -> Reserved:
        """Set money aside."""


class Nobody:
    """Profiles where none are kept."""

    async def people(self, tenant: str, app: str, addresses: Collection[Address]) -> Mapping[Where, Person]:
        """See `People`."""
        return {}


class Lookup:
    """Looks addresses up, once for a whole chunk."""

    def __init__(self, kept: Kept | None = None, people: People | None = None) -> None:
        self._kept = kept
        self._people = people or Nobody()
        self._listed: dict[str, int | None] = {}
        self.tell: Callable[[str], None] | None = None
        """Called when something was put on a tenant's list, to tell other processes."""

    def listed(self, tenant: str) -> None:
        """Something was put on a tenant's list, here."""
        self.heard(tenant)
        if self.tell is not None:
            self.tell(tenant)

    def heard(self, tenant: str) -> None:
        """Something was put on a tenant's list, here or by another process."""
        self._listed[tenant] = None

    async def known(self, facts: Facts, content: Content, addresses: Collection[Address], now_ms: int) -> Known:
        """What is known of addresses that a content is for."""
        people: Mapping[Where, Person] = {}
        binding = facts.service.channels.get(content.channel)
        app = content.appid or (binding.app if binding else "")
        if app or facts.tenant.profile_store is not None:
            people = await self._people.people(facts.tenant.id, app, addresses)
        channel = facts.channels.get(content.channel)
        if self._kept is None or channel is None:
            return Known(people=people) if people else NOTHING_KNOWN
        listed = await self._is_listed(self._kept, facts.tenant.id, now_ms)
        if not (people or listed or facts.declared.caps or facts.declared.plan):
            return NOTHING_KNOWN
        names = set(_names(addresses, channel, people, sandbox=facts.service.sandbox))
        return Known(
            people=people,
            dnd=_by_address(await self._kept.dnd_of(facts.tenant.id, names)) if listed else {},
            sent=await self._sent(self._kept, facts, names, now_ms),
            balance=await self._balance(self._kept, facts),
        )

    async def _balance(self, kept: Kept, facts: Facts) -> int | None:
        plan = facts.declared.plan
        if plan is None:
            return None
        account = await kept.account(facts.tenant.id)
        return account.balance if account else plan.opening

    async def _is_listed(self, kept: Kept, tenant: str, now_ms: int) -> bool:
        since = self._listed.get(tenant, -EMPTY_MS)
        if since is None:
            return True
        if 0 <= now_ms - since < EMPTY_MS:
            return False
        found = await kept.has_dnd(tenant)
        if self._listed.get(tenant, 0) is not None:  # else something was put there meanwhile
            self._listed[tenant] = None if found else now_ms
        return self._listed[tenant] is None

    async def _sent(
        self, kept: Kept, facts: Facts, addresses: Collection[str], now_ms: int
    ) -> Mapping[tuple[str, str], int]:
        caps = facts.declared.caps
        if not caps:
            return {}
        there = now_ms + facts.ahead_ms
        names = {slot_of(cap, there, facts.tenant.timezone)[0]: cap.name for cap in caps}
        found = await kept.sent_to(facts.tenant.id, list(names), addresses)
        return {(names[slot], address): count for slot, address, count in found}

    async def reserve(self, facts: Facts, asks: list[Ask], now_ms: int) -> tuple[list[bool], Known]:
        """Set money aside for messages of a tenant, in order, and count them: which may go, and what is known of the
        others by then."""
        assert self._kept is not None  # noqa: S101 - who has caps or billing has a store
        plan, zone = facts.declared.plan, facts.tenant.timezone
        slots = {cap: slot_of(cap, now_ms + facts.ahead_ms, zone) for cap in facts.declared.caps}
        asked = Reserve(
            tenant=facts.tenant.id, at=now_ms, asks=asks, paid=plan is not None, opening=plan.opening if plan else 0,
            most={slot: cap.declared.most for cap, (slot, _) in slots.items()}, until=dict(slots.values()),
        )  # fmt: skip
        found = await self._kept.reserve(asked)
        names = {slot: cap.name for cap, (slot, _) in slots.items()}
        sent = {(names[slot], address): count for slot, address, count in found.sent}
        return found.granted, Known(sent=sent, balance=found.left)


def asked_of(case: Case, request: int, ordinal: int, to: str, price: int) -> Ask:
    """What a message asks for before it goes out."""
    channel, tenant = case.message.content.channel, case.facts.tenant
    slots = tuple(
        slot_of(cap, case.now_ms, tenant.timezone)[0]
        for cap in case.facts.declared.caps
        if cap.is_for(channel, case.category)
    )
    return Ask(request, ordinal, price, to, slots)


def _names(
    addresses: Iterable[Address], channel: Channel, people: Mapping[Where, Person], *, sandbox: bool
) -> Iterable[str]:
    """Every name under which lists may know the addresses."""
    for address in addresses:
        if address.kind in PROFILE_KINDS:
            yield address.value
            person = people.get((address.kind, address.value))
            to = reached(address, channel, person, sandbox=sandbox)[1]
        else:
            to = channel.normalise(address.value)
        if to is not None:
            yield to


def _by_address(rows: Iterable[DndRow]) -> dict[str, tuple[DndRow, ...]]:
    found: dict[str, tuple[DndRow, ...]] = {}
    for row in rows:
        found[row.address] = (*found.get(row.address, ()), row)
    return found
