"""What several processes on PostgreSQL and NATS are struck with; all of it runs in a `World`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import chaos
import clocks
import disks
import procs
import relay
import windows
from heliograph.testing.brokers import Brokers, brokers
from heliograph.testing.nats import NatsServer
from heliograph.testing.postgres import PostgresServer, postgres

DOWN = (0.2, 2.0)  # seconds a server is away
CUT = (0.2, 6.0)  # seconds a partition lasts; a lease lasts 8
FROZEN = (1.0, 10.0)
STALLS, STALL = 8, (0.2, 0.6)  # how often a server stands still in a row, and seconds of each and between them
SLOW = (4.0, 10.0)
FULL = (1.0, 6.0)
NOTICED_SECONDS = 30.0  # within which a full disk must have failed a call
LOGS = 200  # segments of PostgreSQL's log that may be there to be written again
PROBE = 100  # messages offered at once to a database without room
BIND_SECONDS = 20.0
SHORTLY = 0.1
FIRST = 100_000_000  # of the numbers
CALM = "nothing"
CLEAR = {CALM, "api", "orphans", "clock jumps", "worker, in order"}  # nothing may go out twice for them
NAMES = ("api", "worker1", "worker2")
TIMED = "track_commit_timestamp=on"


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
    """Everything that runs. `disks` are the servers' by port, none where strikes on them are left out; `calls` are
    all that were made, of which `waiting` were not sent yet."""

    far: procs.FarEnd
    server: PostgresServer
    brokers: Brokers
    space: str
    disks: dict[int, disks.Disk]
    database: str
    relays: relay.Relays
    api: Member
    workers: list[Member]
    rng: random.Random
    waiting: deque[chaos.Call] = field(default_factory=deque)
    calls: list[chaos.Call] = field(default_factory=list)
    offered: int = 0
    struck: list[windows.Strike] = field(default_factory=list)

    def ask(self, sql: str) -> list[list[str]]:
        """The words of each row."""
        return [line.split(" ") for line in self.server.sql(sql, self.database).splitlines()]

    def offer(self, messages: int) -> list[chaos.Call]:
        """So many more wait to be sent."""
        made = list(chaos.calls_of(FIRST + self.offered, messages, self.rng))
        self.offered += messages
        self.calls.extend(made)
        self.waiting.extend(made)
        return made

    def strike(self, name: str) -> None:
        """It happens, and is noted."""
        begin = time.time()
        self.strikes()[name]()
        if name not in CLEAR:
            self.struck.append(windows.Strike(name, begin, time.time()))

    @property
    def broker(self) -> NatsServer:
        """One of the brokers."""
        return self.rng.choice(self.brokers.servers)

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

    def _away(self, chosen: list[NatsServer], *, emptied: bool = False) -> None:
        """These brokers are killed, and come back."""
        for broker in chosen:
            broker.stop(signal.SIGKILL)
            if emptied:
                broker.forget()
        time.sleep(self.rng.uniform(*DOWN))
        for broker in chosen:
            broker.start()

    def restart_broker(self) -> None:
        """Killed; it keeps what it was given."""
        self._away([self.broker])

    def empty_broker(self) -> None:
        """Killed, and its disk is lost."""
        self._away([self.broker], emptied=True)

    def kill_leader(self) -> None:
        """Of three brokers the one that leads the stream."""
        self._away([self.brokers.leader(self.space)])

    def kill_two(self) -> None:
        """Of three brokers two, so that none may keep anything."""
        self._away(self.rng.sample(self.brokers.servers, 2))

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
        self.relays.tell("cut", [name for name in self.relays.ports if name.startswith("api.bus")])
        self.api.ahead = clocks.HOUR
        self.end([self.api])
        self.api.wait_ready()
        asyncio.run(chaos.send_all(self.api.port, self.waiting))
        self.api.ahead = 0
        self.end([self.api])
        self.api.wait_ready()
        self.relays.tell("open", [name for name in self.relays.ports if name.startswith("api.bus")])

    def stall(self) -> None:
        """The database or the broker stands still again and again."""
        server: PostgresServer | NatsServer = self.rng.choice((self.server, self.broker))
        for _ in range(STALLS):
            for how in (signal.SIGSTOP, signal.SIGCONT):
                server.send(how)
                time.sleep(self.rng.uniform(*STALL))

    def slow_disk(self) -> None:
        """Of the database or of the broker."""
        server: PostgresServer | NatsServer = self.rng.choice((self.server, self.broker))
        disk = self.disks[server.port]
        disk.slow(server.processes())
        time.sleep(self.rng.uniform(*SLOW))
        disk.quick()

    def full_database(self) -> None:
        """Its tables find no room, nor does its log in the end: it stops, and is started as by a supervisor."""
        disk = self.disks[self.server.port]
        before = self._refusals()
        disk.fill()
        end = time.perf_counter() + NOTICED_SECONDS
        while self._refusals() == before:
            if time.perf_counter() > end:
                raise RuntimeError("the database's disk is full, and every call is accepted")
            self.offer(PROBE)
            asyncio.run(chaos.send_all(self.api.port, self.waiting))
        time.sleep(self.rng.uniform(*FULL))
        if self.rng.random() < 0.5:
            self._no_log()
        disk.free()
        self._revive_database()

    def _refusals(self) -> int:
        return sum(call.fate == "refused" for call in self.calls)

    def _no_log(self) -> None:
        """Use up what is left of the log, until the server cannot go on."""
        for _ in range(LOGS):
            try:
                self.server.sql("SELECT pg_logical_emit_message(true, '', ''); SELECT pg_switch_wal()")
            except subprocess.CalledProcessError:
                return
        raise RuntimeError("the database's log finds room on a full disk")

    def _revive_database(self) -> None:
        """Return once it serves."""
        end = time.perf_counter() + procs.READY_SECONDS
        while time.perf_counter() < end:
            if not self.server.serves:
                self.server.start()
            with contextlib.suppress(subprocess.CalledProcessError):
                self.server.sql("CREATE TEMPORARY TABLE room (a integer)")
                return
            time.sleep(SHORTLY)
        raise RuntimeError("the database does not come back after a full disk")

    def full_broker(self) -> None:
        """It keeps nothing any more, and says nothing of it. It would not by itself when there is room again: it is
        started anew."""
        broker = self.broker
        disk = self.disks[broker.port]
        disk.fill()
        time.sleep(self.rng.uniform(*FULL))
        disk.free()
        broker.stop(signal.SIGKILL)
        broker.start()

    def strikes(self) -> dict[str, Callable[[], None]]:
        """All of it by name."""
        found: dict[str, Callable[[], None]] = {
            "worker": self.kill_worker, "api": self.kill_api, "cut": self.cut, "frozen": self.freeze,
            "clock jumps": self.jump, "broker": self.restart_broker, "database": self.crash_database,
        }  # fmt: skip
        if self.disks:
            found |= {
                "database, disk full": self.full_database, "broker, disk full": self.full_broker,
                "disk slow": self.slow_disk,
            }  # fmt: skip
        if len(self.brokers.servers) > 1:
            found |= {"broker that leads": self.kill_leader, "brokers, two": self.kill_two}
        return found | {
            "orphans": self.orphan, "stalls": self.stall, "clock wrong from the start": self.start_wrong,
            "workers": self.kill_workers, "worker, in order": self.drain_worker,
            "database, in order": self.restart_database, "broker, emptied": self.empty_broker, CALM: lambda: None,
        }  # fmt: skip


@contextlib.contextmanager
def world(
    folder: Path, rng: random.Random, ack_wait: int, *, count: int = 1, with_disks: bool = True
) -> Iterator[World]:
    """All of it, running, with so many brokers. Raises `disks.Unable`."""
    journal = str(folder / "journal.ndjson")
    with contextlib.ExitStack() as stack:
        made = [
            stack.enter_context(disks.disk(name))
            for name in ("database", *(f"bus{number}" for number in range(count)))
            if with_disks
        ]
        for each in made:
            each.quick()  # where that cannot be, nor can it be slow: better said now than in the middle
        places = [disk.path for disk in made]
        far = stack.enter_context(
            procs.far_end("--delay-ms", str(chaos.SMSC_DELAY_MS), "--journal", journal, "--early", "--unruly")
        )
        server = stack.enter_context(postgres(durable=True, settings=(TIMED,), place=places[0] if places else None))
        bus = stack.enter_context(brokers(count, places=places[1:], synced=True))
        targets = {"database": server.port} | {f"bus{n}": each.port for n, each in enumerate(bus.servers)}
        between = stack.enter_context(
            relay.relays({f"{name}.{what}": port for name in NAMES for what, port in targets.items()})
        )
        database = server.create()
        space, key = bus.space(ack_wait=ack_wait), base64.urlsafe_b64encode(os.urandom(32)).decode()
        document = procs.document(far.smsc, far.sink)
        members = []
        for name in NAMES:
            ways = {str(port): str(between.ports[f"{name}.{what}"]) for what, port in targets.items()}
            settings = {
                "DATABASE": through(server.url(database), ways), "BUS": through(space, ways), "SECRET_KEY": key,
            }  # fmt: skip
            role = name.rstrip("12")
            members.append(stack.enter_context(Member(folder / name, document, role, **settings)))
        members[0].start()
        for member in members[1:]:
            member.start(wait=False)
        for member in members[1:]:
            member.wait_ready()
        server.sql(windows.SETUP, database)
        of = {each.port: disk for each, disk in zip((server, *bus.servers), made, strict=False)}
        yield World(far, server, bus, space, of, database, between, members[0], members[1:], rng)


def through(setting: str, ways: dict[str, str]) -> str:
    """The setting with the ports of relays in place of the servers'."""
    return re.sub(r":(\d+)(?=[/?,])", lambda found: f":{ways[found[1]]}", setting)
