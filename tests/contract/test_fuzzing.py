"""100,000 bodies that went wrong in every way, through the whole verb and the real store: each gets an answer of the
contract's shape, and none breaks anything.

The published skeletons are mutated. A round is repeated to the byte by its number; more rounds look further.
"""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from heliograph import catalogue
from heliograph.testing import KEY, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUNDS, BODIES, AT_ONCE = 10, 10_000, 200
DIFFERENT = 45  # texts that a round is answered with, at least
LONGEST = 256 * 1024  # bytes of a body; what is longer is cut off there
PATH = "/resources/v1/messaging"
KEYS = (KEY, KEY, "key-of-later", "key-of-bare")

ROWS = [row for row in (*catalogue.EXTENSIONS, *catalogue.ROWS) if row.api == catalogue.MESSAGING]
BROKEN = catalogue.code("internal_error_at_accept")
REFUSALS = {row.code for row in ROWS if row.phase == "accept"} - {BROKEN, catalogue.code("accepted")}
ELEMENTS = {row.code for row in ROWS if row.phase != "query"} - {BROKEN}

TEXT = re.compile(rb'"description":"([^"]*)"')
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 7, 3.5, 1e308, -1e-308, 2**31, 2**63, -(2**63) - 1, 10**40, float("nan"),
    float("inf"), "", " ", "0", "1", "null", "sms", "\0", "\ud800", "\udfff\ud800", "\u202eabc", "é", "a" * 257,
    "x" * 2_049, [], [[]], {}, {"": ""}, [None], ["a", 1], [True], [{}], {"a": {"b": [1, {"c": None}]}},
]  # fmt: skip
NAMES = [
    "",
    "text",
    "TEXT",
    "type",
    "msisdn",
    "customerid",
    "userid",
    "correlationId",
    "value",
    "action",
    "\0",
    "é",
    "pos",
]


class Element(msgspec.Struct, forbid_unknown_fields=True):
    """One destination of an answer."""

    code: str
    transid: str
    description: str
    correlationid: str


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    """A call that was refused as a whole."""

    code: str
    description: str
    transid: str


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """Whatever a call is answered."""

    response: list[Element] | Refusal


# Mutations of what a body says


def place(dice: random.Random, value: Any) -> tuple[Any, Any]:
    """A place in an object or list, rather a deep one: what holds it, and the name or index there."""
    while True:
        names = list(value) if isinstance(value, dict) else range(len(value))
        deeper = [name for name in names if isinstance(value[name], dict | list) and value[name]]
        name = dice.choice(deeper if deeper and dice.random() < 0.8 else names)
        if name not in deeper or dice.random() < 0.15:
            return value, name
        value = value[name]


def drop(dice: random.Random, holder: Any, name: Any) -> None:
    """The place is gone."""
    del holder[name]


def retype(dice: random.Random, holder: Any, name: Any) -> None:
    """Something else stands there."""
    holder[name] = copy.deepcopy(dice.choice(ODD))


def nest(dice: random.Random, holder: Any, name: Any) -> None:
    """It stands deeper than it should, sometimes very deep."""
    for _ in range(dice.choice((1, 1, 1, 2, 5, 33))):
        holder[name] = dice.choice(([holder[name]], {"a": holder[name]}))


def unwrap(dice: random.Random, holder: Any, name: Any) -> None:
    """What it holds stands in its place."""
    inside = holder[name]
    if isinstance(inside, dict | list) and inside:
        holder[name] = dice.choice(list(inside.values()) if isinstance(inside, dict) else inside)


def repeat(dice: random.Random, holder: Any, name: Any) -> None:
    """It stands there more often, up to far too often."""
    value = holder[name]
    times = dice.choice((2, 3, 20, 1_001)) if isinstance(value, str | int) else 2
    if isinstance(holder, list):
        holder.extend([value] * times)
    elif isinstance(value, list):
        holder[name] = value * times
    else:
        holder[f"{name}{times}"] = value


def enlarge(dice: random.Random, holder: Any, name: Any) -> None:
    """A text too long, a number too great."""
    holder[name] = dice.choice(("x" * 60_000, "é" * 4_001, 10**300, "9" * 5_000, ["1"] * 12_000))


def respell(dice: random.Random, holder: Any, name: Any) -> None:
    """It has another name, or one that is like another."""
    if isinstance(holder, dict):
        holder[dice.choice((str(name).swapcase(), str(name).upper(), f"{name} ", dice.choice(NAMES)))] = holder.pop(
            name
        )


def garble(dice: random.Random, holder: Any, name: Any) -> None:
    """A text with a character that does not belong there."""
    text = str(holder[name])
    place = dice.randrange(len(text) + 1)
    holder[name] = (
        text[:place]
        + dice.choice(("\0", "\ud83d", "\u2028", "\x7f", "'", '"', "\\", "%s", "{{x}}", "\U0010ffff"))
        + text[place:]
    )


