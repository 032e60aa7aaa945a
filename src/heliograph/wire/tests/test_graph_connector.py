"""A connector to Graph over real HTTP to a scripted far end: what is written once, what waits, what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.catalogue import keys
from heliograph.channels.fb import MEANINGS
from heliograph.channels.fb.payload import message_id, pieces
from heliograph.model.channel import Body, Outbound, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import Reachability, Receipt, SendError, Submitted
from heliograph.wire.graph import connector as module
from heliograph.wire.graph.account import Account
from heliograph.wire.graph.connector import GraphConnector, Medium
from heliograph.wire.graph.webhook import proof
from heliograph.wire.standin import HttpStandIn

TOKEN, SECRET = "EAAtoken", "an app secret"
NOW_MS = 1_800_000_000_000
GOOD = (200, {"recipient_id": "1", "message_id": "m_1"})
Answer = tuple[int, Any]


@dataclass
class Far:
    """A far end that answers in turn what it was given, then what is good; `delay` seconds late."""

    answers: list[Answer] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    standing: Answer = (200, {"data": {"is_valid": True, "expires_at": 0}})
    delay: float = 0.0
    cut: bool = False
    bodies: list[Any] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    checks: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        body = (await receive()).get("body", b"")
        if "debug_token" in scope["path"]:
            self.checks += 1
            status, found = self.standing
        else:
            self.bodies.append(msgspec.json.decode(body))
            self.queries.append(scope["query_string"].decode())
            self.heads.append({name.decode(): value.decode() for name, value in scope["headers"]})
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            status, found = self.answers.pop(0) if self.answers else GOOD
            await asyncio.sleep(self.delay)
            self.at_once -= 1
        if self.cut:
            head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]}
            await send(head)
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionResetError
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        text = found if isinstance(found, bytes) else msgspec.json.encode(found)
        await send({"type": "http.response.body", "body": text})


class Desk:
    """A connector at work, and what it reported."""

    def __init__(self, connector: GraphConnector, far: Far) -> None:
        self.connector = connector
        self.far = far
        self.results: dict[int, Submitted | SendError] = {}
        self.items: list[Report] = []
        self.readies = 0

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results[outbound.ordinal] = result

    def ready(self) -> None:
        self.readies += 1

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        self.items.append(item)
        stored(True)

    async def send(self, to: str = "1", ordinal: int = 0, **fields: Any) -> Any:
        """One message and its result."""
        self.submit(to, ordinal, **fields)
        return await self.result(ordinal)

    def submit(self, to: str = "1", ordinal: int = 0, **fields: Any) -> None:
        text = str(fields.get("text", "Hi")) if "attachment" not in fields and "sender_action" not in fields else ""
        body = Body(content=Content(channel="fb", fields=fields), text=fields.pop("with_text", text))
        self.connector.submit(Outbound(7, ordinal, to, body))

    async def result(self, ordinal: int) -> Any:
        async with asyncio.timeout(5):
            while ordinal not in self.results:
                await asyncio.sleep(0.005)
        return self.results[ordinal]


@asynccontextmanager
async def desk(far: Far, window: int = 5) -> AsyncIterator[Desk]:
    stand_in = HttpStandIn(far, "127.0.0.1", 0)
    peer = await stand_in.start()
    tools = Tools("demo/a_1", True, LocalTokens(lambda: NOW_MS), lambda: NOW_MS)
    medium = Medium("fb", MEANINGS, pieces, message_id, True, 10)
    connector = GraphConnector(medium, Account(peer.url(), "v25.0", "77", TOKEN, SECRET, True), window, tools)
    made = Desk(connector, far)
    await connector.start(made)
    try:
        yield made
    finally:
        await connector.stop(1)
        await stand_in.stop()


def fault(code: int, subcode: int = 0, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "error_subcode": subcode, "message": "No", **more}}


async def test_what_is_taken_has_its_id_and_the_moment_it_went_out() -> None:
    async with desk(Far()) as at:
        found = await at.send("123")

    assert (found.native_ids, found.thread, found.sent_ms) == (("m_1",), "123", NOW_MS)
    assert at.far.queries == [f"appsecret_proof={proof(TOKEN, SECRET)}"]
    assert at.far.heads[0]["authorization"] == f"Bearer {TOKEN}"


async def test_no_secret_stands_in_what_is_shown() -> None:
    far = Far(answers=[(400, fault(190, 463))])
    async with desk(far) as at:
        refused = await at.send()
        shown = [at.connector.describe(native) for native in refused.native]
        text = f"{at.connector.status()} {shown} {refused}"

    assert TOKEN not in text
    assert SECRET not in text
    assert proof(TOKEN, SECRET) not in text
    assert shown[1]["status"] == 400


@pytest.mark.parametrize(
    ("answer", "key", "retry"),
    [
        ((400, fault(100)), keys.FAILED_AT_PLATFORM, "no"),
        ((400, fault(100, 2018001)), keys.UNKNOWN_SUBSCRIBER, "no"),
        ((400, fault(99_999)), keys.PROVIDER_EXCEPTION, "no"),
        ((500, fault(2)), keys.ENDPOINT_UNREACHABLE, "soon"),
        ((503, b"<html>"), keys.ENDPOINT_UNREACHABLE, "soon"),
        ((502, b"<html>"), keys.ENDPOINT_UNREACHABLE, "unknown"),
        ((504, b""), keys.ENDPOINT_UNREACHABLE, "unknown"),
        ((429, b""), keys.RATE_LIMIT_EXCEEDED, "late"),
        ((404, b"{}"), keys.PROVIDER_EXCEPTION, "no"),
        ((200, b"nonsense"), keys.ENDPOINT_UNREACHABLE, "unknown"),
        ((200, {}), keys.ENDPOINT_UNREACHABLE, "unknown"),
    ],
)
async def test_every_answer_has_its_meaning(answer: Answer, key: str, retry: str) -> None:
    async with desk(Far(answers=[answer])) as at:
        found = await at.send()

    assert (found.key, found.retry) == (key, retry)


@pytest.mark.parametrize("how", [{"delay": 3.0}, {"cut": True}])
async def test_a_call_without_an_answer_is_written_once_and_its_fate_is_unknown(
    how: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FAST_TIMEOUT", 0.3)
    async with desk(Far(**how)) as at:
        found = await at.send()

    assert (found.key, found.retry, len(at.far.bodies)) == (keys.ENDPOINT_UNREACHABLE, "unknown", 1)


async def test_a_call_that_cannot_be_made_is_tried_again() -> None:
    async with desk(Far()) as at:
        at.connector._messages = at.connector._messages.replace(":", ":1", 2).replace("http:1", "http:")
        found = await at.send()

    assert (found.retry, len(at.far.bodies)) in {("soon", 0), ("no", 0)}


async def test_a_text_and_an_attachment_are_two_messages_in_one_order() -> None:
    far = Far(answers=[(200, {"message_id": "m_a"}), (200, {"message_id": "m_b"})])
    async with desk(far) as at:
        attachment = {"type": "image", "payload": {"url": "https://x/y.png"}}
        found = await at.send(attachment=attachment, with_text="Hi", quick_replies=[{"title": "Red"}])

    assert found.native_ids == ("m_a", "m_b")
    messages = [body["message"] for body in far.bodies]
    assert (messages[0]["text"], messages[1]["attachment"]) == ("Hi", attachment)
    assert ("quick_replies" in messages[0], "quick_replies" in messages[1]) == (False, True)


@pytest.mark.parametrize("second", [(500, fault(2)), (400, fault(613)), (400, fault(100))])
async def test_a_message_of_which_a_part_went_out_is_never_sent_again(second: Answer) -> None:
    far = Far(answers=[(200, {"message_id": "m_a"}), second])
    async with desk(far) as at:
        found = await at.send(attachment={"type": "image", "payload": {"url": "https://x"}}, with_text="Hi")

    assert found.retry == "no"
    assert "1 of its 2 parts went out before" in found.detail


async def test_an_action_is_done_when_it_is_taken() -> None:
    far = Far(answers=[(200, {"recipient_id": "1"})])
    async with desk(far) as at:
        found = await at.send(sender_action="typing_on")
        await asyncio.sleep(0.02)
        [receipt] = at.items

    assert far.bodies == [{"recipient": {"id": "1"}, "sender_action": "typing_on"}]
    assert isinstance(receipt, Receipt)
    assert (receipt.native_id, receipt.key) == (found.native_ids[0], keys.DELIVERED)


async def test_messages_to_one_person_go_out_one_after_the_other() -> None:
    async with desk(Far(delay=0.03)) as at:
        for ordinal in range(3):
            at.submit("1", ordinal)
        await at.result(2)
        assert at.far.most_at_once == 1
        for ordinal in range(3, 6):
            at.submit(str(ordinal), ordinal)
        await at.result(5)
        assert at.far.most_at_once == 3


async def test_a_flooded_thread_rests_and_others_do_not() -> None:
    async with desk(Far(answers=[(400, fault(613, 1893016))])) as at:
        first, second, other = await at.send("1", 0), await at.send("1", 1), await at.send("2", 2)
        await asyncio.sleep(module.FAST_THREAD_REST)
        later = await at.send("1", 3)

    assert (first.key, first.retry) == (keys.RATE_LIMIT_EXCEEDED, "no")
    assert (second.key, second.retry) == (keys.RATE_LIMIT_EXCEEDED, "late")
    assert isinstance(other, Submitted)
    assert isinstance(later, Submitted)
    assert len(at.far.bodies) == 3


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        ((400, fault(613)), {}),
        (GOOD, {"x-app-usage": '{"call_count":100}'}),
        (GOOD, {"retry-after": "60"}),
        (GOOD, {"x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":3}]}'}),
    ],
)
async def test_a_used_up_rate_makes_the_channel_rest(answer: Answer, headers: dict[str, str]) -> None:
    async with desk(Far(answers=[answer], headers=headers)) as at:
        await at.send()
        assert at.connector.capacity() == 0
        at.far.headers = {}
        await asyncio.sleep(module.FAST_REST + 0.1)

        assert (at.connector.capacity(), at.readies) == (5, 1)


async def test_heavy_media_go_out_at_their_own_rate() -> None:
    async with desk(Far()) as at:
        began = asyncio.get_running_loop().time()
        for ordinal in range(3):
            at.submit(str(ordinal), ordinal, attachment={"type": "video", "payload": {"url": "https://x"}})
        await at.result(2)

        assert asyncio.get_running_loop().time() - began >= 0.19


async def test_an_address_that_cannot_be_reached_is_told() -> None:
    async with desk(Far(answers=[(400, fault(551, 1545041))])) as at:
        await at.send("99")
        [news] = at.items

    assert isinstance(news, Reachability)
    assert (news.channel, news.address, news.reachable, news.reason) == ("fb", "99", False, "551/1545041")


async def test_a_dead_token_stops_the_channel_until_it_is_taken_again() -> None:
    far = Far(answers=[(401, fault(190, 460))])
    async with desk(far) as at:
        async with asyncio.timeout(5):
            while not far.checks:  # the question at start is over
                await asyncio.sleep(0.01)
        far.standing = (200, {"data": {"is_valid": False, "error": {"code": 190, "message": "invalidated"}}})
        refused = await at.send()
        await asyncio.sleep(0.5)
        status = at.connector.status()

        assert (refused.key, refused.retry) == (keys.INVALID_USER_CREDENTIALS, "no")
        assert (status["state"], at.connector.capacity(), len(far.bodies)) == ("error", 0, 1)
        assert "invalidated" in status["credentials"]
        far.standing = (200, {"data": {"is_valid": True, "expires_at": 1_893_456_000}})
        await asyncio.sleep(0.3)
        assert isinstance(await at.send("1", 1), Submitted)
        status = at.connector.status()
        assert (status["state"], status["token_ends_ms"]) == ("ready", 1_893_456_000_000)
        assert (status["token"], "credentials" in status) == ("good until 2030-01-01T00:00:00Z", False)


async def test_a_token_that_is_dead_at_start_is_found_without_a_message() -> None:
    far = Far(standing=(200, {"data": {"is_valid": False}}))
    async with desk(far) as at:
        await asyncio.sleep(0.2)

        assert (at.connector.capacity(), at.connector.status()["state"], far.bodies) == (0, "error", [])


@pytest.mark.parametrize("standing", [(400, fault(100)), (200, {}), (200, b"x"), (403, fault(10))])
async def test_a_far_end_that_does_not_tell_of_tokens_stops_nothing(standing: Answer) -> None:
    async with desk(Far(standing=standing)) as at:
        await asyncio.sleep(0.05)

        assert (at.connector.capacity(), at.connector.status()["state"]) == (5, "ready")
