"""Durable acceptance of events over real HTTP, beside a raw ASGI application that writes the same rows.

    python bench/events.py [--seconds 5] [--runs 3]

`heliograph serve --roles api` on a fresh SQLite file, one process; the caller is another. Every event has four
parameters, which are held against their types, and every answer comes after its fsync. No rule is for them.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop

import load
import procs
from figures import Figure, conditions, median, show
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.store import Store
from heliograph.store.areas.automation.events import Happened
from reference import Take
from reference import main as be_reference

SHAPES = (("singles", 1, 64), ("batches", 100, 4))  # name, events of a call, connections
MARK = b'"code":"1002"'
PATH = "/resources/v1/events/externalevent"
DEFINITION = {
    "id": "4451",
    "name": "order_shipped",
    "parameters": [
        {"name": "firstName", "mandatory": True}, {"name": "city", "default": "London"},
        {"name": "items", "type": "number"}, {"name": "due", "type": "date"},
    ],
}  # fmt: skip


def call(key: str, first: int, size: int) -> bytes:
    """A whole HTTP request with so many events."""
    events = [
        {
            "evtid": "4451",
            "correlationid": f"ORDER-{number}",
            "parameters": {
                "firstName": "Ada", "items": 3, "due": "2030-02-28", "ContactNumber": f"4477{number:08d}",
            },
        }
        for number in range(first, first + size)
    ]  # fmt: skip
    body = json.dumps({"events": events}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nhost: bench\r\nkey: {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def until(end: float, key: str, size: int) -> Iterator[tuple[bytes, int]]:
    """Calls until the clock says `end`."""
    prepared = [call(key, index * size, size) for index in range(256)]
    for number in itertools.count():
        if time.perf_counter() >= end:
            return
        yield prepared[number % 256], size


class Event(msgspec.Struct):
    """The parts of an event that become a row."""

    evtid: str
    correlationid: str
    parameters: dict[str, Any]


class Call(msgspec.Struct):
    """A call."""

    events: list[Event]


def events(store: Store) -> Take:
    """Takes calls of the Event API, at the least they cost: no keys, definitions, limits, ids."""
    numbers, decode = itertools.count(1 << 40), msgspec.json.Decoder(Call).decode
    unresolved = OccurrenceState.UNRESOLVED

    async def take(content: bytes) -> list[dict[str, str]]:
        rows = [
            Occurrence(
                next(numbers), "bench", "bench", "event", one.evtid, {"parameters": one.parameters}, 0,
                state=unresolved, correlation=one.correlationid,
            )
            for one in decode(content).events
        ]  # fmt: skip
        await store.accept_events(Happened(rows))
        return [
            {
                "code": "1002", "transid": f"00000000-0000-7000-8000-{row.id:012x}", "description": "Queued",
                "correlationid": row.correlation,
            }
            for row in rows
        ]  # fmt: skip

    return take


@contextlib.contextmanager
def reference(folder: Path) -> Iterator[int]:
    """The raw application; its port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = procs.free_port()
    environment = {**os.environ}
    environment.setdefault("PYTHONPATH", str(procs.BENCH.parent / "src"))
    arguments = [sys.executable, __file__, "--reference", str(folder / "bench.sqlite"), str(port)]
    process = subprocess.Popen(arguments, text=True, env=environment)
    try:
        procs.wait_listening(port)
        yield port
    finally:
        procs.end(process)


def caller(port: int, key: str, size: int, connections: int, seconds: float) -> dict[str, float]:
    """The load in a process of its own."""
    arguments = [sys.executable, __file__, "--client", str(port), key, str(size), str(connections), str(seconds)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["refused"]:
        raise RuntimeError(found["first_refusal"])
    return found


def client(port: int, key: str, size: int, connections: int, seconds: float) -> None:
    """Drive the load and print its figures."""
    for spent in (min(0.5, seconds), seconds):  # the first one warms up
        began = time.perf_counter()
        tally = uvloop.run(load.run(port, until(began + spent, key, size), connections, MARK))
        figures = load.report(tally, time.perf_counter() - began)
    print(json.dumps(figures))


def measure(seconds: float, runs: int) -> list[Figure]:
    """The figures; each a median of the runs, taken in turn with the reference."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, size, connections in SHAPES:
            with procs.folder() as folder:
                document = procs.document(1, 1)
                document["tenants"][0] |= {"events": [DEFINITION]}
                [key] = document["tenants"][0]["services"][0]["keys"]
                with procs.Platform(folder / "ours", document, roles="api") as served:
                    served.start()
                    ours = caller(served.port, key, size, connections, seconds)
                    served.stop()
                with reference(folder / "bare") as port:
                    bare = caller(port, key, size, connections, seconds)
            for which, figures in ((name, ours), (f"{name} bare", bare)):
                for what in ("destinations_s", "p50_ms", "p99_ms"):
                    found.setdefault(f"{which} {what}", []).append(figures[what])
    shown = []
    for name, size, connections in SHAPES:
        middle = {what: median(found[f"{name} {what}"]) for what in ("destinations_s", "p50_ms", "p99_ms")}
        spread = found[f"{name} destinations_s"]
        said = "single calls" if size == 1 else f"calls of {size}"
        beside = median(found[f"{name} bare destinations_s"])
        note = f"{min(spread):,.0f} to {max(spread):,.0f}"
        shown.append(
            Figure(f"events, {said}, {connections} at once", middle["destinations_s"], "events/s", beside, "", note)
        )
        shown.append(Figure(f"events, {said}, p99", middle["p99_ms"], "ms", median(found[f"{name} bare p99_ms"])))
    return shown


def main() -> None:
    """Measure and print, or be the caller or the raw application."""
    if sys.argv[1:2] == ["--client"]:
        port, key, size, connections, seconds = sys.argv[2:]
        client(int(port), key, int(size), int(connections), float(seconds))
        return
    if sys.argv[1:2] == ["--reference"]:
        be_reference(events, *sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(conditions())
    show(measure(options.seconds, options.runs))


if __name__ == "__main__":
    main()
