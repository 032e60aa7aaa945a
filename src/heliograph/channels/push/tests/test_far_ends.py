"""The three far ends through the connector: what arrives, what is proven, what a refusal means."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from heliograph import catalogue
from heliograph.bus.tokens import LocalTokens
from heliograph.channels.push.app_receipts import push_id
from heliograph.channels.push.far_ends import lines
from heliograph.channels.push.far_ends.base import Push, Result, retry_after
from heliograph.channels.push.far_ends.credentials import base64url
from heliograph.channels.push.far_ends.fcm import read_error
from heliograph.channels.push.outcomes import FCM, outcome_of
from heliograph.channels.push.sandbox import client_certificate
from heliograph.channels.push.stand_ins import apns, fcm, webpush
from heliograph.model.outcome import SendError, Submitted
from heliograph.wire.http2.server import Call, Reply, Server

from .conftest import HEX, Clock, Far, account, body_of, now_ms, pem, sent_data


def code(result: Submitted | SendError) -> str:
    assert isinstance(result, SendError)
    return catalogue.code(result.key)


def ios_token(number: str) -> str:
    return "ab" * 30 + number


def real_android(far: Far, rsa_key: rsa.RSAPrivateKey, **more: Any) -> dict[str, Any]:
    url = far.peers["fcm"].url()
    return {"fcm_service_account": account(rsa_key, url), "endpoint": url, "allow_private": True, **more}


def real_ios(far: Far, ec_key: ec.EllipticCurvePrivateKey, **more: Any) -> dict[str, Any]:
    peer = far.peers["apns"]
    token = {"key_id": "KEY", "team_id": "TEAM", "private_key": pem(ec_key)}
    return {
        "topic": "com.example.app", "token": token, "endpoint": peer.url("https"), "ca": peer.ca,
        "allow_private": True,
        **more,
    }  # fmt: skip


# What arrives


async def test_a_push_arrives_at_fcm(far: Far) -> None:
    line = await far.connect()
    result = await line.send("android_pushid", "tok")

    [message] = far.fcm.messages or []
    assert (message["token"], message["notification"]) == ("tok", {"title": "T", "body": "Hi"})
    assert set(sent_data(message)) == {"receipt"}
    assert isinstance(result, Submitted)
    assert result.native_ids == (push_id(7, 1, "tok"),)


async def test_a_push_arrives_at_apns(far: Far) -> None:
    line = await far.connect()
    result = await line.send("ios_pushid", HEX)

    [(headers, payload)] = far.apns.pushes or []
    assert payload["aps"]["alert"] == {"title": "T", "body": "Hi"}
    assert {name: value for name, value in headers.items() if name.startswith("apns-")} == {
        "apns-topic": "sandbox.app", "apns-push-type": "alert", "apns-priority": "10",
        "apns-id": push_id(7, 1, HEX), "apns-expiration": headers["apns-expiration"],
    }  # fmt: skip
    assert isinstance(result, Submitted)
    assert result.native_ids == (headers["apns-id"],)


async def test_a_push_arrives_at_a_browser_that_can_read_it(far: Far) -> None:
    subscription = far.webpush.subscribe("ann")
    token = json.dumps({"endpoint": subscription.endpoint, "keys": {
        "p256dh": subscription.keys.p256dh, "auth": subscription.keys.auth}})  # fmt: skip
    line = await far.connect()
    for kind, given in (("chrome_pushid", token), ("firefox_pushid", base64url(token.encode()))):
        assert isinstance(await line.send(kind, given), Submitted)

    plain = [json.loads(read)["notification"] for _, read in far.webpush.pushes or []]
    assert plain == [{"title": "T", "body": "Hi"}] * 2
    assert (far.webpush.pushes or [])[0][0]["ttl"] == "2419200"


async def test_an_expiry_shortens_the_time_to_live(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "tok", validity=60)
    await line.send("ios_pushid", HEX, validity=60)
    await line.send("chrome_pushid", "tok", validity=60)

    assert (far.fcm.messages or [])[0]["android"]["ttl"] == "60s"
    assert abs(int((far.apns.pushes or [])[0][0]["apns-expiration"]) - now_ms() // 1000 - 60) <= 2
    assert (far.webpush.pushes or [])[0][0]["ttl"] == "60"


async def test_a_time_to_live_of_nothing_is_one_try_of_apns(far: Far) -> None:
    line = await far.connect()
    await line.send("ios_pushid", HEX, body_of(ios={"text": "Hi", "extras": {"time_to_live": 0}}))

    assert (far.apns.pushes or [])[0][0]["apns-expiration"] == "0"


async def test_a_message_that_is_sent_again_has_the_same_id(far: Far) -> None:
    line = await far.connect()
    await line.send("ios_pushid", HEX)
    line._ordinal = 0
    line.recorder.results.clear()
    await line.send("ios_pushid", HEX)

    [first, second] = [headers["apns-id"] for headers, _ in far.apns.pushes or []]
    assert first == second


@pytest.mark.parametrize(
    ("push_type", "topic", "priority"),
    [("voip", "com.example.app.voip", "10"), ("background", "com.example.app", "5")],
)
async def test_push_types_have_their_topics(
    far: Far, ec_key: ec.EllipticCurvePrivateKey, push_type: str, topic: str, priority: str
) -> None:
    line = await far.connect({"ios": real_ios(far, ec_key, push_type=push_type)}, real=True)
    await line.send("ios_pushid", HEX)

    [(headers, _)] = far.apns.pushes or []
    assert (headers["apns-topic"], headers["apns-push-type"], headers["apns-priority"]) == (
        topic,
        push_type,
        priority,
    )


async def test_a_certificate_is_shown_instead_of_a_token(far: Far) -> None:
    certificate = {"pem": client_certificate("demo/AP1", "com.example.app")}
    line = await far.connect({"ios": {"certificate": certificate}})
    assert isinstance(await line.send("ios_pushid", HEX), Submitted)

    [(headers, _)] = far.apns.pushes or []
    assert "authorization" not in headers
    health = line.connector.status()["systems"]["ios"]["credentials"]
    assert (health["kind"], health["state"]) == ("certificate", "ok")


# What each refusal means


@pytest.mark.parametrize("number", [one for one in fcm.REFUSALS if one != "7503"])
async def test_every_refusal_of_fcm_has_its_code(far: Far, number: str) -> None:
    line = await far.connect()

    assert code(await line.send("android_pushid", f"tok-sim-{number}")) == number


@pytest.mark.parametrize("number", [one for one in apns.REFUSALS if one != "7503"])
async def test_every_refusal_of_apns_has_its_code(far: Far, number: str) -> None:
    line = await far.connect()

    assert code(await line.send("ios_pushid", ios_token(number))) == number


@pytest.mark.parametrize("number", list(webpush.REFUSALS))
async def test_every_refusal_of_a_push_service_has_its_code(far: Far, number: str) -> None:
    line = await far.connect()

    assert code(await line.send("chrome_pushid", f"tok-sim-{number}")) == number


@pytest.mark.parametrize(
    ("kind", "to", "reason"),
    [
        ("android_pushid", "tok-sim-7513", "UNREGISTERED"),
        ("android_pushid", "tok-sim-7512", "INVALID_ARGUMENT/token"),
        ("ios_pushid", ios_token("7513"), "Unregistered"), ("ios_pushid", ios_token("7512"), "BadDeviceToken"),
        ("chrome_pushid", "tok-sim-7213", "410"), ("chrome_pushid", "tok-sim-7212", "400"),
    ],
)  # fmt: skip
async def test_a_dead_token_is_told(far: Far, kind: str, to: str, reason: str) -> None:
    line = await far.connect()
    await line.send(kind, to)

    [news] = line.recorder.news
    assert (news.connector, news.channel, news.address, news.reachable, news.reason) == (
        "demo/AP1~sandbox", "push", to, False, reason,
    )  # fmt: skip


async def test_since_when_a_device_is_gone_is_told_with_it(far: Far) -> None:
    """A token that was registered after that moment is good (Apple's rule for 410)."""
    line = await far.connect()
    await line.send("ios_pushid", ios_token("7513"))

    [news] = line.recorder.news
    assert now_ms() - apns.GONE_MS - 5_000 < news.at_ms <= now_ms() - apns.GONE_MS


@pytest.mark.parametrize("number", ["7504", "7509", "7518", "7508"])
async def test_other_refusals_leave_a_token_alone(far: Far, number: str) -> None:
    line = await far.connect()
    await line.send("android_pushid", f"tok-sim-{number}")

    assert line.recorder.news == []


@pytest.mark.parametrize(
    ("kind", "to", "retry"),
    [
        ("android_pushid", "tok-sim-7508", "soon"), ("android_pushid", "tok-sim-7509", "late"),
        ("android_pushid", "tok-sim-7507", "late"), ("ios_pushid", ios_token("7517"), "late"),
        ("ios_pushid", ios_token("7513"), "no"), ("chrome_pushid", "tok-sim-7214", "soon"),
    ],
)  # fmt: skip
async def test_whether_it_is_sent_again_is_what_the_provider_says(far: Far, kind: str, to: str, retry: str) -> None:
    line = await far.connect()

    assert (await line.refusal(kind, to)).retry == retry


@pytest.mark.parametrize(("kind", "to"), [("android_pushid", "tok-sim-7507"), ("chrome_pushid", "tok-sim-7507")])
async def test_retry_after_is_obeyed(far: Far, kind: str, to: str) -> None:
    line = await far.connect()
    refused = await line.refusal(kind, to)
    waits = await line.refusal(kind, "tok")

    assert refused.after == 1
    assert (waits.retry, catalogue.code(waits.key)) == ("wait", "7507")
    assert 0.5 < waits.after <= 1


MOMENT = datetime.datetime(2030, 3, 18, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("", 0), ("soon", 0), ("-5", 0), ("999999999", 86_400), ("Mon, 18 Mar 2030 00:01:00 GMT", 60)],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float) -> None:
    assert retry_after({"retry-after": value}, MOMENT) == pytest.approx(seconds)


