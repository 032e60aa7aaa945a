"""Connections to PostgreSQL, and how steps are carried out on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import asyncpg

from heliograph.store.engines.base import StoreAway
from heliograph.store.engines.postgres.arrays import from_texts, literal
from heliograph.store.statements import load
from heliograph.store.steps import Answer, Plan, Step

T = TypeVar("T")

_NUL = re.compile(r"\0|((?<!\\)(?:\\\\)*)\\u0000")
_NUMBER = re.compile(r"\$(\d+)")

CONNECT_SECONDS = 3.0
COMMAND_SECONDS = 20.0

COMMON = {"application_name": "heliograph", "jit": "off", "timezone": "UTC"}
# The writer's statements find rows by key, whatever the statistics of a partition that is a minute old say; they are
# planned once, for planning over a month of partitions costs more than running.
WRITER = {
    **COMMON,
    "synchronous_commit": "on",
    "plan_cache_mode": "force_generic_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "idle_in_transaction_session_timeout": "5s",  # a process that was paused keeps no row from the others
}
READER = {**COMMON, "default_transaction_read_only": "on"}
ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
GONE = (
    OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError, asyncpg.ReadOnlySQLTransactionError,
)  # fmt: skip
NO_TEXT = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)

STATEMENTS = load("postgres")
STEPS = {name: from_texts(sql) for name, sql in STATEMENTS.items()}
"""The same as plans use them. Reads keep their arrays: the planner looks into them."""


async def connect(url: str, settings: Mapping[str, str] = COMMON) -> asyncpg.Connection:
    """A connection with our settings. Raises `StoreAway`."""
    try:
        return await asyncpg.connect(
            url, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS, server_settings=dict(settings),
            statement_cache_size=256, max_cached_statement_lifetime=0,
        )  # fmt: skip
    except (*ERRORS, ValueError) as error:
        raise StoreAway(f"no connection to PostgreSQL: {text_of(error)}") from error


async def drive(db: asyncpg.Connection, plan: Plan[T], *, clean: bool = False) -> T:
    """Carry out a plan inside the connection's transaction; `clean` takes out of texts what PostgreSQL cannot keep.
    Steps that add go together, before the next one that does not."""
    adding: list[Step] = []
    answer: Any = None
    while True:
        try:
            step = plan.send(answer)
        except StopIteration as end:
            await _add(db, adding, clean=clean)
            result: T = end.value
            return result
        answer = None
        if step.rows is not None and not step.rows:
            continue
        if step.adds and all(step.name != other.name for other in adding):
            adding.append(step)
            continue
        await _add(db, adding, clean=clean)
        adding = [step] if step.adds else []
        if not step.adds:
            answer = await carry_out(db, step, clean=clean)


async def _add(db: asyncpg.Connection, steps: Sequence[Step], *, clean: bool) -> None:
    if steps:
        parameters = [value for step in steps for value in _parameters(step, clean=clean)]
        await db.execute(_together(tuple(step.name for step in steps)), *parameters)


@cache
def _together(names: tuple[str, ...]) -> str:
    """Several statements as one, carried out in their order; their parameters follow each other."""
    if len(names) == 1:
        return STEPS[names[0]]
    parts, shift = [], 0
    for name in names:
        sql = STEPS[name]
        parts.append(f"{name} AS ({_shifted(sql, shift)})")
        shift += max(int(number) for number in _NUMBER.findall(sql))
    return f"WITH {', '.join(parts)} SELECT"


def _shifted(sql: str, by: int) -> str:
    return _NUMBER.sub(lambda found: f"${int(found[1]) + by}", sql)


async def carry_out(db: asyncpg.Connection, step: Step, *, clean: bool = False) -> Any:
    """One step; its answer."""
    parameters, sql = _parameters(step, clean=clean), STEPS[step.name]
    if step.answer is Answer.VALUE:
        return await db.fetchval(sql, *parameters)
    status = await db.execute(sql, *parameters)
    return int(status.rpartition(" ")[2]) if step.answer is Answer.COUNT else None


def _parameters(step: Step, *, clean: bool) -> list[Any]:
    parameters: Sequence[Any] = step.parameters
    if step.rows is not None:
        parameters = (*zip(*step.rows, strict=True), *parameters)
    if clean:
        parameters = [cleaned(item) for item in parameters]
    return [literal(value) if isinstance(value, (list, tuple)) else value for value in parameters]


def cleaned(value: Any) -> Any:
    """Without NUL characters, which PostgreSQL's texts cannot have, nor its JSON in other words."""
    if isinstance(value, str):
        return _NUL.sub("\\1\N{REPLACEMENT CHARACTER}", value)
    return [cleaned(item) for item in value] if isinstance(value, (list, tuple)) else value


def text_of(error: BaseException) -> str:
    """What it says, or its kind."""
    return str(error) or type(error).__name__


async def close(db: asyncpg.Connection) -> None:
    """Let go of a connection, politely if it is there."""
    try:
        await db.close(timeout=CONNECT_SECONDS)
    except ERRORS:
        db.terminate()
