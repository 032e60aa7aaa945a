"""What was looked up for a chunk of addresses before policy judges them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from heliograph.model.people.profile import Person, Where


class DndRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of the do-not-disturb list: `channel` and `category` "" stand for all, `expires` (Unix milliseconds)
    0 for never; `origin` says how it came there, `since` when."""

    address: str
    channel: str = ""
    category: str = ""
    reason: str = ""
    origin: str = "workspace"
    since: int = 0
    expires: int = 0

    def holds(self, channel: str, category: str, exempt: Collection[str], now_ms: int) -> bool:
        """Whether it stands against a message of a category on a channel. An entry of one category stands against
        that one alone, the others against all that are not exempt."""
        if (self.channel and self.channel != channel) or (self.expires and self.expires <= now_ms):
            return False
        return self.category == category if self.category else not category or category not in exempt


class Wish(NamedTuple):
    """What a person asked for in a message: to be put on the list of a tenant, or to be taken off it."""

    tenant: str
    row: DndRow
    stop: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Facts of addresses, none of them where nothing is known: `people` by what a call wrote; rows of the `dnd` list
    by address; how many messages an address `sent` to has had, by the name of a cap and the address; the `balance` of
    the tenant in millionths of its currency, None where it has no account."""

    people: Mapping[Where, Person] = field(default_factory=dict)
    dnd: Mapping[str, tuple[DndRow, ...]] = field(default_factory=dict)
    sent: Mapping[tuple[str, str], int] = field(default_factory=dict)
    balance: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.people or self.dnd or self.sent) and self.balance is None


NOTHING_KNOWN = Known()
