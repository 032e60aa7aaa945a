"""Limits of a tenant over real HTTP: 7020, headers, exact counts that outlive the process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.store import StoreUnavailable
from heliograph.testing import KEY, OTHER_KEY, Running, eventually, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

OVER = ("7020", "You have reached maximum transaction limit")
STATUS = "/resources/v1/messaging/status"
UNKNOWN = "0192aaaa-0000-7000-8000-000000000000"
HEADERS = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


def limited(**limits: Any) -> Callable[[str], dict[str, Any]]:
    """The test workspace with limits."""

    def document(url: str) -> dict[str, Any]:
        made = workspace(url)
        made["tenants"][0]["limits"] = limits
        return made

    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform; each test declares the limits it wants for a tenant of its own."""
    async with running(tmp_path_factory.mktemp("data")) as platform:
        yield platform


async def declare(live: Running, name: str, service: dict[str, Any] | None = None, **limits: Any) -> str:
    """A workspace with one more tenant that has limits; the key of its service."""
    key = f"key-of-{name}"
    made = workspace(live.url)
    tenant = limited(**limits)(live.url)["tenants"][0]
    tenant["id"] = name
    tenant["services"] = [{**tenant["services"][0], "keys": [key], **(service or {})}]
    made["tenants"].append(tenant)
    answer = await live.admin("PUT", "/workspace", json=made)
    assert answer.status_code == 200, answer.text
    return key


def call(*numbers: str) -> dict[str, Any]:
    """A call to these numbers."""
    return {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Hello"}},
        "destination": [{"msisdn": list(numbers)}],
    }


NUMBERS = [f"44770090{number:04d}" for number in range(20)]
PER_DAY: list[tuple[str, Any, int]] = [
    ("one", call(NUMBERS[0]), 1),
    ("three", call(*NUMBERS[:3]), 3),
    ("a list", [call(*NUMBERS[:2]), call(NUMBERS[2])], 3),
    ("a bad element does not count", [call(NUMBERS[0]), {"deliverychannel": "sms"}], 1),
    ("what policy refuses counts", call(NUMBERS[0], "12"), 2),
    ("what the contract refuses does not", {"deliverychannel": "sms"}, 0),
    ("only bad elements", [{"deliverychannel": "sms"}], 0),
]


@pytest.mark.parametrize("case", range(len(PER_DAY)), ids=[row[0] for row in PER_DAY])
async def test_a_day_counts_destinations(live: Running, case: int) -> None:
    _, body, cost = PER_DAY[case]
    key = await declare(live, f"day-{case}", messaging_per_day=10)
    answer = await live.send(body, key)

    assert [answer.headers[name] for name in HEADERS[:2]] == ["10", str(10 - cost)]
    assert int(answer.headers[HEADERS[2]]) == (int(time.time()) // 86_400 + 1) * 86_400


async def test_over_the_day_is_7020_and_nothing_of_the_call_is_taken(live: Running) -> None:
    key = await declare(live, "day", messaging_per_day=3)
    await live.send(call(*NUMBERS[:2]), key)
    over = await live.send(call(*NUMBERS[:2]), key)
    refusal = over.json()["response"]

    assert (refusal["code"], refusal["description"]) == OVER
    assert sorted(refusal) == ["code", "description", "transid"]
    assert (over.status_code, over.headers["x-rate-limit-remaining"]) == (200, "1")
    assert (await live.send(call(NUMBERS[0]), key)).json()["response"][0]["code"] == "1001"
    assert len((await live.admin("GET", "/tenants/day/messages")).json()["messages"]) == 3


async def test_the_contract_is_asked_before_the_limit(live: Running) -> None:
    key = await declare(live, "order", messaging_per_day=1)
    await live.send(call(NUMBERS[0]), key)
    expired = {**call(NUMBERS[0]), "expiry": "2015-04-12T13:00:19"}

    assert (await live.send(expired, key)).json()["response"]["code"] == "7005"
    assert (await live.send(call(NUMBERS[0]), key)).json()["response"]["code"] == "7020"


async def test_over_the_second_is_7020_until_the_bucket_fills(live: Running) -> None:
    key = await declare(live, "second", messaging_per_second=2)
    first = await live.send(call(*NUMBERS[:2]), key)
    over = (await live.send(call(*NUMBERS[:2]), key)).json()["response"]

    assert first.json()["response"][1]["code"] == "1001"
    assert first.headers["x-rate-limit-limit"] == "2"
    assert abs(int(first.headers["x-rate-limit-reset"]) - time.time()) < 5
    assert (over["code"], over["description"]) == OVER
    await asyncio.sleep(1.1)
    assert (await live.send(call(*NUMBERS[:2]), key)).json()["response"][1]["code"] == "1001"


async def test_concurrent_calls_share_the_day_to_the_destination(live: Running) -> None:
    key = await declare(live, "crowd", messaging_per_day=50)
    answers = await asyncio.gather(*(live.send(call(*NUMBERS[:3]), key) for _ in range(40)))
    taken = [answer for answer in answers if isinstance(answer.json()["response"], list)]

    assert len(taken) == 16

    async def counted() -> bool:
        volumes = {item.scope: item.count for item in await live.platform.store.volumes(0)}
        return volumes["crowd"] == 48

    # Processes that share a limit take what is left of it before they know whether it is enough for a call; what is
    # not goes back within a tick.
    assert await eventually(counted, 2)


SCOPED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a week of the tenant", {"messaging_per_week": 3}, {}),
    ("a month of the tenant", {"messaging_per_month": 3}, {}),
    ("a channel of the tenant", {"channels": {"sms": {"messaging_per_day": 3}}}, {}),
    ("a service", {}, {"limits": {"messaging_per_week": 3}}),
    (
        "a channel of a service",
        {},
        {"channels": {"sms": {"connector": "smsc", "sender": "HELIO", "limits": {"messaging_per_month": 3}}}},
    ),
]


