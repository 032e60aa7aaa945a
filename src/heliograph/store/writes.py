"""The bulk writes of the SQLite store: each takes all payloads of its kind in a group at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import astuple

from heliograph.model.ids import accepted_ms, first_id_at
from heliograph.model.message import Request
from heliograph.model.outcome import State
from heliograph.model.record import (
    KEPT_MS,
    Accepted,
    Change,
    KeptAnswer,
    Notice,
    Reported,
    Run,
    Settlement,
    StoryLine,
    Told,
)
from heliograph.store.bulk import insert
from heliograph.store.statements import load

SQL = load("queries.sql")
SHORT_RUN = 8  # destinations; shorter runs of several calls share a statement

_encode = msgspec.json.Encoder().encode


def _json(value: object) -> str:
    return _encode(value).decode()


def _request_row(accepted: Accepted) -> tuple[object, ...]:
    request = accepted.request
    first = request.messages[0]
    count = sum(len(run.values) for run in accepted.runs)
    return (
        request.id, request.nonce, request.tenant, request.service, request.accepted, first.content.channel,
        first.priority, first.expiry, len(request.messages), count, _json(request.firsts), _json(request.messages),
    )  # fmt: skip


def accept(db: sqlite3.Connection, payloads: Sequence[Accepted]) -> list[None]:
    """Requests and their transactions; what was decided at once goes through the same path as any outcome."""
    insert(db, SQL["insert_requests"], [_request_row(item) for item in payloads])
    singles: list[tuple[object, ...]] = []
    for item in payloads:
        for run in item.runs:
            if len(run.values) < SHORT_RUN:
                singles.extend(_single_rows(item.request, run))
            else:
                _insert_run(db, item.request, run)
    insert(db, SQL["insert_singles"], singles)
    _apply_changes(db, [change for item in payloads for change in item.changes])
    _insert_story(db, [line for item in payloads for line in item.story])
    _count_usage(db, [item for item in payloads if item.counted_on])
    _keep_answers(db, [item.kept for item in payloads if item.kept])
    return [None] * len(payloads)


def _keep_answers(db: sqlite3.Connection, kept: Sequence[KeptAnswer]) -> None:
    """A key that is still taken fails its call, so that it has one effect whatever the verbs do."""
    if kept:
        db.execute(SQL["free_kept_keys"], (_json([item[:4] for item in map(astuple, kept)]), _oldest_kept(kept)))
        insert(db, SQL["insert_kept_answers"], [astuple(item) for item in kept])


def _oldest_kept(kept: Sequence[KeptAnswer]) -> int:
    return first_id_at(accepted_ms(min(item.request for item in kept)) - KEPT_MS)


def _count_usage(db: sqlite3.Connection, payloads: Sequence[Accepted]) -> None:
    used: dict[tuple[str, int], int] = {}
    for item in payloads:
        name = (item.request.tenant, item.counted_on)
        used[name] = used.get(name, 0) + sum(len(run.values) for run in item.runs)
    for name, count in used.items():
        db.execute(SQL["count_usage"], (*name, count))


def _single_rows(request: Request, run: Run) -> Iterable[tuple[object, ...]]:
    for offset, value in enumerate(run.values):
        yield (
            request.id, run.first + offset, run.element, run.kind, value, run.correlation, State.QUEUED.value, "", "",
            0, "", 0, request.accepted, False, "",
        )  # fmt: skip


def _insert_run(db: sqlite3.Connection, request: Request, run: Run) -> None:
    db.execute(
        SQL["insert_run"],
        (request.id, run.first, run.element, run.kind, run.correlation, request.accepted, _json(run.values)),
    )


def claim(db: sqlite3.Connection, payloads: Sequence[list[tuple[int, int, int]]]) -> list[None]:
    """Ranges `(request, first, last)` of queued transactions become SENDING, each with one attempt more."""
    db.execute(SQL["claim"], (_json([item for payload in payloads for item in payload]),))
    return [None] * len(payloads)


def settle(db: sqlite3.Connection, payloads: Sequence[Settlement]) -> list[list[bool]]:
    """Outcomes; answers, per payload, which changes took effect."""
    changes = [change for payload in payloads for change in payload.changes]
    applied = iter(_apply_changes(db, changes))
    _insert_story(db, [line for payload in payloads for line in payload.story])
    return [[next(applied) for _ in payload.changes] for payload in payloads]


def _apply_changes(db: sqlite3.Connection, changes: list[Change]) -> list[bool]:
    applied = [False] * len(changes)
    for wave in _waves(changes):
        insert(db, SQL["insert_changes"], [_change_row(seq, changes[index]) for seq, index in enumerate(wave)])
        for name in (
            "fill_incoming",
            "apply_incoming",
            "count_down",
            "insert_notices",
            "insert_submissions",
            "insert_windows",
        ):
            db.execute(SQL[name])
        positions = msgspec.json.decode(db.execute(SQL["applied_incoming"]).fetchone()[0])
        for position in positions:
            applied[wave[position]] = True
        if len(positions) < len(wave):  # a receipt may outrun the answer to its submit, whose ids are true still
            db.execute(SQL["late_submissions"])
            db.execute(SQL["late_natives"])
        db.execute(SQL["clear_incoming"])
        db.execute(SQL["clear_changes"])
    return applied


def _change_row(seq: int, change: Change) -> tuple[object, ...]:
    *values, natives = astuple(change)
    return (seq, *values, _json(natives) if natives else "")


def _waves(changes: list[Change]) -> list[list[int]]:
    """Positions of the changes, split so that no wave holds two of the same transaction."""
    waves: list[list[int]] = []
    seen: dict[tuple[int, int], int] = {}
    for index, change in enumerate(changes):
        identity = (change.request, change.ordinal)
        level = seen.get(identity, -1) + 1
        seen[identity] = level
        if level == len(waves):
            waves.append([])
        waves[level].append(index)
    return waves


def _insert_story(db: sqlite3.Connection, lines: list[StoryLine]) -> None:
    insert(db, SQL["insert_story"], [astuple(line) for line in lines])


def receive(
    db: sqlite3.Connection, payloads: Sequence[tuple[list[Reported], Settlement, list[Reported]]]
) -> list[list[bool]]:
    """New receipts, what they change, and earlier unmatched ones whose transaction is known now."""
    fresh = [row for payload in payloads for row in payload[0]]
    adopted = [(row.id, row.request, row.ordinal, row.part) for payload in payloads for row in payload[2]]
    insert(db, SQL["insert_receipts"], [astuple(row) for row in fresh])
    if adopted:
        db.execute(SQL["adopt_receipts"], (_json(adopted),))
    return settle(db, [payload[1] for payload in payloads])


def tell(db: sqlite3.Connection, payloads: Sequence[list[Told]]) -> list[None]:
    """What became of tries to tell."""
    insert(db, SQL["insert_told"], [astuple(told) for payload in payloads for told in payload])
    db.execute(SQL["apply_told"])
    db.execute(SQL["clear_told"])
    return [None] * len(payloads)


def inbound(db: sqlite3.Connection, payloads: Sequence[tuple[Any, Notice | None]]) -> list[None]:
    """Messages from people, each with the call it causes, if any."""
    for row, notice in payloads:
        db.execute(SQL["insert_inbound"], row)
        if notice is not None:
            owed = (notice.id, notice.at, notice.url, notice.origin, notice.tenant, notice.service, notice.body)
            db.execute(SQL["insert_inbound_notice"], owed)
    return [None] * len(payloads)


def close_windows(db: sqlite3.Connection, payloads: Sequence[int]) -> list[None]:
    """Windows that ended by then are done with."""
    db.execute(SQL["close_windows"], (max(payloads),))
    return [None] * len(payloads)


def save_workspace(db: sqlite3.Connection, payloads: Sequence[tuple[int, bytes, list[str], int]]) -> list[None]:
    """The last one wins. Keys that are new to us were made now, keys it does not have are forgotten."""
    version, document, hashes, now_ms = payloads[-1]
    db.execute(SQL["save_workspace"], (version, document))
    db.execute(SQL["record_keys"], (_json(hashes), now_ms))
    db.execute(SQL["drop_keys"], (_json(hashes),))
    return [None] * len(payloads)


def use_keys(db: sqlite3.Connection, payloads: Sequence[dict[str, int]]) -> list[None]:
    """When keys were last used."""
    for payload in payloads:
        db.execute(SQL["use_keys"], (_json(payload),))
    return [None] * len(payloads)


def replay(db: sqlite3.Connection, payloads: Sequence[tuple[int, int, int, int]]) -> list[str | None]:
    """One notice is owed again; its origin, or None when there is no such notice."""
    return [row[0] if (row := db.execute(SQL["replay_notice"], payload).fetchone()) else None for payload in payloads]


def replay_parked(db: sqlite3.Connection, payloads: Sequence[tuple[int, int, int]]) -> list[int]:
    """Every parked notice of a span of time is owed again; how many."""
    return [db.execute(SQL["replay_parked"], payload).rowcount for payload in payloads]


def purge(db: sqlite3.Connection, payloads: Sequence[tuple[int, int]]) -> list[int]:
    """Settled requests older than an id, at most so many, with everything that belongs to them; how many went.
    What belongs to no request goes with them."""
    gone = []
    for before, limit in payloads:
        ids = db.execute(SQL["purge_ids"], (before, limit)).fetchone()[0]
        for name in ("submissions", "receipts", "story", "notices", "transactions"):
            db.execute(SQL[f"purge_{name}"], (ids,))
        gone.append(db.execute(SQL["purge_requests"], (ids,)).rowcount)
        for name in ("loose_receipts", "loose_notices", "inbound"):
            db.execute(SQL[f"purge_{name}"], (before,))
    return gone


def forget(db: sqlite3.Connection, payloads: Sequence[tuple[int, int, int]]) -> list[int]:
    """Counts of days before a day, and kept answers older than an id, at most so many; how many answers went."""
    gone = []
    for day, before, limit in payloads:
        db.execute(SQL["purge_usage"], (day,))
        gone.append(db.execute(SQL["purge_kept_answers"], (before, limit)).rowcount)
    return gone


# In this order within a group: what is accepted can be settled, what is settled can be receipted.
WRITES: dict[str, Callable[[sqlite3.Connection, Sequence[Any]], list[Any]]] = {
    "accept": accept,
    "claim": claim,
    "settle": settle,
    "receive": receive,
    "tell": tell,
    "inbound": inbound,
    "close_windows": close_windows,
    "save_workspace": save_workspace,
    "use_keys": use_keys,
    "replay": replay,
    "replay_parked": replay_parked,
    "purge": purge,
    "forget": forget,
}
