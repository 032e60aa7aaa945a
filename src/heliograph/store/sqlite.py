"""The store on SQLite: one writing connection behind the committer, one reading connection beside it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from heliograph.model.ids import first_id_at
from heliograph.model.message import Request, Transaction
from heliograph.model.record import (
    KEPT_MS,
    Accepted,
    KeptAnswer,
    Match,
    Notice,
    Queued,
    Reported,
    Settlement,
    StoryLine,
    Told,
)
from heliograph.store.cache import Recent
from heliograph.store.committer import Committer, Operation, StoreUnavailable
from heliograph.store.filters import MessageFilter
from heliograph.store.statements import load, migrations
from heliograph.store.writes import WRITES

log = logging.getLogger(__name__)

T = TypeVar("T")
SQL = load("queries.sql")
REQUEST_CACHE = 20_000  # heads kept decoded; the rest is read again

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32768",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA wal_autocheckpoint = 4000",
)


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings, statements kept prepared, no implicit transactions."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in _PRAGMAS:
        db.execute(pragma)
    return db


def migrate(db: sqlite3.Connection, now_ms: int) -> list[str]:
    """Bring the schema up to date; the names of the migrations that were applied."""
    db.execute("BEGIN IMMEDIATE")
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
    done = {row[0] for row in db.execute("SELECT name FROM migrations")} if known else set()
    db.execute("COMMIT")
    applied = [(name, script) for name, script in migrations() if name not in done]
    for name, script in applied:
        mark = f"INSERT INTO migrations VALUES ('{name}', {int(now_ms)})"  # noqa: S608 - a name of our own files
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\n{mark};\nCOMMIT;")
    return [name for name, _ in applied]


class SqliteStore:
    """Everything the verbs need of a database. Every write is durable when its call returns."""

    def __init__(self, path: Path, now_ms: int = 0) -> None:
        """Open (and create or migrate) the database file at `path`."""
        self._writer = connect(path)
        self.migrated = migrate(self._writer, now_ms)
        self._writer.executescript(SQL["create_scratch"])
        self._reader = connect(path)
        self._reader.execute("PRAGMA query_only = ON")
        self._reader.execute("PRAGMA cache_size = -8192")  # it reads what the system's cache has anyway
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._committer = Committer(self._apply)
        self._requests: Recent[int, Request] = Recent(REQUEST_CACHE)

    async def open(self) -> None:
        """Start the writing thread on the running loop."""
        self._committer.start()

    async def close(self) -> None:
        """Write what waits and close the file."""
        await asyncio.to_thread(self._committer.stop)
        self._readers.shutdown()
        self._reader.close()
        self._writer.close()

    def stats(self) -> dict[str, int]:
        """Commits made and operations in them."""
        return {"commits": self._committer.commits, "operations": self._committer.operations}

    # Writing

    def _apply(self, group: list[Operation]) -> list[Any]:
        results: dict[int, Any] = {}
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for name, write in WRITES.items():
                chosen = [operation for operation in group if operation.name == name]
                if chosen:
                    answers = write(self._writer, [operation.payload for operation in chosen])
                    results.update(zip(map(id, chosen), answers, strict=True))
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        return [results[id(operation)] for operation in group]

    async def accept(self, accepted: Accepted) -> None:
        """Keep a call with all its transactions."""
        await self._committer.write("accept", accepted)
        self._requests.put(accepted.request.id, accepted.request)

    async def claim(self, ranges: list[tuple[int, int, int]]) -> None:
        """Mark ranges `(request, first, last)` of ordinals as being sent, before anything goes out."""
        await self._committer.write("claim", ranges)

    async def settle(self, settlement: Settlement) -> list[bool]:
        """Apply changes; which of them took effect."""
        result: list[bool] = await self._committer.write("settle", settlement)
        return result

    async def receive(self, fresh: list[Reported], settlement: Settlement, adopted: list[Reported]) -> list[bool]:
        """Keep receipts and what they change in one commit; `adopted` are earlier ones now matched."""
        result: list[bool] = await self._committer.write("receive", (fresh, settlement, adopted))
        return result

    async def told(self, outcomes: list[Told]) -> None:
        """Keep what became of tries to tell."""
        await self._committer.write("tell", outcomes)

    async def keep_inbound(self, row: tuple[Any, ...], notice: Notice | None) -> None:
        """Keep a message from a person and the call it causes."""
        await self._committer.write("inbound", (row, notice))

    async def close_windows(self, until_ms: int) -> None:
        """Forget windows that ended by then."""
        await self._committer.write("close_windows", until_ms)

    async def save_workspace(self, version: int, document: bytes, hashes: list[str], now_ms: int) -> None:
        """Keep the (already encrypted) workspace, and since when its keys are known."""
        await self._committer.write("save_workspace", (version, document, hashes, now_ms))

    async def use_keys(self, used: dict[str, int]) -> None:
        """Keep when keys, by their hash, were last used."""
        await self._committer.write("use_keys", used)

    async def replay(self, notice: tuple[int, int, int], now_ms: int) -> str | None:
        """Owe one notice again; its origin, or None when there is none such."""
        result: str | None = await self._committer.write("replay", (*notice, now_ms))
        return result

    async def replay_parked(self, first_ms: int, last_ms: int, now_ms: int) -> int:
        """Owe again every parked notice of that span; how many."""
        result: int = await self._committer.write("replay_parked", (first_ms, last_ms, now_ms))
        return result

    async def purge(self, before: int, limit: int) -> int:
        """Delete at most `limit` settled requests older than the id `before`; how many went."""
        result: int = await self._committer.write("purge", (before, limit))
        return result

    async def forget(self, day: int, before: int, limit: int) -> int:
        """Delete what was counted before that day, and at most `limit` kept answers of requests older than the
        id `before`; how many answers went."""
        result: int = await self._committer.write("forget", (day, before, limit))
        return result

    def release_claims(self) -> int:
        """At start: what was being sent when the process died is queued again, flagged as a possible
        duplicate; how many."""
        return self._writer.execute(SQL["release_claims"]).rowcount

    # Reading: one row of JSON per query, so that a thousand rows are one step of the engine

    def _fetch(self, name: str, parameters: tuple[Any, ...], shape: type[T]) -> T:
        try:
            row = self._reader.execute(SQL[name], parameters).fetchone()
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        return msgspec.json.decode(row[0], type=shape)

    async def _read(self, name: str, parameters: tuple[Any, ...], shape: type[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._fetch, name, parameters, shape)

    def greatest_id(self) -> int:
        """The greatest id in use, at start; new ones must be above it even when the clock went back."""
        greatest: int = self._reader.execute(SQL["greatest_id"]).fetchone()[0]
        return greatest

    def load_workspace(self) -> tuple[int, bytes] | None:
        """The stored workspace, at start."""
        row = self._reader.execute(SQL["load_workspace"]).fetchone()
        return (row[0], row[1]) if row else None

    def usage_since(self, day: int) -> list[tuple[str, int, int]]:
        """Rows `(tenant, day, destinations)` of that day and later ones, at start."""
        return self._fetch("usage_since", (day,), list[tuple[str, int, int]])

    async def open_requests(self, after: int, limit: int) -> list[Queued]:
        """Requests with something left to dispatch, oldest first, with ids above `after`."""
        return await self._read("open_requests", (after, limit), list[Queued])

    def cached_request(self, request: int) -> Request | None:
        """The request if it is at hand."""
        return self._requests.get(request)

    async def requests(self, ids: Collection[int]) -> dict[int, Request]:
        """Requests by id; unknown ones are missing from the answer."""
        found = {key: kept for key in ids if (kept := self._requests.get(key)) is not None}
        missing = [key for key in ids if key not in found]
        if missing:
            for request in await self._read("get_requests", (_ids(missing),), list[Request]):
                self._requests.put(request.id, request)
                found[request.id] = request
        return found

    async def service_keys(self, hashes: Collection[str]) -> list[tuple[str, int, int]]:
        """`(hash, made, last used)` of the keys we know of; 0 is unknown or never."""
        return await self._read("service_keys", (_ids(hashes),), list[tuple[str, int, int]])

    async def kept_answer(self, tenant: str, service: str, key: str, now_ms: int) -> KeptAnswer | None:
        """The answer to the call that a service named with that key within the last 24 hours."""
        since = first_id_at(now_ms - KEPT_MS)
        found = await self._read("kept_answer", (tenant, service, key, since), list[KeptAnswer])
        return found[0] if found else None

    async def pending(self, requests: Collection[int]) -> list[Transaction]:
        """The queued transactions of these requests."""
        return await self._read("pending", (_ids(requests),), list[Transaction])

    async def transactions(self, request: int, ordinal: int | None) -> list[Transaction]:
        """All transactions of a request, or one."""
        span = (0, 2**31) if ordinal is None else (ordinal, ordinal)
        return await self._read("transactions_of", (request, *span), list[Transaction])

    async def window_edge(self, now_ms: int, limit: int) -> int:
        """The end of the last of the first `limit` windows that are over by now; 0 when none is."""
        return (await self._read("window_edge", (now_ms, limit), tuple[int]))[0]

    async def lapsed(self, edge_ms: int) -> list[Transaction]:
        """Submitted transactions whose wait for a receipt was over at that edge."""
        return await self._read("lapsed", (edge_ms,), list[Transaction])

    async def matches(self, natives: Collection[tuple[str, str]]) -> dict[tuple[str, str], Match]:
        """Whose `(connector, native id)` these are."""
        rows = await self._read("matches", (_ids(natives),), list[tuple[tuple[str, str], Match]])
        return dict(rows)

    async def rematched(self) -> list[tuple[Reported, Match]]:
        """Unmatched receipts whose submission is known by now, as after a crash between the two commits."""
        return await self._read("rematched", (), list[tuple[Reported, Match]])

    async def receipts(self, request: int, ordinal: int) -> list[Reported]:
        """Receipts of a transaction, in the order they came."""
        return await self._read("receipts_of", (request, ordinal), list[Reported])

    async def unmatched(self, after_id: int, limit: int) -> list[Reported]:
        """Receipts that belong to nothing known, newest first."""
        return await self._read("unmatched", (after_id, limit), list[Reported])

    async def story(self, request: int, ordinal: int) -> list[StoryLine]:
        """The story of a transaction, oldest first."""
        return await self._read("story_of", (request, ordinal), list[StoryLine])

    async def notices(self, request: int, ordinal: int) -> list[dict[str, Any]]:
        """The calls a transaction caused, oldest first."""
        return await self._read("notices_of", (request, ordinal), list[dict[str, Any]])

    async def notices_by_delivery(self, delivery: int, limit: int) -> list[dict[str, Any]]:
        """Notices that stand there, newest first."""
        return await self._read("notices_listed", (delivery, limit), list[dict[str, Any]])

    async def notice_origins(self, now_ms: int) -> list[str]:
        """Origins that are owed a call by now."""
        return await self._read("due_origins", (now_ms,), list[str])

    async def due_notices(self, origin: str, now_ms: int, limit: int, skip: Collection[int]) -> list[Notice]:
        """Calls owed to an origin by now, without those whose ids are in `skip`."""
        return await self._read("due_notices", (origin, now_ms, limit, _ids(skip)), list[Notice])

    async def recent(self, chosen: MessageFilter) -> list[Transaction]:
        """Transactions that match, newest first."""
        return await self._read("recent", chosen.parameters(), list[Transaction])

    async def counts(self) -> dict[int, int]:
        """How many transactions stand in each state."""
        return dict(await self._read("counts", (), list[tuple[int, int]]))

    async def pending_counts(self) -> tuple[int, int, int]:
        """Transactions to dispatch, notices owed, notices parked."""
        return await self._read("pending_counts", (), tuple[int, int, int])


def _ids(values: Collection[Any]) -> str:
    return msgspec.json.encode(list(values)).decode()
