"""Accounts: money is set aside before a message goes out, spent when the far end takes it, given back when it fails.

At any moment, of every account: balance + reserved + spent = the sum of its entries. Amounts are whole millionths.
Whoever is written to as often as they may be is counted by the same reservation, so that one commit decides both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from heliograph.model.money import Account, Ask, Entry, Reserve, Reserved
from heliograph.model.outcome import State
from heliograph.model.record import Change
from heliograph.store.areas.wishes import decoded
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, bulk, do, value

OPENING, CHANGED = "opening", "opening changed"


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A reservation as it is kept."""

    request: int
    ordinal: int
    tenant: str
    amount: int
    address: str
    slots: list[str]


def open_account(payloads: Sequence[tuple[str, int, int]]) -> Plan[list[None]]:
    """An account is opened with so much; one that was opened with another amount is moved by the difference, but not
    below nothing."""
    for tenant, opening, now_ms in payloads:
        if (yield bulk("open_accounts", [(tenant, opening, opening)], Answer.COUNT)):
            yield bulk("insert_entries", [(tenant, now_ms, OPENING, opening, "", "workspace")])
            continue
        found = yield value("lock_account", tenant)
        account = msgspec.json.decode(found, type=Account)
        if account.opening != opening:
            moved = max(opening - account.opening, -account.balance)
            yield do("change_opening", tenant, opening, moved)
            yield bulk("insert_entries", [(tenant, now_ms, CHANGED, moved, "", "workspace")])
    return [None] * len(payloads)


def enter(payloads: Sequence[tuple[str, Entry]]) -> Plan[list[Account | None]]:
    """Book an amount to an account; the account then, or None (and nothing is booked) when there is none or it would
    fall below nothing."""
    results: list[Account | None] = []
    for tenant, entry in payloads:
        found = yield value("lock_account", tenant)
        account = msgspec.json.decode(found, type=Account) if found else None
        if account is None or account.balance + entry.amount < 0:
            results.append(None)
            continue
        yield bulk("move_money", [(tenant, entry.amount, 0, 0)])
        yield bulk("insert_entries", [(tenant, entry.at, entry.kind, entry.amount, entry.note, entry.actor)])
        results.append(msgspec.structs.replace(account, balance=account.balance + entry.amount))
    return results


def reserve(payloads: Sequence[Reserve]) -> Plan[list[Reserved]]:
    """Set money aside and count, message by message, as far as both go."""
    results = []
    for payload in payloads:
        results.append((yield from _reserve(payload)))
    return results


def _reserve(payload: Reserve) -> Plan[Reserved]:
    found = yield value("lock_account", payload.tenant)
    if found is None:
        yield from open_account([(payload.tenant, payload.opening, payload.at)])
        found = yield value("lock_account", payload.tenant)
    account = msgspec.json.decode(found, type=Account)
    known = yield value("reserved_among", [ask.request for ask in payload.asks])
    ledger = _Ledger(account.balance, payload.most, set(msgspec.json.decode(known, type=list[tuple[int, int]])))
    if payload.most:
        addresses = sorted({ask.address for ask in payload.asks})
        counts = yield value("sent_to", payload.tenant, sorted(payload.most), addresses)
        ledger.sent.update({(slot, address): count for slot, address, count in decoded(counts)})
    granted = [ledger.take(ask, payload.paid) for ask in payload.asks]
    yield from _keep(payload, ledger)
    left = ledger.left if payload.paid else None
    return Reserved(granted=granted, left=left, sent=[(*place, n) for place, n in ledger.sent.items()])


class _Ledger:
    """What is left while asks are granted one by one."""

    def __init__(self, left: int, most: Mapping[str, int], known: set[tuple[int, int]]) -> None:
        self.left = left
        self.most = most
        self.known = known
        self.sent: Counter[tuple[str, str]] = Counter()
        self.kept: list[Ask] = []

    def take(self, ask: Ask, paid: bool) -> bool:
        """Grant one ask, or not; one that was granted before stays so."""
        if (ask.request, ask.ordinal) in self.known:
            return True
        if paid and ask.amount > self.left:
            return False
        if any(self.sent[slot, ask.address] >= self.most[slot] for slot in ask.slots):
            return False
        self.left -= ask.amount
        for slot in ask.slots:
            self.sent[slot, ask.address] += 1
        self.known.add((ask.request, ask.ordinal))
        self.kept.append(ask)
        return True


