"""Durable acceptance over real HTTP, beside a raw ASGI application that writes the same rows.

    python bench/accept.py [--seconds 5] [--runs 3] [--profile]

`heliograph serve --roles api` on a fresh SQLite file, one process; the caller is another. Every answer comes
after its fsync.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import procs
from figures import Figure, conditions, median, show

SHAPES = (("singles", 1, 64), ("batches", 1_000, 4))  # name, destinations of a call, connections
PROFILED = (
    "import cProfile, sys, uvloop\n"
    "from heliograph.cli.main import main\n"
    "watch = cProfile.Profile()\n"
    "try:\n    watch.runcall(main)\n"
    "except SystemExit:\n    pass\n"
    "watch.dump_stats({!r})\n"
)


@contextlib.contextmanager
def platform(folder: Path, source: str = procs.SERVE) -> Iterator[procs.Platform]:
    """The platform with the role `api` alone."""
    served = procs.Platform(folder, procs.document(1, 1), roles="api")
    served.start(source=source)
    try:
        yield served
    finally:
        served.stop()


@contextlib.contextmanager
def reference(folder: Path) -> Iterator[int]:
    """The raw application; its port."""
    folder.mkdir(parents=True, exist_ok=True)
    port = procs.free_port()
    environment = {**os.environ}
    environment.setdefault("PYTHONPATH", str(procs.BENCH.parent / "src"))
    process = subprocess.Popen(
        [sys.executable, str(procs.BENCH / "reference.py"), str(folder / "bench.sqlite"), str(port)],
        text=True, env=environment,
    )  # fmt: skip
    try:
        procs.wait_listening(port)
        yield port
    finally:
        procs.end(process)


def measure(seconds: float, runs: int) -> list[Figure]:
    """The figures; each a median of the runs, taken in turn with the reference."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, size, connections in SHAPES:
            with procs.folder() as folder:
                with platform(folder / "ours") as served:
                    ours = procs.load(served.port, size=size, connections=connections, seconds=seconds)
                with reference(folder / "bare") as port:
                    bare = procs.load(port, size=size, connections=connections, seconds=seconds)
            for key, value in ours.items():
                if isinstance(value, int | float):
                    found.setdefault(f"{name} {key}", []).append(value)
                    found.setdefault(f"{name} {key} bare", []).append(bare[key])
    middle = {key: median(values) for key, values in found.items()}

    def figure(what: str, key: str, unit: str, wanted: str, note: str = "") -> Figure:
        return Figure(what, middle[key], unit, middle[f"{key} bare"], wanted, note)

    spread = found["singles calls_s"]
    return [
        figure(
            "accept, single calls, 64 at once", "singles calls_s", "calls/s", ">= 6,000, aim 10,000",
            f"{min(spread):,.0f} to {max(spread):,.0f}",
        ),
        figure("accept, single calls, p50", "singles p50_ms", "ms", ""),
        figure("accept, single calls, p99", "singles p99_ms", "ms", "<= 50"),
        figure(
            "accept, calls of 1,000, 4 at once", "batches destinations_s", "destinations/s",
            ">= 60,000, aim 100,000",
        ),
        figure("accept, calls of 1,000, p99", "batches p99_ms", "ms", ""),
    ]  # fmt: skip


def profile(seconds: float) -> None:
    """The server under cProfile; the profile of its event loop's thread, by own time."""
    for name, size, connections in SHAPES:
        with procs.folder() as folder:
            path = folder / "profile"
            with platform(folder / "data", PROFILED.format(str(path))) as served:
                figures = procs.load(served.port, size=size, connections=connections, seconds=seconds)
            print(f"--- {name} under the profiler: {figures['calls_s']:.0f} calls/s")
            script = "import pstats, sys; pstats.Stats(sys.argv[1]).sort_stats('tottime').print_stats(40)"
            subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where the server's time goes, instead")
    options = parser.parse_args()
    if options.profile:
        profile(options.seconds)
        return
    print(conditions())
    show(measure(options.seconds, options.runs))


if __name__ == "__main__":
    main()
