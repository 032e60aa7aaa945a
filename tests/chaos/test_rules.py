"""kill -9 while events set rules off: each accepted event has each of its messages exactly once."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import chaos
import load
import procs

ROUNDS, EVENTS, CONNECTIONS = 4, 600, 12
FINISH_SECONDS = 60.0
LONGEST = 0.6  # seconds after the first event of a round at which the kill comes at the latest
TEXTS = ("first", "second", "third", "chained")
QUEUED_EVENT = b'"1002"'


@dataclass(slots=True)
class Sent:
    """One event: the number in it, and what became of its call."""

    number: str
    fate: str = "unsent"


@dataclass(slots=True)
class Books:
    """What was found after the last start."""

    seed: int
    accepted: list[str]
    unanswered: list[str]
    messages: Counter[tuple[str, str]]
    occurrences: Counter[int]
    runs: Counter[int]
    kills: int = 0


def document(smsc: int, sink: int) -> dict[str, Any]:
    """An event whose rules send, emit an event with a rule of its own, and wait for a message to get there."""
    found = procs.document(smsc, sink)
    tenant = found["tenants"][0]

    def send(text: str) -> dict[str, Any]:
        return {"send": {"channel": "sms", "to": {"msisdn": "${parameters.to}"}, "content": {"text": text}}}

    emit = {"emit": {"event": "next", "parameters": {"to": "${parameters.to}"}}}
    tenant["events"] = [{"id": "begin", "parameters": [{"name": "to", "mandatory": True}]}, {"id": "next"}]
    tenant["rules"] = [
        {"name": "one", "on": {"event": "begin"}, "then": [send("first"), send("second"), emit]},
        {
            "name": "chain",
            "on": {"event": "begin"},
            "then": [{**send("chained"), "within": "10m", "otherwise": [send("never")]}],
        },
        {"name": "two", "on": {"event": "next"}, "then": [send("third")]},
    ]
    return found


def call(number: str) -> bytes:
    """The bytes of one call with one event."""
    content = json.dumps({"events": [{"evtid": "begin", "parameters": {"to": number}}]}).encode()
    return (
        b"POST /resources/v1/events/externalevent HTTP/1.1\r\nhost: bench\r\nkey: %b\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        % (procs.KEY.encode(), len(content), content)
    )


async def caller(port: int, waiting: deque[Sent]) -> None:
    """Sends what waits until nothing does or the line breaks."""
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            event = waiting.popleft()
            event.fate = "open"
            writer.write(call(event.number))
            _, body = await load.answer(reader)
            event.fate = "accepted" if QUEUED_EVENT in body else "refused"
    except (OSError, asyncio.IncompleteReadError):
        return
    finally:
        if writer is not None:
            writer.close()


async def send_all(port: int, waiting: deque[Sent]) -> None:
    await asyncio.gather(*(caller(port, waiting) for _ in range(CONNECTIONS)))


async def one_round(platform: procs.Platform, waiting: deque[Sent], rng: random.Random) -> None:
    sending = asyncio.create_task(send_all(platform.port, waiting))
    await asyncio.sleep(rng.uniform(0.02, LONGEST))
    platform.kill()
    await sending


def settled(database: Path) -> bool:
    """Whether nothing of rules is under way and every message has ended."""
    with chaos.read_only(database) as db:
        new = db.execute("SELECT count(*) FROM occurrences WHERE state < 2").fetchone()[0]
        runs = db.execute("SELECT count(*) FROM runs WHERE state < 2").fetchone()[0]
        under_way = db.execute("SELECT count(*) FROM transactions WHERE state < 40").fetchone()[0]
    return not new and not runs and not under_way


def wait_settled(database: Path) -> None:
    deadline = time.perf_counter() + FINISH_SECONDS
    while time.perf_counter() < deadline and not settled(database):
        time.sleep(0.2)


def found_in(database: Path, books: Books) -> None:
    with chaos.read_only(database) as db:
        rows = db.execute(
            "SELECT t.destination, r.messages FROM transactions AS t JOIN requests AS r ON r.id = t.request"
        ).fetchall()
        books.occurrences = Counter(row[0] for row in db.execute("SELECT state FROM occurrences"))
        books.runs = Counter(row[0] for row in db.execute("SELECT state FROM runs"))
    books.messages = Counter((number, json.loads(text)[0]["content"]["fields"]["text"]) for number, text in rows)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """The accounting after some rounds; the seed is in every message of a failure."""
    folder = tmp_path_factory.mktemp("rules")
    seed = random.SystemRandom().randrange(1 << 32)
    rng, books = random.Random(seed), Books(seed, [], [], Counter(), Counter(), Counter())
    events = [Sent(f"447{100_000_000 + number}") for number in range(ROUNDS * EVENTS)]
    waiting: deque[Sent] = deque()
    with (
        procs.far_end("--journal", str(folder / "journal")) as far,
        procs.Platform(folder / "data", document(far.smsc, far.sink)) as platform,
    ):
        for number in range(ROUNDS):
            platform.start()
            waiting.extend(events[number * EVENTS : (number + 1) * EVENTS])
            asyncio.run(one_round(platform, waiting, rng))
            books.kills += 1
        platform.start()
        asyncio.run(send_all(platform.port, waiting))
        database = folder / "data" / "heliograph.sqlite"
        wait_settled(database)
        platform.stop()
        found_in(database, books)
    books.accepted = [event.number for event in events if event.fate == "accepted"]
    books.unanswered = [event.number for event in events if event.fate == "open"]
    return books


def test_every_accepted_event_has_each_of_its_messages_exactly_once(books: Books) -> None:
    wrong = [
        (number, text, books.messages[number, text])
        for number in books.accepted
        for text in TEXTS
        if books.messages[number, text] != 1
    ]

    assert wrong == [], books.seed
    assert len(books.accepted) + len(books.unanswered) == ROUNDS * EVENTS


def test_an_event_whose_answer_was_lost_is_done_wholly_or_not_at_all(books: Books) -> None:
    counts = {tuple(books.messages[number, text] for text in TEXTS) for number in books.unanswered}

    assert counts <= {(0,) * len(TEXTS), (1,) * len(TEXTS)}, books.seed


def test_nothing_else_was_sent_and_everything_ended(books: Books) -> None:
    known = {*books.accepted, *books.unanswered}

    assert {number for number, _ in books.messages} <= known, books.seed
    assert {text for _, text in books.messages} == set(TEXTS), books.seed
    assert set(books.occurrences) == {3}, (books.seed, books.occurrences)
    assert set(books.runs) == {2}, (books.seed, books.runs)
    assert books.kills == ROUNDS
