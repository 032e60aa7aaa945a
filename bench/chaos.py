"""kill -9 at random instants under load, and exact accounting afterwards.

    python bench/chaos.py [--rounds 50] [--messages 1000] [--seed N] [--json]

Every round offers so many messages, kills the platform somewhere in the middle and starts it again; the SMSC lives
on in its own process with a journal of every submit_sm. Destination and text carry the message's number. After
the last start everything must end, and the books must agree to the message. Exit status 1 when they do not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import sqlite3
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import load
import procs

CONNECTIONS = 16
SIZES = (1, 1, 1, 1, 1, 1, 5, 20, 100)  # destinations of a call, by chance
SMSC_DELAY_MS = 8.0  # so that the window is full of messages whose fate is open
LONGEST = 0.5  # seconds after the first call of a round at which the kill comes at the latest
EARLY = 8  # one start in so many is itself killed before it is ready
FINISH_SECONDS = 60.0
ROWS = "SELECT destination, state, duplicate, key FROM transactions"
QUEUED, SENDING, SUBMITTED, LAPSED, FAILED, DELIVERED, READ = 10, 20, 30, 40, 50, 51, 60  # model/outcome.py
DELIVERED_CODE = "7500"
CODE = re.compile(rb'"code":"([^"]*)"')

Row = tuple[str, int, int, str]
"""A message of the table: destination, state, the mark of a duplicate, key."""


@dataclass(slots=True)
class Call:
    """One call: its numbers, and what became of it: `unsent`, `open` (sent, no answer), `accepted`, `refused` (with
    the first `code` that is not 1001)."""

    numbers: list[str]
    content: bytes
    fate: str = "unsent"
    code: str = ""


@dataclass(slots=True)
class Books:
    """The accounting. Everything under `faults` must be 0."""

    rounds: int
    seed: int
    kills: int = 0
    offered: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    unanswered_kept: int = 0
    delivered: int = 0
    failed: int = 0
    expired: int = 0
    in_queue: int = 0
    submits: int = 0
    sent_twice_flagged: int = 0
    told_twice: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.faults.values())

    def fault(self, name: str, found: list[str]) -> None:
        """Note what is wrong, with a few examples."""
        self.faults[name] = len(found)
        if found:
            self.examples[name] = found[:5]


def calls_of(first: int, messages: int, rng: random.Random) -> Iterator[Call]:
    """Calls for so many messages with fresh numbers; the text of each carries its first number."""
    end = first + messages
    while first < end:
        size = min(rng.choice(SIZES), end - first)
        numbers = [f"447{number:09d}" for number in range(first, first + size)]
        yield Call(numbers, load.call(procs.KEY, load.body(first, size, f"No. {first} of {size}")))
        first += size


async def caller(port: int, waiting: deque[Call]) -> None:
    """Sends what waits, one call after the other, until nothing waits or the line breaks."""
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            call = waiting.popleft()
            call.fate = "open"
            writer.write(call.content)
            _, body = await load.answer(reader)
            call.fate = "accepted" if body.count(load.ACCEPTED) == len(call.numbers) else "refused"
            call.code = next((code.decode() for code in CODE.findall(body) if code != b"1001"), "")
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        if writer is not None:
            writer.close()


async def send_all(port: int, waiting: deque[Call]) -> None:
    """All connections at once."""
    await asyncio.gather(*(caller(port, waiting) for _ in range(CONNECTIONS)))


async def one_round(platform: procs.Platform, waiting: deque[Call], rng: random.Random) -> None:
    """Load, and the kill in the middle of it."""
    sending = asyncio.create_task(send_all(platform.port, waiting))
    await asyncio.sleep(rng.uniform(0, LONGEST))
    platform.kill()
    await sending


def start(platform: procs.Platform, rng: random.Random, books: Books) -> None:
    """Start the platform; sometimes it is killed while it starts, and started again."""
    if rng.randrange(EARLY) == 0:
        platform.start(wait=False)
        time.sleep(rng.uniform(0.1, 0.9))
        platform.kill()
        books.kills += 1
    platform.start()


@contextlib.contextmanager
def world(folder: Path, *options: str) -> Iterator[tuple[procs.FarEnd, procs.Platform]]:
    """The far ends with their journal, and a platform that is not started yet."""
    journal = str(folder / "journal.ndjson")
    with (
        procs.far_end("--delay-ms", str(SMSC_DELAY_MS), "--journal", journal, *options) as far,
        procs.Platform(folder / "data", procs.document(far.smsc, far.sink)) as platform,
    ):
        yield far, platform


def play(folder: Path, books: Books, messages: int) -> None:
    """All rounds, then the accounting into `books`."""
    rng = random.Random(books.seed)
    calls: list[Call] = []
    waiting: deque[Call] = deque()
    with world(folder, "--early") as (far, platform):
        for number in range(books.rounds):
            start(platform, rng, books)
            fresh = list(calls_of(100_000_000 + number * messages, messages, rng))
            calls.extend(fresh)
            waiting.extend(fresh)
            asyncio.run(one_round(platform, waiting, rng))
            books.kills += 1
        platform.start()
        asyncio.run(send_all(platform.port, waiting))
        database = folder / "data" / "heliograph.sqlite"
        wait_final(database)
        status, _ = platform.stop()
        found = procs.get(far.sink, "/told")
        balance(books, calls, kept_rows(database), found["seen"], found["told"])
        books.fault("exit status of the last stop", [str(status)] if status else [])


def drain(folder: Path, books: Books, messages: int) -> tuple[int, float]:
    """SIGTERM in the middle of the load, then a start that finishes; exit status and seconds of the stop."""
    rng = random.Random(books.seed)
    calls = list(calls_of(100_000_000, messages, rng))
    with world(folder) as (far, platform):
        platform.start()

        async def interrupted() -> tuple[int, float]:
            waiting = deque(calls)
            sending = asyncio.create_task(send_all(platform.port, waiting))
            while len(waiting) > len(calls) // 2:
                await asyncio.sleep(0.005)
            stopped = await asyncio.to_thread(platform.stop)
            await sending
            return stopped

        stopped = asyncio.run(interrupted())
        platform.start()
        database = folder / "data" / "heliograph.sqlite"
        wait_final(database)
        platform.stop()
        found = procs.get(far.sink, "/told")
        balance(books, calls, kept_rows(database), found["seen"], found["told"])
    return stopped


def read_only(database: Path) -> contextlib.closing[sqlite3.Connection]:
    """A connection beside the platform's own."""
    return contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True))