ERRORS: list[tuple[int, dict[str, Any] | None, str]] = [
    (400, {"status": "INVALID_ARGUMENT", "message": "The registration token is not a valid one"}, "7512"),
    (400, {"status": "INVALID_ARGUMENT", "message": "Recipient of the message is not set."}, "7512"),
    (400, {"status": "INVALID_ARGUMENT", "message": "Message too big"}, "7505"),
    (400, {"status": "INVALID_ARGUMENT", "message": "Invalid package name"}, "7518"),
    (400, {"status": "INVALID_ARGUMENT", "message": "Invalid value", "details": [
        {"fieldViolations": [{"field": "message.android.ttl"}]}]}, "7506"),
    (400, {"status": "INVALID_ARGUMENT", "message": "a registration token in data", "details": [
        {"fieldViolations": [{"field": "message.data[0].value"}]}]}, "7518"),
    (404, {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}, "7513"),
    (404, {"status": "NOT_FOUND", "message": "Requested entity was not found."}, "7504"),
    (403, {"status": "PERMISSION_DENIED", "details": [{"errorCode": "SENDER_ID_MISMATCH"}]}, "7504"),
    (401, {"status": "UNAUTHENTICATED", "details": [{"errorCode": "THIRD_PARTY_AUTH_ERROR"}]}, "7504"),
    (401, {"status": "UNAUTHENTICATED", "details": [{"errorCode": "THIRD_PARTY_AUTH_ERROR"},
                                                     {"reason": "BadCertificate"}]}, "7515"),
    (401, {"status": "UNAUTHENTICATED", "details": [{"errorCode": "THIRD_PARTY_AUTH_ERROR"},
                                                     {"reason": "BadEnvironmentKeyInToken"}]}, "7514"),
    (429, {"status": "RESOURCE_EXHAUSTED", "details": [{"errorCode": "QUOTA_EXCEEDED"},
                                                       {"violations": [{"subject": "device:1"}]}]}, "7509"),
    (429, {"status": "RESOURCE_EXHAUSTED", "details": [{"errorCode": "QUOTA_EXCEEDED"}]}, "7507"),
    (500, {"status": "INTERNAL"}, "7508"),
    (502, None, "7508"),
    (429, None, "7507"),
    (418, None, "7518"),
    (400, {"details": "what", "message": 5}, "7518"),
    (400, {"status": "NotRegistered"}, "7513"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "expected"), ERRORS)
