"""What a queued message costs in memory, and how long a restart with a million queued messages takes.

    python bench/memory.py [--messages 400000] [--restart 1000000]

Memory is the growth of the resident set of `heliograph serve`, with nothing that takes messages away, while calls
come over HTTP; the second half of the messages gives the cost of one more, the first half also pays for the bounded
caches. The restart is `heliograph serve` on a file with so many queued rows, from its start to the first good
answer of `/readyz`.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import uvloop

import load
import procs
from figures import Figure, conditions, show
from heliograph.model.ids import Ids
from heliograph.model.message import Content, Message, Request
from heliograph.model.record import Accepted, Run
from heliograph.store.engines.sqlite import connect, drive, migrate
from heliograph.store.store import WRITES

PER_COMMIT = 20_000
SETTLE_SECONDS = 1.0


def calls(first: int, messages: int, size: int) -> list[tuple[bytes, int]]:
    """Calls for so many messages."""
    return [(load.call(procs.KEY, load.body(start, size)), size) for start in range(first, first + messages, size)]


def cost(size: int, messages: int) -> tuple[float, float]:
    """Bytes for each message: on the whole, and for each of the second half."""
    with procs.folder() as folder:
        nobody = procs.free_port()
        served = procs.Platform(folder, procs.document(nobody, nobody))
        served.start()
        try:
            uvloop.run(load.run(served.port, iter(calls(10_000_000, 2 * size, size)), 2))
            marks = [served.memory()]
            for half in range(2):
                wanted = iter(calls(100_000_000 + half * messages, messages // 2, size))
                tally = uvloop.run(load.run(served.port, wanted, 64 if size == 1 else 4))
                if tally.refused:
                    raise RuntimeError(f"refused: {tally.first_refusal}")
                time.sleep(SETTLE_SECONDS)
                marks.append(served.memory())
        finally:
            served.stop()
    return (marks[2] - marks[0]) / messages, (marks[2] - marks[1]) / (messages // 2)


def prepare(path: Path, size: int, messages: int) -> None:
    """A file with so many queued messages, in calls of `size`."""
    db = connect(path)
    migrate(db, 0)
    now = itertools.count(time.time_ns() // 1_000_000 - messages)
    ids = Ids(lambda: next(now))
    kept = Message(content=Content(channel="sms", fields={"text": load.TEXT}), addresses=())
    for first in range(0, messages, PER_COMMIT):
        made = []
        for start in range(first, first + PER_COMMIT, size):
            request = Request(
                id=ids.next(), nonce=1, tenant="bench", service="bench", accepted=time.time_ns() // 1_000_000,
                messages=(kept,),
            )  # fmt: skip
            values = [f"447{100_000_000 + start + offset:09d}" for offset in range(size)]
            made.append(Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values),)))
        db.execute("BEGIN IMMEDIATE")
        drive(db, WRITES["accept"](made))
        db.execute("COMMIT")
    db.close()


def restart(size: int, messages: int) -> tuple[float, float, int]:
    """Seconds until ready, bytes for each message then, and messages submitted in the second after that."""
    with procs.far_end() as far, procs.folder() as folder:
        served = procs.Platform(folder, procs.document(far.smsc, far.sink))
        served.start()
        empty = served.memory()
        served.stop()
        prepare(folder / "heliograph.sqlite", size, messages)
        seconds = served.start()
        try:
            held = served.memory() - empty
            time.sleep(1.0)
            return seconds, held / messages, far.counts()["submits"]
        finally:
            served.kill()


def measure(messages: int, queued: int) -> list[Figure]:
    """The figures."""
    figures = []
    for what, size in (("single calls", 1), ("calls of 1,000", 1_000)):
        whole, more = cost(size, messages)
        note = f"of {messages // 2:,} more; with the caches that fill up first {whole:,.0f}"
        figures.append(Figure(f"memory of a queued message, {what}", more, "bytes", wanted="<= 200", note=note))
    for what, size in (("calls of 1,000", 1_000), ("single calls", 1)):
        seconds, held, submits = restart(size, queued)
        note = f"then {held:,.0f} bytes a message; {submits:,} submitted in the first second after"
        figures.append(Figure(f"restart with {queued:,} queued, {what}", seconds, "s", wanted="<= 10", note=note))
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--restart", type=int, default=1_000_000)
    options = parser.parse_args()
    print(conditions())
    show(measure(options.messages, options.restart))


if __name__ == "__main__":
    main()
