"""kill -9 at random instants under load: nothing lost, nothing sent twice unflagged, nothing falsely delivered."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import chaos
import procs

ROUNDS, MESSAGES = 3, 1_000


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> chaos.Books:
    """The accounting after some rounds; the seed is in every message of a failure."""
    books = chaos.Books(ROUNDS, random.SystemRandom().randrange(1 << 32))
    chaos.play(tmp_path_factory.mktemp("kill"), books, MESSAGES)
    return books


def test_the_books_agree_to_the_message(books: chaos.Books) -> None:
    assert books.agree, (books.seed, books.faults, books.examples)


def test_accepted_is_delivered_and_failed_and_expired_and_in_queue(books: chaos.Books) -> None:
    total = books.delivered + books.failed + books.expired + books.in_queue

    assert books.offered == ROUNDS * MESSAGES
    assert total == books.accepted + books.unanswered_kept, books.seed


def test_the_platform_was_killed_under_load(books: chaos.Books) -> None:
    assert books.kills >= ROUNDS
    assert books.submits >= books.delivered > 0


def test_sigterm_under_load_drains_within_ten_seconds_and_nothing_is_lost_or_repeated(tmp_path: Path) -> None:
    books = chaos.Books(1, random.SystemRandom().randrange(1 << 32))

    status, seconds = chaos.drain(tmp_path, books, 4_000)

    assert status == 0
    assert seconds < procs.DRAIN_SECONDS
    assert books.agree, (books.seed, books.faults, books.examples)
    assert books.submits == books.accepted + books.unanswered_kept, books.seed