def test_an_error_of_fcm_is_read_by_its_name_first(status: int, error: dict[str, Any] | None, expected: str) -> None:
    body = b"<html>Bad Gateway</html>" if error is None else json.dumps({"error": error}).encode()
    codes, _ = read_error(status, body)

    assert catalogue.code(outcome_of(FCM, *codes).key) == expected


async def test_an_installation_id_is_sent_as_such(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "cTxJ3e8FR0mDn1J2-abcd9")
    await line.send("android_pushid", "cTxJ3e8FR0mDn1J2-abcd9:APA91bEgNX8N")

    [first, second] = far.fcm.messages or []
    assert first["fid"] == "cTxJ3e8FR0mDn1J2-abcd9"
    assert second["token"].endswith("NX8N")


# Who we are


async def test_one_access_token_is_fetched_however_many_messages_go(far: Far) -> None:
    line = await far.connect()
    await asyncio.gather(*(line.send("android_pushid", f"tok{number}") for number in range(50)))

    assert (far.fcm.counts["tokens"], far.fcm.counts["taken"]) == (1, 50)


async def test_two_apps_with_the_same_account_share_its_token(far: Far, rsa_key: rsa.RSAPrivateKey) -> None:
    tokens = LocalTokens(now_ms)
    for _ in range(2):
        line = await far.connect({"android": real_android(far, rsa_key)}, real=True, tokens=tokens)
        assert isinstance(await line.send("android_pushid", "tok"), Submitted)

    assert far.fcm.counts["tokens"] == 1


