"""The Profile API over real HTTP: customers created and changed in batches of 100, read one by one; beside the bare
database doing the same rows.

    python bench/profiles.py [--seconds 5] [--runs 3]

`heliograph serve --roles api` on a fresh SQLite file, one process; the caller is another. Every write is answered
after its fsync; every customer has five attributes and is found by id, number and address.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import procs
from figures import Figure, conditions, median, show

KEY = "bench-profile-key"
BATCH = 100
PRIMED = 20_000  # customers that are there before reads and updates
SHAPES = (("create", 4), ("update", 4), ("read", 32))  # what, connections
STORE = {"attributes": [{"name": "city", "type": "string"}, {"name": "age", "type": "number"}]}


def records(start: int, age: int) -> list[dict[str, Any]]:
    """A batch of customers."""
    return [
        {
            "customerId": f"C-{number}",
            "Attributes": {
                "msisdn": f"4477{number:08d}", "email": f"c{number}@example.com", "name": f"Customer {number}",
                "city": "London", "age": age,
            },
        }
        for number in range(start, start + BATCH)
    ]  # fmt: skip


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A whole HTTP request."""
    head = (
        f"{method} /resources/v2{path} HTTP/1.1\r\nhost: bench\r\nkey: {KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def calls(what: str) -> Any:
    """The requests of one kind, without end."""
    if what == "read":
        for number in itertools.count():
            yield request("GET", f"/customerprofile/C-{number * 7919 % PRIMED}")
    for number in itertools.count():
        start = PRIMED + number * BATCH if what == "create" else number * BATCH % PRIMED
        body = json.dumps({"Records": records(start, number % 100)}).encode()
        yield request("POST" if what == "create" else "PUT", "/customerprofile", body)


async def load(port: int, what: str, connections: int, seconds: float) -> dict[str, float]:
    """Calls for so long; calls a second and their times."""
    work, times, end = calls(what), [], time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(next(work))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length: ")[1].split(b"\r")[0])
            answer = await reader.readexactly(size)
            if b'"code":"1000"' not in answer[:200]:
                raise RuntimeError(answer[:300].decode())
            times.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    spent = time.perf_counter() - began
    times.sort()
    return {
        "calls_s": len(times) / spent,
        "p50_ms": times[len(times) // 2] * 1e3,
        "p99_ms": times[-len(times) // 100] * 1e3,
    }


def caller(port: int, what: str, connections: int, seconds: float) -> dict[str, float]:
    """The load in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--client", str(port), what, str(connections), str(seconds)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def bare(path: Path, seconds: float) -> dict[str, float]:
    """The same rows in the same groups by the database alone: calls a second."""
    db = sqlite3.connect(path, isolation_level=None)
    for text in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
        db.execute(text)
    db.execute("CREATE TABLE customers (tenant, customer, data, PRIMARY KEY (tenant, customer))")
    db.execute(
        "CREATE TABLE keys (tenant, kind, value, customer, PRIMARY KEY (tenant, kind, value, customer)) WITHOUT ROWID"
    )
    found: dict[str, float] = {}
    for what in ("create", "update", "read"):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            if what == "read":
                db.execute(
                    "SELECT data FROM customers WHERE tenant = 'b' AND customer = ?", (f"C-{count}",)
                ).fetchone()
            else:
                batch = records(count * BATCH if what == "create" else count * BATCH % PRIMED, 1)
                db.execute("BEGIN IMMEDIATE")
                rows = [(one["customerId"], json.dumps(one["Attributes"])) for one in batch]
                db.executemany("INSERT OR REPLACE INTO customers VALUES ('b', ?, ?)", rows)
                for kind in ("msisdn", "email"):
                    keyed = [(kind, one["Attributes"][kind], one["customerId"]) for one in batch]
                    db.executemany("INSERT OR IGNORE INTO keys VALUES ('b', ?, ?, ?)", keyed)
                db.execute("COMMIT")
            count += 1
        found[what] = count / (time.perf_counter() - began)
    db.close()
    return found


def measure(seconds: float, runs: int) -> list[Figure]:
    """The figures; each a median of the runs."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        with procs.folder() as folder:
            document = procs.document(1, 1)
            document["tenants"][0] |= {"profile_key": KEY, "profile_store": STORE}
            with procs.Platform(folder / "ours", document, roles="api") as served:
                served.start()
                prime(served.port)
                for what, connections in SHAPES:
                    for name, value in caller(served.port, what, connections, seconds).items():
                        found.setdefault(f"{what} {name}", []).append(value)
                served.stop()
            for what, value in bare(folder / "bare.sqlite", seconds / 2).items():
                found.setdefault(f"{what} bare", []).append(value)
    middle = {name: median(values) for name, values in found.items()}
    figures = []
    for what, size, unit, wanted in (
        ("create", BATCH, "records/s", ">= 5,000"), ("update", BATCH, "records/s", ">= 5,000"),
        ("read", 1, "reads/s", ">= 2,000"),
    ):  # fmt: skip
        note = f"{min(found[f'{what} calls_s']) * size:,.0f} to {max(found[f'{what} calls_s']) * size:,.0f}"
        figures.append(
            Figure(
                f"profiles, {what}",
                middle[f"{what} calls_s"] * size,
                unit,
                middle[f"{what} bare"] * size,
                wanted,
                note,
            )
        )
        figures.append(Figure(f"profiles, {what}, p99 of a call", middle[f"{what} p99_ms"], "ms"))
    return figures


def prime(port: int) -> None:
    """Customers to read."""

    async def run() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for start in range(0, PRIMED, BATCH):
            writer.write(request("POST", "/customerprofile", json.dumps({"Records": records(start, 1)}).encode()))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r")[0]))
        writer.close()

    asyncio.run(run())


def main() -> None:
    """Measure and print, or be the caller."""
    if sys.argv[1:2] == ["--client"]:
        port, what, connections, seconds = sys.argv[2:]
        print(json.dumps(asyncio.run(load(int(port), what, int(connections), float(seconds)))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    print(conditions())
    show(measure(options.seconds, options.runs))


if __name__ == "__main__":
    main()
