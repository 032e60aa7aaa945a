"""The far ends of a benchmark in one lean process: an SMSC that keeps a journal, and an endpoint for callbacks.

    python bench/farend.py [--delay-ms 0] [--no-receipts] [--early] [--unruly] [--journal FILE]

Prints one line of JSON with its ports. It is written on bare bytes, apart from the platform's own SMPP code, so
that it is cheap beside what is measured and would notice if both ends of that code were wrong together.
Callbacks go to `/dr`; the same port answers `/counts`, `/told` and `/mood/NAME`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import re
import signal
import sys
import time
from collections import Counter, defaultdict, deque
from pathlib import Path
from struct import Struct
from typing import TextIO, cast

import uvloop

HEAD = Struct(">IIII")
BINDS, TRANSMITTER, SUBMIT, DELIVER, UNBIND, ENQUIRE = (1, 2, 9), 2, 4, 5, 6, 0x15
RESPONSE = 0x80000000
AGAIN_SECONDS = 0.5  # until a refused receipt is sent again
RECEIPT_WINDOW = 500  # deliver_sm that may wait for their answers on one bind

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_DESTINATION = re.compile(rb'"destination":"([^"]*)".*?"code":"([^"]*)"')


class Smsc:
    """Every bind together: what was submitted, and the receipts that are owed until they are acknowledged.

    `mood` is `fine`, `deaf` (no answers), `cut` (half an answer, then the line is cut) or `garbage` (bytes that
    are no PDU); the last two spoil one answer and are `fine` again. With `early` every other receipt goes out
    before the answer to its submit, as some SMSCs do. With `unruly` receipts that wait go out in any order, every
    fifth comes a second time, and after every other fifth one that says the message is still on its way.
    """

    def __init__(
        self, delay: float = 0.0, receipts: bool = True, early: bool = False, journal: TextIO | None = None,
        unruly: bool = False,
    ) -> None:  # fmt: skip
        self.delay = delay
        self.early = early
        self.unruly = unruly
        self.hastened = self.repeated = self.stale = 0
        self.heard: set[int] = set()  # whose receipt was acknowledged
        self.receipts = receipts
        self.journal = journal
        self.mood = "fine"
        self.submits = self.acknowledged = self.binds = self.delays = 0
        self.delayed = 0.0
        self.seen: Counter[str] = Counter()
        self.times: defaultdict[str, list[float]] = defaultdict(list)  # Unix seconds
        self.links: set[Link] = set()
        self.owed: dict[int, bytes] = {}
        self.waiting: deque[int] = deque()
        self.numbers = itertools.count(time.time_ns() >> 10)  # ids of an earlier process never come again

    async def start(self, port: int = 0) -> tuple[asyncio.Server, int]:
        """Listen on loopback; the server and its port."""
        server = await asyncio.get_running_loop().create_server(lambda: Link(self), "127.0.0.1", port)
        return server, server.sockets[0].getsockname()[1]

    def take(self, body: bytes) -> int:
        """One submit_sm: noted, its receipt owed; gives the message id."""
        source, destination, octets, wanted = read_submit(body)
        number = next(self.numbers)
        self.submits += 1
        if self.journal is not None:
            name = destination.decode()
            self.seen[name] += 1
            self.times[name].append(time.time())
            self.journal.write(json.dumps([name, octets.decode("latin-1")]) + "\n")
        if self.receipts and wanted:
            self.owed[number] = receipt(number, source, destination)
        return number

    def answered(self, numbers: list[int]) -> None:
        """These were answered (or should have been): their receipts may go out."""
        self.waiting.extend(number for number in numbers if number in self.owed)

    def arrived(self, number: int) -> None:
        """A receipt was acknowledged. Some are owed once more, or an older one in their place."""
        body = self.owed.pop(number, None)
        if body is None:
            return
        if number in self.heard:
            return
        self.heard.add(number)
        self.acknowledged += 1
        if self.unruly and number % 5 < 2:
            self.repeated += number % 5 == 0
            self.stale += number % 5 == 1
            self.owed[number] = body if number % 5 == 0 else body.replace(b"DELIVRD", b"ENROUTE")
            asyncio.get_running_loop().call_later(random.random(), self.again, number)

    def again(self, number: int) -> None:
        """A receipt that its ESME could not keep goes out once more."""
        self.waiting.append(number)
        for link in self.links:
            link.deliver()

    def counts(self) -> dict[str, int]:
        """What happened so far; `delay_us` is how long answers really took, the timer of the loop being coarse."""
        return {
            "submits": self.submits,
            "acknowledged": self.acknowledged,
            "owed": len(self.owed),
            "binds": self.binds,
            "hastened": self.hastened,
            "repeated": self.repeated,
            "stale": self.stale,
            "delay_us": round(self.delayed / self.delays * 1e6) if self.delays else 0,
        }


def read_submit(body: bytes) -> tuple[bytes, bytes, bytes, bool]:
    """Source, destination, text and whether a receipt is wanted (SMPP 3.4, 4.4.1)."""
    at = body.index(0) + 3
    end = body.index(0, at)
    source, at = body[at:end], end + 3
    end = body.index(0, at)
    destination, at = body[at:end], end + 4
    at = body.index(0, at) + 1  # schedule_delivery_time
    at = body.index(0, at) + 1  # validity_period
    size = body[at + 4]
    return source, destination, body[at + 5 : at + 5 + size], bool(body[at] & 1)


def receipt(number: int, source: bytes, destination: bytes) -> bytes:
    """The body of a deliver_sm that says DELIVRD (SMPP 3.4, appendix B)."""
    text = b"id:%x sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 text:" % number
    return b"\0\1\1%b\0\5\0%b\0\4\0\0\0\0\0\0\0\0%c%b" % (destination, source, len(text), text)


class Link(asyncio.Protocol):
    """One bind."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._buffer = b""
        self._sequence = 0
        self._hears = False
        self._sent: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)
        self._smsc.links.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio: receipts that were not acknowledged wait for the next bind."""
        self._smsc.links.discard(self)
        self._smsc.waiting.extendleft(reversed(self._sent.values()))
        self._sent.clear()

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        buffer, at = self._buffer + data, 0
        out: list[bytes] = []
        taken: list[int] = []
        while len(buffer) - at >= 16:
            length, command, status, sequence = HEAD.unpack_from(buffer, at)
            if len(buffer) - at < length:
                break
            self._pdu(command, status, sequence, buffer[at + 16 : at + length], out, taken)
            at += length
        self._buffer = buffer[at:]
        if self._smsc.early:
            self._smsc.hastened += len(taken[::2])
            self._smsc.answered(taken[::2])
            taken = taken[1::2]
        if out:
            self._answer(b"".join(out), taken)
        self.deliver()

    def _acknowledged(self, number: int, status: int) -> None:
        """The receipt has arrived; one that could not be kept is sent again, a little later."""
        if status:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._smsc.again, number)
        else:
            self._smsc.arrived(number)

    def _pdu(self, command: int, status: int, sequence: int, body: bytes, out: list[bytes], taken: list[int]) -> None:
        if command == SUBMIT:
            if self._smsc.mood == "deaf":
                return
            number = self._smsc.take(body)
            taken.append(number)
            answer = b"%x\0" % number
            out.append(HEAD.pack(16 + len(answer), SUBMIT | RESPONSE, 0, sequence) + answer)
        elif command == DELIVER | RESPONSE and sequence in self._sent:
            self._acknowledged(self._sent.pop(sequence), status)
        elif command in BINDS:
            self._smsc.binds += 1
            self._hears = command != TRANSMITTER
            self.transport.write(HEAD.pack(21, command | RESPONSE, 0, sequence) + b"smsc\0")
        elif command in (ENQUIRE, UNBIND):
            self.transport.write(HEAD.pack(16, command | RESPONSE, 0, sequence))
            if command == UNBIND:
                self._hears = False
                self.transport.close()

    def _answer(self, out: bytes, taken: list[int]) -> None:
        smsc = self._smsc
        if smsc.mood == "cut":
            smsc.mood = "fine"
            self.transport.write(out[:9])
            self.transport.close()
        elif smsc.mood == "garbage":
            smsc.mood = "fine"
            self.transport.write(b"\xde\xad\xbe\xef" * 64)
        elif smsc.delay:
            asyncio.get_running_loop().call_later(smsc.delay, self._later, out, taken, time.perf_counter())
            return
        else:
            self.transport.write(out)
        smsc.answered(taken)

    def _later(self, out: bytes, taken: list[int], arrived: float) -> None:
        self._smsc.delayed += time.perf_counter() - arrived
        self._smsc.delays += 1
        self._smsc.answered(taken)
        if not self.transport.is_closing():
            self.transport.write(out)
            self.deliver()

    def deliver(self) -> None:
        """Send the receipts that wait, as far as the window goes."""
        smsc, out = self._smsc, []
        if not self._hears or self.transport.is_closing():
            return
        if smsc.unruly and len(smsc.waiting) > 1:
            random.shuffle(smsc.waiting)
        while smsc.waiting and len(self._sent) < RECEIPT_WINDOW:
            number = smsc.waiting.popleft()
            self._sequence = self._sequence % 0x7FFFFFFF + 1
            self._sent[self._sequence] = number
            body = smsc.owed[number]
            out.append(HEAD.pack(16 + len(body), DELIVER, 0, self._sequence) + body)
        if out:
            self.transport.write(b"".join(out))


class Sink:
    """What callers' endpoints were told."""

    def __init__(self, smsc: Smsc, keep: bool) -> None:
        self.smsc = smsc
        self.keep = keep
        self.calls = 0
        self.told: Counter[str] = Counter()

    async def start(self) -> tuple[asyncio.Server, int]:
        """Listen on loopback; the server and its port."""
        server = await asyncio.get_running_loop().create_server(lambda: Caller(self), "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    def take(self, body: bytes) -> None:
        """One callback."""
        self.calls += 1
        if self.keep:
            self.told.update(f"{number.decode()} {code.decode()}" for number, code in _DESTINATION.findall(body))

    def answer(self, target: bytes) -> bytes:
        """What another path gives or does."""
        if target.startswith(b"/mood/"):
            self.smsc.mood = target[6:].decode()
        if target == b"/told":
            found: object = {"seen": self.smsc.seen, "times": self.smsc.times, "told": self.told}
        else:
            found = {**self.smsc.counts(), "calls": self.calls}
        if self.smsc.journal is not None:
            self.smsc.journal.flush()
        body = json.dumps(found).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )


