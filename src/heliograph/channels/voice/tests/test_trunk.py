"""The connector against the simulator: outcomes, answers, digits, transfers, limits, endings."""

from __future__ import annotations

import asyncio
import logging
import math
from array import array
from typing import Any

import pytest

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.channels.voice.native import describe
from heliograph.channels.voice.simulated import CODES, LATER_CODES
from heliograph.channels.voice.simulator import SipSimulator
from heliograph.channels.voice.sound.speech import Espeak, NoSpeech
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import Tenant
from heliograph.wire.rtp import g711

from .conftest import Connect, Line, free_port, until

TEXT = "Hello there"


def code(result: Submitted | SendError) -> str:
    return catalogue.code(result.key) if isinstance(result, SendError) else "7501"


async def ended(line: Line, to: str, **more: Any) -> str:
    """The code a call ends with, whichever way it is told."""
    more = more or {"text": TEXT}
    result = await line.call(to, **more)
    if isinstance(result, SendError):
        return catalogue.code(result.key)
    await line.idle()
    return catalogue.code(line.last.key)


PROVIDER_CODES = ["7401", "7402", "7403", "7404", "7500"]


@pytest.mark.parametrize("published", PROVIDER_CODES)
async def test_a_number_with_a_code_ends_as_that_code(published: str, line: Line) -> None:
    assert await ended(line, f"999000{published}") == published


@pytest.mark.parametrize("published", PROVIDER_CODES)
async def test_a_number_with_a_later_code_is_submitted_first(published: str, line: Line) -> None:
    result = await line.call(f"999001{published}", text=TEXT)

    assert isinstance(result, Submitted)
    assert line.recorder.receipts == []
    await line.idle()
    assert catalogue.code(line.last.key) == published


def test_the_simulator_knows_every_code_of_the_channel() -> None:
    published = {row.code for row in catalogue.ROWS if row.code.startswith("74")}

    assert set(CODES) == set(LATER_CODES) == published | {"7500", "7501"}


async def test_any_other_number_rings_answers_and_hears_it_all(line: Line, simulator: SipSimulator) -> None:
    result = await line.call("447700900001", text=TEXT)
    await line.idle()

    assert isinstance(result, Submitted)
    assert [catalogue.code(receipt.key) for receipt in line.recorder.receipts] == ["7500", "7500"]
    assert {receipt.native_id for receipt in line.recorder.receipts} == set(result.native_ids)
    assert (simulator.calls[-1].number, simulator.calls[-1].caller) == ("447700900001", "442079460000")


async def test_7501_is_queued_and_never_rings(line: Line) -> None:
    result = await line.call("9990007501", text=TEXT)
    await asyncio.sleep(0.3)

    assert isinstance(result, Submitted)
    assert line.recorder.receipts == []


NATIVE = {"404": "7404", "403": "7404", "480": "7401", "486": "7402", "487": "7404", "600": "7402", "607": "7403",
          "422": "7404", "408": "7404", "503": "7404", "699": "7404"}  # fmt: skip


@pytest.mark.parametrize("native", NATIVE)
async def test_a_native_response_is_its_outcome_and_is_kept(native: str, line: Line) -> None:
    result = await line.call(f"99901{native}", text=TEXT)

    assert isinstance(result, SendError)
    assert (code(result), result.native_code) == (NATIVE[native], native)


@pytest.mark.parametrize(
    ("cause", "published"), [(17, "7402"), (19, "7401"), (21, "7403"), (1, "7404"), (34, "7404")]
)
async def test_a_cause_wins_over_the_response(cause: int, published: str, line: Line) -> None:
    result = await line.call(f"99905{cause:03d}", text=TEXT)

    assert isinstance(result, SendError)
    assert code(result) == published
    assert f"q850={cause}" in result.detail


async def test_a_redirect_is_followed(line: Line) -> None:
    assert await ended(line, "99901302") == "7500"
    assert any(what.startswith("sent on to sip:447700900123@") for what in line.steps)