def states(database: Path) -> dict[int, int]:
    """How many messages stand where."""
    with read_only(database) as db:
        return dict(db.execute("SELECT state, count(*) FROM transactions GROUP BY state").fetchall())


def wait_final(database: Path, least: int = 0) -> None:
    """Return when there are so many messages and nothing is under way any more, or when that took too long (the
    books will show it)."""
    deadline = time.perf_counter() + FINISH_SECONDS
    with read_only(database) as db:
        while time.perf_counter() < deadline:
            rows, ended = db.execute("SELECT count(*), coalesce(sum(state >= 40), 0) FROM transactions").fetchone()
            owed = db.execute("SELECT count(*) FROM notices WHERE delivery = 0").fetchone()[0]
            if rows >= least and rows == ended and not owed:
                return
            time.sleep(0.2)


def kept_rows(database: Path) -> list[Row]:
    """Every message of the table."""
    with read_only(database) as db:
        return list(db.execute(ROWS))


def balance(books: Books, calls: list[Call], rows: list[Row], seen: dict[str, int], told: dict[str, int]) -> None:
    """The books against the table, the SMSC's journal and the callback endpoint's."""
    kept = {destination: (state, duplicate) for destination, state, duplicate, _ in rows}
    by_fate: dict[str, list[Call]] = {}
    for call in calls:
        by_fate.setdefault(call.fate, []).append(call)
    accepted = [number for call in by_fate.get("accepted", []) for number in call.numbers]
    refused = [number for call in by_fate.get("refused", []) for number in call.numbers]
    opened = by_fate.get("open", [])
    books.offered = sum(len(call.numbers) for call in calls)
    books.accepted, books.refused = len(accepted), len(refused)
    books.unanswered = sum(len(call.numbers) for call in opened)
    books.unanswered_kept = sum(number in kept for call in opened for number in call.numbers)
    states = Counter(state for state, _ in kept.values())
    books.delivered = states[DELIVERED] + states[READ]
    books.failed, books.expired = states[FAILED], states[LAPSED]
    books.in_queue = states[QUEUED] + states[SENDING] + states[SUBMITTED]
    books.submits = sum(seen.values())
    twice = {number for number, count in seen.items() if count > 1}
    books.sent_twice_flagged = sum(1 for number in twice if number in kept and kept[number][1])
    told_delivered = {entry.split()[0]: count for entry, count in told.items() if entry.endswith(DELIVERED_CODE)}
    books.told_twice = sum(1 for count in told.values() if count > 1)

    total = books.delivered + books.failed + books.expired + books.in_queue
    succeeded = {number for number, (state, _) in kept.items() if state in (SUBMITTED, DELIVERED, READ)}
    books.fault("lost: accepted, and not in the table", [number for number in accepted if number not in kept])
    books.fault("in the table twice", [n for n, count in Counter(row[0] for row in rows).items() if count > 1])
    books.fault("refused, and in the table", [number for number in refused if number in kept])
    books.fault("never offered, and in the table", sorted(kept.keys() - {n for c in calls for n in c.numbers}))
    books.fault("unanswered calls kept in part", [call.numbers[0] for call in opened if _in_part(call, kept)])
    books.fault("books do not add up", [] if total == books.accepted + books.unanswered_kept else [str(total)])
    books.fault("not final in the end", [n for n, (state, _) in kept.items() if state < LAPSED])
    books.fault("sent twice without the flag", [n for n in twice if n not in kept or not kept[n][1]])
    books.fault("sent, and not in the table", [number for number in seen if number not in kept])
    books.fault("false successes", sorted(succeeded - seen.keys()))
    books.fault(
        "delivered, and nobody told", [n for n, (s, _) in kept.items() if s == DELIVERED and n not in told_delivered]
    )
    books.fault(
        "told delivered, and not delivered", [n for n in told_delivered if kept.get(n, (0, 0))[0] != DELIVERED]
    )


