"""`Idempotency-Key` over real HTTP: one effect and one answer, whatever happens in between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from heliograph.model.ids import first_id_at
from heliograph.model.record import KEPT_MS
from heliograph.store import StoreUnavailable
from heliograph.testing import KEY, OTHER_KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSAL = ("7004", "invalid value for param 'Idempotency-Key'")


def call(*numbers: str, **members: Any) -> dict[str, Any]:
    """A call to these numbers."""
    return {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Hello"}},
        "destination": [{"msisdn": list(numbers)}],
        **members,
    }


async def send(live: Running, body: Any, name: str, key: str = KEY) -> Any:
    """The whole answer to a named call."""
    return (await live.send(body, key, **{"Idempotency-Key": name})).json()


async def sent(live: Running, destination: str) -> int:
    """How many messages went to a number."""
    return len((await live.admin("GET", f"/tenants/demo/messages?destination={destination}")).json()["messages"])


BODIES: list[tuple[str, Any]] = [
    ("one", call("447700901001")),
    ("many", call(*[f"44770091{number:04d}" for number in range(1_000)])),
    ("a list with a bad element", [call("447700901002"), {"deliverychannel": "sms"}, call("447700901003")]),
    ("a value in the text", [call("447700901009"), call("447700901009", expiry="tomorrow")]),
    ("refused by policy", call("12")),
    ("correlation ids", call("447700901004", correlationid="grüße")),
]


@pytest.mark.parametrize("case", range(len(BODIES)), ids=[row[0] for row in BODIES])
async def test_the_same_key_gives_the_same_answer_to_the_byte(live: Running, case: int) -> None:
    answers = [await live.send(BODIES[case][1], **{"Idempotency-Key": f"same-{case}"}) for _ in range(3)]

    assert len({answer.content for answer in answers}) == 1
    assert isinstance(answers[0].json()["response"], list)


async def test_it_has_one_effect(live: Running) -> None:
    for _ in range(3):
        await send(live, call("447700901005"), "one-effect")

    assert await sent(live, "447700901005") == 1


@pytest.mark.parametrize("body", [call("447700901007"), {**call("447700901006"), "priority": 1}, "{", b""])
async def test_another_body_is_refused(live: Running, body: Any) -> None:
    await send(live, call("447700901006"), "another-body")
    refusal = (await send(live, body, "another-body"))["response"]

    assert (refusal["code"], refusal["description"]) == REFUSAL


@pytest.mark.parametrize(("name", "code"), [("", "7004"), ("x" * 256, "7004"), ("x" * 255, "1001"), ('"q"', "1001")])
async def test_a_key_has_a_length(live: Running, name: str, code: str) -> None:
    response = (await send(live, call("447700901008"), name))["response"]

    assert (response if isinstance(response, dict) else response[0])["code"] == code


async def test_keys_belong_to_a_service(live: Running) -> None:
    ours = await send(live, call("447700901010"), "shared")
    theirs = await send(live, call("447700901010"), "shared", OTHER_KEY)

    assert ours["response"][0]["code"] == "1001"
    assert theirs["response"][0]["code"] == "7106"


async def test_without_a_key_every_call_counts(live: Running) -> None:
    for _ in range(2):
        await live.send(call("447700901011"))

    assert await sent(live, "447700901011") == 2


@pytest.mark.parametrize(
    "body", ["{", {"deliverychannel": "sms"}, call("447700901012", expiry="2015-04-12T13:00:19")]
)
async def test_a_refused_call_does_not_use_up_its_key(live: Running, body: Any) -> None:
    name = f"refused-{len(str(body))}"
    assert isinstance((await send(live, body, name))["response"], dict)

    assert (await send(live, call("447700901012"), name))["response"][0]["code"] == "1001"


async def test_duplicates_at_once_have_one_effect(live: Running) -> None:
    answers = await asyncio.gather(*(send(live, call("447700901013"), "at-once") for _ in range(20)))

    assert len({answer["response"][0]["transid"] for answer in answers}) == 1
    assert await sent(live, "447700901013") == 1


async def test_two_bodies_at_once_have_one_winner(live: Running) -> None:
    bodies = [call("447700901014", correlationid=str(number)) for number in range(10)]
    answers = await asyncio.gather(*(send(live, body, "race") for body in bodies))
    codes = [answer["response"]["code"] for answer in answers if isinstance(answer["response"], dict)]

    assert codes == ["7004"] * 9
    assert await sent(live, "447700901014") == 1


async def test_what_could_not_be_kept_may_be_sent_again(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: Any) -> None:
        raise StoreUnavailable("the disk is full in this test")

    with monkeypatch.context() as patch:
        patch.setattr(live.platform.store, "accept", full)
        assert (await send(live, call("447700901015"), "full"))["response"]["code"] == "7006"

    assert (await send(live, call("447700901015"), "full"))["response"][0]["code"] == "1001"


async def test_it_is_good_for_a_day_and_then_free(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    platform, now = live.platform, live.platform.intake._clock_ms
    monkeypatch.setattr(platform.ids, "_last_ms", platform.ids._last_ms)
    first = await send(live, call("447700901016"), "a-day")
    monkeypatch.setattr(platform.intake, "_clock_ms", lambda: now() + KEPT_MS - 60_000)
    assert await send(live, call("447700901016"), "a-day") == first

    monkeypatch.setattr(platform.ids, "_clock_ms", lambda: now() + KEPT_MS + 1_000)
    monkeypatch.setattr(platform.intake, "_clock_ms", lambda: now() + KEPT_MS + 1_000)
    second = await send(live, call("447700901017"), "a-day")
    assert second["response"][0]["code"] == "1001"
    assert second != first


async def test_the_answer_outlives_the_process(tmp_path: Path) -> None:
    async with running(tmp_path) as one:
        first = await send(one, call("447700901018"), "restart")
    async with running(tmp_path) as two:
        assert await send(two, call("447700901018"), "restart") == first
        assert (await send(two, call("447700901019"), "restart"))["response"]["code"] == "7004"
        assert await sent(two, "447700901018") == 1


async def test_old_answers_are_deleted_by_slices(live: Running) -> None:
    for number in range(3):
        await send(live, call("447700901020"), f"old-{number}")
    store, future = live.platform.store, first_id_at(live.platform.intake._clock_ms() + 2 * KEPT_MS)
    gone = [await store.forget(0, future, 2) for _ in range(2)]

    assert gone == [2, 2]
    while await store.forget(0, future, 500):
        pass
    assert (await send(live, call("447700901021"), "old-0"))["response"][0]["code"] == "1001"


async def test_a_replay_takes_nothing_from_a_limit(tmp_path: Path) -> None:
    def document(url: str) -> dict[str, Any]:
        made = workspace(url)
        made["tenants"][0]["limits"] = {"messaging_per_day": 1}
        return made

    async with running(tmp_path, document) as live:
        first = await send(live, call("447700901022"), "limit")
        assert await send(live, call("447700901022"), "limit") == first
        assert (await send(live, call("447700901022"), "another"))["response"]["code"] == "7020"
