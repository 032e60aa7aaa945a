"""A message from the call to the callback: HTTP, SQLite, SMPP to an SMSC in another process, receipt, callback.

    python bench/end_to_end.py [--seconds 60] [--window 50] [--delay-ms 0] [--binds 1] [--profile] [--cluster]

With no `--delay-ms` the three shapes of the demand are measured: an SMSC that answers at once, and one that
answers after 40 ms with windows of 10 and 50, where nothing can be faster than window / delay. With `--cluster` one
process accepts and one sends, on PostgreSQL and NATS.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise

import load
import procs
from accept import PROFILED
from figures import Figure, conditions, show

AHEAD = 6_000  # messages accepted and not yet submitted, at most
SIZE = 100  # destinations of a call
WARM = 2.0
EVERY = 1.0
FINISH_SECONDS = 60.0
WANTED = (">= 3,000, aim 6,000", ">= 4,000, aim 8,000")


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to run."""

    window: int = 50
    delay_ms: float = 0.0
    binds: int = 1
    seconds: float = 10.0
    cluster: bool = False


@dataclass(slots=True)
class Course:
    """What was seen: messages per second by second, and overall per kind."""

    by_second: list[float]
    submitted: float
    receipted: float
    called: float
    complete: bool
    cpu: float
    delay_ms: float


