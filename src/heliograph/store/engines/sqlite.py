"""SQLite: one writing connection behind the committer, one reading connection beside it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from heliograph.store.engines.base import StoreUnavailable
from heliograph.store.engines.bulk import ROWS, insert
from heliograph.store.engines.committer import Committer, Operation, planned
from heliograph.store.statements import load, migrations
from heliograph.store.steps import Answer, Plan, Step, Write

T = TypeVar("T")

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -32768",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA wal_autocheckpoint = 4000",
)
_PARAMETER = re.compile(r"\$(\d+)")


class Piece(NamedTuple):
    """One statement of a script: `rows` says that it is completed with the step's rows, `width` how many of the
    step's parameters it takes."""

    sql: str
    rows: bool
    width: int


def _pieces(sql: str) -> tuple[Piece, ...]:
    found = []
    for text in sql.split(";\n"):
        width = max(map(int, _PARAMETER.findall(text)), default=0)
        plain = _PARAMETER.sub(r"?\1", text)
        found.append(Piece(plain, ROWS in plain, width))
    return tuple(found)


# Several statements under one name are run in turn; their answer is the one that the last query among them gives.
STATEMENTS = {name: _pieces(sql) for name, sql in load("sqlite").items()}
_encode = msgspec.json.Encoder().encode


def connect(path: Path) -> sqlite3.Connection:
    """A connection with our settings, statements kept prepared, no implicit transactions."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in _PRAGMAS:
        db.execute(pragma)
    return db


def migrate(db: sqlite3.Connection, now_ms: int) -> list[str]:
    """Bring the schema up to date and make the scratch tables of this connection; the names of the migrations that
    were applied."""
    db.execute("BEGIN IMMEDIATE")
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone()
    done = {row[0] for row in db.execute("SELECT name FROM migrations")} if known else set()
    db.execute("COMMIT")
    applied = [(name, script) for name, script in migrations("sqlite") if name not in done]
    for name, script in applied:
        mark = f"INSERT INTO migrations VALUES ('{name}', {int(now_ms)})"  # noqa: S608 - a name of our own files
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\n{mark};\nCOMMIT;")
    for piece in STATEMENTS["create_scratch"]:
        db.execute(piece.sql)
    return [name for name, _ in applied]


def drive(db: sqlite3.Connection, plan: Plan[T]) -> T:
    """Carry out a plan inside the connection's transaction."""
    try:
        step = next(plan)
        while True:
            step = plan.send(carry_out(db, step))
    except StopIteration as end:
        result: T = end.value
        return result


def carry_out(db: sqlite3.Connection, step: Step) -> Any:
    """One step; its answer."""
    if step.rows is not None and not step.rows:
        return None
    parameters: tuple[Any, ...] = ()
    answer = None
    for piece in STATEMENTS[step.name]:
        if piece.rows:
            insert(db, piece.sql, step.rows or ())
            continue
        if piece.width and not parameters:
            parameters = _bound(step.parameters if step.rows is None else (list(step.rows), *step.parameters))
        cursor = db.execute(piece.sql, parameters[: piece.width])
        if step.answer is Answer.COUNT:
            answer = cursor.rowcount
        elif step.answer is Answer.VALUE and cursor.description:
            row = cursor.fetchone()
            answer = row[0] if row else None
    return answer


def _bound(parameters: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(_encode(item).decode() if isinstance(item, list) else item for item in parameters)


class SqliteEngine:
    """One file. Writes go through the committer's thread, reads through another."""

    def __init__(self, path: Path, writes: Mapping[str, Write], now_ms: int = 0) -> None:
        self._path = path
        self._writes = writes
        self._now_ms = now_ms
        self._connections: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._committer = Committer(self._apply)

    async def open(self) -> list[str]:
        """Open (and create or migrate) the file; start the writing thread on the running loop."""
        applied = await asyncio.to_thread(self._connect)
        self._committer.start()
        return applied

    def _connect(self) -> list[str]:
        try:
            for _ in range(2):
                self._connections.append(connect(self._path))
            applied = migrate(self.writer, self._now_ms)
            self.reader.execute("PRAGMA query_only = ON")
            self.reader.execute("PRAGMA cache_size = -8192")  # it reads what the system's cache has anyway
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error
        return applied

    @property
    def writer(self) -> sqlite3.Connection:
        """The connection that writes; the committer's thread alone may use it while operations wait."""
        return self._connections[0]

    @property
    def reader(self) -> sqlite3.Connection:
        """The connection that reads."""
        return self._connections[1]

    async def close(self) -> None:
        """Write what waits and close the file."""
        await self._committer.stop()
        self._readers.shutdown()
        for connection in reversed(self._connections):
            connection.close()

    def statistics(self) -> dict[str, int]:
        """Commits made and operations in them."""
        return {"commits": self._committer.commits, "operations": self._committer.operations}

    def write(self, name: str, payload: Any) -> Awaitable[Any]:
        """Hand over one operation."""
        return self._committer.write(name, payload)

    def _apply(self, group: list[Operation]) -> list[Any]:
        db = self.writer
        try:
            db.execute("BEGIN IMMEDIATE")
            results = drive(db, planned(self._writes, group))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return results

    async def maintain(self, now_ms: int, before: int) -> list[str]:
        """There is nothing to be done."""
        return []

    async def fetch(self, name: str, *parameters: Any) -> str:
        """One JSON text."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._fetch, name, parameters)

    def _fetch(self, name: str, parameters: Sequence[Any]) -> str:
        [piece] = STATEMENTS[name]
        try:
            text: str = self.reader.execute(piece.sql, _bound(parameters)).fetchone()[0]
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        return text