async def test_an_access_token_is_replaced_before_it_ends(far: Far) -> None:
    clock = Clock(now_ms)
    clock.added = -56 * 60_000
    line = await far.connect(clock=clock)
    await line.send("android_pushid", "tok")
    clock.added = 0
    await line.send("android_pushid", "tok")

    assert far.fcm.counts["tokens"] == 2


async def test_an_access_token_that_is_refused_is_replaced_and_the_message_sent_again(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "tok")
    far.fcm.forget_tokens()
    results = await asyncio.gather(*(line.send("android_pushid", f"tok{number}") for number in range(10)))

    assert all(isinstance(result, Submitted) for result in results)
    assert far.fcm.counts["tokens"] == 2


async def test_a_service_account_that_is_refused_stops_the_app_and_recovers_when_it_is_mended(
    far: Far, rsa_key: rsa.RSAPrivateKey
) -> None:
    line = await far.connect({"android": real_android(far, rsa_key)}, real=True)
    known = far.fcm._accounts
    far.fcm._accounts = {}
    refused = await line.refusal("android_pushid", "tok")

    assert (catalogue.code(refused.key), refused.native_code) == ("7504", "oauth/invalid_grant")
    status = line.connector.status()
    assert (status["state"], status["systems"]["android"]["credentials"]["state"]) == ("error", "refused")
    assert line.connector.capacity() == 0
    far.fcm._accounts = known
    await asyncio.sleep(0.15)
    assert line.recorder.readied
    assert isinstance(await line.send("android_pushid", "tok"), Submitted)
    assert line.connector.status()["state"] == "ready"


async def test_a_provider_token_is_renewed_after_forty_five_minutes_and_not_before(far: Far) -> None:
    clock = Clock(now_ms)
    line = await far.connect({"ios": {}}, clock=clock)
    for minutes in (-46, -2, 0):
        clock.added = minutes * 60_000
        await line.send("ios_pushid", HEX)

    [first, second, third] = [headers["authorization"] for headers, _ in far.apns.pushes or []]
    assert first == second != third


async def test_a_young_provider_token_that_is_called_old_is_not_renewed(far: Far) -> None:
    """Apple counts renewals; the clock is wrong, and another token would not help."""
    line = await far.connect({"ios": {}})
    far.apns.token_seconds = 0
    refused = await line.refusal("ios_pushid", HEX)

    assert (catalogue.code(refused.key), refused.native_code) == ("7504", "ExpiredProviderToken")
    assert far.apns.counts["refused"] == 1