async def test_wrong_credentials_hold_the_trunk_and_are_shown_without_the_password(
    connect: Connect, simulator: SipSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    line = await connect(simulator.address[1], password="not the password")
    with caplog.at_level(logging.DEBUG):
        result = await line.call("447700900001", text="")
    status = line.connector.status()

    assert isinstance(result, SendError)
    assert (code(result), result.native_code, result.retry) == ("7404", "401", "once")
    assert status["state"] == "error"
    shown = f"{status} {[line.connector.describe(native) for native in result.native]} {caplog.text}"
    assert "not the password" not in shown


def test_credentials_are_left_out_of_what_is_shown() -> None:
    message = (
        b"INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n"
        b'Call-ID: 1\r\nCSeq: 1 INVITE\r\nAuthorization: Digest username="u", response="5eb63bbbe01eeed0"\r\n'
        b"Route: <sip:p1;lr>\r\nRoute: <sip:p2;lr>\r\n\r\nbody"
    )
    shown = describe(message)

    assert shown["message"] == "INVITE sip:b@c SIP/2.0"
    assert shown["headers"]["Authorization"] == "***"
    assert (shown["headers"]["Route"], shown["body"]) == (["<sip:p1;lr>", "<sip:p2;lr>"], "body")
    assert describe(b"\xff") == {"error": "the head has no end"}


async def test_the_story_of_an_attempt_has_the_invite_its_answer_and_the_steps(line: Line) -> None:
    result = await line.call("9990007402", text=TEXT)
    assert isinstance(result, SendError)
    sent, got, record = (line.connector.describe(native) for native in result.native)

    assert sent["message"].startswith("INVITE sip:9990007402@")
    assert got["message"] == "SIP/2.0 486 Busy Here"
    assert [what for _, what in record["steps"]][-1] == "ended by far end: 486 Busy Here"


async def test_the_caller_id_and_the_number_are_written_as_the_trunk_wants_them(
    connect: Connect, simulator: SipSimulator
) -> None:
    options = {"prefix": "+", "asserted_identity": True, "domain": "trunk.example"}
    line = await connect(simulator.address[1], options=options)
    result = await line.call("9990007402", text="", sender="442079460000")
    assert isinstance(result, SendError)
    headers = line.connector.describe(result.native[0])["headers"]

    assert headers["To"] == "<sip:+9990007402@trunk.example>"
    assert headers["P-Asserted-Identity"] == "<sip:442079460000@trunk.example>"
    assert headers["From"].startswith("<sip:442079460000@trunk.example>;tag=")


# Nobody there


@pytest.fixture
async def quick(connect: Connect, simulator: SipSimulator) -> Line:
    """A connector that waits for a second at most."""
    return await connect(simulator.address[1], lane="x~sandbox", options={"response_timeout": 1, "ring_limit": 1})


async def test_silence_ends_after_the_response_timeout(quick: Line) -> None:
    began = asyncio.get_running_loop().time()
    result = await quick.call("999060", text="")

    assert isinstance(result, SendError)
    assert (code(result), result.native_code, result.retry) == ("7404", "no_response", "soon")
    assert 0.9 < asyncio.get_running_loop().time() - began < 3


async def test_a_closed_port_is_told_at_once(connect: Connect) -> None:
    line = await connect(free_port())
    result = await line.call("447700900001", text="")

    assert isinstance(result, SendError)
    assert "the port is closed" in result.detail


async def test_the_breaker_opens_when_nobody_is_there(connect: Connect) -> None:
    line = await connect(free_port())
    for _ in range(8):
        if line.connector.capacity():
            await line.call("447700900001", text="")

    assert line.connector.status()["state"] == "down"
    await until(lambda: line.recorder.readies > 1)


async def test_a_host_that_did_not_answer_is_asked_last(connect: Connect, simulator: SipSimulator) -> None:
    dead, there = free_port(), simulator.address[1]
    line = await connect(dead, options={"hosts": [f"127.0.0.1:{there}"]})
    await line.call("447700900001", text="")
    await line.idle()
    tried = [what for what in line.steps if what.startswith("calling")]
    await line.call("447700900001", text="")
    await line.idle()

    assert tried == [f"calling over udp 127.0.0.1:{port}" for port in (dead, there)]
    assert [what for what in line.steps if what.startswith("calling")] == tried[1:]


async def test_busy_at_one_host_is_busy_and_no_other_is_asked(connect: Connect, simulator: SipSimulator) -> None:
    line = await connect(simulator.address[1], options={"hosts": [f"127.0.0.1:{free_port()}"]})

    assert code(await line.call("9990007402", text="")) == "7402"
    assert simulator.counts["invites"] == 2  # with the challenge


async def test_a_host_without_an_address_is_told(connect: Connect) -> None:
    line = await connect(5060, host="no-such-host.invalid")
    result = await line.call("447700900001", text="")

    assert isinstance(result, SendError)
    assert "no host of the trunk has an address" in result.detail


# Answered


def tenant(*flows: dict[str, Any], **more: Any) -> Tenant:
    return Tenant(id="demo", allow_private_targets=True, callflows=flows, **more)


async def flow_line(connect: Connect, simulator: SipSimulator, *steps: Any, **options: Any) -> Line:
    """A connector whose call flow `1` has these steps."""
    flows = tenant({"id": "1", "steps": list(steps)})
    return await connect(simulator.address[1], tenant=flows, lane="x~sandbox", options=options)


async def test_what_is_played_is_what_is_heard(connect: Connect, simulator: SipSimulator, tmp_path: Any) -> None:
    sound = array("h", (round(9_000 * math.sin(n * n / 9_000)) for n in range(8_000)))
    body = (
        b"fmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data"
        + (16_000).to_bytes(4, "little")
        + sound.tobytes()
    )
    (tmp_path / "a.wav").write_bytes(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body)
    line = await connect(simulator.address[1], tenant=tenant(prompts=({"id": "7", "file": "a.wav"},)))
    await line.call("447700900001", promptid="7")
    await line.idle()
    heard = simulator.calls[-1]

    assert g711.encode(sound.tobytes(), heard.law) in bytes(heard.audio)
    assert line.record["played"] == ["7"]
    assert line.record["audio"]["sent"] >= 50


async def test_digits_choose_and_are_kept(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(
        connect, simulator, {"gather": {"say": "Press", "length": 2, "into": "x"}}, {"press": "${x}9"}, {"pause": 0.3}
    )
    await line.call("9990242", callflowid="1")
    await line.idle()

    assert line.record["digits"] == ["42"]
    assert simulator.calls[-1].digits == "429"
    assert "digits=42" in line.last.detail


async def test_digits_in_an_info_count_too(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"gather": {"length": 1}}, {"hangup": True})
    await line.call("999065", callflowid="1")
    await line.idle()

    assert line.record["digits"] == ["5"]


@pytest.mark.parametrize(
    ("to", "by", "said"), [("447700900002", "transfer", "200 OK"), ("9990007402", "flow", "486 Busy Here")]
)
async def test_a_transfer_is_asked_for(
    connect: Connect, simulator: SipSimulator, to: str, by: str, said: str
) -> None:
    line = await flow_line(connect, simulator, {"transfer": to}, {"say": "${transfer}"})
    await line.call("447700900001", callflowid="1")
    await line.idle()

    assert simulator.calls[-1].transfers == [f"sip:{to}@127.0.0.1"]
    assert (line.record["ended_by"], line.record["transferred"]) == (by, f"{to} {said}")


async def test_the_callee_who_hangs_up_ends_it(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"pause": 30})
    await line.call("9990400", callflowid="1")
    await line.idle()

    assert line.record["ended_by"] == "callee"
    assert catalogue.code(line.last.key) == "7500"


