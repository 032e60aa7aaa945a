"""Several processes on PostgreSQL and NATS; under load each of them is killed, and both servers; exact accounting.

    python bench/chaos_cluster.py [--rounds 30] [--messages 1000] [--brokers 1] [--seed N] [--json] [--without-disks]

An api process accepts, two workers send to one SMSC (the one that has the bind does; the other takes it over). Every
round offers so many messages and strikes somebody in the middle (`strikes.py`): `kill -9` of the api, of a worker or
of both workers, a crash or a restart of the database, a restart of a broker, a broker that loses everything it kept;
connections of some process, or of all, to the database, the brokers or both that are cut or frozen (`relay.py`); a
clock that is an hour wrong from the start or from now on (`clocks.py`); a server that stands still again and again;
a server whose disk is full, or slow (`disks.py`). With three brokers also two of them at once, and the leader.
The SMSC repeats receipts and sends them out of order all the time.
After the last round all must end, and the books must agree to the message; what was sent twice must have been under
way at a strike (`windows.py`). Exit status 1 when they do not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import chaos
import procs
import strikes
import windows
from strikes import World

FINISH_SECONDS = 180.0
REQUEUED_SECONDS = 60  # after the last strike nothing may wait any longer to be sent
SOON = 0.1
DEFINED = {"7006"}  # what may be answered while something is wrong
ROWS = "SELECT destination || ' ' || state || ' ' || duplicate || ' ' || key FROM transactions"
ENDED = """SELECT count(*) || ' ' || coalesce(sum((state >= 40)::integer), 0) || ' '
    || coalesce(sum((state < 30)::integer), 0) || ' '
    || (SELECT count(*) FROM notices WHERE delivery = 0) FROM transactions"""


def one_round(there: World, name: str) -> None:
    """Load, and something happens in the middle of it: when so many calls were made, to a worker when messages go
    out. The load has the other thread: servers end with the thread that started them."""
    for member in (there.api, *there.workers):
        member.revive()
    before = there.far.counts()["submits"]
    sending = threading.Thread(target=asyncio.run, args=(chaos.send_all(there.api.port, there.waiting),))
    sending.start()
    if "worker" in name:
        there.wait_submits(before)
        time.sleep(there.rng.uniform(0, SOON))
    else:
        left = len(there.waiting) * there.rng.random()
        while len(there.waiting) > left and sending.is_alive():
            time.sleep(0.001)
    there.strike(name)
    sending.join()


def wait_final(there: World) -> tuple[float, float]:
    """Return when nothing is under way any more, or when that took too long; after how many seconds everything had
    gone out, and had an end."""
    began = time.perf_counter()
    gone = 0.0
    while (passed := time.perf_counter() - began) < FINISH_SECONDS:
        [[rows, ended, unsent, owed]] = there.ask(ENDED)
        if unsent == "0":
            gone = gone or passed
            if rows == ended and owed == "0" and not there.far.counts()["owed"]:
                break
        time.sleep(0.2)
    return gone or passed, passed


def play(
    folder: Path, books: chaos.Books, messages: int, ack_wait: int = 30, *, brokers: int = 1, disks: bool = True
) -> dict[str, int]:
    """All rounds, then the accounting into `books`; how often what happened, and after how many seconds all had an
    end. Raises `disks.Unable` where this machine cannot fill or slow a disk."""
    rng = random.Random(books.seed)
    happened: dict[str, int] = {}
    with strikes.world(folder, rng, ack_wait, count=brokers, with_disks=disks) as there:
        names = list(there.strikes())
        for number in range(books.rounds):
            name = names[number % len(names)] if number < len(names) else rng.choice(names)
            there.offer(messages)
            one_round(there, name)
            happened[name] = happened.get(name, 0) + 1
            books.kills += name != strikes.CALM
        for member in (there.api, *there.workers):
            member.wait_ready()
        while there.waiting:
            asyncio.run(chaos.send_all(there.api.port, there.waiting))
        gone, ended = wait_final(there)
        happened["seconds until all had gone out"] = round(gone)
        happened["seconds until all had an end"] = round(ended)
        account(there, books, happened)
        books.fault("waited too long to be sent", [f"{gone:.0f} s"] if gone > REQUEUED_SECONDS else [])
    return happened


def account(there: World, books: chaos.Books, happened: dict[str, int]) -> None:
    """Everything is stopped, and the books are made up."""
    far = there.far.counts()
    happened |= {f"receipts {name}": far[name] for name in ("hastened", "repeated", "stale")}
    statuses = [platform.stop()[0] for platform in (there.api, *there.workers)]
    found = procs.get(there.far.sink, "/told")
    rows = [(name, int(state), int(twice), key) for name, state, twice, key in there.ask(ROWS)]
    chaos.balance(books, there.calls, rows, found["seen"], found["told"])
    moves = [
        (name, int(was), int(now), int(twice), float(at)) for name, was, now, twice, at in there.ask(windows.MOVES)
    ]
    seen = windows.look(found["times"], moves, there.struck)
    happened |= {"claims": seen.claims, "claims at a strike": seen.struck}
    happened |= {f"claims given up, {name}": count for name, count in seen.given_up.items() if count}
    happened["longest claim that nothing struck (ms)"] = round(seen.longest * 1_000)
    books.fault("sent outside the window", seen.outside)
    books.fault(
        "answered with a code that is not defined",
        sorted({call.code for call in there.calls if call.fate == "refused"} - DEFINED),
    )
    books.fault("receipts that nobody acknowledged", [str(far["owed"])] if far["owed"] else [])
    books.fault("exit status of the last stop", [str(status) for status in statuses if status])


def main() -> int:
    """Play, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time, printed")
    parser.add_argument("--ack-wait", type=int, default=30, help="seconds after which work goes to another")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3))
    parser.add_argument("--without-disks", action="store_true", help="leave out full and slow disks")
    parser.add_argument("--json", action="store_true", help="the books as JSON")
    parser.add_argument("--keep", type=Path, default=None, help="folder that is left for a look afterwards")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    books = chaos.Books(options.rounds, seed)
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        folder = options.keep or stack.enter_context(procs.folder())
        folder.mkdir(parents=True, exist_ok=True)
        happened = play(
            folder,
            books,
            options.messages,
            options.ack_wait,
            brokers=options.brokers,
            disks=not options.without_disks,
        )
    books.seconds = time.perf_counter() - began
    if options.json:
        print(json.dumps({**asdict(books), "happened": happened}))
    else:
        print(", ".join(f"{name} {count}" for name, count in happened.items()))
        chaos.show(books)
    return 0 if books.agree else 1


if __name__ == "__main__":
    sys.exit(main())
