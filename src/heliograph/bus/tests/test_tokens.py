"""Short-lived credentials in one process."""

from __future__ import annotations

import asyncio

import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.model.channel import Token


class World:
    """A clock, and a far end that hands out tokens."""

    def __init__(self) -> None:
        self.now = 1_000
        self.made = 0
        self.before: list[Token | None] = []
        self.tokens = LocalTokens(lambda: self.now)

    async def fetch(self, before: Token | None) -> Token:
        await asyncio.sleep(0)
        self.before.append(before)
        self.made += 1
        return Token(f"t{self.made}", self.now + 100, f"r{self.made}")

    async def get(self, refused: str = "") -> str:
        return (await self.tokens.get("a", self.fetch, refused=refused)).value


async def test_a_token_is_fetched_once_however_many_ask() -> None:
    world = World()
    assert await asyncio.gather(*(world.get() for _ in range(20))) == ["t1"] * 20


async def test_an_expired_token_is_replaced_from_the_one_before() -> None:
    world = World()
    await world.get()
    world.now += 100
    assert await world.get() == "t2"
    assert world.before[1] is not None
    assert world.before[1].refresh == "r1"


async def test_a_refused_token_is_replaced_once() -> None:
    world = World()
    await world.get()
    assert await asyncio.gather(*(world.get(refused="t1") for _ in range(5))) == ["t2"] * 5


async def test_a_failed_fetch_reaches_who_asked_and_is_tried_again() -> None:
    world = World()

    async def broken(before: Token | None) -> Token:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await world.tokens.get("a", broken)
    assert await world.get() == "t1"