async def test_with_min_play_who_hangs_up_too_early_has_not_heard_it(
    connect: Connect, simulator: SipSimulator
) -> None:
    line = await flow_line(connect, simulator, {"pause": 30}, min_play=2)
    result = await line.call("9990400", callflowid="1")
    await line.idle()

    assert isinstance(result, Submitted)
    [receipt] = line.recorder.receipts
    assert (catalogue.code(receipt.key), receipt.native_code) == ("7404", "early_bye")


async def test_with_min_play_it_is_answered_once_that_was_heard_or_all_was(
    connect: Connect, simulator: SipSimulator
) -> None:
    line = await flow_line(connect, simulator, {"pause": 0.6}, min_play=0.3)
    await line.call("447700900001", callflowid="1")
    await line.idle()
    assert [catalogue.code(receipt.key) for receipt in line.recorder.receipts] == ["7500", "7500"]

    short = await flow_line(connect, simulator, {"pause": 0.1}, min_play=9)
    await short.call("447700900001", callflowid="1")
    await short.idle()
    assert [catalogue.code(receipt.key) for receipt in short.recorder.receipts] == ["7500"]


async def test_a_call_is_never_longer_than_it_may_be(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"pause": 30}, longest_call=1)
    await line.call("447700900001", callflowid="1")
    await line.idle()

    assert line.record["ended_by"] == "limit"
    assert line.record["ended"] - line.record["answered"] < 3_000


