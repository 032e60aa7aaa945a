"""The description of the API and the platform agree, whatever is asked: calls are made up from the description.

Two halves. What the description allows as the body of a Messaging call, the contract takes. And no call of any
endpoint, allowed or not, is answered with anything that is not described, let alone with a fault of ours.
"""

from __future__ import annotations

import asyncio
import json
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
TAIL = "/admin/v1/tail"  # has no end
CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.response_schema_conformance,
]  # fmt: skip
# What the description cannot say: the calendar, bytes, the sum over lists, and where an address stops being one.
UNSAID = {
    (keys.INVALID_PARAM, "expiry"), (keys.INVALID_PARAM, "correlationid"), (keys.TOO_MANY_DESTINATIONS,),
    (keys.REQUEST_EXPIRED_ON_ARRIVAL,),
}  # fmt: skip
BODIES, CALLS = 250, 40


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


def test_what_the_description_allows_the_contract_takes(strict_document: dict[str, Any]) -> None:
    operation = schemathesis.openapi.from_dict(strict_document)[SEND]["POST"]
    content = strict_document["paths"][SEND]["post"]["requestBody"]["content"]["application/json"]
    allowed = jsonschema_rs.Draft202012Validator({**content["schema"], "components": strict_document["components"]})
    taken: set[str] = set()

    @explored(BODIES)
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def hold(case: Case) -> None:
        assume(allowed.is_valid(case.body))
        assert set(refusals(case.body)) <= UNSAID
        for one in case.body if isinstance(case.body, list) else [case.body]:
            taken.add(one["deliverychannel"])

    hold()
    assert taken == set(channels())


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
def served(tmp_path_factory: pytest.TempPathFactory, declared: Any) -> Iterator[Served]:
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
    if path == TAIL:
        pytest.skip("a stream, which has no end")
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
