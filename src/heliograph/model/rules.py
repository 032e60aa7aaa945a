"""The small vocabulary in which a channel states what its request object must hold.

Rules are data: the contract evaluates them in order, the reference documentation is printed from them.
A path is a tuple of member names below the channel's object; `()` is that object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PRIORITY_LEVELS = {level: level for level in ("1", "2", "3", "4", "5")}
"""The values of a priority, wherever one stands (decisions 3)."""

Path = tuple[str, ...]
Condition = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Given:
    """The condition that a member is there, be it empty: `{}` is there, null and `""` are not."""

    path: Path

    def __call__(self, found: dict[str, Any]) -> bool:
        """Whether it holds for a channel's object."""
        value: Any = found
        for name in self.path:
            value = value.get(name) if isinstance(value, dict) else None
        return value is not None and value != ""


def given(*path: str) -> Given:
    """The condition that the member is there."""
    return Given(path)


@dataclass(frozen=True, slots=True)
class Members:
    """The member at `path`, if present, is an object; so are those of its members that are named in `objects`,
    and those in `texts` are texts (a number is its text). Anything else is 7000."""

    path: Path
    texts: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """The member at `path` may be spelled `other` as well, where it is not there under its own name."""

    path: Path
    other: str


@dataclass(frozen=True, slots=True)
class Yields:
    """The member at `path` is dropped where one of the members `to` is present."""

    path: Path
    to: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Required:
    """The member must be present and not empty, where `when` (over the channel object) holds; else `key`, whose
    placeholders are filled with what it `says`. A template may stand for it, unless `always`."""

    path: Path
    key: str
    when: Condition | None = None
    note: str = ""
    always: bool = False
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of the members must be present and not empty, where `when` holds; else `key`. With `bare` an
    empty object counts as well. A template may stand for them."""

    paths: tuple[Path, ...]
    key: str
    when: Condition | None = None
    note: str = ""
    bare: bool = False
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueIn:
    """The member, if present, must be one of `values` (compared as lower-case text; the mapped value is
    what goes on); else `key`."""

    path: Path
    values: Mapping[str, str]
    key: str
    note: str = ""
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EachIn:
    """The member, if present, must be a list of texts (a bare one is a list of one), each one of `values`
    (compared in lower case, named once in what goes on); else `key` with the member's name."""

    path: Path
    values: frozenset[str]
    key: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """The member, if present, is an object `{action, value}`. The action must be one of `actions`, else
    `invalid_key`; absent it is `default`. Those in `bare` need no value, the others do, else `missing_key`."""

    path: Path
    actions: tuple[str, ...]
    bare: tuple[str, ...]
    default: str
    missing_key: str
    invalid_key: str


Rule = Members | Alias | Yields | Required | OneOf | ValueIn | EachIn | Action


@dataclass(frozen=True, slots=True)
class Interactive:
    """Where a channel's interactive object stands, and whether it names `device_types`. Held against the
    categories of the tenant, last of all values."""

    path: Path
    devices: bool