class Feeder:
    """Keeps the platform's queue from running dry."""

    def __init__(self, port: int, ahead: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._ahead = ahead
        self.accepted = 0

    def feed(self, submitted: int) -> None:
        """Send calls until enough waits."""
        while self.accepted - submitted < self._ahead:
            content = load.body(100_000_000 + self.accepted, SIZE)
            headers = {"key": procs.KEY, "content-type": "application/json"}
            self._connection.request("POST", "/resources/v1/messaging", content, headers)
            answer = self._connection.getresponse().read()
            if answer.count(load.ACCEPTED) != SIZE:
                raise RuntimeError(f"a call was refused: {answer[:300]!r}")
            self.accepted += SIZE


def run(shape: Shape, source: str = procs.SERVE) -> Course:
    """One run on fresh data folders."""
    with contextlib.ExitStack() as stack:
        far = stack.enter_context(procs.far_end("--delay-ms", str(shape.delay_ms)))
        folder = stack.enter_context(procs.folder())
        document = procs.document(far.smsc, far.sink, window=shape.window, binds=shape.binds)
        settings = stack.enter_context(procs.servers(broker=True)).settings if shape.cluster else {}
        platforms = [
            procs.Platform(folder / roles, document, roles, **settings)
            for roles in (("api", "worker") if shape.cluster else ("api,worker",))
        ]
        for platform in platforms:
            platform.start(source=source)
        try:
            return _course(shape, platforms, far)
        finally:
            for platform in platforms:
                platform.stop()


def _cpu(platforms: list[procs.Platform]) -> float:
    return sum(platform.seconds_of_cpu() for platform in platforms)


def _course(shape: Shape, platforms: list[procs.Platform], far: procs.FarEnd) -> Course:
    bound = shape.window * shape.binds / (shape.delay_ms / 1000) if shape.delay_ms else AHEAD
    feeder = Feeder(platforms[0].port, int(min(AHEAD, max(2 * SIZE, bound))))
    marks: list[tuple[float, dict[str, int], float]] = []
    began = time.perf_counter()
    due = began + WARM
    while time.perf_counter() < began + WARM + shape.seconds:
        counts = far.counts()
        if time.perf_counter() >= due:
            marks.append((time.perf_counter(), counts, _cpu(platforms)))
            due += EVERY
        feeder.feed(counts["submits"])
        time.sleep(0.02)
    counts = far.counts()
    marks.append((time.perf_counter(), counts, _cpu(platforms)))
    (first_at, first, first_cpu), (last_at, last, last_cpu) = marks[0], marks[-1]
    span = last_at - first_at
    steps = [(after[1]["calls"] - before[1]["calls"]) / (after[0] - before[0]) for before, after in pairwise(marks)]
    rates = {name: (last[name] - first[name]) / span for name in ("submits", "acknowledged", "calls")}
    return Course(
        steps, rates["submits"], rates["acknowledged"], rates["calls"], _finished(far, feeder.accepted),
        (last_cpu - first_cpu) / span, last["delay_us"] / 1000,
    )  # fmt: skip


def _finished(far: procs.FarEnd, accepted: int) -> bool:
    """Whether every accepted message was submitted, receipted and told in the end."""
    deadline = time.perf_counter() + FINISH_SECONDS
    while time.perf_counter() < deadline:
        counts = far.counts()
        if min(counts["submits"], counts["acknowledged"], counts["calls"]) >= accepted:
            return True
        time.sleep(0.1)
    print(f"not complete: accepted {accepted}, {far.counts()}")
    return False


def bare(shape: Shape) -> float:
    """The reference: messages receipted per second."""
    environment = {**os.environ}
    environment.setdefault("PYTHONPATH", str(procs.BENCH.parent / "src"))
    with procs.far_end("--delay-ms", str(shape.delay_ms)) as far, procs.folder() as folder:
        done = subprocess.run(
            [
                sys.executable, str(procs.BENCH / "bare_smpp.py"), str(folder / "bare.sqlite"), str(far.smsc),
                str(far.sink), "--window", str(shape.window), "--seconds", str(min(shape.seconds, 10.0)),
            ],
            capture_output=True, text=True, check=True, env=environment,
        )  # fmt: skip
    return float(json.loads(done.stdout)["messages_s"])


def measure(shapes: list[Shape]) -> list[Figure]:
    """A figure for every shape."""
    figures = []
    for shape in shapes:
        course = run(shape)
        where = "PostgreSQL + NATS, " if shape.cluster else ""
        what = f"end to end, {where}SMPP window {shape.window * shape.binds}, answers after {shape.delay_ms:g} ms"
        ending = "all told" if course.complete else "NOT ALL TOLD"
        note = (
            f"{shape.seconds:g} s; slowest and fastest second {min(course.by_second):,.0f}, "
            f"{max(course.by_second):,.0f}; submits {course.submitted:,.0f}/s, receipts {course.receipted:,.0f}/s; "
            f"{course.cpu / max(course.submitted, 1) * 1e6:.0f} us of CPU a message; {ending}"
        )
        if shape.delay_ms:
            bound = shape.window * shape.binds / course.delay_ms * 1000
            note = f"the SMSC took {course.delay_ms:.1f} ms; {note}"
            figures.append(Figure(what, course.submitted, "messages/s", bound, ">= 0.95 of window/delay", note))
        else:
            figures.append(Figure(what, course.called, "messages/s", bare(shape), WANTED[shape.cluster], note))
        print(f"{what}: by second {' '.join(f'{step:.0f}' for step in course.by_second)}", flush=True)
    return figures


def profile(shape: Shape) -> None:
    """The platform's event loop under cProfile, by own time."""
    with procs.folder() as folder:
        path = folder / "profile"
        course = run(shape, PROFILED.format(str(path)))
        print(f"under the profiler: {course.called:.0f} messages/s, {course.cpu * 100:.0f} % of a core")
        script = "import pstats, sys; pstats.Stats(sys.argv[1]).sort_stats('tottime').print_stats(60)"
        subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def shapes_of(options: argparse.Namespace) -> list[Shape]:
    """What the command line asks for."""
    if options.delay_ms is not None or options.cluster:
        delay_ms = options.delay_ms or 0.0
        return [Shape(options.window, delay_ms, options.binds, options.seconds, options.cluster)]
    short = min(options.seconds, 10.0)
    first = Shape(options.window, 0.0, options.binds, options.seconds)
    return [first, Shape(10, 40.0, 1, short), Shape(50, 40.0, 1, short)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--binds", type=int, default=1)
    parser.add_argument("--delay-ms", type=float, default=None)
    parser.add_argument("--cluster", action="store_true", help="one process accepts and one sends")
    parser.add_argument("--profile", action="store_true", help="where the platform's time goes, instead")
    options = parser.parse_args()
    if options.profile:
        profile(Shape(options.window, options.delay_ms or 0.0, options.binds, options.seconds))
        return
    print(conditions())
    show(measure(shapes_of(options)))


if __name__ == "__main__":
    main()
