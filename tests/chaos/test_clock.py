"""A clock that jumps: ids only grow, and what is stored under them keeps its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.model.ids import Ids, accepted_ms
from heliograph.model.message import Content, Message, Request
from heliograph.model.record import Accepted, Run
from heliograph.store import Store

NOW = 1_800_000_000_000
HOUR = 3_600_000


class Clock:
    """Unix milliseconds that a test sets."""

    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms


@pytest.mark.parametrize("jumps", [[-HOUR], [-1, -1, -1], [HOUR, -2 * HOUR, 1], [0, 0, -24 * HOUR]])
def test_ids_grow_whatever_the_clock_does(jumps: list[int]) -> None:
    clock = Clock()
    ids = Ids(clock)
    made = [ids.next()]
    for jump in jumps:
        clock.ms += jump
        made.extend(ids.next() for _ in range(3))

    assert made == sorted(set(made))


def test_ids_grow_when_a_millisecond_is_used_up_while_the_clock_stands() -> None:
    ids = Ids(Clock())
    made = [ids.next() for _ in range((1 << 16) + 10)]

    assert made == sorted(set(made))
    assert accepted_ms(made[-1]) == NOW + 1


async def test_calls_accepted_after_the_clock_went_back_are_stored_and_come_last(tmp_path: Path) -> None:
    clock = Clock()
    ids, store = Ids(clock), Store.on_sqlite(tmp_path / "s.sqlite", clock.ms)
    await store.open()
    made = []
    for jump in (0, -HOUR, -HOUR):
        clock.ms += jump
        made.append(ids.next())
        message = Message(content=Content(channel="sms"), addresses=())
        request = Request(id=made[-1], nonce=1, tenant="t", service="s", accepted=clock.ms, messages=(message,))
        await store.accept(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", ["447700900001"]),)))
    found = [entry.request for entry in await store.open_requests(0, 10)]
    await store.close()

    assert found == made
