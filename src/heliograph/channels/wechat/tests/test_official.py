"""The connector against the simulator: tokens, messages, refusals, and when it waits."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels.wechat.api import FORCED_A_DAY, FORCED_APART_MS, Forced
from heliograph.channels.wechat.official import seconds_to_new_day
from heliograph.channels.wechat.settings import made_up
from heliograph.channels.wechat.simulated.plans import ERRCODES
from heliograph.channels.wechat.simulator import WechatSimulator
from heliograph.model.outcome import Reachability, SendError, Submitted

from .conftest import LANE, PERSON, Connect, Line, body, until

TEMPLATE = {"type": "template", "template_id": "t1", "data": {"thing1": "x"}}
CUSTOM_PATH, TOKEN_PATH = "/cgi-bin/message/custom/send", "/cgi-bin/stable_token"


async def code(line: Line, to: str) -> tuple[str, str]:
    """The code and the retry class a message ends its first try with."""
    result = await line.result(to)
    return (catalogue.code(result.key), result.retry) if isinstance(result, SendError) else ("7501", "")


async def test_a_text_arrives_as_raw_utf_8_and_nothing_more_is_awaited(line: Line) -> None:
    result = await line.result(sent=body('你好 "q" \\u4f60'.replace("\\", "")))

    assert isinstance(result, Submitted)
    assert (result.native_ids, result.more) == ((), False)
    assert line.taken()["text"]["content"] == '你好 "q" u4f60'


async def test_a_template_has_an_id_and_a_report_to_come(line: Line) -> None:
    result = await line.result(sent=body("", **TEMPLATE))

    assert isinstance(result, Submitted)
    assert (len(result.native_ids), result.more) == (1, True)


async def test_a_template_that_is_sent_again_is_known_to_wechat(line: Line) -> None:
    first = await line.result(sent=body("", **TEMPLATE))
    second = await line.result(sent=body("", **TEMPLATE), again=True)

    assert isinstance(second, Submitted)
    assert isinstance(first, Submitted)
    assert first.native_ids == second.native_ids
    assert len(line.simulator.taken) == 1


async def test_a_text_and_an_attachment_are_two_messages(line: Line) -> None:
    assert isinstance(await line.result(sent=body("hi", type="image", media={"id": "MEDIA"})), Submitted)
    assert [item["body"]["msgtype"] for item in line.simulator.taken] == ["text", "image"]


async def test_another_try_begins_behind_what_went_out(line: Line) -> None:
    sent = body("hi", type="image", media={"id": "unknown"})
    assert (await line.result(sent=sent)).key == keys.WECHAT_INVALID_MEDIA_ID  # type: ignore[union-attr]
    await line.result(sent=body("hi", type="image", media={"id": "MEDIA"}), again=True)

    assert [item["body"]["msgtype"] for item in line.simulator.taken] == ["text", "image"]


async def test_the_exchange_is_shown_without_secrets(line: Line) -> None:
    result = await line.result(sent=body("你好"))
    shown = [line.connector.describe(native) for native in result.native]

    assert shown[0]["http"] == f"POST {CUSTOM_PATH}"
    assert shown[0]["body"]["text"] == {"content": "你好"}
    assert shown[1] == {"http": "HTTP 200", "body": {"errcode": 0, "errmsg": "ok"}}


@pytest.mark.parametrize("number", sorted(ERRCODES))
async def test_an_openid_is_refused_with_its_code(line: Line, number: str) -> None:
    assert (await code(line, f"oPerson-sim-{number}"))[0] == number


@pytest.mark.parametrize(("number", "known"), [(46004, False), (43004, False), (40003, False)])
async def test_dead_addresses_are_news(line: Line, number: int, known: bool) -> None:
    await line.result(f"o-err-{number}")
    [news] = line.recorder.items

    assert isinstance(news, Reachability)
    assert (news.address, news.reachable) == (f"o-err-{number}", known)


# The access token


async def test_many_at_once_ask_for_one_token(line: Line) -> None:
    await asyncio.gather(*(line.result() for _ in range(10)))

    assert line.simulator.doors.handed_out == 1


async def test_another_connector_of_the_account_goes_on_with_the_same_token(line: Line, connect: Connect) -> None:
    await line.result()
    await (await connect()).result()

    assert line.simulator.asked[TOKEN_PATH] == 1


async def test_a_token_that_ends_is_replaced_without_force(simulator: WechatSimulator, line: Line) -> None:
    simulator.doors.token_seconds = 1
    for _ in range(3):
        assert isinstance(await line.result(), Submitted)
        await asyncio.sleep(0.6)

    assert simulator.doors.handed_out >= 2
    assert list(simulator.doors.forced[line.appid]) == []


async def test_a_token_that_is_refused_is_forced_to_change_once(line: Line) -> None:
    await line.result()
    line.simulator.doors.expire(line.appid)
    results = await asyncio.gather(*(line.result() for _ in range(10)))

    assert all(isinstance(result, Submitted) for result in results)
    assert len(line.simulator.doors.forced[line.appid]) == 1


@pytest.mark.parametrize("to", ["o-sim-0108", "o-sim-0109"])
async def test_an_expired_token_costs_no_message(line: Line, to: str) -> None:
    assert isinstance(await line.result(to), Submitted)


async def test_a_refusal_that_stays_stops_the_account(line: Line) -> None:
    assert await code(line, "o-sim-7601") == ("7601", "late")
    asked = line.simulator.asked[CUSTOM_PATH]
    assert (line.connector.status()["state"], line.connector.capacity(), asked) == ("error", 0, 2)
    await until(lambda: line.connector.capacity())
    assert await code(line, "o-sim-7601") == ("7601", "late")  # half a minute has not passed: no force again
    assert len(line.simulator.doors.forced[line.appid]) == 1


def test_a_token_is_forced_half_a_minute_apart_and_twenty_times_a_day() -> None:
    forced, now_ms = Forced(), 0
    assert (forced.take(now_ms), forced.take(now_ms + FORCED_APART_MS - 1)) == (True, False)
    for _ in range(FORCED_A_DAY - 1):
        now_ms += FORCED_APART_MS
        assert forced.take(now_ms)

    assert not forced.take(now_ms + FORCED_APART_MS)
    assert forced.take(86_400_000)


@pytest.mark.parametrize(
    ("options", "number"),
    [({"secret": "wrong"}, "7601"), ({"appid": "wx0"}, "7612")],
)
async def test_wrong_credentials_stop_the_account_and_are_told(
    connect: Connect, caplog: pytest.LogCaptureFixture, options: dict[str, str], number: str
) -> None:
    line = await connect(**options)
    with caplog.at_level(logging.ERROR):
        assert await code(line, PERSON) == (number, "late")
    asked = line.simulator.asked.copy()
    await asyncio.sleep(0.5)

    assert (line.connector.status()["state"], line.connector.capacity()) == ("error", 0)
    assert set(line.simulator.asked - asked) <= {TOKEN_PATH}  # no message is spent on finding out
    assert "refuses our credentials" in caplog.text


async def test_an_account_that_is_taken_again_goes_on_by_itself(line: Line) -> None:
    await line.result()
    line.simulator.doors.refused.add(line.appid)
    assert (await code(line, PERSON))[0] == "7601"
    line.simulator.doors.refused.clear()
    await until(lambda: line.connector.capacity())

    assert isinstance(await line.result(), Submitted)
    assert line.connector.status()["state"] == "ready"


# Waiting, and what has no answer


async def test_a_quota_that_is_used_up_is_waited_for(connect: Connect) -> None:
    line = await connect(fast=False)
    assert await code(line, "o-err-45011") == ("7640", "late")

    assert (line.connector.capacity(), 59 < line.connector.status()["rests_seconds"] <= 60) == (0, True)


def test_a_day_ends_at_midnight_in_beijing() -> None:
    assert seconds_to_new_day(int(datetime(2026, 1, 1, 15, 59, tzinfo=UTC).timestamp() * 1000)) == 60


async def test_what_is_not_answered_is_never_sent_again(line: Line) -> None:
    await line.result()
    for to in ("o-sim-0101", "o-sim-0102"):
        result = await line.result(to)
        assert isinstance(result, SendError)
        assert (result.key, result.retry) == (keys.FAILED_AT_PLATFORM, "unknown")

    assert line.simulator.asked[CUSTOM_PATH] == 3


async def test_a_template_that_is_not_answered_is_safe_to_send_again(line: Line) -> None:
    result = await line.result("o-sim-0102", body("", **TEMPLATE))

    assert isinstance(result, SendError)
    assert result.retry == "soon"


async def test_an_answer_that_cannot_be_read_leaves_its_fate_open(line: Line) -> None:
    result = await line.result("o-sim-0103")

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == (keys.UNKNOWN_EXCEPTION, "unknown")


async def test_a_far_end_that_is_down_is_left_alone(line: Line) -> None:
    for _ in range(5):
        assert await code(line, "o-sim-0104") == ("7202", "soon")

    assert line.connector.status()["state"] == "down"


async def test_where_the_first_endpoint_cannot_be_reached_the_second_is_asked(
    connect: Connect, simulator: WechatSimulator
) -> None:
    url = (await connect()).spec.options["endpoint"]
    line = await connect(endpoint="http://127.0.0.1:1", second_endpoint=url)

    assert isinstance(await line.result(), Submitted)


async def test_what_was_not_written_is_tried_again(connect: Connect) -> None:
    assert await code(await connect(endpoint="http://127.0.0.1:1"), PERSON) == ("7202", "soon")


async def test_no_secret_is_seen(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    shown: list[object] = []
    with caplog.at_level(logging.DEBUG):
        for to in (PERSON, "o-sim-7601", "o-sim-7612"):
            result = await line.result(to)
            shown += [result, *(line.connector.describe(native) for native in result.native)]
        shown.append(line.connector.status())
    # The simulator's own log of calls is off outside of tests, and does hold queries here.
    logged = [record.getMessage() for record in caplog.records if record.name != "uvicorn.access"]
    seen = f"{shown} {logged}"
    secrets = {made_up(LANE)[name] for name in ("secret", "token", "encoding_aes_key")}
    secrets |= set(line.simulator.doors._tokens)

    assert "invalid credential" in seen
    assert [secret for secret in secrets if secret in seen] == []
