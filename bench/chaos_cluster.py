"""Several processes on PostgreSQL and NATS; under load each of them is killed, and both servers; exact accounting.

    python bench/chaos_cluster.py [--rounds 30] [--messages 1000] [--seed N] [--json]

An api process accepts, two workers send to one SMSC (the one that has the bind does; the other takes it over). Every
round offers so many messages and strikes somebody in the middle: `kill -9` of the api, of a worker or of both
workers, a crash or a restart of the database, a restart of the broker, or a broker that loses everything it kept.
After the last round all must end, and the books must agree to the message. Exit status 1 when they do not.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import chaos
import procs
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer, postgres

FINISH_SECONDS = 180.0
DOWN = (0.2, 2.0)  # seconds a server is away
BIND_SECONDS = 20.0
SOON = 0.1
ROWS = "SELECT destination || ' ' || state || ' ' || duplicate || ' ' || key FROM transactions"
ENDED = """SELECT count(*) || ' ' || coalesce(sum((state >= 40)::integer), 0) || ' '
    || (SELECT count(*) FROM notices WHERE delivery = 0) FROM transactions"""


@dataclass(slots=True)
class World:
    """Everything that runs."""

    far: procs.FarEnd
    server: PostgresServer
    broker: NatsServer
    database: str
    api: procs.Platform
    workers: list[procs.Platform]
    rng: random.Random

    def ask(self, sql: str) -> list[list[str]]:
        """The words of each row."""
        return [line.split(" ") for line in self.server.sql(sql, self.database).splitlines()]

    def end(self, victims: list[procs.Platform]) -> None:
        """kill -9, and a start in their place."""
        for victim in victims:
            victim.kill()
        for victim in victims:
            victim.start(wait=False)

    def wait_submits(self, before: int) -> None:
        """Return once more messages went out, or when nobody takes over the bind."""
        end = time.perf_counter() + BIND_SECONDS
        while self.far.counts()["submits"] <= before and time.perf_counter() < end:
            time.sleep(0.01)

    # What may happen

    def kill_api(self) -> None:
        """The process that accepts."""
        self.end([self.api])
        self.api.wait_ready()

    def kill_worker(self) -> None:
        """One of the processes that send."""
        self.end([self.rng.choice(self.workers)])

    def drain_worker(self) -> None:
        """One of them, in order: what it has not begun goes to the other at once, unflagged."""
        victim = self.rng.choice(self.workers)
        victim.stop()
        victim.start(wait=False)

    def kill_workers(self) -> None:
        """Both."""
        self.end(self.workers)

    def crash_database(self) -> None:
        """As a machine that fails: it recovers from its log."""
        self.server.stop(signal.SIGQUIT)
        time.sleep(self.rng.uniform(*DOWN))
        self.server.start()

    def restart_database(self) -> None:
        """In order, with everyone's connections cut."""
        self.server.stop()
        time.sleep(self.rng.uniform(*DOWN))
        self.server.start()

    def restart_broker(self) -> None:
        """Killed; it keeps what it was given."""
        self.broker.stop(signal.SIGKILL)
        time.sleep(self.rng.uniform(*DOWN))
        self.broker.start()

    def empty_broker(self) -> None:
        """Killed, and its disk is lost."""
        self.broker.stop(signal.SIGKILL)
        self.broker.forget()
        time.sleep(self.rng.uniform(*DOWN))
        self.broker.start()

    def strikes(self) -> dict[str, Callable[[], None]]:
        """All of it by name."""
        return {
            "worker": self.kill_worker, "api": self.kill_api, "broker": self.restart_broker,
            "database": self.crash_database, "workers": self.kill_workers, "worker, in order": self.drain_worker,
            "database, in order": self.restart_database, "broker, emptied": self.empty_broker,
        }  # fmt: skip


