"""One message and several devices, one far end among several, and what people see of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from heliograph import catalogue
from heliograph.channels.push.app_receipts import push_id
from heliograph.channels.push.far_ends.base import Result, describe
from heliograph.channels.push.far_ends.line import Line as FarLine
from heliograph.channels.push.outcomes import APNS, FCM, outcome_of
from heliograph.model.channel import Device
from heliograph.model.outcome import SendError, Submitted
from heliograph.wire.http2.server import Call, Reply

from .conftest import HEX, Far, account, body_of

UNREADABLE = '{"endpoint":"https://a.example","keys":{"p256dh":"","auth":""}}'

PHONE, PAD, BROWSER = Device("android", "tok"), Device("iOS", HEX), Device("chrome", "tok")
GONE = Device("android", "tok-sim-7513")


async def test_a_message_goes_to_every_device_and_has_an_id_for_each(far: Far) -> None:
    line = await far.connect()
    result = await line.send("userid", "u1", devices=(PHONE, PAD, BROWSER))

    assert isinstance(result, Submitted)
    assert result.native_ids == (push_id(7, 1, "tok"), push_id(7, 1, HEX), push_id(7, 1, "tok"))
    assert [stand_in.counts["taken"] for stand_in in (far.fcm, far.apns, far.webpush)] == [1, 1, 1]


async def test_a_message_that_reached_one_device_went_out(far: Far) -> None:
    line = await far.connect()
    result = await line.send("userid", "u1", devices=(GONE, PAD))

    assert isinstance(result, Submitted)
    assert result.native_ids == (push_id(7, 1, HEX),)
    assert [news.address for news in line.recorder.news] == ["tok-sim-7513"]
    lines = [line.connector.describe(native)["line"] for native in result.native]
    assert lines[-2:] == [
        "android ...sim-7513: unregistered_device UNREGISTERED Requested entity was not found.",
        "ios ...abab0000: taken",
    ]


async def test_a_message_that_reached_no_device_fails_with_what_a_far_end_said(far: Far) -> None:
    line = await far.connect()
    result = await line.send(
        "userid", "u1", body_of(android={"text": "Hi"}), devices=(PAD, GONE)
    )  # there is no object for iOS

    assert isinstance(result, SendError)
    assert catalogue.code(result.key) == "7513"


async def test_a_device_that_may_be_tried_again_decides_while_no_other_was_reached(far: Far) -> None:
    line = await far.connect()
    result = await line.send("userid", "u1", devices=(GONE, Device("android", "tok-sim-7509")))

    assert isinstance(result, SendError)
    assert (catalogue.code(result.key), result.retry) == ("7509", "late")


async def test_a_device_is_tried_again_at_once_when_another_was_reached(far: Far) -> None:
    """The message went out: it is not sent again as a whole."""
    line = await far.connect()
    calls: list[Call] = []
    serve = far.fcm.server.handler

    def busy_once(call: Call) -> Any:
        if call.path.endswith("messages:send"):
            calls.append(call)
            if len(calls) == 1:
                return Reply(503)
        return serve(call)

    far.fcm.server.handler = busy_once
    result = await line.send("userid", "u1", devices=(PHONE, PAD))

    assert isinstance(result, Submitted)
    assert len(result.native_ids) == 2
    assert (len(calls), far.apns.counts["taken"]) == (2, 1)


async def test_the_same_device_twice_gets_a_message_once(far: Far) -> None:
    line = await far.connect()
    await line.send("userid", "u1", devices=(PHONE, PHONE))

    assert far.fcm.counts["taken"] == 1


@pytest.mark.parametrize(
    ("devices", "code"), [((Device("palm", "x"),), "7119"), ((Device("ios", ""),), "7119"), ((), "7105")]
)
async def test_without_a_device_that_is_known_there_is_nothing_to_send(
    far: Far, rsa_key: rsa.RSAPrivateKey, devices: tuple[Device, ...], code: str
) -> None:
    android = {
        "fcm_service_account": account(rsa_key, "https://oauth2.example"),
        "endpoint": far.peers["fcm"].url(),
        "allow_private": True,
    }
    line = await far.connect({"android": android}, real=True)
    result = await line.send("userid", "u1", devices=devices)

    assert isinstance(result, SendError)
    assert catalogue.code(result.key) == code


async def test_a_user_nobody_registered_is_simulated_in_the_sandbox(far: Far) -> None:
    line = await far.connect()

    assert isinstance(await line.send("userid", "u1"), Submitted)
    assert catalogue.code((await line.refusal("userid", "u-sim-7510")).key) == "7510"
    assert catalogue.code((await line.refusal("userid", "u-sim-7213")).key) == "7213"


@pytest.mark.parametrize(
    ("token", "taken"),
    [
        ("tok", (1, 0, 0)),
        (HEX, (0, 1, 0)),
        (UNREADABLE, (0, 0, 1)),
    ],
)
async def test_a_bare_pushid_is_told_by_its_form(far: Far, token: str, taken: tuple[int, ...]) -> None:
    line = await far.connect()
    await line.send("pushid", token)

    assert tuple(stand_in.counts["taken"] for stand_in in (far.fcm, far.apns, far.webpush)) == taken


async def test_a_system_that_the_app_is_not_for_is_a_fault_of_its_set_up(far: Far) -> None:
    line = await far.connect({"ios": {}})

    assert catalogue.code((await line.refusal("android_pushid", "tok")).key) == "7114"


async def test_a_far_end_that_is_down_holds_up_no_other(far: Far) -> None:
    line = await far.connect()
    await far.apns.server.stop()
    for _ in range(5):
        await line.send("ios_pushid", HEX)

    assert (await line.refusal("ios_pushid", HEX)).retry == "wait"
    assert line.connector.capacity() > 0
    assert isinstance(await line.send("android_pushid", "tok"), Submitted)
    status = line.connector.status()
    assert (status["state"], status["systems"]["ios"]["state"], status["systems"]["android"]["state"]) == (
        "down", "down", "ready",
    )  # fmt: skip


async def test_a_far_end_that_comes_back_is_found_by_one_message(far: Far) -> None:
    line = await far.connect({"android": {}})
    await line.send("android_pushid", "tok")
    serve = far.fcm.server.handler
    far.fcm.server.handler = lambda call: Reply(503)
    for _ in range(5):
        await line.send("android_pushid", "tok")
    assert line.connector.capacity() == 0
    far.fcm.server.handler = serve
    async with asyncio.timeout(2):
        while not line.connector.capacity():
            await asyncio.sleep(0.01)

    assert line.connector.capacity() == 1
    assert isinstance(await line.send("android_pushid", "tok"), Submitted)
    assert line.connector.capacity() > 1


async def test_a_fault_of_ours_ends_one_message_and_holds_up_nobody(
    far: Far, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = await far.connect()

    async def broken(push: object) -> Result:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(line.connector._lines.sender("android"), "send", broken)
        refused = await line.refusal("android_pushid", "tok")

    assert refused.retry == "unknown"
    assert "a bug" in caplog.text
    assert isinstance(await line.send("android_pushid", "tok"), Submitted)


async def test_secrets_are_in_nothing_that_people_see(far: Far) -> None:
    line = await far.connect()
    results = [
        await line.send(kind, to)
        for kind, to in (
            ("android_pushid", "tok"),
            ("ios_pushid", HEX),
            ("chrome_pushid", "tok"),
            ("ios_pushid", "ab" * 30 + "7515"),
        )
    ]
    receipts = [json.loads(message["data"]["heliograph"])["receipt"] for message in far.fcm.messages or []]
    shown = json.dumps([line.connector.status(), *(describe(native) for one in results for native in one.native)])

    assert receipts
    for secret in (*receipts, "PRIVATE KEY", "ya29.", "bearer ", "vapid t=", "Bearer "):
        assert secret not in shown


async def test_people_see_every_credential_and_how_long_it_is_good(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "tok")
    shown = {system: one["credentials"] for system, one in line.connector.status()["systems"].items()}

    assert {system: one["state"] for system, one in shown.items()} == {"android": "ok", "ios": "ok", "web": "ok"}
    assert shown["android"]["client_email"].endswith("gserviceaccount.com")
    assert shown["ios"]["key_id"] == "SANDBOXKEY"
    assert len(shown["web"]["application_server_key"]) == 87


# The line of a far end


def line_of(*results: tuple[str, Result], far_end: str = APNS) -> FarLine:
    line = FarLine("demo/AP1 ios", fast=False)
    for now, (code, result) in enumerate(results):
        line.started(now)
        line.ended(now, result, outcome_of(far_end, code))
    return line


def failed(code: str, after: float = 0.0) -> tuple[str, Result]:
    return code, Result((code,), "said", after)


def test_five_failures_in_a_row_open_the_breaker() -> None:
    assert line_of(*[failed("timeout")] * 4).wait(4) == 0
    assert line_of(*[failed("timeout")] * 5).wait(4.5) > 0


def test_an_answer_about_one_push_closes_it_again() -> None:
    assert line_of(*[failed("timeout")] * 4, failed("BadDeviceToken"), failed("timeout")).wait(6) == 0


def test_refused_credentials_stop_at_once_and_are_asked_again_after_half_a_minute() -> None:
    line = line_of(failed("InvalidProviderToken"))

    assert line.wait(29) == pytest.approx(1)
    assert line.wait(30) == 0
    assert line.status(1)["state"] == "error"
    assert line.status(1)["refused"] == "InvalidProviderToken said"


def test_a_pause_that_was_asked_for_is_kept() -> None:
    assert line_of(failed("QUOTA_EXCEEDED", 7), far_end=FCM).wait(0) == 7
    assert line_of(failed("QUOTA_EXCEEDED"), far_end=FCM).wait(0) == 60
    assert line_of(failed("UNAVAILABLE", 5), far_end=FCM).wait(0) == 5


def test_a_flooded_device_stops_no_other() -> None:
    assert line_of(failed("TooManyRequests", 9)).wait(0) == 0