def transplant(dice: random.Random, holder: Any, name: Any) -> None:
    """Something of its own stands there a second time."""
    other, there = place(dice, holder)
    holder[name] = copy.deepcopy(other[there])


MUTATIONS: tuple[Callable[[random.Random, Any, Any], None], ...] = (
    *(drop,) * 4, *(retype,) * 6, *(nest,) * 2, *(unwrap,) * 2, *(repeat,) * 2, *(respell,) * 2, *(garble,) * 3,
    *(transplant,) * 2, enlarge,
)  # fmt: skip


# Mutations of its bytes


def flip(dice: random.Random, body: bytes) -> bytes:
    """Some bits are others."""
    found = bytearray(body)
    for _ in range(dice.choice((1, 1, 3, 20))):
        found[dice.randrange(len(found))] ^= 1 << dice.randrange(8)
    return bytes(found)


def cut(dice: random.Random, body: bytes) -> bytes:
    """A piece is missing, at the end or in the middle."""
    first, last = sorted((dice.randrange(len(body) + 1), dice.randrange(len(body) + 1)))
    return dice.choice((body[:first], body[:first] + body[last:]))


def insert(dice: random.Random, body: bytes) -> bytes:
    """A piece too much: no UTF-8, a second member of a name, brackets without end."""
    pieces = (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00", b"NaN", b",", b'"destination":1,', b"[" * 600,
              b'"deliverychannel":"",', b'{"a":' * 600, b"\xef\xbb\xbf", b"\\ud800", b"1e999", b"-")  # fmt: skip
    place = dice.choice((0, 1, dice.randrange(len(body) + 1)))
    return body[:place] + dice.choice(pieces) + body[place:]


def double(dice: random.Random, body: bytes) -> bytes:
    """Two bodies in one."""
    return body + dice.choice((b"", b",", b"\n")) + body


SPOILINGS = (flip, cut, insert, insert, double)


def spoiled(dice: random.Random, seeds: list[bytes]) -> bytes:
    """A body that went wrong."""
    # In a long one more can go wrong.
    body = json.loads(dice.choices(seeds, [min(len(seed), 600) for seed in seeds])[0])
    if dice.random() < 0.9:
        for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5))):
            if not isinstance(body, dict | list) or not body:
                body = copy.deepcopy(dice.choice(ODD))
                break
            dice.choice(MUTATIONS)(dice, *place(dice, body))
    text = json.dumps(body, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    if dice.random() < 0.15 and text:
        text = dice.choice(SPOILINGS)(dice, text)
    return text[:LONGEST]


def fault(status: int, answer: bytes) -> str:
    """What is wrong with an answer, or ""."""
    if status != 200 or not answer.isascii():
        return f"HTTP {status}"
    try:
        response = msgspec.json.decode(answer, type=Answer).response
    except msgspec.ValidationError as error:
        return str(error)
    if isinstance(response, Refusal):
        return "" if response.code in REFUSALS else f"a call refused with {response.code}"
    base = response[0].transid if response else "no element"
    numbered = [base, *(f"{base}_{ordinal}" for ordinal in range(1, len(response)))]
    if [element.transid for element in response] != numbered:
        return "transids that are not numbered"
    return "".join(f"an element with {one.code}" for one in response if one.code not in ELEMENTS)


async def post(app: Any, key: str, body: bytes) -> tuple[int, bytes]:
    """One call, past the socket: status and body of the answer."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    head = [(b"key", key.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": head, "client": ("127.0.0.1", 1)}
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def batches(dice: random.Random, seeds: list[bytes], count: int) -> Iterator[list[tuple[str, bytes]]]:
    """So many bodies, with who sends them."""
    for _ in range(count // AT_ONCE):
        yield [(dice.choice(KEYS), spoiled(dice, seeds)) for _ in range(AT_ONCE)]


async def answered_in_shape(live: Running, samples: list[dict[str, Any]], number: int, count: int) -> set[bytes]:
    """Ask with spoiled bodies; the texts of the answers."""
    app = live.platform.surface.app()
    seeds = [json.dumps(sample["body"]).encode() for sample in samples]
    found: list[tuple[str, bytes]] = []
    told: set[bytes] = set()
    for batch in batches(random.Random(number), seeds, count):
        answers = await asyncio.gather(*(post(app, key, body) for key, body in batch))
        for (_, body), (status, answer) in zip(batch, answers, strict=True):
            told.update(TEXT.findall(answer))
            if wrong := fault(status, answer):
                found.append((wrong, body))
    assert found[:5] == []
    return told


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_a_spoiled_body_is_answered_in_shape(
    alone: Running, samples: list[dict[str, Any]], number: int, caplog: pytest.LogCaptureFixture
) -> None:
    told = await answered_in_shape(alone, samples, number, BODIES)

    assert errors(caplog) == []
    assert len(told) > DIFFERENT


async def test_a_spoiled_body_is_no_fault_of_either_shape(
    live: Running, samples: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    await answered_in_shape(live, samples, ROUNDS, BODIES // 4)

    assert errors(caplog) == []