@contextlib.contextmanager
def world(folder: Path, rng: random.Random, ack_wait: int) -> Iterator[World]:
    """All of it, running."""
    with (
        procs.far_end(
            "--delay-ms", str(chaos.SMSC_DELAY_MS), "--journal", str(folder / "journal.ndjson"), "--early"
        ) as far,
        postgres(durable=True) as server,
        nats() as broker,
    ):
        database = server.create()
        settings = {
            "DATABASE": server.url(database), "BUS": broker.space(ack_wait=ack_wait),
            "SECRET_KEY": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        }  # fmt: skip
        document = procs.document(far.smsc, far.sink)
        with (
            procs.Platform(folder / "api", document, "api", **settings) as api,
            procs.Platform(folder / "worker1", document, "worker", **settings) as one,
            procs.Platform(folder / "worker2", document, "worker", **settings) as two,
        ):
            api.start()
            for worker in (one, two):
                worker.start(wait=False)
            for worker in (one, two):
                worker.wait_ready()
            yield World(far, server, broker, database, api, [one, two], rng)


def one_round(there: World, waiting: deque[chaos.Call], name: str) -> None:
    """Load, and something happens in the middle of it; to a worker when messages go out. The load has the other
    thread: servers end with the thread that started them."""
    before = there.far.counts()["submits"]
    sending = threading.Thread(target=asyncio.run, args=(chaos.send_all(there.api.port, waiting),))
    sending.start()
    if "worker" in name:
        there.wait_submits(before)
        time.sleep(there.rng.uniform(0, SOON))
    else:
        time.sleep(there.rng.uniform(0, chaos.LONGEST))
    there.strikes()[name]()
    sending.join()


def wait_final(there: World) -> float:
    """Return when nothing is under way any more, or when that took too long; how many seconds it took."""
    began = time.perf_counter()
    while time.perf_counter() < began + FINISH_SECONDS:
        [[rows, ended, owed]] = there.ask(ENDED)
        if rows == ended and owed == "0":
            break
        time.sleep(0.2)
    return time.perf_counter() - began


def play(folder: Path, books: chaos.Books, messages: int, ack_wait: int = 30) -> dict[str, int]:
    """All rounds, then the accounting into `books`; how often what happened, and after how many seconds all had an
    end."""
    rng = random.Random(books.seed)
    calls: list[chaos.Call] = []
    waiting: deque[chaos.Call] = deque()
    happened: dict[str, int] = {}
    with world(folder, rng, ack_wait) as there:
        names = list(there.strikes())
        for number in range(books.rounds):
            name = names[number % len(names)] if number < len(names) else rng.choice(names)
            fresh = list(chaos.calls_of(100_000_000 + number * messages, messages, rng))
            calls.extend(fresh)
            waiting.extend(fresh)
            one_round(there, waiting, name)
            happened[name] = happened.get(name, 0) + 1
            books.kills += 1
        for worker in there.workers:
            worker.wait_ready()
        while waiting:
            asyncio.run(chaos.send_all(there.api.port, waiting))
        happened["seconds until all had an end"] = round(wait_final(there))
        statuses = [platform.stop()[0] for platform in (there.api, *there.workers)]
        found = procs.get(there.far.sink, "/told")
        rows = [(name, int(state), int(twice), key) for name, state, twice, key in there.ask(ROWS)]
        chaos.balance(books, calls, rows, found["seen"], found["told"])
        books.fault("exit status of the last stop", [str(status) for status in statuses if status])
    return happened


def main() -> int:
    """Play, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=None, help="by default another one each time, printed")
    parser.add_argument("--ack-wait", type=int, default=30, help="seconds after which work goes to another")
    parser.add_argument("--json", action="store_true", help="the books as JSON")
    parser.add_argument("--keep", type=Path, default=None, help="folder that is left for a look afterwards")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    books = chaos.Books(options.rounds, seed)
    began = time.perf_counter()
    with contextlib.ExitStack() as stack:
        folder = options.keep or stack.enter_context(procs.folder())
        folder.mkdir(parents=True, exist_ok=True)
        happened = play(folder, books, options.messages, options.ack_wait)
    books.seconds = time.perf_counter() - began
    if options.json:
        print(json.dumps({**asdict(books), "happened": happened}))
    else:
        print(", ".join(f"{name} {count}" for name, count in happened.items()))
        chaos.show(books)
    return 0 if books.agree else 1


if __name__ == "__main__":
    sys.exit(main())
