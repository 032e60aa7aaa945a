"""What sending over SMPP costs at least: one bind kept full, the same rows written, callbacks posted, nothing else.

    python bench/bare_smpp.py DATABASE SMSC_PORT SINK_PORT --window 50 --seconds 10

Rows go inline through the store's own statements, one transaction for what one read of the socket brought. Prints
one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time
from collections import deque
from pathlib import Path
from typing import Any, cast

import uvloop

from farend import DELIVER, HEAD, RESPONSE, SUBMIT
from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Delivery, Reported, Run, Settlement, Told
from heliograph.store.engines.sqlite import connect, drive, migrate
from heliograph.store.store import WRITES
from load import TEXT

CHUNK = 1_000
CALLBACKS = 8  # connections to the sink, as the platform's default
CALL = (
    b"POST /dr HTTP/1.1\r\nhost: sink\r\ncontent-type: application/json\r\ncontent-length: 420\r\n\r\n" + b"x" * 420
)
LANE = "bench/smsc"


class Teller(asyncio.Protocol):
    """One connection to the sink: posts what is owed, one after the other."""

    def __init__(self, bare: Bare) -> None:
        self._bare = bare
        self._now: tuple[int, int, int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def go(self) -> None:
        """Post the next, if there is one and none is under way."""
        if self._now is None and self._bare.owed:
            self._now = self._bare.owed.popleft()
            self._transport.write(CALL)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._now is not None:
            self._bare.called += 1
            self._bare.told.append(Told(*self._now, Delivery.DONE, 1, 1, 0, 200))
        self._now = None
        self.go()
        if len(self._bare.owed) < CHUNK // 2:
            self._bare.submit()


class Bare(asyncio.Protocol):
    """The bind."""

    def __init__(self, path: Path, window: int) -> None:
        self._db = connect(path)
        migrate(self._db, 0)
        self._window = window
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._queue: deque[tuple[int, int, str]] = deque()
        self._sent: dict[int, tuple[int, int, str]] = {}
        self._known: dict[bytes, tuple[int, int, str]] = {}
        self.called = 0
        self.owed: deque[tuple[int, int, int]] = deque()
        self.told: list[Told] = []
        self.tellers: list[Teller] = []
        text = TEXT.encode()
        self._body = b"\0\5\0HELIO\0\1\1%b\0\0\0\0\0\0\1\0\0\0" + bytes([len(text)]) + text

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        body = b"bench\0secret\0\0\x34\0\0\0"
        transport.write(HEAD.pack(16 + len(body), 9, 0, next(self._numbers)) + body)  # type: ignore[attr-defined]

    def _write(self, *writes: tuple[str, Any]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for name, payload in writes:
            drive(self._db, WRITES[name](payload))
        self._db.execute("COMMIT")

    def _accept(self) -> None:
        number = next(self._numbers)
        values = [f"447{100_000_000 + number + offset:09d}" for offset in range(CHUNK)]
        kept = Message(content=Content(channel="sms", fields={"text": TEXT}), addresses=())
        request = Request(id=number, nonce=1, tenant="bench", service="bench", accepted=1, messages=(kept,))
        accepted = Accepted(request=request, runs=(Run(0, 0, "msisdn", "", values),))
        self._write(("accept", [accepted]), ("claim", [[(number, 0, CHUNK - 1)]]))
        self._queue.extend((number, ordinal, value) for ordinal, value in enumerate(values))

    def submit(self) -> None:
        """Fill the window, unless callbacks fall behind."""
        out = []
        while len(self._sent) < self._window and len(self.owed) < CHUNK:
            if not self._queue:
                self._accept()
            message = self._queue.popleft()
            sequence = next(self._numbers) & 0x7FFFFFFF
            self._sent[sequence] = message
            body = self._body % message[2].encode()
            out.append(HEAD.pack(16 + len(body), SUBMIT, 0, sequence) + body)
        if out:
            self._transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        buffer, at = self._buffer + data, 0
        submitted: list[Change] = []
        receipts: list[Reported] = []
        delivered: list[Change] = []
        acknowledgements: list[bytes] = []
        while len(buffer) - at >= 16:
            length, command, _, sequence = HEAD.unpack_from(buffer, at)
            if len(buffer) - at < length:
                break
            body, at = buffer[at + 16 : at + length], at + length
            if command == SUBMIT | RESPONSE:
                message = self._sent.pop(sequence)
                self._known[body[:-1]] = message
                natives = (body[:-1].decode(),)
                submitted.append(
                    Change(*message[:2], State.SUBMITTED, "submitted", 1, "", 1, LANE, 9, natives=natives)
                )
            elif command == DELIVER:
                start = body.index(b"id:") + 3
                native = body[start : body.index(b" ", start)]
                number, ordinal, value = self._known.pop(native)
                receipts.append(
                    Reported(
                        next(self._numbers), number, ordinal, 0, LANE, native.decode(), "delivered", 1, "", "", value
                    )
                )
                notice = next(self._numbers)
                delivered.append(
                    Change(
                        number,
                        ordinal,
                        State.DELIVERED,
                        "delivered",
                        1,
                        notice=notice,
                        url="http://sink/dr",
                        origin="http://sink",
                    )
                )
                self.owed.append((number, ordinal, notice))
                acknowledgements.append(HEAD.pack(17, DELIVER | RESPONSE, 0, sequence) + b"\0")
        self._buffer = buffer[at:]
        self.submit()
        self._settle(submitted, receipts, delivered)
        if acknowledgements:
            self._transport.write(b"".join(acknowledgements))
        for teller in self.tellers:
            teller.go()

    def _settle(self, submitted: list[Change], receipts: list[Reported], delivered: list[Change]) -> None:
        writes: list[tuple[str, Any]] = []
        if submitted:
            writes.append(("settle", [Settlement(changes=submitted)]))
        if receipts:
            writes.append(("receive", [(receipts, Settlement(changes=delivered), [])]))
        if self.told:
            writes.append(("tell", [self.told]))
            self.told = []
        if writes:
            self._write(*writes)


async def main(options: argparse.Namespace) -> None:
    """Run for so many seconds and print."""
    loop = asyncio.get_running_loop()
    _, bare = await loop.create_connection(lambda: Bare(options.database, options.window), "127.0.0.1", options.smsc)
    for _ in range(CALLBACKS):
        bare.tellers.append((await loop.create_connection(lambda: Teller(bare), "127.0.0.1", options.sink))[1])
    await asyncio.sleep(min(1.0, options.seconds / 4))
    began, first = time.perf_counter(), bare.called
    await asyncio.sleep(options.seconds)
    print(json.dumps({"messages_s": (bare.called - first) / (time.perf_counter() - began)}))


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("smsc", type=int)
    parser.add_argument("sink", type=int)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(arguments()))
