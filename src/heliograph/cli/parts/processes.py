"""`serve --processes N`: children that share one listening socket, and the supervisor that keeps them running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0  # a child drains within that time, or is ended
SHORT_SECONDS = 10.0  # a child that ends sooner than that is started again more slowly each time
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds
READY = b"1"
PROGRAM = "from heliograph.cli.main import main; main()"


class NotStarted(Exception):
    """The first process ended before it was ready; it has said why."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a child has from its supervisor: where to listen, and the line between them. The child says on it that it
    is ready; when it breaks, the supervisor is gone."""

    listener: socket.socket
    line: socket.socket

    @classmethod
    def of(cls, text: str) -> Inherited:
        """From the two numbers of `--inherited`."""
        listener, line = (socket.socket(fileno=int(number)) for number in text.split(","))
        line.setblocking(False)
        return cls(listener, line)

    def watch(self, gone: Callable[[], None]) -> None:
        """Call `gone` when the supervisor is no longer there."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self.line)
            gone()

        loop.add_reader(self.line, ended)

    def say_ready(self) -> None:
        """The child serves."""
        with contextlib.suppress(OSError):  # the supervisor is gone, which `watch` tells
            self.line.send(READY)


@dataclass(slots=True)
class Supervisor:
    """Runs `count` children. The first is started alone, with `first` as further arguments: it prepares the database
    and declares the workspace."""

    count: int
    listener: socket.socket
    arguments: Sequence[str]
    first: Sequence[str] = ()
    _children: set[Process] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises `NotStarted`."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        begun = await self._start(self.first)
        stopped = asyncio.create_task(self._stopping.wait())
        ready = asyncio.create_task(begun.ready())
        await asyncio.wait({stopped, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not self._stopping.is_set() and not await ready:
            await begun.process.wait()
            raise NotStarted(f"the first process ended with status {begun.process.returncode}")
        ready.cancel()
        log.info("%d processes serve", self.count)
        keeping = [asyncio.create_task(self._keep(1, begun))]
        keeping += [asyncio.create_task(self._keep(number)) for number in range(2, self.count + 1)]
        await stopped
        await self._end()
        await asyncio.gather(*keeping)

    async def _keep(self, number: int, child: Child | None = None) -> None:
        """One child after the other."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            child = child or await self._start(())
            status = await child.process.wait()
            child.line.close()
            self._children.discard(child.process)
            if self._stopping.is_set():
                return
            log.error("process %d ended with status %d and is started again", number, status)
            pause = min(pause * 2, LONGEST_PAUSE) if loop.time() - child.since < SHORT_SECONDS else FIRST_PAUSE
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            child = None

    async def _start(self, more: Sequence[str]) -> Child:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        descriptors = (self.listener.fileno(), theirs.fileno())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, "serve", *self.arguments, *more,
            "--inherited", ",".join(map(str, descriptors)), pass_fds=descriptors,
        )  # fmt: skip
        theirs.close()
        self._children.add(process)
        return Child(process, ours, asyncio.get_running_loop().time())

    async def _end(self) -> None:
        """All drain at once; whoever is not done in time is ended."""
        waits = {asyncio.create_task(child.wait()): child for child in self._children}
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        if waits:
            _, late = await asyncio.wait(waits, timeout=STOP_SECONDS)
            for task in late:
                log.error("a process did not drain within %d s and is ended", STOP_SECONDS)
                with contextlib.suppress(ProcessLookupError):
                    waits[task].kill()


@dataclass(frozen=True, slots=True)
class Child:
    """A process, the line to it, and since when it runs (loop time)."""

    process: Process
    line: socket.socket
    since: float

    async def ready(self) -> bool:
        """Whether it says that it serves; False when it ended before."""
        return bool(await asyncio.get_running_loop().sock_recv(self.line, 1))
