"""Which request elements this process has to itself: from the moment their bundle came until each of their messages
has an end, or they are given to others."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from heliograph.bus.nats.work import Bundle, Way
from heliograph.dispatch.judge import Flight
from heliograph.dispatch.lane import Lane
from heliograph.dispatch.queue import element_of, request_of, slot_of
from heliograph.model.message import Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Chunk, Owed
from heliograph.policy.outcomes import Made

NEAR_MS = 10_000  # what is due within that time is waited for here
STILL_MS = 10_000


class Alone:
    """One process alone: everything is its own, and nobody needs to be told."""

    def loaded(self, slots: Iterable[int], rows: Iterable[Transaction]) -> None:
        """These are the queued rows of these slots."""

    def waits(self, row: Transaction, until_ms: int) -> None:
        """A row is not sent before that moment (Unix milliseconds)."""

    def written(self, batch: Sequence[Made], applied: Sequence[bool]) -> None:
        """Changes are durable; which of them took effect."""

    def claimed(self, flights: list[Flight], claimed: set[tuple[int, int]]) -> list[Flight]:
        """Of flights those whose rows `(request, ordinal)` were claimed; another process claimed or ended the
        others."""
        return [flight for flight in flights if (flight.row.request, flight.row.ordinal) in claimed]

    def due(self, rows: list[Transaction], *, exact: bool = False) -> list[Transaction]:
        """Of rows that waited those that are still ours; with `exact` for no other moment than theirs."""
        return rows

    def holds(self, slot: int) -> bool:
        """Whether the slot is ours."""
        return True

    def leave(self, slots: Iterable[int], due_ms: int) -> None:
        """The slots are for others from that moment on."""

    def elsewhere(self, lanes: Iterable[Lane], now_ms: int) -> None:
        """What waits for connectors that other processes have goes there."""


@dataclass(eq=False, slots=True)
class Part:
    """A chunk that is held: the ordinals that have no end yet (None: its rows are not loaded), and of those that wait
    for a moment which."""

    chunk: Chunk
    bundle: Bundle
    open: set[int] | None = None
    waiting: dict[int, int] = field(default_factory=dict)
    given: bool = False


class Shared(Alone):
    """Several processes. `finished` are bundles that are done with, `giving` what is to be owed again; `wake` is set
    when there is something in them or when there is room for more."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._parts: dict[int, Part] = {}
        self._left: dict[int, set[int]] = {}
        self._idle: dict[Lane, int] = {}  # since when
        self.bundles: dict[int, Bundle] = {}
        self.stock: defaultdict[Way, int] = defaultdict(int)
        """Destinations that are held and not loaded yet, at most."""
        self.finished: list[Bundle] = []
        self.giving: list[Owed] = []
        self.wake = asyncio.Event()

    def take(self, bundle: Bundle) -> list[Chunk]:
        """A bundle is ours; which of its chunks are to be queued. Those that are held already have an end with the
        bundle that they came with."""
        fresh = {}
        for chunk in bundle.chunks:
            slot = slot_of(chunk.request, chunk.element)
            if slot not in self._parts:
                fresh[slot] = chunk
        if not fresh:
            self._finish(bundle)
            return []
        self.bundles[bundle.number] = bundle
        self._left[bundle.number] = set(fresh)
        for slot, chunk in fresh.items():
            self._parts[slot] = Part(chunk, bundle)
            self.stock[bundle.way] += chunk.count
        return list(fresh.values())

    def known(self, bundle: Bundle) -> bool:
        """Whether it is held: the broker gave it again because it did not hear that it is alive."""
        held = self.bundles.get(bundle.number)
        if held is None:
            return False
        held.reply = bundle.reply
        return True

    def holds(self, slot: int) -> bool:
        """See `Alone`."""
        return slot in self._parts

    def loaded(self, slots: Iterable[int], rows: Iterable[Transaction]) -> None:
        """See `Alone`. A row that is missing has an end, or is another's."""
        found: dict[int, set[int]] = {slot: set() for slot in slots}
        for row in rows:
            found[slot_of(row.request, row.element)].add(row.ordinal)
        for slot, ordinals in found.items():
            if (part := self._parts.get(slot)) is None:
                continue
            if part.open is None:
                self._unstock(part)
            part.open = ordinals
            if not ordinals:
                self._end(slot)
        self.wake.set()

    def waits(self, row: Transaction, until_ms: int) -> None:
        """See `Alone`. A row that is not ours any more is owed to whoever will have it."""
        slot = slot_of(row.request, row.element)
        part = self._parts.get(slot)
        if part is None:
            self.giving.append(Owed(until_ms, row.request, row.element))
            self.wake.set()
            return
        part.waiting[row.ordinal] = until_ms
        self._look(slot, part)

    def due(self, rows: list[Transaction], *, exact: bool = False) -> list[Transaction]:
        """See `Alone`."""
        kept = []
        for row in rows:
            part = self._parts.get(slot_of(row.request, row.element))
            until = part.waiting.get(row.ordinal) if part else None
            if part and until is not None and (not exact or until == row.due):
                del part.waiting[row.ordinal]
                kept.append(row)
        return kept

    def written(self, batch: Sequence[Made], applied: Sequence[bool]) -> None:
        """See `Alone`. What did not take effect was moved on by another."""
        for made, took in zip(batch, applied, strict=True):
            if not took or made.change.state is not State.QUEUED:
                self._ended(made.transaction)

    def claimed(self, flights: list[Flight], claimed: set[tuple[int, int]]) -> list[Flight]:
        """See `Alone`."""
        for flight in flights:
            if (flight.row.request, flight.row.ordinal) not in claimed:
                self._ended(flight.row)
        return super().claimed(flights, claimed)

    def still(self, lane: Lane) -> bool:
        """Whether a lane has stood still for long: another process may do better, or the broker keeps what waits."""
        return self._clock_ms() - self._idle.get(lane, self._clock_ms()) > STILL_MS

    def elsewhere(self, lanes: Iterable[Lane], now_ms: int) -> None:
        """See `Alone`. So goes what waits for a connector that has stood still for long."""
        self._idle = {lane: self._idle.get(lane, now_ms) for lane in lanes if lane.idle()}
        for lane in lanes:
            if (lane.elsewhere or self.still(lane)) and len(lane.queue):
                slots, rows = lane.queue.drain()
                found = {slot for _, slot in slots} | {slot_of(row.request, row.element) for _, row in rows}
                self.leave(found, now_ms)

    def _ended(self, row: Transaction) -> None:
        slot = slot_of(row.request, row.element)
        part = self._parts.get(slot)
        if part is None or part.open is None:
            return
        part.open.discard(row.ordinal)
        if not part.open:
            self._end(slot)
        elif part.waiting:
            part.waiting.pop(row.ordinal, None)
            self._look(slot, part)

    def _look(self, slot: int, part: Part) -> None:
        """A chunk of which everything waits for long is for whoever is there then."""
        if part.open is not None and len(part.waiting) == len(part.open):
            first = min(part.waiting.values())
            if first - self._clock_ms() > NEAR_MS:
                self.leave([slot], first)

    def leave(self, slots: Iterable[int], due_ms: int) -> None:
        """See `Alone`. They stay ours until that is durable."""
        for slot in slots:
            part = self._parts.get(slot)
            if part is not None and not part.given:
                part.given = True
                self.giving.append(Owed(due_ms, request_of(slot), element_of(slot), part.chunk.count))
                self.wake.set()

    def give(self, chunk: Chunk, due_ms: int) -> None:
        """A chunk is for others from that moment on."""
        self.leave([slot_of(chunk.request, chunk.element)], due_ms)

    def has(self, chunk: Chunk) -> bool:
        """Whether a chunk is held."""
        return slot_of(chunk.request, chunk.element) in self._parts

    def gave(self, rows: Iterable[Owed]) -> None:
        """These are owed now: they are ours no more."""
        for row in rows:
            slot = slot_of(row.request, row.element)
            part = self._parts.get(slot)
            if part is not None and part.given:
                self._end(slot)

    def _end(self, slot: int) -> None:
        part = self._parts.pop(slot)
        if part.open is None:
            self._unstock(part)
        left = self._left[part.bundle.number]
        left.discard(slot)
        if not left:
            del self._left[part.bundle.number], self.bundles[part.bundle.number]
            self._finish(part.bundle)

    def _unstock(self, part: Part) -> None:
        self.stock[part.bundle.way] -= part.chunk.count

    def _finish(self, bundle: Bundle) -> None:
        self.finished.append(bundle)
        self.wake.set()

    @property
    def count(self) -> int:
        """Chunks that are held."""
        return len(self._parts)
