"""Connectors that ask their far end once per message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.catalogue import keys
from heliograph.model.channel import Body, Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Reachability, SendError, Submitted
from heliograph.wire.sending import CredentialsRefused, Sending, Unreachable

BODY = Body(content=Content(channel="fb", fields={}, template="", parameters={}))
DOWN = SendError(keys.UNKNOWN_EXCEPTION, "soon", detail="refused")
REFUSED = SendError(keys.INVALID_USER_CREDENTIALS, "no", "190")
SENT = Submitted(("1",))


class Heard:
    """What the connector reported."""

    def __init__(self) -> None:
        self.results: list[Submitted | SendError] = []
        self.ready_again = asyncio.Event()

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results.append(result)

    def ready(self) -> None:
        self.ready_again.set()

    def received(self, item: Any, stored: Callable[[bool], None]) -> None:
        raise AssertionError(item)


class FarEnd:
    """Answers as it is told to; holds calls back while `gate` is closed."""

    def __init__(self) -> None:
        self.answer: Submitted | SendError | Exception = SENT
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0

    async def send(self, outbound: Outbound) -> Submitted | SendError:
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def begin(far: FarEnd, window: int = 2) -> tuple[Sending, Heard]:
    heard, sending = Heard(), Sending("demo/a_1", far.send, window=window, fast=True)
    await sending.start(heard)
    return sending, heard


async def ask(sending: Sending, count: int = 1) -> None:
    for number in range(count):
        sending.submit(Outbound(1, number, "to", BODY))
    for _ in range(4):
        await asyncio.sleep(0)


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(2):
        while not check():
            await asyncio.sleep(0.005)


async def test_a_result_is_reported() -> None:
    sending, heard = await begin(FarEnd())
    await ask(sending)
    assert heard.results == [SENT]


async def test_no_more_are_under_way_than_the_window() -> None:
    far = FarEnd()
    far.gate.clear()
    sending, _ = await begin(far)
    await ask(sending, 2)
    assert (sending.capacity(), sending.status()["in_use"]) == (0, 2)


async def test_there_is_room_by_the_time_a_result_is_reported() -> None:
    far = FarEnd()
    sending, heard = await begin(far, window=1)
    rooms = []
    heard.settled = lambda outbound, result: rooms.append(sending.capacity())  # type: ignore[method-assign]
    await ask(sending)
    assert rooms == [1]


async def test_a_far_end_that_is_down_is_left_alone_and_asked_again() -> None:
    far = FarEnd()
    far.answer = Unreachable(DOWN)
    sending, heard = await begin(far, window=10)
    await ask(sending, 5)
    assert (sending.capacity(), sending.status()["state"], heard.results) == (0, "down", [DOWN] * 5)
    await asyncio.wait_for(heard.ready_again.wait(), 2)
    assert sending.capacity() == 1


async def test_refused_credentials_stop_everything_and_are_shown() -> None:
    far = FarEnd()
    far.answer = CredentialsRefused(SendError(keys.INVALID_APP_CREDENTIALS, native_code="190", detail="expired"))
    sending, heard = await begin(far)
    await ask(sending)
    assert (sending.capacity(), sending.status()["state"], sending.status()["credentials"]) == (0, "error", "expired")
    far.answer = SENT
    await asyncio.wait_for(heard.ready_again.wait(), 2)
    await ask(sending)
    assert (sending.status()["state"], heard.results[-1]) == ("ready", SENT)


async def test_a_fault_of_ours_ends_the_message(caplog: pytest.LogCaptureFixture) -> None:
    far = FarEnd()
    far.answer = ZeroDivisionError("oops")
    sending, heard = await begin(far)
    await ask(sending)
    [result] = heard.results
    assert isinstance(result, SendError)
    assert (result.key, result.retry) == (keys.UNKNOWN_EXCEPTION, "unknown")
    assert "ZeroDivisionError" in caplog.text


async def test_stopping_waits_for_what_is_under_way() -> None:
    far = FarEnd()
    far.gate.clear()
    sending, heard = await begin(far)
    await ask(sending)
    asyncio.get_running_loop().call_later(0.05, far.gate.set)
    await sending.stop(2.0)
    assert (heard.results, sending.capacity()) == ([SENT], 0)


async def test_what_takes_too_long_at_the_end_is_given_up_without_a_result() -> None:
    far = FarEnd()
    far.gate.clear()
    sending, heard = await begin(far)
    await ask(sending)
    await sending.stop(0.01)
    assert heard.results == []


async def test_refused_credentials_are_asked_about_before_another_message_goes_out() -> None:
    far, heard, good = FarEnd(), Heard(), [False]

    async def check() -> None:
        if not good[0]:
            raise CredentialsRefused(DOWN)

    sending = Sending("demo/a_1", far.send, window=2, fast=True, check=check)
    await sending.start(heard)
    far.answer = CredentialsRefused(DOWN)
    sending.submit(Outbound(1, 1, "to", BODY))
    await until(lambda: heard.results)
    await asyncio.sleep(0.3)

    assert (sending.capacity(), far.asked, sending.status()["state"]) == (0, 1, "error")
    assert not heard.ready_again.is_set()
    good[0], far.answer = True, SENT
    await asyncio.wait_for(heard.ready_again.wait(), 1)
    assert sending.capacity() == 1  # one message shows whether all is well
    sending.submit(Outbound(1, 2, "to", BODY))
    await until(lambda: len(heard.results) == 2)
    assert (sending.capacity(), sending.status()["state"]) == (2, "ready")
    await sending.stop(1)


async def test_a_far_end_that_asks_for_rest_gets_it() -> None:
    far = FarEnd()
    sending, heard = await begin(far)
    sending.rest(0.1)

    assert (sending.capacity(), sending.status()["rests_seconds"]) == (0, 0.1)
    await asyncio.wait_for(heard.ready_again.wait(), 1)
    assert sending.capacity() == 2
    await sending.stop(1)


async def test_the_longer_of_two_reasons_to_wait_counts() -> None:
    far = FarEnd()
    sending, heard = await begin(far)
    sending.rest(0.3)
    far.answer = CredentialsRefused(DOWN)
    sending.submit(Outbound(1, 1, "to", BODY))
    await until(lambda: heard.results)
    await asyncio.sleep(0.15)  # the pause after the refusal is over

    assert not heard.ready_again.is_set()
    await asyncio.wait_for(heard.ready_again.wait(), 1)
    assert sending.capacity() == 1
    await sending.stop(1)


async def test_a_fault_of_ours_while_probing_does_not_close_the_way_for_ever() -> None:
    far = FarEnd()
    sending, heard = await begin(far)
    far.answer = CredentialsRefused(DOWN)
    sending.submit(Outbound(1, 1, "to", BODY))
    await asyncio.wait_for(heard.ready_again.wait(), 1)
    heard.ready_again.clear()
    far.answer = ValueError("a fault")
    sending.submit(Outbound(1, 2, "to", BODY))
    await asyncio.wait_for(heard.ready_again.wait(), 3)

    assert sending.capacity() == 1
    await sending.stop(1)


async def test_what_an_answer_tells_besides_is_handed_on() -> None:
    sending, heard = await begin(FarEnd())
    came: list[Any] = []
    heard.received = lambda item, stored: (came.append(item), stored(False))  # type: ignore[assignment, method-assign]
    news = Reachability("a_1", "fb", "1", False)
    sending.news(news)

    assert came == [news]


async def test_of_messages_under_way_together_one_finds_out_that_credentials_are_refused() -> None:
    far = FarEnd()
    sending, heard = await begin(far)
    far.gate.clear()
    far.answer = CredentialsRefused(REFUSED)
    for number in (1, 2):
        sending.submit(Outbound(1, number, "to", BODY))
    await asyncio.sleep(0.01)
    far.gate.set()
    await until(lambda: len(heard.results) == 2)

    assert [result.retry for result in heard.results if isinstance(result, SendError)] == ["no", "soon"]
    await sending.stop(1)
