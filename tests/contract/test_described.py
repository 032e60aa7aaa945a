"""The description of the API and the platform agree, whatever is asked: calls are made up from the description.

Two halves. What the description allows as the body of a Messaging call, the contract takes. And no call of any
endpoint, allowed or not, is answered with anything that is not described, let alone with a fault of ours.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from heliograph.catalogue import keys
from heliograph.channels import channels
from heliograph.contract.envelope import BadElement, read_call
from heliograph.model.outcome import Rejected
from heliograph.testing import ADMIN_TOKEN, KEY, NOW_MS, Running, running

load_all_checks()

SEND = "/resources/v1/messaging"
CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
]  # fmt: skip
# What the description cannot say: the calendar, bytes, the sum over lists, and where an address stops being one.
UNSAID = {
    (keys.INVALID_PARAM, "expiry"), (keys.INVALID_PARAM, "correlationid"), (keys.TOO_MANY_DESTINATIONS,),
    (keys.REQUEST_EXPIRED_ON_ARRIVAL,),
}  # fmt: skip
BODIES, CONTENTS, CALLS, VARIANTS = 80, 60, 30, 6


def explored(examples: int) -> Any:
    """Settings of a search that is the same each time."""
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def refusals(body: Any) -> list[tuple[Any, ...]]:
    """What the contract says against a body."""
    try:
        call = read_call(json.dumps(body).encode(), channels(), NOW_MS)
    except Rejected as error:
        return [(error.key, *error.values)]
    return [(one.key, *one.values) for one in call.elements if isinstance(one, BadElement)]


def demanding(schema: Any, dice: random.Random) -> Any:
    """The same, with about half of what may be there in objects as what must be there: made-up values would
    otherwise hardly ever be deep."""
    if isinstance(schema, list):
        return [demanding(inner, dice) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: demanding(inner, dice) for name, inner in schema.items()}
    if isinstance(schema.get("properties"), dict):
        wanted = [name for name, inner in schema["properties"].items() if dice.random() < 0.5 and not old(inner)]
        made["required"] = sorted({*schema.get("required", ()), *wanted})
    return made


def old(schema: dict[str, Any]) -> bool:
    """Whether it is another spelling, which is not the member that must be there."""
    return bool(schema.get("deprecated"))


def made_of(document: dict[str, Any], name: str) -> tuple[Any, jsonschema_rs.Draft202012Validator]:
    """Values that a component of the description allows, and what holds them against it once more: patterns mean
    almost, but not quite, the same in Python."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    paths = {"/": {"post": {"requestBody": body, "responses": {"200": {"description": "."}}}}}
    strategies = []
    for seed in range(VARIANTS):
        dice = random.Random(seed)
        schemas = demanding(document["components"]["schemas"], dice) if seed else document["components"]["schemas"]
        alone = {"openapi": "3.1.0", "info": document["info"], "paths": paths, "components": {"schemas": schemas}}
        asked = schemathesis.openapi.from_dict(alone)["/"]["POST"]
        strategies.append(asked.as_strategy(generation_mode=GenerationMode.POSITIVE).map(lambda case: case.body))
    return st.one_of(strategies), jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def test_a_call_that_the_description_allows_is_taken(strict_document: dict[str, Any]) -> None:
    bodies, allowed = made_of(strict_document, "Call")
    taken: set[str] = set()

    @explored(BODIES)
    @given(body=bodies)
    def hold(body: Any) -> None:
        assume(allowed.is_valid(body))
        assert set(refusals(body)) <= UNSAID
        taken.add(body["deliverychannel"])

    hold()
    assert len(taken) > 3


@pytest.mark.parametrize("name", sorted({channel.name for channel in channels().values()}))
def test_a_content_that_the_description_allows_is_taken(strict_document: dict[str, Any], name: str) -> None:
    channel = channels()[name]
    contents, allowed = made_of(strict_document, f"{name.capitalize()}Content")

    @explored(CONTENTS)
    @given(content=contents)
    def hold(content: Any) -> None:
        assume(allowed.is_valid(content))
        for step in reversed(channel.path):
            content = {step: content}
        body = {"deliverychannel": name, "channels": content, "destination": [{channel.addresses[0]: ["1"]}]}
        assert refusals(body) == []

    hold()


# Every endpoint, over HTTP


class Served:
    """A platform in a thread of its own, and what paths may name on it."""

    def __init__(self, url: str, things: dict[str, list[str]]) -> None:
        self.url = url
        self.things = things
        self.session = requests.Session()


async def _things(live: Running) -> dict[str, list[str]]:
    taken, refused = await live.sms("447700900001", "12")
    story = (await live.admin("GET", f"/messages/{refused['transid']}")).json()
    return {
        "transid": [taken["transid"], refused["transid"]],
        "servicekey": [KEY],
        "tenant": ["demo"],
        "service": ["bare"],
        "id": [callback["id"] for callback in story["callbacks"]],
        "key": ["00000000"],
        "name": ["smsc"],
    }


@pytest.fixture(scope="module")
def served(platforms: None, tmp_path_factory: pytest.TempPathFactory, declared: Any) -> Iterator[Served]:
    """The platform, taking calls and sending nothing."""
    ready, found = threading.Event(), []
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def serve() -> None:
        async with running(tmp_path_factory.mktemp("data"), declared, ROLES="api,simulators") as live:
            found.append(Served(live.url, await _things(live)))
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(20)
    yield found[0]
    loop.call_soon_threadsafe(ended.set)
    found[0].session.close()
    thread.join(20)
    loop.close()


@pytest.fixture(scope="module")
def described(strict_document: dict[str, Any]) -> Any:
    """The description, to make up calls from."""
    return schemathesis.openapi.from_dict(strict_document)


def test_every_answer_is_described(served: Served, described: Any, operation: tuple[str, str]) -> None:
    path, method = operation
    asked = described[path][method.upper()]
    allowed, wrong = (asked.as_strategy(generation_mode=mode) for mode in GenerationMode)
    token = {"authorization": f"Bearer {ADMIN_TOKEN}"} if path.startswith("/admin/") else {"key": KEY}

    @explored(CALLS)
    @given(case=allowed | wrong, known=st.booleans(), dice=st.randoms())
    def ask(case: Case, known: bool, dice: Any) -> None:
        for name in case.path_parameters if known else ():
            case.path_parameters[name] = dice.choice(served.things.get(name, ["sms"]))
        if operation == ("/admin/v1/workspace", "put"):
            case.query = {"plan": "true"}  # or the next call would find another platform
        case.call_and_validate(served.url, served.session, headers=token, checks=CHECKS)

    ask()
