"""The connector over real TCP: windows, parts, refusals, and every bad day that a number can ask for."""

from __future__ import annotations

import asyncio
import logging

import pytest

from heliograph.channels.sms.simulator import Behaviour, SmscSimulator
from heliograph.model.outcome import SendError, Submitted

from .conftest import PASSWORD, Another, Connect, Line, body, until

LONG = "The quick brown fox jumps over the lazy dog. " * 10  # three parts


async def test_all_parts_of_a_message_go_over_one_bind_and_give_one_id_each(connect: Connect) -> None:
    line = await connect(binds=3, window=2)

    result = await line.send_and_wait("447700900001", body(LONG))

    assert isinstance(result, Submitted)
    assert len(set(result.native_ids)) == 3
    assert len(result.native) == 6
    await until(lambda: len(line.recorder.receipts) == 3)
    assert {receipt.native_id for receipt in line.recorder.receipts} == set(result.native_ids)


async def test_parts_beyond_the_window_wait_and_are_sent(connect: Connect) -> None:
    line = await connect(window=1)

    assert isinstance(await line.send_and_wait("447700900001", body(LONG)), Submitted)


async def test_the_window_is_never_exceeded(connect: Connect, simulator: SmscSimulator) -> None:
    simulator.behaviour.answer_delay = 0.02
    line = await connect(window=4)

    assert line.connector.capacity() == 4
    ordinals = [line.send("447700900001") for _ in range(20)]
    assert line.connector.capacity() == 0
    for ordinal in ordinals:
        assert isinstance(await line.result(ordinal), Submitted)
    assert simulator.counts["most_unanswered"] == 4
    assert line.connector.capacity() == 4


async def test_the_other_parts_are_given_up_when_the_first_is_refused(
    connect: Connect, simulator: SmscSimulator
) -> None:
    line = await connect(window=1)

    result = await line.send_and_wait("9990109", body(LONG))  # the first part is refused, the rest given up

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == ("failed_at_operator", "soon")
    assert simulator.counts["submits"] == 1


async def test_one_refusal_among_accepted_parts_is_7209(connect: Connect) -> None:
    line = await connect(window=10)

    result = await line.send_and_wait("9990109", body(LONG))

    assert isinstance(result, SendError)
    assert (result.key, result.retry, result.native_code) == ("multipart_failed", "no", "ESME_RSYSERR")
    assert "2 of 3 parts" in result.detail


async def test_a_throttled_part_of_a_long_message_is_sent_again(connect: Connect) -> None:
    line = await connect(window=10)

    result = await line.send_and_wait("9990107", body(LONG))

    assert isinstance(result, Submitted)
    assert len(set(result.native_ids)) == 3


@pytest.mark.parametrize(
    ("to", "key", "retry", "code"),
    [
        ("9990106", "failed_at_operator", "free", "ESME_RTHROTTLED"),
        ("9990108", "failed_at_operator", "late", "ESME_RMSGQFUL"),
        ("9990109", "failed_at_operator", "soon", "ESME_RSYSERR"),
        ("9990114", "failed_at_platform", "no", "generic_nack ESME_RINVCMDLEN"),
        ("9990116", "failed_at_operator", "no", "0x000004AA"),
        ("9990121", "unknown_status", "once", "ESME_RUNKNOWNERR"),
    ],
)
async def test_a_refusal_has_its_retry_class(line: Line, to: str, key: str, retry: str, code: str) -> None:
    result = await line.send_and_wait(to)

    assert isinstance(result, SendError)
    assert (result.key, result.retry, result.native_code) == (key, retry, code)
    assert len(result.native) == 2


async def test_a_limit_of_submits_a_second_throttles(connect: Connect, simulator: SmscSimulator) -> None:
    simulator.behaviour.throttle = 5
    line = await connect(window=50)

    results = [await line.result(ordinal) for ordinal in [line.send("447700900001") for _ in range(20)]]

    throttled = [result for result in results if isinstance(result, SendError)]
    assert len(throttled) >= 10
    assert {result.retry for result in throttled} == {"free"}


@pytest.mark.parametrize("to", ["9990102", "9990103", "9990118"], ids=["cut", "garbage", "dropped"])
async def test_a_link_lost_after_writing_leaves_the_fate_unknown_and_comes_back(line: Line, to: str) -> None:
    result = await line.send_and_wait(to)

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == ("unknown_status", "unknown")
    assert line.connector.status()["last_errors"]
    await until(lambda: line.connector.capacity() > 0)
    assert isinstance(await line.send_and_wait("447700900001"), Submitted)


async def test_an_accepted_message_whose_answer_was_lost_is_reported_on_the_next_bind(line: Line) -> None:
    await line.send_and_wait("9990118")

    await until(lambda: line.recorder.receipts)
    assert (line.recorder.receipts[0].destination, line.recorder.receipts[0].key) == ("9990118", "delivered")


