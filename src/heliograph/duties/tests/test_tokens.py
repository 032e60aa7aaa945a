"""A token is fetched once for all processes, kept sealed, and replaced once when it is refused or has expired."""

from __future__ import annotations

import asyncio

import pytest

from heliograph.duties.tokens import SharedTokens
from heliograph.model.channel import Token
from heliograph.store import Store, StoreUnavailable
from heliograph.store.vault import Vault, new_secret
from heliograph.testing.databases import Database

SECRET = new_secret()
NOW_MS = 1_000_000


class FarEnd:
    """Hands out tokens, slowly, and counts them."""

    def __init__(self) -> None:
        self.given: list[Token | None] = []

    async def fetch(self, before: Token | None) -> Token:
        """The next one; `before` is what it replaces."""
        self.given.append(before)
        number = len(self.given)
        await asyncio.sleep(0.05)
        return Token(f"secret-{number}", NOW_MS + 60_000, f"refresh-{number}")


def several(stores: list[Store]) -> list[SharedTokens]:
    """What each process has."""
    return [SharedTokens(store, Vault(SECRET), f"p{index}", lambda: NOW_MS) for index, store in enumerate(stores)]


async def test_many_processes_fetch_once(stores: list[Store]) -> None:
    far_end, tokens = FarEnd(), several(stores)

    found = await asyncio.gather(*(one.get("x", far_end.fetch) for one in tokens * 5))

    assert [token.value for token in found] == ["secret-1"] * 15
    assert far_end.given == [None]


async def test_one_that_is_refused_is_replaced_once_and_from_the_one_before(stores: list[Store]) -> None:
    far_end, tokens = FarEnd(), several(stores)
    await asyncio.gather(*(one.get("x", far_end.fetch) for one in tokens))

    found = await asyncio.gather(*(one.get("x", far_end.fetch, refused="secret-1") for one in tokens))

    assert [token.value for token in found] == ["secret-2"] * 3
    assert [before.refresh for before in far_end.given if before] == ["refresh-1"]


async def test_a_fetch_that_fails_reaches_those_who_asked_and_lets_the_next_try(stores: list[Store]) -> None:
    async def fail(_: Token | None) -> Token:
        raise PermissionError("refused")

    far_end, [first, second, _] = FarEnd(), several(stores)
    with pytest.raises(PermissionError):
        await first.get("x", fail)

    assert (await asyncio.wait_for(second.get("x", far_end.fetch), 2)).value == "secret-1"


async def test_it_is_sealed_in_the_table(stores: list[Store], database: Database) -> None:
    await several(stores)[0].get("x", FarEnd().fetch)

    content = await database.content()
    assert b"secret-1" not in content
    assert b"refresh-1" not in content


async def test_what_another_key_has_sealed_is_fetched_again(stores: list[Store]) -> None:
    far_end = FarEnd()
    await several(stores)[0].get("x", far_end.fetch)
    stranger = SharedTokens(stores[1], Vault(new_secret()), "p9", lambda: NOW_MS)

    assert (await stranger.get("x", far_end.fetch)).value == "secret-2"


async def test_a_store_that_is_away_is_waited_for(stores: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, far_end, asked = several(stores)[0], FarEnd(), []
    real = stores[0].token

    async def away(name: str) -> tuple[bytes, int] | None:
        asked.append(name)
        if len(asked) == 1:
            raise StoreUnavailable("gone")
        return await real(name)

    monkeypatch.setattr(stores[0], "token", away)

    assert (await tokens.get("x", far_end.fetch)).value == "secret-1"
