"""A do-not-disturb list of a million rows imported by the command, beside the bare database writing the same rows.

    python bench/dnd.py [--rows 1000000]

`heliograph serve --roles api` on a fresh SQLite file; `heliograph dnd import` is another process, with its progress
bar and its file of outcomes.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import procs
from figures import Figure, conditions, show

BATCH = 5_000
WANTED = 60.0  # seconds


def address(number: int) -> str:
    """A number as people write it."""
    return f"+44 {7_000_000_000 + number}"


def write(file: Path, rows: int) -> None:
    """A list in CSV."""
    with file.open("w", encoding="utf-8") as stream:
        stream.write("address,channel,reason\n")
        stream.writelines(f"{address(number)},sms,asked by letter\n" for number in range(rows))


def ours(folder: Path, file: Path) -> tuple[float, int]:
    """Seconds of the import, and how many outcomes were written."""
    with procs.Platform(folder / "ours", procs.document(1, 1), roles="api") as served:
        served.start()
        command = ["dnd", "import", str(file), "--tenant", "bench", "--listen", f"127.0.0.1:{served.port}"]
        environment = {**os.environ, "HELIOGRAPH_ADMIN_TOKEN": procs.TOKEN}
        environment.setdefault("PYTHONPATH", str(procs.BENCH.parent / "src"))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", procs.SERVE, *command], check=True, env=environment)
        spent = time.perf_counter() - began
        served.stop()
    [outcome] = [one for one in folder.glob("list*") if one != file]
    with outcome.open(encoding="utf-8") as stream:
        return spent, sum(1 for line in stream if ",listed," in line)


def bare(path: Path, rows: int) -> float:
    """Seconds of the same rows in the same groups by the database alone."""
    db = sqlite3.connect(path, isolation_level=None)
    for text in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
        db.execute(text)
    db.execute("CREATE TABLE dnd (tenant, address, channel, reason, PRIMARY KEY (tenant, address, channel))")
    began = time.perf_counter()
    for start in range(0, rows, BATCH):
        db.execute("BEGIN IMMEDIATE")
        values = (("bench", f"44{7_000_000_000 + number}", "sms", "x") for number in range(start, start + BATCH))
        db.executemany("INSERT OR REPLACE INTO dnd VALUES (?, ?, ?, ?)", values)
        db.execute("COMMIT")
    db.close()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    print(conditions())
    with procs.folder() as folder:
        file = folder / "list.csv"
        write(file, rows)
        spent, outcomes = ours(folder, file)
        if outcomes != rows:
            raise SystemExit(f"{outcomes} outcomes of {rows} rows")
        wanted = f">= {rows / WANTED:,.0f}" if rows == 1_000_000 else ""
        reference = rows / bare(folder / "bare", rows)
        show([Figure("do-not-disturb list, import", rows / spent, "rows/s", reference, wanted, f"{spent:.1f} s")])


if __name__ == "__main__":
    main()
