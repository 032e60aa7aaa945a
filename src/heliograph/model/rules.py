"""The small vocabulary in which a channel states what its request object must hold.

Rules are data: the contract evaluates them in order, the reference documentation is printed from them.
A path is a tuple of member names below the channel's object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Required:
    """The member must be present and not empty, where `when` (over the channel object) holds; else `key`."""

    path: tuple[str, ...]
    key: str
    when: Callable[[dict[str, Any]], bool] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of the members must be present and not empty, where `when` holds; else `key`."""

    paths: tuple[tuple[str, ...], ...]
    key: str
    when: Callable[[dict[str, Any]], bool] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ValueIn:
    """The member, if present, must be one of `values` (compared as lower-case text; the mapped value is
    what goes on); else `key`."""

    path: tuple[str, ...]
    values: dict[str, str]
    key: str
    note: str = ""


Rule = Required | OneOf | ValueIn