async def test_a_submit_without_an_answer_is_unknown(connect: Connect) -> None:
    line = await connect(options={"response_timeout": 0.3})

    result = await line.send_and_wait("9990101")

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == ("unknown_status", "unknown")
    assert line.connector.describe(result.native[0])["destination_addr"] == "9990101"


async def test_a_submit_without_an_answer_may_be_sent_again_where_the_connector_says_so(connect: Connect) -> None:
    line = await connect(options={"response_timeout": 0.3, "unanswered": "resend"})

    result = await line.send_and_wait("9990101")

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == ("unknown_status", "resend")


async def test_an_answer_that_comes_too_late_settles_nothing_twice(connect: Connect) -> None:
    line = await connect(options={"response_timeout": 0.5})

    result = await line.send_and_wait("9990115")
    await until(lambda: line.connector.status()["counts"]["late_answers"] == 1)

    assert isinstance(result, SendError)
    assert line.connector.capacity() == 10


async def test_parts_never_written_when_the_bind_is_lost_are_free(connect: Connect, simulator: SmscSimulator) -> None:
    simulator.behaviour.silent = True
    line = await connect(window=1)
    first = line.send("447700900001")
    second = line.send("447700900002")

    await asyncio.sleep(0.05)
    simulator.drop_links()

    lost, unwritten = await line.result(first), await line.result(second)
    assert isinstance(lost, SendError)
    assert isinstance(unwritten, SendError)
    assert (lost.retry, unwritten.retry) == ("unknown", "free")
    assert unwritten.native == ()


async def test_a_submit_without_a_bind_is_free(connect: Connect) -> None:
    line = await connect(wait=False)

    result = await line.send_and_wait("447700900001")

    assert isinstance(result, SendError)
    assert result.retry == "free"


async def test_a_bind_that_the_smsc_denies_is_made_anew(line: Line) -> None:
    result = await line.send_and_wait("9990124")

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == ("failed_at_platform", "soon")
    await until(lambda: line.connector.capacity() == 0)
    await until(lambda: line.connector.capacity() == 10)
    assert isinstance(await line.send_and_wait("9990124"), Submitted)


async def test_receipts_may_come_before_the_answer(line: Line) -> None:
    await line.send_and_wait("9990104")

    assert line.recorder.order == ["Receipt", "Submitted"]


async def test_receipts_may_come_twice(line: Line) -> None:
    await line.send_and_wait("9990105")

    await until(lambda: len(line.recorder.receipts) == 2)


@pytest.mark.parametrize("to", ["9990111", "9990112"], ids=["odd text", "TLVs only"])
async def test_receipts_of_other_dialects_are_read(line: Line, to: str) -> None:
    result = await line.send_and_wait(to)
    await until(lambda: line.recorder.receipts)

    assert isinstance(result, Submitted)
    receipt = line.recorder.receipts[0]
    assert ((receipt.native_id,), receipt.key) == (result.native_ids, "delivered")


async def test_an_unreadable_receipt_is_kept_raw(line: Line) -> None:
    await line.send_and_wait("9990113")
    await until(lambda: line.recorder.receipts)

    receipt = line.recorder.receipts[0]
    assert (receipt.native_id, receipt.key) == ("", "unknown_status")
    assert receipt.raw == "your message has been dealt with"


async def test_unknown_native_codes_have_a_defined_answer_and_are_kept(line: Line) -> None:
    await line.send_and_wait("9990117")
    await line.send_and_wait("9990122")
    await until(lambda: len(line.recorder.receipts) == 2)

    told = {(receipt.key, receipt.native_code) for receipt in line.recorder.receipts}
    assert told == {("failed_at_operator", "UNDELIV err:977"), ("unknown_status", "EXPLODED err:000")}


async def test_enroute_is_interim(line: Line) -> None:
    await line.send_and_wait("9990119")
    await until(lambda: len(line.recorder.receipts) == 2)

    assert [receipt.key for receipt in line.recorder.receipts] == ["submitted", "delivered"]


@pytest.mark.parametrize(("final", "key"), [(False, "submitted"), (True, "delivered")])
async def test_acceptd_is_final_where_the_connector_says_so(connect: Connect, final: bool, key: str) -> None:
    line = await connect(options={"acceptd_final": final})
    await line.send_and_wait("9990123")
    await until(lambda: line.recorder.receipts)

    assert line.recorder.receipts[0].key == key


@pytest.mark.parametrize("style", ["hex-decimal", "decimal-hex"])
async def test_ids_in_two_notations_are_one(connect: Connect, simulator: SmscSimulator, style: str) -> None:
    simulator.behaviour.id_style = style
    line = await connect(options={"id_format": style})
    result = await line.send_and_wait("447700900001")
    await until(lambda: line.recorder.receipts)

    assert isinstance(result, Submitted)
    assert result.native_ids == (line.recorder.receipts[0].native_id,)


