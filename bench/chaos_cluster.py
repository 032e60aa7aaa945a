"""Several processes on PostgreSQL and NATS; under load each of them is killed, and both servers; exact accounting.

    python bench/chaos_cluster.py [--rounds 30] [--messages 1000] [--seed N] [--json]

An api process accepts, two workers send to one SMSC (the one that has the bind does; the other takes it over). Every
round offers so many messages and strikes somebody in the middle: `kill -9` of the api, of a worker or of both
workers, a crash or a restart of the database, a restart of the broker, a broker that loses everything it kept;
connections of some process, or of all, to the database, the broker or both that are cut or frozen (`relay.py`); a
clock that is an hour wrong from the start or from now on (`clocks.py`); a server that stands still again and again.
The SMSC repeats receipts and sends them out of order all the time.
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
import clocks
import procs
import relay
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer, postgres

FINISH_SECONDS = 180.0
DOWN = (0.2, 2.0)  # seconds a server is away
CUT = (0.2, 6.0)  # seconds a partition lasts; a lease lasts 8
FROZEN = (1.0, 10.0)
STALLS, STALL = 8, (0.2, 0.6)  # how often a server stands still in a row, and seconds of each and between them
REQUEUED_SECONDS = 60  # after the last strike nothing may wait any longer to be sent
BIND_SECONDS = 20.0
SOON = 0.1
NAMES = ("api", "worker1", "worker2")
ROWS = "SELECT destination || ' ' || state || ' ' || duplicate || ' ' || key FROM transactions"
ENDED = """SELECT count(*) || ' ' || coalesce(sum((state >= 40)::integer), 0) || ' '
    || coalesce(sum((state < 30)::integer), 0) || ' '
    || (SELECT count(*) FROM notices WHERE delivery = 0) FROM transactions"""


class Member(procs.Platform):
    """A process with a clock of its own, which is `ahead` by so many seconds."""

    ahead = 0

    def start(self, *, wait: bool = True, source: str = "") -> float:
        """With the clock as it is."""
        return super().start(wait=wait, source=source or clocks.source(self.ahead))

    def revive(self) -> None:
        """As its supervisor does: a process ends when the database is not there as it starts."""
        if self.process is not None and self.process.poll() is not None:
            self.start(wait=False)

    def wait_ready(self, seconds: float = procs.READY_SECONDS) -> None:
        """Return once it is ready, in whichever try."""
        end = time.perf_counter() + seconds
        while True:
            try:
                return super().wait_ready(max(1.0, end - time.perf_counter()))
            except RuntimeError:
                if time.perf_counter() > end:
                    raise
                self.revive()

    def jump(self, rng: random.Random) -> None:
        """A clock that is right goes wrong by an hour; one that is wrong is put right."""
        change = -self.ahead or rng.choice((clocks.HOUR, -clocks.HOUR))
        self.ahead += change
        assert self.process is not None
        self.process.send_signal(clocks.FORWARD if change > 0 else clocks.BACK)


@dataclass(slots=True)
class World:
    """Everything that runs."""

    far: procs.FarEnd
    server: PostgresServer
    broker: NatsServer
    database: str
    relays: relay.Relays
    api: Member
    workers: list[Member]
    rng: random.Random
    waiting: deque[chaos.Call]

    def ask(self, sql: str) -> list[list[str]]:
        """The words of each row."""
        return [line.split(" ") for line in self.server.sql(sql, self.database).splitlines()]

    def end(self, victims: list[Member]) -> None:
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

    def _apart(self, how: str, seconds: tuple[float, float]) -> None:
        """Some or all processes and the database, the broker or both are apart for a while."""
        who = self.rng.choice(("api", "worker1", "worker2", ""))
        what = self.rng.choice(("database", "bus", ""))
        chosen = [name for name in self.relays.ports if who in name and what in name]
        self.relays.tell(how, chosen)
        time.sleep(self.rng.uniform(*seconds))
        self.relays.tell("open", chosen)

    def cut(self) -> None:
        """Connections are reset, and new ones refused."""
        self._apart("cut", CUT)

    def freeze(self) -> None:
        """Connections stay, and nothing comes through."""
        self._apart("freeze", FROZEN)

    def jump(self) -> None:
        """Somebody's clock jumps while they run."""
        victim = self.rng.choice([self.api, *self.workers])
        victim.wait_ready()  # a signal would end it before
        victim.jump(self.rng)

    def start_wrong(self) -> None:
        """Somebody is killed, and starts with a clock that is an hour wrong, or right again."""
        victim = self.rng.choice([self.api, *self.workers])
        victim.ahead = 0 if victim.ahead else self.rng.choice((clocks.HOUR, -clocks.HOUR))
        self.end([victim])
        victim.wait_ready()

    def orphan(self) -> None:
        """The api takes calls with a clock that is an hour ahead and no broker; it dies, and the clock is right
        again: what it was to publish is others' to publish."""
        self.relays.tell("cut", ["api.bus"])
        self.api.ahead = clocks.HOUR
        self.end([self.api])
        self.api.wait_ready()
        asyncio.run(chaos.send_all(self.api.port, self.waiting))
        self.api.ahead = 0
        self.end([self.api])
        self.api.wait_ready()
        self.relays.tell("open", ["api.bus"])

    def stall(self) -> None:
        """The database or the broker stands still again and again, as one whose disk is slow."""
        server = self.rng.choice((self.server, self.broker))
        for _ in range(STALLS):
            for how in (signal.SIGSTOP, signal.SIGCONT):
                server.send(how)
                time.sleep(self.rng.uniform(*STALL))

    def strikes(self) -> dict[str, Callable[[], None]]:
        """All of it by name."""
        return {
            "worker": self.kill_worker, "api": self.kill_api, "cut": self.cut, "frozen": self.freeze,
            "clock jumps": self.jump, "broker": self.restart_broker, "database": self.crash_database,
            "orphans": self.orphan, "stalls": self.stall, "clock wrong from the start": self.start_wrong,
            "workers": self.kill_workers, "worker, in order": self.drain_worker,
            "database, in order": self.restart_database, "broker, emptied": self.empty_broker,
        }  # fmt: skip


