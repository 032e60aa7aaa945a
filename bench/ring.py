"""The ring without a wire: accept, claim, submit, settle, receipt, settle; every state durable.

    python bench/ring.py [--messages 60000] [--runs 3] [--profile]

The connector takes everything and receipts it in the next turn of the loop. The reference writes the same rows
in transactions of the same size, one after the other on one connection, and does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import pstats
import sys
import time
from itertools import count
from pathlib import Path

import uvloop

import load
import procs
from figures import Figure, conditions, median, show
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Reported, Run, Settlement
from heliograph.store.engines.sqlite import connect, drive, migrate
from heliograph.store.store import WRITES
from heliograph.store.vault import hash_key
from world import KEY, Ring

SWITCH_SECONDS = 0.0005  # as `heliograph serve` sets it
AHEAD = 20_000  # messages accepted and not yet final, at most
URL = "http://127.0.0.1:9/dr"


async def ring(folder: Path, size: int, messages: int) -> float:
    """Seconds from the first call until the last message is final and its notice written."""
    world = Ring(folder)
    await world.start(URL)
    found = world.workspaces.directory().service_by_key(hash_key(KEY))
    assert found is not None
    bodies = [load.body(100_000_000 + number * size, size) for number in range(messages // size)]
    waiting = iter(bodies)

    async def caller() -> None:
        for content in waiting:
            while world.intake.counts["destinations"] - world.told > AHEAD:
                await asyncio.sleep(0.001)
            await world.intake.accept(*found, content)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(4 if size > 1 else 256)))
    while world.told < len(bodies) * size:
        await asyncio.sleep(0.001)
    seconds = time.perf_counter() - began
    await world.stop()
    return seconds


def bare(folder: Path, size: int, messages: int, group: int = 1_000) -> float:
    """Seconds for the same rows with nothing around them, `group` messages to a transaction."""
    path = folder / "bare.sqlite"
    db = connect(path)
    migrate(db, 0)
    numbers, natives = count(1), count(1)

    def commit(*writes: tuple[str, object]) -> None:
        db.execute("BEGIN IMMEDIATE")
        for name, payload in writes:
            drive(db, WRITES[name](payload))  # type: ignore[arg-type]
        db.execute("COMMIT")

    kept = Message(content=Content(channel="sms", fields={"text": load.TEXT}), addresses=())
    began = time.perf_counter()
    for first in range(0, messages, group):
        calls, claims, submitted, receipts, delivered = [], [], [], [], []
        for start in range(first, first + group, size):
            number = next(numbers)
            request = Request(id=number, nonce=1, tenant="bench", service="bench", accepted=1, messages=(kept,))
            values = [f"447{100_000_000 + start + offset:09d}" for offset in range(size)]
            calls.append(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values),)))
            claims.append([(number, 0, size - 1)])
            for ordinal, value in enumerate(values):
                native = f"{next(natives):x}"
                submitted.append(
                    Change(
                        number, ordinal, State.SUBMITTED, "submitted", 1, "", 1, "bench/null", 9, natives=(native,)
                    )
                )
                receipts.append(
                    Reported(next(numbers), number, ordinal, 0, "bench/null", native, "delivered", 1, "", "", value)
                )
                delivered.append(
                    Change(
                        number,
                        ordinal,
                        State.DELIVERED,
                        "delivered",
                        1,
                        notice=next(numbers),
                        url=URL,
                        origin="http://127.0.0.1:9",
                    )
                )
        commit(("accept", calls))
        commit(("claim", claims))
        commit(("settle", [Settlement(changes=submitted)]))
        commit(("receive", [(receipts, Settlement(changes=delivered), [])]))
    seconds = time.perf_counter() - began
    db.close()
    return seconds


def measure(messages: int, runs: int) -> list[Figure]:
    """Messages per second in calls of 1,000 and in single calls; medians, taken in turn with the reference."""
    figures = []
    for what, size, total, wanted in (
        ("ring, calls of 1,000", 1_000, messages, ">= 30,000"),
        ("ring, single calls, 256 at once", 1, messages // 3 // 1_000 * 1_000, ""),
    ):
        ours, reference = [], []
        for _ in range(runs):
            with procs.folder() as folder:
                ours.append(total / uvloop.run(ring(folder, size, total)))
                reference.append(total / bare(folder, size, total))
            gc.collect()
        note = f"{min(ours):,.0f} to {max(ours):,.0f}"
        figures.append(Figure(what, median(ours), "messages/s", median(reference), wanted, note))
    return figures


def profile(messages: int, size: int) -> None:
    """The event loop's thread under cProfile, by own time."""
    watch = cProfile.Profile()
    with procs.folder() as folder:
        watch.runcall(uvloop.run, ring(folder, size, messages))
    pstats.Stats(watch).sort_stats("tottime").print_stats(45)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", type=int, default=0, metavar="SIZE", help="where the time goes, calls of SIZE")
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)
    if options.profile:
        profile(options.messages, options.profile)
        return
    print(conditions())
    show(measure(options.messages, options.runs))


if __name__ == "__main__":
    main()
