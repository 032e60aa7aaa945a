"""How a benchmark says what it found: a figure, its reference in the same run, what is wanted, the conditions."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYNCS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `reference` is the bare thing's value in the same run (0: there is none)."""

    what: str
    value: float
    unit: str
    reference: float = 0.0
    wanted: str = ""
    note: str = ""

    @property
    def ratio(self) -> str:
        """Ours as a part of the reference."""
        return f"{self.value / self.reference:.2f}" if self.reference else ""


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    width = max((len(figure.what) for figure in figures), default=10)
    print(f"{'what':{width}} {'value':>12} {'unit':14} {'reference':>12} {'ratio':>6}  {'wanted':22} note")
    for figure in figures:
        reference = number(figure.reference) if figure.reference else ""
        print(
            f"{figure.what:{width}} {number(figure.value):>12} {figure.unit:14} {reference:>12} {figure.ratio:>6}  "
            f"{figure.wanted:22} {figure.note}"
        )


def number(value: float) -> str:
    """A value with as many digits as say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def median(samples: Sequence[float]) -> float:
    """The middle."""
    return statistics.median(samples)


def conditions(folder: Path | None = None) -> str:
    """The machine and the moment, for the record; how long a small fsync takes where the data lies."""
    place = folder or Path(tempfile.gettempdir())
    return (
        f"{_cpu()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"synchronous=FULL; fdatasync of 4 KiB {_sync_us(place):.0f} us in {place}"
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def _sync_us(place: Path) -> float:
    samples = []
    with tempfile.TemporaryFile(dir=place) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fsync(file.fileno())
            samples.append(time.perf_counter() - began)
    return median(samples) * 1e6
