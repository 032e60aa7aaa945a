"""What a message costs as the tables grow: a block of calls is accepted, settled and looked up at each size.

    python bench/growth.py [--most 1000000]

SQLite and PostgreSQL (its own server on this machine, fsync on) in turn; the reference is the same engine with
10,000 messages.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import AsyncIterator, Iterable

import uvloop
from rich.progress import Progress

import procs
from figures import Figure, conditions, show
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Settlement
from heliograph.store import Store
from heliograph.testing.postgres import postgres
from ring import SWITCH_SECONDS
from store import CALLS, ENGINES, SETTLEMENTS, at_once, call

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)  # messages in the tables
BLOCK = 100  # calls of 1,000 that are measured at each size
FILL = 200  # calls of 1,000 between two looks at the bar
READS = 2_000  # status lookups that are measured at each size
SLICE = 500  # changes of a settlement


def settlements(calls: Iterable[Accepted]) -> list[Settlement]:
    """Everything in the calls was delivered."""
    return [
        Settlement(
            changes=[
                Change(item.request.id, ordinal, State.DELIVERED, "delivered", 1, "", 1, "bench/smsc")
                for ordinal in range(start, start + SLICE)
            ]
        )
        for item in calls
        for start in range(0, 1_000, SLICE)
    ]


async def pass_through(store: Store, thousands: int) -> tuple[list[Accepted], float, float]:
    """Accept and settle; the calls, and destinations a second of either."""
    calls = [call(1_000) for _ in range(thousands)]
    accepted = await at_once(CALLS, [lambda item=item: store.accept(item) for item in calls])  # type: ignore[misc]
    work = [lambda item=item: store.settle(item) for item in settlements(calls)]  # type: ignore[misc]
    settled = await at_once(SETTLEMENTS, work)
    return calls, thousands * 1_000 / accepted, thousands * 1_000 / settled


async def grow(store: Store, most: int, bar: Progress, name: str) -> AsyncIterator[tuple[int, float, float, float]]:
    """At each size: destinations accepted and settled a second, and lookups a second."""
    await store.open()
    task = bar.add_task(name, total=most)
    seen: list[tuple[int, int]] = []
    stored = 0
    for size in itertools.takewhile(lambda size: size <= most, SIZES):
        while stored < size:
            count = min(FILL, (size - stored) // 1_000)
            calls, *_ = await pass_through(store, count)
            seen += [(item.request.id, random.randrange(1_000)) for item in random.sample(calls, min(20, count))]
            stored += count * 1_000
            bar.update(task, completed=stored)
        _, accepted, settled = await pass_through(store, BLOCK)
        stored += BLOCK * 1_000
        looked = random.choices(seen, k=READS)
        took = await at_once(8, [lambda at=at: store.transactions(*at) for at in looked])  # type: ignore[misc]
        yield size, accepted, settled, READS / took
    await store.close()


async def measured(store: Store, most: int, bar: Progress, name: str) -> list[Figure]:
    """The curve of one engine."""
    figures: list[Figure] = []
    first: tuple[float, ...] = ()
    async for size, *rates in grow(store, most, bar, name):
        first = first or tuple(rates)
        figures += [
            Figure(f"{name}, {size:,} stored: {what}", rate, "per second", start, "ratio near 1", "")
            for what, rate, start in zip(("accepted", "settled", "looked up"), rates, first, strict=True)
        ]
    return figures


def run(engine: str, most: int, bar: Progress) -> list[Figure]:
    """One engine, on a fresh database."""
    with procs.folder() as folder:
        if engine == ENGINES[0]:
            folder.mkdir(parents=True, exist_ok=True)
            return uvloop.run(measured(Store.on_sqlite(folder / "bench.sqlite"), most, bar, engine))
        with postgres(durable=True) as server:
            url = server.url(server.create())
            store = Store.on_postgres(url, time.time_ns() // 1_000_000)
            return uvloop.run(measured(store, most, bar, engine))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1_000_000, help="messages in the tables at the end")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="one of them alone")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    print(conditions())
    with Progress(transient=True) as bar:
        figures = [figure for engine in options.engine or ENGINES for figure in run(engine, options.most, bar)]
    show(figures)


if __name__ == "__main__":
    main()