async def test_an_old_provider_token_that_is_refused_is_renewed_and_the_push_sent_again(far: Far) -> None:
    clock = Clock(now_ms)
    clock.added = -30 * 60_000
    line = await far.connect({"ios": {}}, clock=clock)
    await line.send("ios_pushid", HEX)
    clock.added = 0
    far.apns.token_seconds = 20 * 60

    assert isinstance(await line.send("ios_pushid", HEX), Submitted)
    assert far.apns.counts["refused"] == 1


async def test_many_pushes_begin_with_one_stream(far: Far) -> None:
    """APNs takes one stream of a connection until it has seen a good token."""
    line = await far.connect()
    results = await asyncio.gather(
        *(line.send("ios_pushid", "ab" * 28 + f"{number:04d}0000") for number in range(200))
    )

    assert all(isinstance(result, Submitted) for result in results)
    assert far.apns.server.opened == 1


async def test_another_key_at_apns_is_refused_as_ours(far: Far, ec_key: ec.EllipticCurvePrivateKey) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    options = real_ios(far, ec_key)
    options["token"] = {**options["token"], "private_key": pem(other)}
    line = await far.connect({"ios": options}, real=True)
    refused = await line.refusal("ios_pushid", HEX)

    assert (catalogue.code(refused.key), refused.native_code) == ("7504", "InvalidProviderToken")
    assert line.connector.status()["state"] == "error"


async def test_a_browser_bound_to_another_key_is_refused(far: Far) -> None:
    found = far.webpush.subscribe("ann", server_key="BAAA")
    token = json.dumps({"endpoint": found.endpoint, "keys": {"p256dh": found.keys.p256dh, "auth": found.keys.auth}})
    line = await far.connect()

    assert code(await line.send("chrome_pushid", token)) == "7504"
    assert line.connector.status()["state"] == "ready"  # one subscription says nothing of our key
    for _ in range(2):
        await line.send("chrome_pushid", token)
    assert line.connector.status()["state"] == "error"


