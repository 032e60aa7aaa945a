"""Runs of rules. What a step of a run does and how far the run has come are one commit, so each is done once however
often a process dies and however many of them look at the same run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import astuple, replace

from heliograph.catalogue import keys
from heliograph.model.automation import Entry, Run, RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.people import DndRow
from heliograph.model.profiles.records import Done, Write
from heliograph.model.record import Accepted, Notice
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.people.profiles import profiles
from heliograph.store.areas.requests import Requests, accept
from heliograph.store.areas.wishes import list_dnd
from heliograph.store.steps import Answer, Plan, Step, bulk, count, value

_encode = msgspec.json.Encoder().encode
_decode_ids = msgspec.json.Decoder(list[int]).decode
_decode_runs = msgspec.json.Decoder(list[Run]).decode
_decode_ended = msgspec.json.Decoder(list[tuple[int, int]]).decode


class Matched(msgspec.Struct, frozen=True):
    """What rules an occurrence has: its runs, with the wordings `(tenant, digest, text)` of rules that may not be
    kept yet."""

    occurrence: int
    state: OccurrenceState
    runs: list[Run] = []
    texts: list[tuple[str, str, str]] = []
    note: str = ""


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What a step does, beside moving its run."""

    accepted: Accepted | None = None
    notices: list[Notice] = []
    profile: Write | None = None
    dnd: list[DndRow] = []
    occurrences: list[Occurrence] = []


NO_EFFECTS = Effects()


class Advance(msgspec.Struct, frozen=True):
    """A run moves on: `run` as it becomes, from the turn before. `ended` are the calls owed to whoever waits for the
    end of its occurrence: when all went well, and when something failed."""

    run: Run
    effects: Effects = NO_EFFECTS
    ended: tuple[Notice, Notice] | None = None


class Moved(NamedTuple):
    """Whether the run moved (else another process was faster, and nothing was done); what became of the customer that
    was written; the call that is owed now that the occurrence is done."""

    took: bool
    customer: Done | None = None
    owed: Notice | None = None


def match(payloads: Sequence[Matched]) -> Plan[list[bool]]:
    """Runs of new occurrences; whether each was new still."""
    rows = [(one.occurrence, int(one.state), one.note) for one in payloads]
    moved = set(_decode_ids((yield bulk("match_occurrences", rows, Answer.VALUE))))
    first: dict[int, Matched] = {}
    for one in payloads:
        if one.occurrence in moved:
            first.setdefault(one.occurrence, one)
    took = first.values()
    texts = {text for one in took for text in one.texts}
    yield bulk("hold_rule_texts", sorted((tenant, digest) for tenant, digest, _ in texts))
    yield bulk("keep_rule_texts", sorted(texts))
    yield bulk("insert_runs", [_row(run) for one in took for run in one.runs])
    return [first.get(one.occurrence) is one for one in payloads]


def advance(payloads: Sequence[Advance]) -> Plan[list[Moved]]:
    """Runs move on with all that their steps do."""
    asked = [(payload.run.id, payload.run.turn - 1) for payload in payloads]
    standing = set(_decode_ids((yield bulk("standing_runs", asked, Answer.VALUE))))
    took: dict[int, Advance] = {}
    for payload in payloads:
        if payload.run.id in standing:
            took.setdefault(payload.run.id, payload)  # who comes second in a group is as late as any other
    effects = [payload.effects for payload in took.values()]
    yield from accept([one.accepted for one in effects if one.accepted is not None])
    yield bulk("insert_inbound_notices", [_owed(notice) for one in effects for notice in one.notices])
    for payload in took.values():
        if payload.effects.dnd:
            yield from list_dnd([(payload.run.tenant, payload.effects.dnd)])
    yield occur([one for each in effects for one in each.occurrences])
    written = yield from _write_customers(took.values())
    became = {number: _after(payload.run, written.get(number)) for number, payload in took.items()}
    yield bulk("advance_runs", [_moving(run) for run in became.values()])
    owed = yield from _finish([took[number] for number, run in became.items() if run.state > RunState.AWAITING])
    return [
        Moved(True, written.get(payload.run.id), owed.get(payload.run.id))
        if took.get(payload.run.id) is payload
        else Moved(False)
        for payload in payloads
    ]


def _write_customers(payloads: Collection[Advance]) -> Plan[dict[int, Done]]:
    found: dict[int, Done] = {}
    chosen = [payload for payload in payloads if payload.effects.profile is not None]
    if chosen:
        outcomes = yield from profiles([payload.effects.profile for payload in chosen if payload.effects.profile])
        for payload, outcome in zip(chosen, outcomes, strict=True):
            if outcome:
                found[payload.run.id] = outcome[0]
    return found


def _after(run: Run, done: Done | None) -> Run:
    """The run with what became of the customer that it wrote."""
    if done is None or done.key == keys.SUCCESS or not run.log:
        return run
    *before, last = run.log
    entry = Entry(last.at, last.place, last.what, False, done.key)
    state = RunState.FAILED if run.state is RunState.DONE else run.state
    return replace(run, log=[*before, entry], state=state)


def _finish(ended: Sequence[Advance]) -> Plan[dict[int, Notice]]:
    """Occurrences whose last run ended are done, and whoever waits for that is told; the calls owed, by the id
    of one of their runs."""
    if not ended:
        return {}
    rows = [(number,) for number in sorted({payload.run.occurrence for payload in ended})]
    yield bulk("lock_occurrences", rows)
    done = _decode_ended((yield bulk("finish_occurrences", rows, Answer.VALUE)))
    calls = {payload.run.occurrence: (payload.run.id, payload.ended) for payload in ended}
    owed: dict[int, Notice] = {}
    for number, failed in done:
        run, pair = calls[number]
        if pair is not None:
            owed[run] = pair[failed > 0]
    yield bulk("insert_inbound_notices", [_owed(notice) for notice in owed.values()])
    return owed


