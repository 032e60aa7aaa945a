"""A lean HTTP client in its own process, so that the caller is not what a benchmark measures.

    python bench/load.py PORT KEY --connections 64 --size 1 --seconds 5

Each connection sends a call, waits for its answer, sends the next. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import uvloop

TEXT = "Hello from the benchmark"
ACCEPTED = b'"code":"1001"'
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def body(first: int, count: int, text: str = TEXT) -> bytes:
    """A call to `count` numbers that follow each other."""
    numbers = ",".join(f'"447{number:09d}"' for number in range(first, first + count))
    return (
        f'{{"deliverychannel":"sms","channels":{{"sms":{{"text":"{text}"}}}},'
        f'"destination":[{{"msisdn":[{numbers}]}}]}}'
    ).encode()


def call(key: str, content: bytes) -> bytes:
    """The bytes of one HTTP request."""
    return (
        b"POST /resources/v1/messaging HTTP/1.1\r\nhost: bench\r\nkey: %b\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%b" % (key.encode(), len(content), content)
    )


@dataclass(slots=True)
class Tally:
    """What came back. Latencies are seconds; `mark` stands once in an answer for each accepted destination."""

    mark: bytes = ACCEPTED
    latencies: list[float] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0
    first_refusal: str = ""


class Connection(asyncio.Protocol):
    """Sends what `calls` gives, one after the other; `done` when there is no more or the line is lost."""

    def __init__(self, calls: Iterator[tuple[bytes, int]], tally: Tally) -> None:
        self._calls = calls
        self._tally = tally
        self._buffer = b""
        self._expected = 0
        self._began = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        following = next(self._calls, None)
        if following is None:
            self.transport.close()
            return
        data, self._expected = following
        self._began = time.perf_counter()
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(buffer, 0, end)
        if length is None or len(buffer) < end + 4 + int(length[1]):
            return
        tally = self._tally
        tally.latencies.append(time.perf_counter() - self._began)
        accepted = buffer.count(tally.mark)
        tally.accepted += accepted
        if accepted != self._expected:
            tally.refused += self._expected - accepted
            tally.first_refusal = tally.first_refusal or buffer[:600].decode()
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if not self.done.done():
            self.done.set_result(None)


def until(end: float, key: str, size: int) -> Iterator[tuple[bytes, int]]:
    """Calls to fresh numbers until the clock says `end`; bodies of many are made once and their numbers repeat."""
    prepared = [call(key, body(100_000_000 + index * size, size)) for index in range(64)] if size > 1 else []
    before, after = call(key, body(0, 1)).split(b"447000000000")
    for number in itertools.count(100_000_000):
        if time.perf_counter() >= end:
            return
        yield (prepared[number % 64] if prepared else b"%b447%d%b" % (before, number, after)), size


async def run(port: int, calls: Iterator[tuple[bytes, int]], connections: int, mark: bytes = ACCEPTED) -> Tally:
    """Drive all connections to their end."""
    loop, tally = asyncio.get_running_loop(), Tally(mark)
    made = [
        (await loop.create_connection(lambda: Connection(calls, tally), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in made))
    return tally


async def once(port: int, data: bytes) -> tuple[int, bytes]:
    """One call on a connection of its own: status and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        return await answer(reader)
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer on a connection. Raises OSError or IncompleteReadError."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


def report(tally: Tally, seconds: float) -> dict[str, float | int | str]:
    """The figures of a run."""
    ordered = sorted(tally.latencies) or [0.0]
    return {
        "calls": len(tally.latencies),
        "calls_s": len(tally.latencies) / seconds,
        "destinations_s": tally.accepted / seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
        "refused": tally.refused,
        "first_refusal": tally.first_refusal,
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("key")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--size", type=int, default=1, help="destinations of a call")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    for seconds in (min(0.5, options.seconds), options.seconds):  # the first one warms up
        began = time.perf_counter()
        calls = until(began + seconds, options.key, options.size)
        tally = uvloop.run(run(options.port, calls, options.connections))
        figures = report(tally, time.perf_counter() - began)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
