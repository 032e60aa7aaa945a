"""The store alone: accept in calls of 1,000, single calls 256 at once, settle; every call durable when it
returns. SQLite and PostgreSQL (its own server on this machine, fsync on) in turn.

    python bench/store.py [--runs 3]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop

import load
import procs
from figures import Figure, conditions, median, show
from heliograph.model.ids import first_id_at
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Run, Settlement
from heliograph.store import Store
from heliograph.testing.postgres import postgres
from ring import SWITCH_SECONDS

ENGINES = ("SQLite", "PostgreSQL")
BATCHES, ALONE, SETTLED = (
    "accept, calls of 1,000, 4 at once",
    "accept, single calls, 256 at once",
    "settle, 500 changes with notices, 4 at once",
)
WANTED = {("PostgreSQL", BATCHES): ">= 60,000", ("PostgreSQL", ALONE): ">= 8,000"}
CALLS = 4  # at once, of 1,000
SINGLES = 256  # at once
SETTLEMENTS = 4  # at once, of 500 changes
KEPT = Message(content=Content(channel="sms", fields={"text": load.TEXT}), addresses=())
_numbers = itertools.count(first_id_at(time.time_ns() // 1_000_000))


def call(size: int) -> Accepted:
    """A call with so many destinations."""
    number = next(_numbers)
    request = Request(id=number, nonce=number, tenant="bench", service="bench", accepted=1, messages=(KEPT,))
    values = [f"447{100_000_000 + number % 1_000_000 + offset:09d}" for offset in range(size)]
    return Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values),))


async def at_once(count: int, work: list[Callable[[], Awaitable[object]]]) -> float:
    """Seconds for all the work, `count` at a time."""
    left = iter(work)

    async def one() -> None:
        for item in left:
            await item()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    return time.perf_counter() - began


async def measure(store: Store, thousands: int, singles: int) -> dict[str, float]:
    """Per second: destinations in calls of 1,000, single calls, changes settled."""
    await store.open()
    calls = [call(1_000) for _ in range(thousands)]
    batches = await at_once(CALLS, [lambda item=item: store.accept(item) for item in calls])  # type: ignore[misc]
    alone = [call(1) for _ in range(singles)]
    single = await at_once(SINGLES, [lambda item=item: store.accept(item) for item in alone])  # type: ignore[misc]
    settlements = [
        Settlement(
            changes=[
                Change(
                    item.request.id, ordinal, State.SUBMITTED, "submitted", 1, "", 1, "bench/smsc", 9,
                    notice=next(_numbers), url="http://caller/dr", origin="http://caller:80",
                    natives=(f"{next(_numbers):x}",),
                )
                for ordinal in range(start, start + 500)
            ]
        )
        for item in calls
        for start in (0, 500)
    ]  # fmt: skip
    work = [lambda item=item: store.settle(item) for item in settlements]  # type: ignore[misc]
    settled = await at_once(SETTLEMENTS, work)
    await store.close()
    return {
        BATCHES: thousands * 1_000 / batches,
        ALONE: singles / single,
        SETTLED: thousands * 1_000 / settled,
    }


def run(engine: str, thousands: int, singles: int) -> dict[str, float]:
    """One run on a fresh database."""
    with procs.folder() as folder:
        if engine == "SQLite":
            folder.mkdir(parents=True, exist_ok=True)
            return uvloop.run(measure(Store.on_sqlite(folder / "bench.sqlite"), thousands, singles))
        with postgres(durable=True) as server:
            url = server.url(server.create())
            return uvloop.run(measure(Store.on_postgres(url, time.time_ns() // 1_000_000), thousands, singles))


def compare(runs: int, thousands: int = 150, singles: int = 20_000) -> list[Figure]:
    """Both engines in turn; medians."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(runs):
        for engine in ENGINES:
            for name, value in run(engine, thousands, singles).items():
                found.setdefault((engine, name), []).append(value)
    middle = {key: median(values) for key, values in found.items()}
    return [
        Figure(
            f"{engine}: {name}", value, "per second", middle["SQLite", name], WANTED.get((engine, name), ""),
            f"{min(found[engine, name]):,.0f} to {max(found[engine, name]):,.0f}",
        )
        for (engine, name), value in middle.items()
    ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    print(conditions())
    show(compare(options.runs))


if __name__ == "__main__":
    main()