def _owed(notice: Notice) -> tuple[object, ...]:
    return (notice.id, notice.at, notice.url, notice.origin, notice.tenant, notice.service, notice.body)


def _row(run: Run) -> tuple[object, ...]:
    *values, log = astuple(run)
    return (*map(_plain, values), _encode(log).decode())


def _plain(item: object) -> object:
    return int(item) if isinstance(item, RunState) else item


def _moving(run: Run) -> tuple[object, ...]:
    log = _encode(run.log).decode()
    return (
        run.id, run.turn, int(run.state), run.step, run.tries, run.awaits, run.until, run.due, run.updated, log,
    )  # fmt: skip


def lease_runs(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[list[Run]]]:
    """Runs that are due by a moment, at most so many, are taken until another moment; the runs."""
    found: list[list[Run]] = []
    for now_ms, until_ms, limit in payloads:
        found.append(_decode_runs((yield value("lease_runs", now_ms, until_ms, limit))))
    return found


def free_runs(payloads: Sequence[int]) -> Plan[list[int]]:
    """Runs that are under way, or wait for a message, are due now; how many."""
    freed = yield count("free_runs", max(payloads))
    return [freed, *[0] * (len(payloads) - 1)]


def purge_runs(payloads: Sequence[tuple[int, int]]) -> Plan[list[int]]:
    """Runs that ended with ids below one, at most so many; how many went."""
    gone: list[int] = []
    for payload in payloads:
        gone.append((yield count("purge_runs", *payload)))
    return gone


def purge_rule_texts(payloads: Sequence[tuple[list[tuple[str, str]], int]]) -> Plan[list[None]]:
    """Wordings `(tenant, digest)` that no run with an id above one follows."""
    for names, since in payloads:
        yield bulk("lock_rule_texts", sorted(names))
        yield Step("purge_rule_texts", (since,), sorted(names))
    return [None] * len(payloads)


class Runs(Requests):
    """Runs, and the wordings of the rules that they follow."""

    async def match(self, matched: Matched) -> bool:
        """Keep the runs of an occurrence; whether it was new still."""
        took: bool = await self.engine.write("match", matched)
        return took

    async def advance(self, moving: Advance) -> Moved:
        """Move a run on with all that its step does."""
        moved: Moved = await self.engine.write("advance", moving)
        accepted = moving.effects.accepted
        if moved.took and accepted is not None:
            self._requests.put(accepted.request.id, accepted.request)
        self._tell_caused(moving.effects.profile or (accepted and accepted.occurrences))
        return moved

    async def lease_runs(self, now_ms: int, until_ms: int, limit: int) -> list[Run]:
        """Take runs that are due; nobody else is given them until then, those that wait for a message until so long
        after their wait."""
        found: list[Run] = await self.engine.write("lease_runs", (now_ms, until_ms, limit))
        return found

    async def next_run_due(self) -> int:
        """When the next run is due (Unix milliseconds); 0 when there is none."""
        return (await self._read(tuple[int], "next_run_due"))[0]

    async def states_of(self, requests: Collection[int]) -> dict[int, list[int]]:
        """The states in which the messages of requests stand."""
        found: dict[int, list[int]] = {}
        for request, state in await self._read(list[tuple[int, int]], "states_of", list(requests)):
            found.setdefault(request, []).append(state)
        return found

    async def free_runs(self, now_ms: int) -> int:
        """Runs under way are due now, for who had them is gone; how many."""
        freed: int = await self.engine.write("free_runs", now_ms)
        return freed

    async def purge_runs(self, before: int, limit: int) -> int:
        """Delete at most `limit` runs that ended, with ids below `before`; how many went."""
        gone: int = await self.engine.write("purge_runs", (before, limit))
        return gone

    async def rule_texts(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Wordings of rules by tenant and digest."""
        tenants, digests = [one[0] for one in wanted], [one[1] for one in wanted]
        rows = await self._read(list[tuple[str, str, str]], "rule_texts", tenants, digests)
        return {(tenant, digest): text for tenant, digest, text in rows}

    async def purge_rule_texts(self, since: int) -> None:
        """Delete the wordings that no run follows; `since` is an id from before the call."""
        if unused := await self._read(list[tuple[str, str]], "unused_rule_texts"):
            await self.engine.write("purge_rule_texts", (unused, since))

    async def run(self, number: int) -> Run | None:
        """A run by its id."""
        found = await self._read(list[Run], "run_by_id", number)
        return found[0] if found else None

    async def runs_of(self, occurrences: Collection[int]) -> list[Run]:
        """The runs of occurrences, oldest first."""
        return await self._read(list[Run], "runs_of", list(occurrences))

    async def runs_before(
        self, tenant: str, before: int, limit: int, rule: str = "", state: RunState | None = None
    ) -> list[Run]:
        """Runs of a tenant with ids below `before`, newest first; of one rule ("" for any), in a state."""
        wanted = -1 if state is None else int(state)
        return await self._read(list[Run], "runs_before", tenant, before, limit, rule, wanted)

    async def run_counts(self) -> dict[RunState, int]:
        """How many stand where."""
        return dict(await self._read(list[tuple[RunState, int]], "run_counts"))
