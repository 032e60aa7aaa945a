"""What a write does to a database, without doing it: a plan yields steps, an engine carries them out.

A plan is a generator. It takes the payloads of its kind that are written together, yields steps, is sent the answer
of each, and returns one result per payload. It knows neither the engine nor a connection, so every engine runs the
same plans: SQLite on a thread, PostgreSQL on the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, TypeVar

T = TypeVar("T")


class Answer(Enum):
    """What a plan wants to know of a step."""

    NOTHING = 0
    VALUE = 1  # the first column of the first row, or None
    COUNT = 2  # how many rows were touched


class Step(NamedTuple):
    """One named statement with its parameters. A parameter is a number, a text, bytes or a list of such; a list is
    one parameter on both engines (JSON on SQLite, an array on PostgreSQL). `rows`, all of equal width, are the work
    of one statement for many rows; without any row the step does nothing and its answer is None. A step that `adds`
    keeps rows which no other such step of its transaction looks at: an engine may carry out several at once."""

    name: str
    parameters: tuple[Any, ...] = ()
    rows: Sequence[Sequence[Any]] | None = None
    answer: Answer = Answer.NOTHING
    adds: bool = False


Plan: TypeAlias = Generator[Step, Any, T]
Write = Callable[[Sequence[Any]], Plan[list[Any]]]


def do(name: str, *parameters: Any) -> Step:
    """Run a statement."""
    return Step(name, parameters)


def value(name: str, *parameters: Any) -> Step:
    """Run a statement; the answer is one value."""
    return Step(name, parameters, None, Answer.VALUE)


def count(name: str, *parameters: Any) -> Step:
    """Run a statement; the answer is how many rows it touched."""
    return Step(name, parameters, None, Answer.COUNT)


def bulk(name: str, rows: Sequence[Sequence[Any]], answer: Answer = Answer.NOTHING) -> Step:
    """Run a statement for many rows at once."""
    return Step(name, (), rows, answer)


def add(name: str, rows: Sequence[Sequence[Any]]) -> Step:
    """Keep rows, which other steps that add do not look at."""
    return Step(name, (), rows, adds=True)
