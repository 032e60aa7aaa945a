"""The same program in its three shapes, side by side: SQLite in the process, PostgreSQL, PostgreSQL with NATS.

    python bench/shapes.py [--seconds 5] [--runs 3] [--only accept|ring]

Accepting is over HTTP by one process. The ring is HTTP, dispatch to a connector that takes everything and receipts it
at once, the receipts and the final states, every one durable; one process that does all of it, but with NATS one that
accepts and one that sends. PostgreSQL and NATS run on the same machine and share its cores; fsync is on.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import procs
import world
from figures import Figure, conditions, median, show
from heliograph.testing.nats import nats
from heliograph.testing.postgres import postgres

SHAPES = ("SQLite", "PostgreSQL", "PostgreSQL + NATS")
ACCEPTED = (
    ("accept, calls of 1,000, 4 at once", 1_000, 4, "destinations_s", "destinations/s", ">= 60,000"),
    ("accept, single calls, 64 at once", 1, 64, "calls_s", "calls/s", ">= 8,000"),
)
RING = (
    ("ring, calls of 1,000, 4 at once", 1_000, 4, ">= 40,000"),
    ("ring, single calls, 64 at once", 1, 64, ""),
)
FINISH_SECONDS = 300.0
LOOK_SECONDS = 0.25
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
    """What runs: the process that accepts, and how to ask the database for a number."""

    api: procs.Platform
    ask: Callable[[str], int]


@contextlib.contextmanager
def running(name: str, folder: Path, *, sending: bool) -> Iterator[Shape]:
    """One shape on a database of its own; with `sending` it sends too."""
    with contextlib.ExitStack() as stack:
        settings: dict[str, str] = {}
        database = folder / "api" / "heliograph.sqlite"
        ask: Callable[[str], int] = lambda sql: _from_file(database, sql)  # noqa: E731
        if name != "SQLite":
            server = stack.enter_context(postgres(durable=True))
            made = server.create()
            settings["DATABASE"] = server.url(made)
            ask = lambda sql: int(server.sql(sql, made))  # noqa: E731
        if name.endswith("NATS"):
            settings["BUS"] = stack.enter_context(nats()).url
            settings["SECRET_KEY"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
        alone = sending and "BUS" not in settings
        document = world.document()
        del document["tenants"][0]["services"][0]["notify"]
        api = procs.Platform(folder / "api", document, "api,worker" if alone else "api", **settings)
        platforms = [api]
        if sending and not alone:
            platforms.append(procs.Platform(folder / "worker", document, "worker", **settings))
        for platform in platforms:
            stack.enter_context(platform)
            platform.start(source=SERVE)
        yield Shape(api, ask)
        for platform in platforms:
            platform.stop()


def _from_file(path: Path, sql: str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return int(db.execute(sql).fetchone()[0])


def ring(shape: Shape, size: int, connections: int, seconds: float) -> float:
    """Messages a second from the first call until the last is final."""
    before = shape.ask(ALL)
    began = time.perf_counter()
    procs.load(shape.api.port, size=size, connections=connections, seconds=seconds)
    while shape.ask(OPEN) and time.perf_counter() < began + FINISH_SECONDS:
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
                        figures = procs.load(shape.api.port, size=size, connections=connections, seconds=seconds)
                        found.setdefault((what, name), []).append(figures[key])
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
