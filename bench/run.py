"""Every benchmark of the platform as a whole, with short defaults, in one table.

    python bench/run.py [--long]

Nothing here fails on a figure: a benchmark is never a timed test.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import accept
import end_to_end
import kannel
import memory
import ring
import store
from figures import Figure, conditions, show

Part = Callable[[], list[Figure]]


def parts(long: bool) -> list[tuple[str, Part]]:
    """What is run, by name."""
    seconds, runs = (10.0, 5) if long else (3.0, 3)
    shapes = [
        end_to_end.Shape(50, 0.0, 1, 60.0 if long else 15.0),
        end_to_end.Shape(10, 40.0, 1, 10.0),
        end_to_end.Shape(50, 40.0, 1, 10.0),
    ]
    return [
        ("accept", lambda: accept.measure(seconds, runs)),
        ("store", lambda: store.compare(runs)),
        ("ring", lambda: ring.measure(120_000 if long else 60_000, runs)),
        ("end to end", lambda: end_to_end.measure(shapes)),
        ("memory and restart", lambda: memory.measure(1_000_000 if long else 400_000, 1_000_000)),
        ("kannel", lambda: kannel.compare(20_000 if long else 5_000, 50)),
    ]


def main() -> None:
    """Run all, print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="a minute end to end, a million messages in memory")
    options = parser.parse_args()
    sys.setswitchinterval(ring.SWITCH_SECONDS)
    print(conditions())
    figures: list[Figure] = []
    for name, part in parts(options.long):
        if name == "kannel" and (sentence := kannel.why_not()):
            print(sentence)
            continue
        began = time.perf_counter()
        figures.extend(part())
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    show(figures)


if __name__ == "__main__":
    main()
