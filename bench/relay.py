"""TCP relays in one process, each between one client and one server, which can be cut, frozen and opened again.

    python bench/relay.py NAME=PORT ...

Prints one line of JSON with the port of each relay. Lines on standard input command it, each answered by a line: `cut
NAME ...` resets what is connected and has new connections refused; `freeze NAME ...` holds every byte of both ways,
and new connections unanswered; `open NAME ...` ends either. Ends with standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import procs

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: nothing more is sent, the other side gets a reset
BACKLOG = 100


class Side(asyncio.Protocol):
    """One of the two connections of a pair; what comes goes to the `other`, or waits for it."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._early: list[bytes] = []
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)
        self._relay.sides.add(self)
        if self._relay.frozen:
            self.transport.pause_reading()

    def join(self, other: Side) -> None:
        """Have the pair; what came meanwhile goes on."""
        self.other, other.other = other, self
        for data in self._early:
            other.write(data)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self.other is None:
            self._early.append(data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Send it to whom this side is connected with."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def hold(self, frozen: bool) -> None:
        """Read no more, or again. Bytes wait in the system."""
        if self.transport is not None and not self.transport.is_closing():
            (self.transport.pause_reading if frozen else self.transport.resume_reading)()

    def reset(self) -> None:
        """End the connection, noticeably."""
        if self.transport is not None and not self.transport.is_closing():
            sock = self.transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: the other side ends too, after what was sent to it."""
        self._relay.sides.discard(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Relay:
    """All connections of one client to one server's `target` port. The port stays ours while new ones are refused."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.port = procs.free_port()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.port))  # by number: such a port is kept after a shutdown
        self.sides: set[Side] = set()
        self.frozen = False
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let everything through."""
        self.frozen = False
        self._thawed.set()
        for side in tuple(self.sides):
            side.hold(frozen=False)
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accept, sock=self._socket.dup(), backlog=BACKLOG)

    async def cut(self) -> None:
        """Reset what is there; new connections are refused (a socket that listens no more, Linux)."""
        if self._server is not None:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._server = None
        for task in tuple(self._tasks):
            task.cancel()
        for side in tuple(self.sides):
            side.reset()

    async def freeze(self) -> None:
        """Let nothing through, and end nothing."""
        self.frozen = True
        self._thawed.clear()
        for side in tuple(self.sides):
            side.hold(frozen=True)

    def _accept(self) -> Side:
        side = Side(self)
        task = asyncio.get_running_loop().create_task(self._connect(side))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return side

    async def _connect(self, side: Side) -> None:
        await self._thawed.wait()
        try:
            _, other = await asyncio.get_running_loop().create_connection(
                lambda: Side(self), "127.0.0.1", self._target
            )
        except OSError:
            side.reset()
        else:
            side.join(other)
            if side not in self.sides and other.transport is not None:
                other.transport.close()


async def serve(targets: dict[str, int]) -> None:
    """Relay until nobody commands any more."""
    relays = {name: Relay(target) for name, target in targets.items()}
    for relay in relays.values():
        await relay.open()
    print(json.dumps({name: relay.port for name, relay in relays.items()}), flush=True)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        for name in line[1:]:
            relay = relays[name]
            await {"cut": relay.cut, "freeze": relay.freeze, "open": relay.open}[line[0]]()
        print("done", flush=True)


class Relays:
    """The relays of a benchmark, seen from outside: `ports` by name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ports: dict[str, int] = json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def tell(self, command: str, names: list[str]) -> None:
        """`cut`, `freeze` or `open`; returns when that is done."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {' '.join(names)}\n")
        self._process.stdin.flush()
        if self._line() != "done\n":
            raise RuntimeError(f"the relays did not {command}")


@contextlib.contextmanager
def relays(targets: dict[str, int]) -> Iterator[Relays]:
    """A process of relays to these ports."""
    words = [f"{name}={port}" for name, port in targets.items()]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Relays(process)
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve({name: int(port) for name, _, port in (word.partition("=") for word in sys.argv[1:])}))
