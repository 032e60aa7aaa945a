"""What processes that share a database share beside messages: who has which duty, and short-lived credentials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, do, value


class Leased(NamedTuple):
    """A duty, who has it or had it last, and for how many milliseconds more by the clock of the database (below 0: it
    is free, for so long)."""

    name: str
    owner: str
    left: int


class Claim(NamedTuple):
    """The duties that an owner keeps, or takes where they are free, for so many milliseconds; and those that it gives
    back."""

    owner: str
    take: list[str]
    give: list[str]
    ttl: int


def leases(payloads: Sequence[Claim]) -> Plan[list[frozenset[str]]]:
    """Each claim in turn; which of its duties an owner has got."""
    held: list[frozenset[str]] = []
    for owner, take, give, ttl in payloads:
        if give:
            yield do("give_leases", owner, give)
        names = sorted(take)
        yield do("make_leases", names)
        text: str = yield value("take_leases", owner, names, ttl)
        held.append(frozenset(msgspec.json.decode(text, type=list[str])))
    return held


def save_token(payloads: Sequence[tuple[str, bytes, int]]) -> Plan[list[None]]:
    """Credentials, sealed already, each with the moment when it must be replaced."""
    for payload in payloads:
        yield do("save_token", *payload)
    return [None] * len(payloads)


class Duties(Area):
    """Leases, tokens, and the time of day."""

    async def now_ms(self) -> int:
        """Unix milliseconds by the clock of the database."""
        return (await self._read(tuple[int], "now"))[0]

    async def leases(self) -> list[Leased]:
        """Every duty that there is or was."""
        return await self._read(list[Leased], "leases")

    async def claim_leases(self, claim: Claim) -> frozenset[str]:
        """Keep, take and give back duties; which of those asked for are held now."""
        result: frozenset[str] = await self.engine.write("leases", claim)
        return result

    async def token(self, name: str) -> tuple[bytes, int] | None:
        """The sealed credential of that name, and when it must be replaced (Unix ms)."""
        rows = await self._read(list[tuple[str, int]], "token", name)
        return (bytes.fromhex(rows[0][0]), rows[0][1]) if rows else None

    async def save_token(self, name: str, sealed: bytes, expires_ms: int) -> None:
        """Keep a credential."""
        await self.engine.write("save_token", (name, sealed, expires_ms))