async def test_overrides_win_over_the_table(connect: Connect) -> None:
    line = await connect(options={"status_map": {"0x4AA": "user_in_dnd", "0x08": "provider_exception:late"}})
    line2 = await connect(
        system_id="other", options={"err_map": {"977": "spam_content"}, "status_map": {"EXPLODED": "sim_full"}}
    )

    refused, late = await line.send_and_wait("9990116"), await line.send_and_wait("9990109")
    assert isinstance(refused, SendError)
    assert isinstance(late, SendError)
    assert (refused.key, late.key, late.retry) == ("user_in_dnd", "provider_exception", "late")
    await line2.send_and_wait("9990117")
    await line2.send_and_wait("9990122")
    await until(lambda: len(line2.recorder.receipts) == 2)
    assert {receipt.key for receipt in line2.recorder.receipts} == {"spam_content", "sim_full"}


async def test_a_receipt_is_answered_only_when_it_is_stored(line: Line) -> None:
    line.recorder.store = None
    await line.send_and_wait("447700900001")
    await until(lambda: line.recorder.answers)
    assert line.simulator.outbox.counts["delivered"] == 0

    line.recorder.answers.pop()(True)
    await until(lambda: line.simulator.outbox.counts["delivered"] == 1)


async def test_a_receipt_that_could_not_be_stored_comes_again(line: Line) -> None:
    line.recorder.store = False
    await line.send_and_wait("447700900001")
    await until(lambda: line.simulator.outbox.counts["refused"] == 1)
    line.recorder.store = True

    await until(lambda: line.simulator.outbox.counts["delivered"] == 1)
    assert len(line.recorder.receipts) == 2


async def test_the_connector_comes_back_after_the_smsc_does(connect: Connect, another: Another) -> None:
    simulator = await another()
    line = await connect(simulator)
    await simulator.stop()
    await until(lambda: line.connector.capacity() == 0)

    await another(*simulator.address)
    await until(lambda: line.connector.capacity() > 0)
    assert isinstance(await line.send_and_wait("447700900001"), Submitted)


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"password": "wrong"}, "ESME_RINVPASWD"), ({"system_id": "nobody"}, "ESME_RINVSYSID")],
)
async def test_a_refused_bind_is_told_and_waits_long(
    connect: Connect,
    another: Another,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, str],
    status: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    simulator = await another(credentials={"helio": PASSWORD})
    line = await connect(simulator, wait=False, options={"refused_wait": 60}, **settings)

    await until(lambda: line.connector.status()["last_errors"])
    await until(lambda: "60 s" in line.connector.status()["state"])
    assert [entry["error"] for entry in line.connector.status()["last_errors"]] == [
        f"the transceiver bind was refused: {status}"
    ]
    assert line.connector.capacity() == 0
    secret = settings.get("password", PASSWORD)
    assert secret not in repr((line.connector.status(), line.connector.settings, caplog.text))


async def test_a_pair_sends_on_one_bind_and_hears_receipts_on_the_other(connect: Connect) -> None:
    line = await connect(bind="pair", binds=2, window=5)

    assert sorted(bind["kind"] for bind in line.connector.status()["binds"]) == [
        "receiver", "receiver", "transmitter", "transmitter"
    ]  # fmt: skip
    assert line.connector.capacity() == 10
    assert isinstance(await line.send_and_wait("447700900001"), Submitted)
    await until(lambda: line.recorder.receipts)


async def test_two_connectors_with_one_system_id_each_hear_of_their_own_messages(connect: Connect) -> None:
    one, other = await connect(), await connect()

    first, second = await one.send_and_wait("447700900001"), await other.send_and_wait("447700900002")

    await until(lambda: one.recorder.receipts and other.recorder.receipts)
    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert [receipt.native_id for receipt in one.recorder.receipts] == list(first.native_ids)
    assert [receipt.native_id for receipt in other.recorder.receipts] == list(second.native_ids)


async def test_stopping_waits_for_answers_under_way(connect: Connect, simulator: SmscSimulator) -> None:
    simulator.behaviour.answer_delay = 0.2
    line = await connect(window=2)
    ordinals = [line.send("447700900001") for _ in range(5)]

    await line.connector.stop(3.0)

    assert all(isinstance(line.recorder.results[ordinal][0], Submitted) for ordinal in ordinals)
    assert line.connector.capacity() == 0


async def test_no_message_is_lost_or_settled_twice_when_links_drop(connect: Connect, another: Another) -> None:
    simulator = await another(behaviour=Behaviour(answer_delay=0.01, receipt_delay=0.0))
    line = await connect(simulator, binds=2, window=20)
    sent = []
    for round_number in range(200):
        if line.connector.capacity():
            sent.append(line.send(f"4477009{round_number:05d}"))
        if round_number % 50 == 25:
            simulator.drop_links()
        await asyncio.sleep(0.001)

    for ordinal in sent:
        await line.result(ordinal)
    assert len(sent) > 20
    assert line.connector.status()["in_window"] == 0


async def test_the_password_is_in_nothing_that_people_see(line: Line) -> None:
    result = await line.send_and_wait("9990109")

    assert isinstance(result, SendError)
    seen = repr((line.connector.status(), line.connector.settings, result))
    seen += repr([line.connector.describe(native) for native in result.native])
    assert PASSWORD not in seen