async def test_on_hold_the_sound_waits(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"say": "A text that takes about two seconds to be said, or three"})
    await line.call("999063", callflowid="1")
    await line.idle()

    assert "on hold" in line.steps
    assert line.record["ended_by"] == "flow"


@pytest.mark.parametrize("number", ["999064", "999066"], ids=["options", "refresh"])
async def test_requests_within_the_call_do_no_harm(number: str, connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"pause": 1})
    await line.call(number, callflowid="1")
    await line.idle()

    assert line.record["ended_by"] == "flow"


async def test_an_answer_without_a_codec_of_ours_is_no_answer(line: Line) -> None:
    assert await ended(line, "999061") == "7404"
    assert line.last.native_code == "no_media"


async def test_a_url_is_told_of_the_call_and_a_failure_is_noted(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"notify": "http://127.0.0.1:1/x"}, {"pause": 0.2})
    await line.call("447700900001", callflowid="1")
    await line.idle()

    assert any(what.startswith("notified: failed") for what in line.steps)


async def test_times_of_a_call_are_in_their_order(line: Line) -> None:
    await line.call("447700900001", text=TEXT)
    await line.idle()
    record = line.record

    assert 0 < record["placed"] <= record["ringing"] < record["answered"] < record["ended"]
    assert line.last.detail.startswith("200 OK; ringing=")
    assert [at for at, _ in record["steps"]] == sorted(at for at, _ in record["steps"])


# What cannot be said


