"""The same program in its three shapes, side by side: SQLite in the process, PostgreSQL, PostgreSQL with NATS.

    python bench/shapes.py [--seconds 5] [--runs 3] [--only accept|ring]

Everything is over HTTP. The ring is the call, dispatch to a connector that takes everything and receipts it at once,
the receipts and the final states, every one durable. With NATS two processes do it, each all of it. PostgreSQL, NATS
and the callers run on the same machine and share its cores; fsync is on.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import procs
import world
from figures import Figure, conditions, median, show

SHAPES = ("SQLite", "PostgreSQL", "PostgreSQL + NATS")
ACCEPTED = (
    ("accept, calls of 1,000, 4 at once", 1_000, 4, "destinations_s", "destinations/s", ">= 60,000"),
    ("accept, single calls, 256 at once", 1, 256, "calls_s", "calls/s", ">= 8,000"),
)
RING = (
    ("ring, calls of 1,000, 4 at once", 1_000, 4, ">= 40,000"),
    ("ring, single calls, 256 at once", 1, 256, ""),
)
FINISH_SECONDS = 300.0
LOOK_SECONDS = 0.1
UNSENT = "SELECT coalesce(sum(remaining), 0) FROM requests WHERE remaining > 0"  # costs less to ask
OPEN = "SELECT count(*) FROM transactions WHERE state < 40"
ALL = "SELECT count(*) FROM transactions"
SERVE = (  # the platform with the connector of `world.py` for SMS
    f"import sys; sys.path.insert(0, {str(procs.BENCH)!r})\n"
    "import world\n"
    "from heliograph.cli import platform\n"
    "platform.channels = lambda: {'sms': world.null_channel()}\n"
    "from heliograph.cli.main import main\n"
    "main()"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What runs: the processes that accept, and how to ask the database for a number."""

    apis: list[procs.Platform]
    ask: Callable[[str], int]


@contextlib.contextmanager
def running(name: str, folder: Path, *, sending: bool) -> Iterator[Shape]:
    """One shape on a database of its own; with `sending` it sends too."""
    with contextlib.ExitStack() as stack:
        settings: dict[str, str] = {}
        database = folder / "api" / "heliograph.sqlite"
        ask: Callable[[str], int] = lambda sql: _from_file(database, sql)  # noqa: E731
        if name != "SQLite":
            servers = stack.enter_context(procs.servers(broker=name.endswith("NATS")))
            settings, ask = servers.settings, servers.ask
        document = world.document()
        del document["tenants"][0]["services"][0]["notify"]
        has = "api,worker" if sending else "api"
        roles = [has, has] if "BUS" in settings else [has]
        platforms = [
            procs.Platform(folder / ("api", "other")[number], document, has, **settings)
            for number, has in enumerate(roles)
        ]
        for platform in platforms:
            stack.enter_context(platform)
            platform.start(source=SERVE)
        yield Shape([platform for platform in platforms if "api" in platform.roles], ask)
        for platform in platforms:
            platform.stop()


def _from_file(path: Path, sql: str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return int(db.execute(sql).fetchone()[0])


def accept(shape: Shape, size: int, connections: int, seconds: float, key: str) -> float:
    """What all callers together are answered a second."""
    each = connections // len(shape.apis)
    with ThreadPoolExecutor() as pool:
        found = pool.map(
            lambda api: procs.load(api.port, size=size, connections=each, seconds=seconds)[key], shape.apis
        )
        return sum(found)


def ring(shape: Shape, size: int, connections: int, seconds: float) -> float:
    """Messages a second from the first call until the last is final."""
    before = shape.ask(ALL)
    began = time.perf_counter()
    accept(shape, size, connections, seconds, "calls_s")
    while (shape.ask(UNSENT) or shape.ask(OPEN)) and time.perf_counter() < began + FINISH_SECONDS:
        time.sleep(LOOK_SECONDS)
    return (shape.ask(ALL) - before) / (time.perf_counter() - began)


def measure(seconds: float, runs: int, only: str = "") -> list[Figure]:
    """The figures; each a median of the runs, which take the shapes in turn."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(runs):
        for name in SHAPES:
            if only != "ring":
                with procs.folder() as folder, running(name, folder, sending=False) as shape:
                    for what, size, connections, key, *_ in ACCEPTED:
                        rate = accept(shape, size, connections, seconds, key)
                        found.setdefault((what, name), []).append(rate)
            if only != "accept":
                for what, size, connections, _ in RING:
                    with procs.folder() as folder, running(name, folder, sending=True) as shape:
                        found.setdefault((what, name), []).append(ring(shape, size, connections, seconds))
    units = {what: (unit, wanted) for what, _, _, _, unit, wanted in ACCEPTED}
    units |= {what: ("messages/s", wanted) for what, _, _, wanted in RING}
    return [
        Figure(
            f"{what}: {name}", median(values), units[what][0], median(found[what, SHAPES[0]]),
            units[what][1] if name.endswith("NATS") else "", f"{min(values):,.0f} to {max(values):,.0f}",
        )
        for what in units
        for name in SHAPES
        if (values := found.get((what, name)))
    ]  # fmt: skip


def main() -> None:
    """Measure and print; the reference is SQLite."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("accept", "ring"), default="")
    options = parser.parse_args()
    print(conditions())
    show(measure(options.seconds, options.runs, options.only))


if __name__ == "__main__":
    main()