def _in_part(call: Call, kept: dict[str, tuple[int, int]]) -> bool:
    return 0 < sum(number in kept for number in call.numbers) < len(call.numbers)


def show(books: Books) -> None:
    """Print the accounting for people."""
    kept = books.accepted + books.unanswered_kept
    print(f"{books.kills} kills in {books.rounds} rounds, seed {books.seed}, {books.seconds:.0f} s")
    print(
        f"offered {books.offered}: accepted {books.accepted}, refused {books.refused}, no answer {books.unanswered}"
    )
    print(
        f"kept {kept} = accepted {books.accepted} + unanswered but whole {books.unanswered_kept} = "
        f"delivered {books.delivered} + failed {books.failed} + expired {books.expired} + in queue {books.in_queue}"
    )
    print(
        f"submit_sm seen {books.submits}; sent twice and flagged {books.sent_twice_flagged}; callbacks made twice "
        f"{books.told_twice} (an endpoint must expect that)"
    )
    for name, count in books.faults.items():
        print(f"{name}: {count}" + (f"  {books.examples[name]}" if count else ""))
    print("the books agree" if books.agree else "THE BOOKS DO NOT AGREE")


def main() -> int:
    """Play, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time, printed")
    parser.add_argument("--json", action="store_true", help="the books as JSON")
    parser.add_argument("--keep", type=Path, default=None, help="folder that is left for a look afterwards")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    books = Books(options.rounds, seed)
    began = time.perf_counter()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        play(options.keep, books, options.messages)
    else:
        with procs.folder() as folder:
            play(folder, books, options.messages)
    books.seconds = time.perf_counter() - began
    if options.json:
        print(json.dumps(asdict(books)))
    else:
        show(books)
    return 0 if books.agree else 1


if __name__ == "__main__":
    sys.exit(main())