async def test_without_a_voice_nobody_is_called_and_7114_says_why(
    connect: Connect, simulator: SipSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(self: Espeak, text: str, language: str) -> bytes:
        raise NoSpeech("no program that speaks is installed; espeak-ng is looked for")

    monkeypatch.setattr(Espeak, "render", nothing)
    line = await connect(simulator.address[1])
    result = await line.call("447700900001", text=TEXT)

    assert isinstance(result, SendError)
    assert (result.key, result.retry) == (keys.CONFIGURATION_ERROR, "no")
    assert "espeak-ng" in result.detail
    assert simulator.counts["invites"] == 0


async def test_a_prompt_without_its_file_is_7114(connect: Connect, simulator: SipSimulator) -> None:
    line = await connect(simulator.address[1], tenant=tenant(prompts=({"id": "7", "file": "gone.wav"},)))
    result = await line.call("447700900001", promptid="7")

    assert isinstance(result, SendError)
    assert (result.key, "gone.wav" in result.detail) == (keys.CONFIGURATION_ERROR, True)


async def test_a_sound_that_is_lost_during_the_call_ends_it(connect: Connect, simulator: SipSimulator) -> None:
    line = await flow_line(connect, simulator, {"gather": {"into": "x"}}, {"play": "${x}"})
    await line.call("999027", callflowid="1")
    await line.idle()

    assert line.record["ended_by"] == "fault"
    assert any("there is no prompt '7'" in what for what in line.steps)


# Limits and endings


async def test_a_place_in_the_window_is_held_until_the_call_is_over(
    connect: Connect, simulator: SipSimulator
) -> None:
    flows = tenant({"id": "1", "steps": [{"pause": 0.5}]})
    line = await connect(simulator.address[1], tenant=flows, window=2)
    first, second = line.dial("447700900001", callflowid="1"), line.dial("447700900002", callflowid="1")
    await asyncio.gather(line.result(first), line.result(second))
    await until(lambda: len(line.recorder.receipts) == 2)

    assert line.connector.capacity() == 0
    assert line.connector.status()["talking"] == 2
    readies = line.recorder.readies
    await line.idle()
    assert line.connector.capacity() == 2
    assert line.recorder.readies > readies


async def test_a_receipt_that_cannot_be_kept_is_reported_again(line: Line) -> None:
    line.recorder.store = False
    await line.call("9990017402", text=TEXT)
    await line.idle()
    assert line.recorder.receipts == []
    line.recorder.store = True
    await until(lambda: line.recorder.receipts)

    assert catalogue.code(line.last.key) == "7402"


async def test_stopping_lets_calls_end_and_hangs_up_the_rest(connect: Connect, simulator: SipSimulator) -> None:
    flows = tenant({"id": "1", "steps": [{"pause": 60}]}, {"id": "2", "steps": [{"pause": 1}]})
    line = await connect(simulator.address[1], tenant=flows, options={"ring_limit": 30})
    long, short = line.dial("447700900001", callflowid="1"), line.dial("447700900002", callflowid="2")
    ringing = line.dial("9990007401", callflowid="1")
    await asyncio.gather(*(line.result(one) for one in (long, short, ringing)))
    await until(lambda: len(line.recorder.receipts) == 2)
    await line.connector.stop(4.0)

    assert simulator.counts["under_way"] == 0
    assert line.connector.capacity() == 0
    ends = {receipt.destination: receipt for receipt in line.recorder.receipts}
    assert ends["9990007401"].native_code == "stopped"
    assert "ended_by=flow" in ends["447700900002"].detail
    assert "ended_by=platform" in ends["447700900001"].detail


async def test_a_call_that_has_not_rung_when_stopping_is_tried_again_later(
    connect: Connect, simulator: SipSimulator
) -> None:
    line = await connect(simulator.address[1])
    ordinal = line.dial("999060", text="")
    await asyncio.sleep(0.1)
    await line.connector.stop(1.0)

    assert ordinal not in line.recorder.results  # still claimed: queued again at the next start


async def test_a_port_that_is_taken_is_said_and_tried_again(connect: Connect, simulator: SipSimulator) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await connect(simulator.address[1], options={"local_port": simulator.address[1]})


async def test_many_calls_at_once(connect: Connect, simulator: SipSimulator) -> None:
    flows = tenant({"id": "1", "steps": [{"pause": 0.3}]})
    line = await connect(simulator.address[1], tenant=flows, window=40)
    ordinals = [line.dial(f"4477009{number:05d}", callflowid="1") for number in range(40)]
    results = await asyncio.gather(*(line.result(one) for one in ordinals))
    await line.idle()

    assert all(isinstance(result, Submitted) for result in results)
    assert len({receipt.native_id for receipt in line.recorder.receipts}) == 40
    assert simulator.counts["under_way"] == 0