@contextlib.contextmanager
def world(folder: Path, rng: random.Random, ack_wait: int) -> Iterator[World]:
    """All of it, running."""
    journal = str(folder / "journal.ndjson")
    with (
        procs.far_end("--delay-ms", str(chaos.SMSC_DELAY_MS), "--journal", journal, "--early", "--unruly") as far,
        postgres(durable=True) as server,
        nats() as broker,
        relay.relays(
            {
                f"{name}.{what}": port
                for name in NAMES
                for what, port in (("database", server.port), ("bus", broker.port))
            }
        ) as between,
        contextlib.ExitStack() as stack,
    ):
        database = server.create()
        space, key = broker.space(ack_wait=ack_wait), base64.urlsafe_b64encode(os.urandom(32)).decode()
        document = procs.document(far.smsc, far.sink)
        members = []
        for name in NAMES:
            ports = between.ports
            settings = {
                "DATABASE": server.url(database).replace(f":{server.port}/", f":{ports[f'{name}.database']}/"),
                "BUS": space.replace(f":{broker.port}?", f":{ports[f'{name}.bus']}?"),
                "SECRET_KEY": key,
            }
            role = name.rstrip("12")
            members.append(stack.enter_context(Member(folder / name, document, role, **settings)))
        members[0].start()
        for member in members[1:]:
            member.start(wait=False)
        for member in members[1:]:
            member.wait_ready()
        yield World(far, server, broker, database, between, members[0], members[1:], rng, deque())


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
    there.strikes()[name]()
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


def play(folder: Path, books: chaos.Books, messages: int, ack_wait: int = 30) -> dict[str, int]:
    """All rounds, then the accounting into `books`; how often what happened, and after how many seconds all had an
    end."""
    rng = random.Random(books.seed)
    calls: list[chaos.Call] = []
    happened: dict[str, int] = {}
    with world(folder, rng, ack_wait) as there:
        names = list(there.strikes())
        for number in range(books.rounds):
            name = names[number % len(names)] if number < len(names) else rng.choice(names)
            fresh = list(chaos.calls_of(100_000_000 + number * messages, messages, rng))
            calls.extend(fresh)
            there.waiting.extend(fresh)
            one_round(there, name)
            happened[name] = happened.get(name, 0) + 1
            books.kills += 1
        for worker in there.workers:
            worker.wait_ready()
        while there.waiting:
            asyncio.run(chaos.send_all(there.api.port, there.waiting))
        gone, ended = wait_final(there)
        happened["seconds until all had gone out"] = round(gone)
        happened["seconds until all had an end"] = round(ended)
        far = there.far.counts()
        happened |= {f"receipts {name}": far[name] for name in ("hastened", "repeated", "stale")}
        statuses = [platform.stop()[0] for platform in (there.api, *there.workers)]
        found = procs.get(there.far.sink, "/told")
        rows = [(name, int(state), int(twice), key) for name, state, twice, key in there.ask(ROWS)]
        chaos.balance(books, calls, rows, found["seen"], found["told"])
        books.fault("waited too long to be sent", [f"{gone:.0f} s"] if gone > REQUEUED_SECONDS else [])
        books.fault("receipts that nobody acknowledged", [str(far["owed"])] if far["owed"] else [])
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
