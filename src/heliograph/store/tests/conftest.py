"""A real store on a real file, and small things to put in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count

import pytest

from heliograph.model.message import Content, Message, Request
from heliograph.model.record import Accepted, Run
from heliograph.store import Store
from heliograph.testing.databases import Database

NUMBERS = ["447700900001", "447700900002", "447700900003"]

Accept = Callable[..., Accepted]


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty store."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def accepted() -> Accept:
    """Makes calls: `accepted()` has three destinations."""
    ids = count(1 << 22)

    def make(values: list[str] | None = None, *, priority: int = 3, channel: str = "sms") -> Accepted:
        request = Request(
            id=next(ids),
            nonce=7,
            tenant="demo",
            service="orders",
            accepted=1_000,
            messages=(
                Message(content=Content(channel=channel, fields={"text": "hello"}), addresses=(), priority=priority),
            ),
        )
        return Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values or NUMBERS),))

    return make
