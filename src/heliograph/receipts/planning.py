"""What receipts come to, before it is written: rows to keep, changes of state, messages found in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from heliograph.catalogue import keys
from heliograph.model.ids import Ids
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import Receipt, Reference, State
from heliograph.model.record import DeviceRow, Match, Notice, Reported, Sent
from heliograph.policy.directory import Directory
from heliograph.policy.facts import OTHER_WINDOW_MS
from heliograph.policy.gates.case import PROFILE_KINDS
from heliograph.policy.outcomes import Made, OutcomeBook, Outcomes, untold
from heliograph.policy.windows import window_end_ms
from heliograph.receipts.parts import Parts, state_of
from heliograph.receipts.references import Marked, References
from heliograph.store import Store
from heliograph.store.correlator import Correlator


@dataclass(slots=True)
class Batch:
    """What one commit will hold: `pairs` are receipts that found their messages, `echoes` those that say of an
    unanswered submit that the far end has it, `looked` the marks that are looked at again, with the rows that keep
    them; `owed` what is told of devices."""

    fresh: list[Reported] = field(default_factory=list)
    adopted: list[Reported] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    owed: list[Notice] = field(default_factory=list)
    pairs: list[tuple[Reported, Match]] = field(default_factory=list)
    echoes: list[tuple[Reported, Match]] = field(default_factory=list)
    looked: list[tuple[Marked, Reported | None]] = field(default_factory=list)


class Planner:
    """Makes batches of what came. It writes nothing."""

    def __init__(
        self,
        store: Store,
        correlator: Correlator,
        directory: Callable[[], Directory],
        ids: Ids,
        clock_ms: Callable[[], int],
        references: References,
    ) -> None:
        self._store = store
        self._correlator = correlator
        self._directory = directory
        self._book = OutcomeBook(directory, ids.next)
        self._ids = ids
        self._clock_ms = clock_ms
        self._references = references
        self._parts = Parts(store)
        self.counts = {"receipts": 0, "unmatched": 0, "late": 0}

    async def plan(
        self, receipts: Sequence[tuple[str, Receipt]], late: Sequence[tuple[Reported, Match]], marks: Sequence[Marked]
    ) -> Batch:
        """What comes of receipts, of earlier ones whose messages are known by now, and of marks looked at again."""
        batch = Batch()
        now_ms = self._clock_ms()
        plain = [(connector, receipt) for connector, receipt in receipts if not receipt.until_ms]
        self.counts["receipts"] += len(receipts)
        await self._take(batch, plain, now_ms)
        fresh_marks = [Marked(connector, receipt) for connector, receipt in receipts if receipt.until_ms]
        await self._take_marks(batch, [*fresh_marks, *marks], now_ms)
        for reported, match in late:
            self.counts["late"] += 1
            batch.adopted.append(_adopted(reported, match))
            batch.pairs.append((reported, match))
        both = [*batch.pairs, *batch.echoes]
        requests = await self._store.requests({match.transaction.request for _, match in both})
        for reported, match in batch.pairs:
            if (request := requests.get(match.transaction.request)) is not None:
                outcomes = self._book.of(request, match.transaction.element)
                whole = self._whole(request, match)
                if match.parts > 1 or whole == "any":
                    await self._move_several(batch, reported, match, outcomes, whole)
                else:
                    _move(batch, reported.at, match.transaction, outcomes, reported.key, _detail(reported))
        for reported, match in batch.echoes:
            if (request := requests.get(match.transaction.request)) is not None:
                batch.made.append(self._settled(reported, match, request))
        return batch

    async def _take(self, batch: Batch, receipts: list[tuple[str, Receipt]], now_ms: int) -> None:
        """Receipts of single messages: whose they are."""
        known = await self._match(receipts)
        wanted = {
            (connector, receipt.reference)
            for connector, receipt in receipts
            if receipt.reference is not None and (connector, receipt.native_id) not in known
        }
        referred = await self._references.of_references(wanted)
        for connector, receipt in receipts:
            match = known.get((connector, receipt.native_id))
            if receipt.reference is not None:
                if match is not None and receipt.key == keys.SUBMITTED:
                    batch.sent += _sent(connector, receipt, match)
                    continue  # the far end repeats what it has answered
                if match is None:
                    match = self._settle_by(batch, connector, receipt, referred)
            elif match is None:
                match = self._by_destination(connector, receipt)
            reported = self._report(connector, receipt, match, now_ms)
            batch.fresh.append(reported)
            if match is None:
                self.counts["unmatched"] += 1
                self._correlator.early(reported)
            elif receipt.key == keys.SUBMITTED and receipt.reference is not None:
                batch.echoes.append((reported, match))
            else:
                batch.pairs.append((reported, match))

    def _settle_by(
        self, batch: Batch, connector: str, receipt: Receipt, referred: dict[tuple[str, Reference], Match]
    ) -> Match | None:
        """The message that a reference names; from now on the id is known as its."""
        assert receipt.reference is not None  # noqa: S101
        match = referred.get((connector, receipt.reference))
        if match is not None:
            batch.sent += _sent(connector, receipt, match)
            self._correlator.submitted(connector, _natives(receipt.native_id, match), match.transaction)
        return match

    def _settled(self, reported: Reported, match: Match, request: Request) -> Made:
        """The submit was not answered, and the far end has the message all the same."""
        facts = self._directory().facts(request.tenant, request.service)
        channel = request.messages[match.transaction.element].content.channel
        window = facts.windows.get(channel, OTHER_WINDOW_MS) if facts else OTHER_WINDOW_MS
        outcomes = self._book.of(request, match.transaction.element)
        natives = _natives(reported.native_id, match)
        due = window_end_ms(window, reported.at)
        change = outcomes.submitted(match.transaction, reported.at, reported.connector, natives, due)
        return Made(change, outcomes, match.transaction)

    async def _take_marks(self, batch: Batch, marks: list[Marked], now_ms: int) -> None:
        """Receipts that speak of a person and a moment: one row for each message that they move on."""
        if not marks:
            return
        moved = _moved(batch.pairs)
        for marked, found, known in await self._references.of_marks(marks):
            kept, state = marked.kept, state_of(marked.receipt.key)
            transactions = [
                row for row in found if moved.get((row.request, row.ordinal), State.QUEUED) // 10 < state // 10
            ]
            moved |= {(row.request, row.ordinal): state for row in transactions}
            if not transactions and not known and not marked.looked:
                kept = self._report(marked.connector, _named(marked.receipt), None, now_ms)
                batch.fresh.append(kept)
                self.counts["unmatched"] += 1
            for transaction in transactions:
                match = Match(transaction)
                if kept is not None and kept is marked.kept:
                    batch.adopted.append(_adopted(kept, match))
                    batch.pairs.append((kept, match))
                    kept = None
                    continue
                reported = self._report(marked.connector, _named(marked.receipt), match, now_ms)
                batch.fresh.append(reported)
                batch.pairs.append((reported, match))
            batch.looked.append((marked, kept))

    async def _move_several(
        self, batch: Batch, reported: Reported, match: Match, outcomes: Outcomes, whole: str
    ) -> None:
        """The change that a receipt of one of several parts or devices makes."""
        key, detail = reported.key, _detail(reported)
        device = await self._device(match) if whole == "any" else None
        if device is not None and (own := state_of(key)) is not State.SUBMITTED:
            batch.owed += outcomes.of_device(match.transaction, device, own, key, reported.at, detail)
        if match.parts > 1:
            key, detail = await self._parts.combined(reported, match, detail, whole)
        _move(batch, reported.at, match.transaction, outcomes, key, detail, told=device is None)

    async def _device(self, match: Match) -> DeviceRow | None:
        """The device that a receipt speaks of, of a message to a user."""
        transaction = match.transaction
        if transaction.address.kind not in PROFILE_KINDS:
            return None
        identity = (transaction.request, transaction.ordinal)
        rows = self._correlator.devices(*identity)
        if rows is None:
            rows = tuple(await self._store.devices(*identity))
            self._correlator.went_to(rows)
        return next((row for row in rows if row.part == match.part), None)

    def _whole(self, request: Request, match: Match) -> str:
        name = request.messages[match.transaction.element].content.channel
        channel = self._directory().channels.get(name)
        return channel.whole if channel else "all"

    async def _match(self, receipts: list[tuple[str, Receipt]]) -> dict[tuple[str, str], Match]:
        known: dict[tuple[str, str], Match] = {}
        missing = []
        for connector, receipt in receipts:
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


def _move(
    batch: Batch, at: int, transaction: Transaction, outcomes: Outcomes, key: str, detail: str, *, told: bool = True
) -> None:
    """The change that a status makes, if any: what only says "submitted" is kept and changes nothing."""
    state = state_of(key)
    if state is not State.SUBMITTED:
        change = outcomes.change(transaction.ordinal, state, key, at, detail)
        batch.made.append(Made(change if told else untold(change), outcomes, transaction))


def _adopted(reported: Reported, match: Match) -> Reported:
    return Reported(
        reported.id, match.transaction.request, match.transaction.ordinal, match.part, reported.connector,
        reported.native_id, reported.key, reported.at,
    )  # fmt: skip


def _natives(native_id: str, match: Match) -> tuple[str, ...]:
    """The ids of a message's parts, as far as they are known."""
    return tuple(native_id if part == match.part else "" for part in range(match.parts))


def _sent(connector: str, receipt: Receipt, match: Match) -> list[Sent]:
    """When the last part went out by the far end's own clock, where it says so."""
    if not receipt.sent_ms or match.part != match.parts - 1:
        return []
    transaction = match.transaction
    return [Sent(transaction.request, transaction.ordinal, connector, receipt.destination, receipt.sent_ms)]


def _moved(pairs: Sequence[tuple[Reported, Match]]) -> dict[tuple[int, int], State]:
    """Where whole messages come to stand by receipts of their own; what failed moves no more."""
    return {
        (match.transaction.request, match.transaction.ordinal): State.READ if state is State.FAILED else state
        for reported, match in pairs
        if match.parts == 1 and (state := state_of(reported.key))
    }


def _named(mark: Receipt) -> Receipt:
    """A mark under an id of ours: the person and the moment."""
    return msgspec.structs.replace(mark, native_id=f"{mark.destination}@{mark.until_ms:013d}")


def _detail(reported: Reported) -> str:
    """What the caller reads as additionalInfo: of a delivery what else is known of it, the native words for the
    rest."""
    if reported.key == keys.DELIVERED:
        return reported.detail
    return " ".join(part for part in (reported.native_code, reported.detail) if part)
