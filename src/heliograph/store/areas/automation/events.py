"""What happened, and what became of it. Any transaction may yield `occur`: an occurrence is kept in the commit that
caused it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import SHIFT
from heliograph.model.profiles.erasure import ERASED
from heliograph.model.record import KeptAnswer
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.requests import keep_answers
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, count, do

_decode_ids = msgspec.json.Decoder(list[int]).decode

CALL_SPAN = 4 << SHIFT  # the ids of one call's events lie within some milliseconds


class Happened(msgspec.Struct, frozen=True):
    """The occurrences of one call, and its answer where the call has a name of its caller's."""

    occurrences: Sequence[Occurrence]
    kept: KeptAnswer | None = None


def move(occurrence: int, before: OccurrenceState, after: OccurrenceState, note: str = "") -> Step:
    """The step that moves an occurrence on, for any plan; its answer is 1, or 0 when it did not stand at `before`."""
    return count("move_occurrence", occurrence, int(before), int(after), note)


def accept_events(payloads: Sequence[Happened]) -> Plan[list[None]]:
    """Calls with events."""
    yield occur([one for payload in payloads for one in payload.occurrences])
    kept = [payload.kept for payload in payloads if payload.kept]
    if kept:
        yield from keep_answers(kept)
    return [None] * len(payloads)


def rerun(payloads: Sequence[list[int]]) -> Plan[list[list[int]]]:
    """Occurrences that ended are new again; the ids of those."""
    found: list[list[int]] = []
    for ids in payloads:
        ended = _decode_ids((yield Step("ended_occurrences", (ids,), None, Answer.VALUE)))
        yield do("rerun_occurrences", ended)
        found.append(sorted(ended))
    return found


def purge_occurrences(payloads: Sequence[tuple[int, int]]) -> Plan[list[int]]:
    """Occurrences that ended with ids below one, at most so many; how many went."""
    gone: list[int] = []
    for payload in payloads:
        gone.append((yield count("purge_occurrences", *payload)))
    return gone


def erase_occurrences(payloads: Sequence[list[int]]) -> Plan[list[None]]:
    """What came with occurrences that ended, and the runs that followed; that they happened stays."""
    for ids in payloads:
        yield do("erase_runs", ids)
        yield do("erase_occurrences", ids, ERASED)
    return [None] * len(payloads)


class Occurrences(Area):
    """What happened."""

    async def accept_events(self, happened: Happened) -> None:
        """Keep the occurrences of a call."""
        await self.engine.write("accept_events", happened)

    async def rerun(self, ids: list[int]) -> list[int]:
        """Make occurrences that ended new again; the ids of those that were."""
        found: list[int] = await self.engine.write("rerun", ids)
        return found

    async def purge_occurrences(self, before: int, limit: int) -> int:
        """Delete at most `limit` occurrences that ended, with ids below `before`; how many went."""
        gone: int = await self.engine.write("purge_occurrences", (before, limit))
        return gone

    async def erase_occurrences(self, ids: list[int]) -> None:
        """Take away what came with occurrences that ended, and what ran on it."""
        await self.engine.write("erase_occurrences", ids)

    async def open_occurrences(self, state: OccurrenceState, after: int, limit: int) -> list[Occurrence]:
        """Occurrences that are new, or whose runs are under way, with ids above `after`, oldest first."""
        return await self._read(list[Occurrence], "occurrences_open", int(state), after, limit)

    async def occurrences(self, ids: Collection[int]) -> list[Occurrence]:
        """Occurrences by their ids; unknown ones are missing from the answer."""
        return await self._read(list[Occurrence], "occurrences_by_id", list(ids))

    async def occurrences_of_call(self, call: int, transid: str) -> list[Occurrence]:
        """The occurrence of an event by its transid, which is made of the id `call`."""
        return await self._read(list[Occurrence], "occurrences_of_origin", call, call + CALL_SPAN, transid)

    async def unresolved(self, tenant: str, before: int, limit: int) -> list[Occurrence]:
        """Occurrences of a tenant that no rule is for, with ids below `before`, newest first."""
        return await self._read(list[Occurrence], "occurrences_unresolved", tenant, before, limit)

    async def occurrences_before(
        self, before: int, limit: int, tenant: str = "", state: OccurrenceState | None = None, name: str = ""
    ) -> list[Occurrence]:
        """Occurrences with ids below `before`, newest first; of a tenant and of a name ("" for any), in a state."""
        wanted = -1 if state is None else int(state)
        return await self._read(list[Occurrence], "occurrences_listed", tenant, before, limit, wanted, name)

    async def occurrence_counts(self) -> dict[OccurrenceState, int]:
        """How many stand where."""
        return dict(await self._read(list[tuple[OccurrenceState, int]], "occurrence_counts"))
