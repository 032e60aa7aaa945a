"""Whose id is it? A bounded memory in front of the table `submissions`, and of what came too early.

A receipt may come before the answer that tells its id; it waits here (and, unmatched, in the table) until the
id is known. A submit whose answer never came is remembered by its destination; its receipt may have come before we
gave up on the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heliograph.model.message import Transaction
from heliograph.model.record import DeviceRow, Match, Reported
from heliograph.store.cache import Recent

KNOWN = 100_000  # submissions at hand; older ones are looked up in the table
EARLY = 10_000  # ids whose receipts wait for their submission in memory
EARLY_EACH = 8  # receipts of one id that wait
UNANSWERED = 10_000
USERS = 20_000  # messages to users whose devices are at hand
UNANSWERED_MS = 60_000  # a receipt older than that is not of a submit we give up on now

Late = Callable[[Reported, Match], None]


class Correlator:
    """Shared by the verb that sends and the verb that receives; lives on the event loop."""

    def __init__(self) -> None:
        self._known: Recent[tuple[str, str], Match] = Recent(KNOWN)
        self._early: Recent[tuple[str, str], tuple[Reported, ...]] = Recent(EARLY)
        self._unanswered: Recent[tuple[str, str], Transaction] = Recent(UNANSWERED)
        self._unclaimed: Recent[tuple[str, str], Reported] = Recent(UNANSWERED)  # early ones by destination
        self._devices: Recent[tuple[int, int], tuple[DeviceRow, ...]] = Recent(USERS)
        self.on_late: Late | None = None

    def submitted(self, connector: str, natives: tuple[str, ...], transaction: Transaction) -> None:
        """The far end's ids of a transaction are known; receipts that came too early are handed on."""
        parts = len(natives)
        for part, native in enumerate(natives):
            if not native:
                continue  # the id of this part is not known yet
            identity = (connector, native)
            match = Match(transaction, part, parts)
            self._known.put(identity, match)
            if len(self._early):
                for early in self._early.pop(identity) or ():
                    if self.on_late is not None:
                        self.on_late(early, match)

    def went_to(self, rows: Sequence[DeviceRow]) -> None:
        """The devices of a message to a user; called before `submitted`'s receipts can be looked at."""
        if rows:
            self._devices.put((rows[0].request, rows[0].ordinal), tuple(rows))

    def devices(self, request: int, ordinal: int) -> tuple[DeviceRow, ...] | None:
        """The devices of a message to a user, if they are at hand."""
        return self._devices.get((request, ordinal))

    def find(self, connector: str, native_id: str) -> Match | None:
        """Whose id it is, if it is at hand."""
        return self._known.get((connector, native_id))

    def early(self, reported: Reported) -> None:
        """A receipt whose id nobody knows yet."""
        identity = (reported.connector, reported.native_id)
        self._early.put(identity, (*(self._early.get(identity) or ()), reported)[-EARLY_EACH:])
        if reported.destination:
            self._unclaimed.put((reported.connector, reported.destination), reported)

    def unanswered(self, connector: str, to: str, transaction: Transaction, now_ms: int = 0) -> None:
        """A submit was written and its answer will not come; what was reported on that destination lately, of an id
        that is nobody's, is reported on it."""
        reported = self._unclaimed.pop((connector, to)) if len(self._unclaimed) else None
        lately = reported is not None and reported.at >= now_ms - UNANSWERED_MS
        if reported is not None and lately and self.find(connector, reported.native_id) is None:
            self.submitted(connector, (reported.native_id,), transaction)
        else:
            self._unanswered.put((connector, to), transaction)

    def claim_unanswered(self, connector: str, to: str) -> Transaction | None:
        """The unanswered submit to that destination, once."""
        return self._unanswered.pop((connector, to)) if len(self._unanswered) else None
