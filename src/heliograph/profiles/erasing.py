"""Forgets a person: profiles, addresses, texts, stories, inbound messages; what remains is a deed in the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass

from heliograph.model.events import ENDED
from heliograph.model.ids import Ids
from heliograph.model.message import Message
from heliograph.model.people.audit import Deed
from heliograph.model.profiles.apps import kind_of
from heliograph.model.profiles.declared import ALIAS_KIND
from heliograph.model.profiles.erasure import ANY, CUSTOMER, Trace, Traces, traces_of, without_content
from heliograph.model.profiles.records import AppUser, Batch, Change, Customer, Write
from heliograph.model.workspace import Tenant
from heliograph.store import Store
from heliograph.store.vault import Vault

SLICE = 2_000  # requests looked through at once
APP_KINDS = frozenset({ANY, "userid", "rtmid"})  # what users of apps in real time are called by
EVENTS = 200  # occurrences; each may hold as much as a hook takes


@dataclass(slots=True)
class Erased:
    """How much went; `waiting` messages and events were still on their way and kept their address, so that they can
    end: call again once they have."""

    profiles: int = 0
    messages: int = 0
    contents: int = 0
    inbound: int = 0
    receipts: int = 0
    events: int = 0
    waiting: int = 0


class Eraser:
    """Forgets people of a tenant."""

    def __init__(self, store: Store, vault: Vault, ids: Ids, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._vault = vault
        self._ids = ids
        self._clock_ms = clock_ms

    async def erase(self, tenant: Tenant, customer: str, addresses: Collection[str], actor: str) -> Erased:
        """Forget who is this customer, and whoever has one of these addresses. May be called again: what is gone
        stays gone. Raises `StoreUnavailable`."""
        found = (await self._store.customers_named(tenant.id, [customer])).get(customer) if customer else None
        name = found.customer if found else customer
        users = await self._store.app_users_of_customers(tenant.id, "", [name]) if name else []
        given = ((ANY, value) for value in addresses)
        traces = traces_of([*given, *_names({name, customer}, found), *_called(tenant, users)])
        erased = Erased()
        erased.profiles = await self._profiles(tenant, found, users)
        await self._messages(tenant.id, traces, erased)
        await self._received(tenant.id, traces, erased)
        await self._events(tenant.id, traces, erased)
        if in_apps := sorted({value for kind, value in traces.names if kind in APP_KINDS}):
            await self._store.inapp_forget_users(tenant.id, in_apps)
        if name:
            await self._store.erase_jobs(tenant.id, sorted({name, customer}))
        now_ms, who = self._clock_ms(), name or min(addresses, default="")
        person = self._vault.fingerprint(f"{tenant.id}/{who}")
        await self._store.audit(
            Deed(self._ids.next(), now_ms, tenant.id, actor, "person erased", f"person {person}", asdict(erased))
        )
        return erased

    async def _profiles(self, tenant: Tenant, customer: Customer | None, users: Collection[AppUser]) -> int:
        now_ms, count = self._clock_ms(), len(users)
        for app in sorted({user.app for user in users}):
            changes = [Change(user=one.user, device=one.device) for one in users if one.app == app]
            await self._store.write_profiles(Write(Batch(tenant.id, "delete", changes, app), None, now_ms))
        if customer is not None:
            batch = Batch(tenant.id, "delete", [Change(customer=customer.customer)])
            await self._store.write_profiles(Write(batch, None, now_ms))
            count += 1
        return count

    async def _messages(self, tenant: str, traces: Traces, erased: Erased) -> None:
        after, endings = 0, traces.endings()
        while True:
            part = await self._store.traces(tenant, after, SLICE, endings)
            if not part.last:
                return
            after = part.last
            meant = [row for row in part.rows if traces.has(row.kind, row.destination)]
            erased.waiting += sum(row.open for row in meant)
            ended = [row for row in meant if not row.open]
            if ended:
                emptied = await self._emptied(ended)
                await self._store.erase([(row.request, row.ordinal) for row in ended], emptied)
                erased.messages += len(ended)
                erased.contents += len(emptied)

    async def _emptied(self, ended: Collection[Trace]) -> dict[int, tuple[Message, ...]]:
        """The messages of requests of which an element was for nobody else."""
        numbers = sorted({row.request for row in ended})
        going = Counter((row.request, row.element) for row in ended)
        left = {
            (request, element): count - going[request, element]
            for request, element, count in await self._store.elements_left(numbers)
        }
        requests = await self._store.requests(numbers)
        gone: dict[int, list[int]] = {}
        for (request, element), count in left.items():
            if not count and (request, element) in going:
                gone.setdefault(request, []).append(element)
        return {number: without_content(requests[number], elements) for number, elements in gone.items()}

    async def _received(self, tenant: str, traces: Traces, erased: Erased) -> None:
        endings = traces.endings()
        inbound = [
            number for number, sender in await self._store.inbound_traces(tenant, endings) if traces.has(ANY, sender)
        ]
        unmatched = [
            number for number, to in await self._store.unmatched_traces(tenant, endings) if traces.has(ANY, to)
        ]
        if inbound or unmatched:
            await self._store.erase_received(inbound, unmatched)
        erased.inbound, erased.receipts = len(inbound), len(unmatched)

    async def _events(self, tenant: str, traces: Traces, erased: Erased) -> None:
        """What came with events, hooks and whatever else happened, if anything in it is the person's."""
        before = (1 << 63) - 1
        while page := await self._store.occurrences_before(before, EVENTS, tenant):
            before = page[-1].id
            meant = [one for one in page if traces.within([one.payload, one.correlation])]
            ended = [one.id for one in meant if one.state in ENDED]
            erased.waiting += len(meant) - len(ended)
            erased.events += len(ended)
            if ended:
                await self._store.erase_occurrences(ended)


def _names(ids: Collection[str], customer: Customer | None) -> Iterator[tuple[str, str]]:
    """What a customer is called by: ids and aliases, numbers, addresses."""
    yield from ((CUSTOMER, name) for name in ids)
    for kind, value in customer.keys if customer else ():
        yield (CUSTOMER if kind == ALIAS_KIND else kind), value


def _called(tenant: Tenant, users: Collection[AppUser]) -> Iterator[tuple[str, str]]:
    """What users of apps are called by: ids on their channels, tokens."""
    kinds = {app.id: kind for app in tenant.apps if (kind := kind_of(app)) is not None}
    for user in users:
        yield (kinds[user.app].address if user.app in kinds else ANY), user.user
        yield "rtmid", user.handle
        yield ANY, user.token
