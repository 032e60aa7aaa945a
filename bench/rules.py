"""How many occurrences a second are matched against 1,000 rules, and how many messages rules send, beside the same
messages taken from calls.

    python bench/rules.py [--database postgresql://...]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from heliograph.channels import channels
from heliograph.cli.parts.rules import Around, RuleParts
from heliograph.intake import Intake
from heliograph.lookup import Lookup
from heliograph.model.automation import Rule
from heliograph.model.events import Occurrence
from heliograph.model.ids import Ids
from heliograph.model.workspace import Document
from heliograph.policy.automation import RuleBook, Scope
from heliograph.policy.directory import Directory
from heliograph.store import Store
from heliograph.store.areas.automation.events import Happened

RULES = 1_000
MATCHED = 5_000  # occurrences of a round
SENT = 4_000  # messages of a round
AT_ONCE = 128
ROUNDS = 3

SHAPES: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "equals, one of 1,000 holds": lambda number: [{"field": "parameters.city", "value": f"city{number}"}],
    "greater, one of 1,000 holds": lambda number: [
        {"field": "parameters.total", "op": "greater", "value": number + 9_000 if number else 100}
    ],
    "expressions, one of 1,000 holds": lambda number: [
        {"field": "parameters.city", "op": "regex", "value": f"^city{number}$"}
    ],
}


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def rule(number: int, when: list[dict[str, Any]]) -> dict[str, Any]:
    """One of the rules: on the one event, with a message that fills in a name."""
    send = {
        "channel": "sms", "to": {"msisdn": "${parameters.to}"},
        "content": {"text": "Hello ${parameters.name}, your order is on its way"},
    }  # fmt: skip
    return {"name": f"r{number}", "on": {"event": "1"}, "when": when, "then": [{"send": send}]}


def occurrence(number: int, name: str = "1") -> Occurrence:
    """An event of a customer."""
    parameters = {"to": f"4477{number % 10**8:08d}", "name": "Ann", "city": "city0", "total": 250}
    return Occurrence(number, "bench", "bench", "event", name, {"parameters": parameters}, 1)


def matched(shape: Callable[[int], list[dict[str, Any]]]) -> tuple[float, float]:
    """Occurrences matched a second, and those of a loop that compares one text with 1,000."""
    book = RuleBook(msgspec.convert([rule(number, shape(number)) for number in range(RULES)], list[Rule]))
    texts = [f"city{number}" for number in range(RULES)]
    occurrences = [occurrence(number) for number in range(MATCHED)]
    best, bare = 0.0, 0.0
    for _ in range(ROUNDS):
        end, count, began = time.perf_counter() + 0.4, 0, time.perf_counter()
        while time.perf_counter() < end:
            scope = Scope(occurrences[count % MATCHED])
            found = [one for one in book.candidates(scope, 1) if one.holds(scope)]
            assert len(found) == 1, len(found)
            count += 1
        best = max(best, count / (time.perf_counter() - began))
        end, count, began = time.perf_counter() + 0.2, 0, time.perf_counter()
        while time.perf_counter() < end:
            city = occurrences[count % MATCHED].payload["parameters"]["city"]
            assert sum(text == city for text in texts) == 1
            count += 1
        bare = max(bare, count / (time.perf_counter() - began))
    return best, bare


def workspace() -> Document:
    """A tenant with 1,000 rules on one event."""
    equals = SHAPES["equals, one of 1,000 holds"]
    return msgspec.convert(
        {
            "tenants": [
                {
                    "id": "bench",
                    "senders": [{"id": "HELIO", "channel": "sms"}],
                    "connectors": [
                        {"name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": 1,
                         "system_id": "a", "password": "b"}
                    ],
                    "events": [{"id": "1"}],
                    "rules": [rule(number, equals(number)) for number in range(RULES)],
                    "services": [{"id": "bench", "channels": {"sms": {"connector": "smsc", "sender": "HELIO"}}}],
                }
            ]
        },
        Document,
    )  # fmt: skip


async def sent(store: Store) -> tuple[float, float]:
    """Messages a second that rules send, from keeping the occurrences on, and those of calls."""
    directory = Directory(workspace(), channels(), 1)
    ids = Ids(clock_ms)
    intake = Intake(store, lambda: directory, ids, lambda accepted: None, lambda notices: None, clock_ms)
    parts = RuleParts(Around(store, lambda: directory, ids, clock_ms, intake, Lookup(), lambda notices: None))
    await parts.start(alone=True)
    by_rules, by_calls = 0.0, 0.0
    for _ in range(ROUNDS):
        by_calls = max(by_calls, await _calls(intake, directory))
        by_rules = max(by_rules, await _runs(store, parts, ids))
    await parts.runner.stop(1.0)
    return by_rules, by_calls


async def _calls(intake: Intake, directory: Directory) -> float:
    found = directory.service_of("bench", "bench")
    assert found is not None
    numbers = iter(range(SENT))

    async def caller() -> None:
        for number in numbers:
            body = {
                "deliverychannel": "sms", "destination": [{"msisdn": f"4477{number:08d}"}],
                "channels": {"sms": {"text": "Hello Ann, your order is on its way"}},
            }  # fmt: skip
            await intake.accept(*found, msgspec.json.encode(body))

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return SENT / (time.perf_counter() - began)


async def _runs(store: Store, parts: RuleParts, ids: Ids) -> float:
    occurrences = [occurrence(ids.next()) for _ in range(SENT)]
    before, began = parts.runner.counts["done"], time.perf_counter()
    for start in range(0, SENT, 100):
        await store.accept_events(Happened(occurrences[start : start + 100]))
        parts.runner.offer(occurrences[start : start + 100])
    while parts.runner.counts["done"] < before + SENT:
        await asyncio.sleep(0.002)
    return SENT / (time.perf_counter() - began)


async def main(database: str) -> None:
    """Print the figures."""
    print(f"{'what':<44}{'a second':>12}{'reference':>12}{'ratio':>8}")
    for name, shape in SHAPES.items():
        best, bare = matched(shape)
        print(f"{'matched: ' + name:<44}{best:>12,.0f}{bare:>12,.0f}{best / bare:>8.2f}")
    with tempfile.TemporaryDirectory(prefix="heliograph-bench-") as folder:
        path = Path(folder) / "bench.sqlite"
        store = Store.on_postgres(database, clock_ms()) if database else Store.on_sqlite(path, clock_ms())
        await store.open()
        by_rules, by_calls = await sent(store)
        await store.close()
    print(f"{'sent by rules, 1,000 rules':<44}{by_rules:>12,.0f}{by_calls:>12,.0f}{by_rules / by_calls:>8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", default="", help="the URL of a PostgreSQL database; left out, SQLite")
    uvloop.run(main(parser.parse_args().database))
