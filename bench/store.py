"""The store alone: accept in calls of 1,000, single calls 256 at once, settle; every call durable when it returns.

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
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Run, Settlement
from heliograph.store import Store
from ring import SWITCH_SECONDS

CALLS = 4  # at once, of 1,000
SINGLES = 256  # at once
SETTLEMENTS = 4  # at once, of 500 changes
KEPT = Message(content=Content(channel="sms", fields={"text": load.TEXT}), addresses=())
_numbers = itertools.count(1 << 40)


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
        "accept, calls of 1,000, 4 at once": thousands * 1_000 / batches,
        "accept, single calls, 256 at once": singles / single,
        "settle, 500 changes with notices, 4 at once": thousands * 1_000 / settled,
    }


def run(thousands: int, singles: int) -> dict[str, float]:
    """One run on a fresh file."""
    with procs.folder() as folder:
        folder.mkdir(parents=True, exist_ok=True)
        return uvloop.run(measure(Store.on_sqlite(folder / "bench.sqlite"), thousands, singles))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    print(conditions())
    found: dict[str, list[float]] = {}
    for _ in range(options.runs):
        for name, value in run(150, 20_000).items():
            found.setdefault(name, []).append(value)
    show([Figure(name, median(values), "per second") for name, values in found.items()])


if __name__ == "__main__":
    main()