class Caller(asyncio.Protocol):
    """One connection to the sink. What is posted to `/hang` is never answered."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            found = _LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            target = head.split(b" ", 2)[1]
            if target == b"/hang":
                continue
            if target.startswith(b"/dr"):
                self._sink.take(body)
                self.transport.write(OK)
            else:
                self.transport.write(self._sink.answer(target))


def open_journal(path: str) -> TextIO | None:
    """The journal, appended to; None without a path."""
    return Path(path).open("a", encoding="utf-8") if path else None


async def main(options: argparse.Namespace) -> None:
    """Serve until told to stop."""
    journal = open_journal(options.journal)
    smsc = Smsc(options.delay_ms / 1000, not options.no_receipts, options.early, journal, options.unruly)
    sink = Sink(smsc, keep=journal is not None)
    servers = [await smsc.start(options.smsc_port), await sink.start()]
    sys.stdout.write(json.dumps({"smsc": servers[0][1], "sink": servers[1][1]}) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    if journal is not None:
        journal.close()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before a submit is answered")
    parser.add_argument("--no-receipts", action="store_true")
    parser.add_argument("--early", action="store_true", help="every other receipt before the answer to its submit")
    parser.add_argument("--unruly", action="store_true", help="receipts in any order, some twice or out of date")
    parser.add_argument("--journal", default="", help="file of every submit_sm")
    parser.add_argument("--smsc-port", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main(arguments()))