async def test_the_other_environment_is_tried_where_the_app_allows_it(
    far: Far, ec_key: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await far.connect({"ios": real_ios(far, ec_key)}, real=True)
    sender = line.connector._lines.sender("ios")
    asked: list[str] = []

    async def send_to(endpoint: str, push: Push) -> Result:
        asked.append(endpoint)
        return Result(("BadDeviceToken",)) if endpoint == "a" else Result()

    monkeypatch.setattr(sender, "_settings", dataclasses.replace(sender._settings, endpoints=("a", "b")))
    monkeypatch.setattr(sender, "_send_to", send_to)

    assert isinstance(await line.send("ios_pushid", HEX), Submitted)
    assert asked == ["a", "b"]


# Bad days

DOWN = [("android_pushid", "tok", "7508"), ("ios_pushid", HEX, "7517"), ("chrome_pushid", "tok", "7214")]


@pytest.mark.parametrize(
    ("kind", "to", "expected"),
    [("android_pushid", "tok", "7508"), ("ios_pushid", HEX, "7517"), ("chrome_pushid", "tok", "7214")],
)
async def test_a_far_end_that_hangs_is_asked_again_with_a_flag(
    far: Far, monkeypatch: pytest.MonkeyPatch, kind: str, to: str, expected: str
) -> None:
    monkeypatch.setattr(lines, "FAST_TIMEOUT", 0.1)
    line = await far.connect()
    await line.send(kind, to)  # tokens are there
    for stand_in in (far.fcm, far.apns, far.webpush):
        stand_in.server.handler = lambda call: None
    refused = await line.refusal(kind, to)

    assert (catalogue.code(refused.key), refused.retry, refused.native_code) == (expected, "resend", "timeout")


@pytest.mark.parametrize(
    ("kind", "to", "expected"),
    [("android_pushid", "tok", "7508"), ("ios_pushid", HEX, "7517"), ("chrome_pushid", "tok", "7214")],
)
async def test_a_far_end_that_is_down_is_left_alone_and_messages_wait(
    far: Far, kind: str, to: str, expected: str
) -> None:
    line = await far.connect()
    await line.send(kind, to)
    for stand_in in (far.fcm, far.apns, far.webpush):
        await stand_in.server.stop()
    refused = [await line.refusal(kind, to) for _ in range(5)]
    waits = await line.refusal(kind, to)

    assert {catalogue.code(one.key) for one in refused} == {expected}
    assert (waits.retry, waits.native) == ("wait", ())
    status = line.connector.status()
    system = {"android_pushid": "android", "ios_pushid": "ios", "chrome_pushid": "web"}[kind]
    assert (status["state"], status["systems"][system]["state"]) == ("down", "down")


async def test_a_goodbye_of_apns_loses_nothing_and_doubles_nothing(far: Far) -> None:
    line = await far.connect()
    await line.send("ios_pushid", HEX)
    sending = [asyncio.create_task(line.send("ios_pushid", "ab" * 28 + f"{number:04d}0000")) for number in range(100)]
    await asyncio.sleep(0.01)
    far.apns.server.goodbye()
    results = await asyncio.gather(*sending)

    assert all(isinstance(result, Submitted) for result in results)
    identities = [headers["apns-id"] for headers, _ in far.apns.pushes or []]
    assert len(identities) == len(set(identities)) == 101


async def test_an_answer_that_is_none_of_fcm_is_kept_as_it_came(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "tok")
    far.fcm.server.handler = lambda call: Reply(418, {}, b"<html>teapot</html>")
    refused = await line.refusal("android_pushid", "tok")

    assert catalogue.code(refused.key) == "7518"
    shown = line.connector.describe(refused.native[1])
    assert (shown["line"], shown["body"]) == ("HTTP 418", "<html>teapot</html>")


async def test_a_token_that_was_replaced_is_told(far: Far) -> None:
    line = await far.connect()
    await line.send("android_pushid", "tok")

    def handler(call: Call) -> Reply:
        return Reply(200, {}, b'{"name": "projects/p/messages/1", "registration_id": "fresh"}')

    far.fcm.server.handler = handler
    assert isinstance(await line.send("android_pushid", "tok"), Submitted)

    [news] = line.recorder.news
    assert (news.address, news.reachable, news.replaced_by) == ("tok", False, "fresh")


async def test_fcm_can_be_reached_over_http_1_as_well(far: Far, rsa_key: rsa.RSAPrivateKey) -> None:
    line = await far.connect({"android": real_android(far, rsa_key, http="1.1")}, real=True)
    results = await asyncio.gather(*(line.send("android_pushid", f"tok{number}") for number in range(20)))

    assert all(isinstance(result, Submitted) for result in results)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("tok", "no subscription"),
        ('{"endpoint":"https://push.example/1","keys":{"p256dh":"AAAA","auth":"AAAA"}}', "p256dh"),
        ('{"endpoint":"http://push.example/1","keys":{"p256dh":"AAAA","auth":"AAAA"}}', "not https"),
        ('{"endpoint":"nowhere","keys":{"p256dh":"AAAA","auth":"AAAA"}}', "neither http nor https"),
    ],
)
async def test_a_subscription_is_looked_at_before_it_is_used(
    far: Far, ec_key: ec.EllipticCurvePrivateKey, token: str, said: str
) -> None:
    web = {"vapid_private_key": pem(ec_key), "subject": "mailto:a@example.com"}
    line = await far.connect({"web": web}, real=True)
    refused = await line.refusal("chrome_pushid", token)

    assert (catalogue.code(refused.key), refused.native_code) == ("7212", "registration")
    assert said in refused.detail


async def test_a_subscription_never_leads_to_a_private_address(far: Far, ec_key: ec.EllipticCurvePrivateKey) -> None:
    found = far.webpush.subscribe("ann")
    server = Server(lambda call: Reply(201), "127.0.0.1")
    _, port = await server.start()
    keys = {"p256dh": found.keys.p256dh, "auth": found.keys.auth}
    token = json.dumps({"endpoint": f"https://127.0.0.1:{port}/x", "keys": keys})
    web = {"vapid_private_key": pem(ec_key), "subject": "mailto:a@example.com"}
    line = await far.connect({"web": web}, real=True)
    refused = await line.refusal("chrome_pushid", token)
    opened = server.opened
    await server.stop()

    assert (catalogue.code(refused.key), refused.native_code, opened) == ("7212", "refused_target", 0)


async def test_a_token_that_is_no_number_never_reaches_apns(far: Far) -> None:
    line = await far.connect()

    assert code(await line.send("ios_pushid", "../../x?y")) == "7512"
    assert far.apns.server.opened == 0
