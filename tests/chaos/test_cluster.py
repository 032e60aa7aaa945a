"""Processes of a cluster, its database and its broker killed, cut off, frozen, with wrong clocks, with full disks and
a slow one, under load."""

from __future__ import annotations

import random
from pathlib import Path

import chaos
import chaos_cluster

ROUNDS, MESSAGES, ACK_WAIT = 10, 250, 3
STRIKES = {
    "worker", "api", "cut", "frozen", "clock jumps", "broker", "database", "database, disk full", "broker, disk full",
    "disk slow",
}  # fmt: skip
NOT_STRIKES = ("seconds", "receipts", "claims", "longest")


def test_whoever_dies_nothing_is_lost_and_nothing_is_sent_twice_unflagged(tmp_path: Path) -> None:
    books = chaos.Books(ROUNDS, random.SystemRandom().randrange(1 << 32))

    happened = chaos_cluster.play(tmp_path, books, MESSAGES, ACK_WAIT)

    assert books.agree, (books.seed, happened, books.faults, books.examples)
    total = books.delivered + books.failed + books.expired + books.in_queue
    assert total == books.accepted + books.unanswered_kept, books.seed
    assert books.offered >= ROUNDS * MESSAGES
    assert books.refused  # by the database whose disk was full
    assert {name for name in happened if not name.startswith(NOT_STRIKES)} == STRIKES
    assert all(happened[f"receipts {name}"] for name in ("hastened", "repeated", "stale"))
