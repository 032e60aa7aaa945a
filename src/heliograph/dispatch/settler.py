"""Outcomes of some milliseconds become one commit; then callers are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from heliograph.model.message import Transaction
from heliograph.model.record import Change, DeviceRow, Notice, Release, Sent, Settlement, StoryLine
from heliograph.policy.outcomes import Made, Outcomes, owed_by, reports_of
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5

Then = Callable[[], None]
Entry = tuple[Made, Then | None]


class SettleStore(Protocol):
    """What the settler needs of a store."""

    async def settle(self, settlement: Settlement) -> list[bool]:
        """Apply changes; which of them took effect."""


class Settler:
    """Collects changes and writes them one settlement after the other; nothing collected is ever dropped."""

    def __init__(
        self,
        store: SettleStore,
        tell: Callable[[list[Notice]], None],
        written: Callable[[list[Made], list[bool]], None] | None = None,
    ) -> None:
        self._store = store
        self._written = written
        self._tell = tell
        self._waiting: list[Entry] = []
        self._story: list[StoryLine] = []
        self._sent: list[Sent] = []
        self._devices: list[DeviceRow] = []
        self._owed: list[Notice] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(
        self, change: Change, outcomes: Outcomes | None, transaction: Transaction, then: Then | None = None
    ) -> None:
        """A change to be written; `outcomes` makes its notice, `then` is called once it is
        durable and took effect."""
        self._waiting.append((Made(change, outcomes, transaction), then))
        self._wake.set()
        self._idle.clear()

    def went(self, sent: Sent) -> None:
        """When a message went out to whom, written with the change that is added next."""
        self._sent.append(sent)

    def devices(self, rows: list[DeviceRow], owed: list[Notice]) -> None:
        """To which devices a message to a user went, and what is told of them, written with the change that is added
        next."""
        self._devices += rows
        self._owed += owed

    def note(self, line: StoryLine) -> None:
        """A line of a story, written with the next settlement."""
        self._story.append(line)
        self._wake.set()
        self._idle.clear()

    async def run(self) -> None:
        """Write for ever; ends by cancellation, after `drained`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting or self._story:
                batch, self._waiting = self._waiting, []
                story, self._story = self._story, []
                sent, self._sent = self._sent, []
                devices, self._devices = self._devices, []
                owed, self._owed = self._owed, []
                made = [made for made, _ in batch]
                reserves = any(one.outcomes is not None and one.outcomes.reserves for one in made)
                settlement = Settlement(
                    changes=[one.change for one in made], story=story, sent=sent, devices=devices, owed=owed,
                    release=Release.BY_STATE if reserves else Release.NOTHING, occurrences=reports_of(made),
                )  # fmt: skip
                await self._write(batch, settlement)
            self._idle.set()

    async def _write(self, batch: list[Entry], settlement: Settlement) -> None:
        while True:
            try:
                applied = await self._store.settle(settlement)
                break
            except StoreUnavailable as error:
                log.warning("outcomes cannot be written, trying again: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        changes = [made for made, _ in batch]
        notices = owed_by(changes, settlement.owed, applied)
        took_effect = applied[: len(batch)]  # those of the devices come behind
        for (_, then), took in zip(batch, took_effect, strict=True):
            if took and then is not None:
                then()
        if self._written is not None:
            self._written(changes, took_effect)
        if notices:
            self._tell(notices)

    async def drained(self, seconds: float) -> None:
        """Everything that was added is durable, or the store did not take it in that time."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            log.error(
                "the last outcomes cannot be written; their messages are sent again, flagged, at the next start"
            )