def _keep(payload: Reserve, ledger: _Ledger) -> Plan[None]:
    tenant, kept = payload.tenant, ledger.kept
    yield bulk("insert_reservations", [
        (ask.request, ask.ordinal, tenant, ask.amount, ask.address, msgspec.json.encode(ask.slots).decode())
        for ask in kept
    ])  # fmt: skip
    total = sum(ask.amount for ask in kept)
    if total:
        yield bulk("move_money", [(tenant, -total, total, 0)])
    until = payload.until
    yield bulk("count_sent", _counted(((tenant, slot, ask.address) for ask in kept for slot in ask.slots), until, 1))


def _counted(
    places: Iterable[tuple[str, str, str]], until: Mapping[str, int], sign: int
) -> list[tuple[str, str, str, int, int]]:
    counted = Counter(places)
    return [(*place, sign * counted[place], until.get(place[1], 0)) for place in sorted(counted)]


def release(rows: Sequence[tuple[int, int, bool]]) -> Plan[None]:
    """Reservations of messages `(request, ordinal, spent)` end: the money is spent, or given back and not counted."""
    if not rows:
        return
    found = yield value("reservations_of", [row[0] for row in rows])
    spent = {(request, ordinal): went for request, ordinal, went in rows}
    held = [item for item in msgspec.json.decode(found, type=list[Held]) if (item.request, item.ordinal) in spent]
    if not held:
        return
    yield bulk("drop_reservations", [(item.request, item.ordinal) for item in held])
    moved: dict[str, list[int]] = {}
    for item in held:
        went = spent[item.request, item.ordinal]
        sums = moved.setdefault(item.tenant, [0, 0, 0])
        sums[0] += 0 if went else item.amount
        sums[1] -= item.amount
        sums[2] += item.amount if went else 0
    yield bulk("move_money", [(tenant, *moved[tenant]) for tenant in sorted(moved)])
    back = [item for item in held if not spent[item.request, item.ordinal]]
    yield bulk("count_sent", _counted(
        ((item.tenant, slot, item.address) for item in back for slot in item.slots), {}, -1
    ))  # fmt: skip


def ended(
    changes: Sequence[Change], applied: Sequence[bool], *, failed_goes_back: bool
) -> list[tuple[int, int, bool]]:
    """The changes that end a reservation, for `release`."""
    return [
        (change.request, change.ordinal, not (failed_goes_back and change.state is State.FAILED))
        for change, took in zip(changes, applied, strict=True)
        if took and change.state >= State.SUBMITTED
    ]


def tidy_reservations(payloads: Sequence[None]) -> Plan[list[int]]:
    """Reservations whose message has long been sent or failed end as that says; how many."""
    found = yield value("stale_reservations")
    rows = [(request, ordinal, bool(went)) for request, ordinal, went in msgspec.json.decode(found)]
    yield from release(rows)
    return [len(rows), *[0] * (len(payloads) - 1)]


class Money(Area):
    """Accounts and what is set aside of them."""

    async def open_account(self, tenant: str, opening: int, now_ms: int) -> None:
        """Open an account with so much, or move it by what that differs from before."""
        await self.engine.write("open_account", (tenant, opening, now_ms))

    async def enter(self, tenant: str, entry: Entry) -> Account | None:
        """Book an amount; the account then, or None when it does not allow it."""
        result: Account | None = await self.engine.write("enter", (tenant, entry))
        return result

    async def reserve(self, asked: Reserve) -> Reserved:
        """Set money aside for messages, and count them, before they go out."""
        result: Reserved = await self.engine.write("reserve", asked)
        return result

    async def tidy_reservations(self) -> int:
        """End what was left behind; how many."""
        result: int = await self.engine.write("tidy_reservations", None)
        return result

    async def account(self, tenant: str) -> Account | None:
        """How an account stands."""
        found: list[Account] = await self._read(list[Account], "account_of", tenant)
        return found[0] if found else None

    async def entries(self, tenant: str, before: int, limit: int) -> list[Entry]:
        """What was booked, newest first, with ids below `before`."""
        return await self._read(list[Entry], "entries_of", tenant, before, limit)