@pytest.mark.parametrize("case", range(len(SCOPED)), ids=[row[0] for row in SCOPED])
async def test_each_scope_and_span_is_held(live: Running, case: int) -> None:
    _, limits, service = SCOPED[case]
    key = await declare(live, f"scope-{case}", service, **limits)
    first, over = [await live.send(call(*NUMBERS[:2]), key) for _ in range(2)]

    assert (first.headers[HEADERS[0]], first.headers[HEADERS[1]]) == ("3", "1")
    assert (over.json()["response"]["code"], over.json()["response"]["description"]) == OVER


async def test_status_queries_have_a_limit_of_their_own(live: Running) -> None:
    key = await declare(live, "asker", status_per_second=2)
    answers = [await live.client.get(f"{STATUS}/{UNKNOWN}", headers={"key": key}) for _ in range(4)]
    codes = [answer.json()["response"]["code"] for answer in answers]

    assert codes[:2] == ["7600", "7600"]
    assert "7020" in codes
    assert answers[0].headers["x-rate-limit-limit"] == "2"
    assert answers[0].headers["x-rate-limit-remaining"] == "1"
    assert HEADERS[0] not in (await live.send(call(NUMBERS[0]), key)).headers


@pytest.mark.parametrize("key", [KEY, OTHER_KEY, "nonsense-key"])
async def test_without_limits_there_are_no_headers(live: Running, key: str) -> None:
    sent = await live.send(call(NUMBERS[0]), key)
    asked = await live.client.get(f"{STATUS}/{UNKNOWN}", headers={"key": key})

    assert not set(HEADERS) & {*sent.headers, *asked.headers}


async def test_the_count_of_a_day_outlives_the_process(tmp_path: Path) -> None:
    async with running(tmp_path, limited(messaging_per_day=5)) as first:
        assert (await first.sms(*NUMBERS[:4]))[0]["code"] == "1001"
    async with running(tmp_path) as second:
        assert (await second.sms(*NUMBERS[:2]))["code"] == "7020"

        async def one_more() -> bool:  # what a refused call was granted comes back within a tick
            return isinstance(await second.sms(NUMBERS[0]), list)

        assert await eventually(one_more)
        assert (await second.sms(NUMBERS[0]))["code"] == "7020"


async def test_what_could_not_be_kept_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: Any) -> None:
        raise StoreUnavailable("the disk is full in this test")

    async with running(tmp_path, limited(messaging_per_day=5)) as live:
        with monkeypatch.context() as patch:
            patch.setattr(live.platform.store, "accept", full)
            assert (await live.sms(*NUMBERS[:5]))["code"] == "7006"
        assert (await live.sms(*NUMBERS[:5]))[0]["code"] == "1001"
