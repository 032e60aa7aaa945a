"""Other people's clients against the stand-ins: they are honest peers."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from typing import Any

import async_firebase._credentials
import http_ece
import httpx
import py_vapid
import pytest
from async_firebase import AsyncFirebaseClient
from async_firebase.messages import AndroidConfig, Message
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.auth import crypt
from google.auth import jwt as google_jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from heliograph.channels.push.far_ends.credentials import SCOPE, base64url, from_base64url

from .conftest import HEX, Far, account


async def test_google_auth_gets_an_access_token(far: Far, rsa_key: rsa.RSAPrivateKey) -> None:
    found = service_account.Credentials.from_service_account_info(
        account(rsa_key, far.peers["fcm"].url()), scopes=[SCOPE]
    )
    await asyncio.to_thread(lambda: found.refresh(Request()))

    assert found.token.startswith("ya29.")
    assert found.valid


async def test_google_auth_is_refused_with_another_key(far: Far) -> None:
    other = rsa.generate_private_key(65_537, 2048)
    found = service_account.Credentials.from_service_account_info(
        account(other, far.peers["fcm"].url()), scopes=[SCOPE]
    )
    with pytest.raises(RefreshError, match="invalid_grant"):
        await asyncio.to_thread(lambda: found.refresh(Request()))


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("tok", ""),
        ("tok-sim-7513", "UNREGISTERED"),
        ("tok-sim-7512", "INVALID_ARGUMENT"),
        ("tok-sim-7508", "UNAVAILABLE"),
    ],
)
async def test_async_firebase_sends_and_reads_refusals(
    far: Far, rsa_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch, token: str, error: str
) -> None:
    url = far.peers["fcm"].url()
    monkeypatch.setattr(async_firebase._credentials, "TOKEN_URL", f"{url}/token")

    class Client(AsyncFirebaseClient):
        BASE_URL = url

    async with Client() as client:
        client.creds_from_service_account_info(account(rsa_key, url))
        android: AndroidConfig = client.build_android_config(
            priority="high", ttl=60, collapse_key="k", title="T", body="Hi"
        )
        answer = await client.send(Message(android=android, fid=token))

    assert answer.success is not bool(error)
    if error:
        assert error in repr(answer.exception.cause.response.json())
    else:
        assert answer.message_id.startswith("projects/p1/messages/")


@pytest.fixture
def provider_token(ec_key: ec.EllipticCurvePrivateKey) -> str:
    """A provider token that google-auth signs."""
    signer = crypt.ES256Signer(ec_key, key_id="KEY")
    made: bytes = google_jwt.encode(signer, {"iss": "TEAM", "iat": int(time.time())})
    return made.decode()


PUSH = {"aps": {"alert": "Hi"}}


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({}, 200, ""), ({"authorization": ""}, 403, "MissingProviderToken"),
        ({"authorization": "bearer a.b.c"}, 403, "InvalidProviderToken"), ({"apns-topic": ""}, 400, "MissingTopic"),
        ({"apns-push-type": "loud"}, 400, "InvalidPushType"), ({"apns-push-type": "voip"}, 400, "TopicDisallowed"),
        ({"apns-id": "x"}, 400, "BadMessageId"), ({"apns-expiration": "soon"}, 400, "BadExpirationDate"),
        ({"apns-priority": "7"}, 400, "BadPriority"), ({"apns-collapse-id": "k" * 65}, 400, "BadCollapseId"),
    ],
)  # fmt: skip
async def test_httpx_speaks_with_apns(
    far: Far, provider_token: str, change: dict[str, str], status: int, reason: str
) -> None:
    peer = far.peers["apns"]
    headers = {
        "authorization": f"bearer {provider_token}", "apns-topic": "com.example.app", "apns-push-type": "alert",
        "apns-id": str(uuid.uuid4()), **change,
    }  # fmt: skip
    context = ssl.create_default_context(cadata=peer.ca)
    async with httpx.AsyncClient(http1=False, http2=True, verify=context, trust_env=False) as client:
        answer = await client.post(f"{peer.url('https')}/3/device/{HEX}", headers=headers, json=PUSH)

    assert (answer.status_code, answer.http_version) == (status, "HTTP/2")
    assert (answer.json()["reason"] if reason else "") == reason
    assert answer.headers["apns-id"] == headers["apns-id"]


async def test_apns_wants_one_key_on_a_connection(far: Far, provider_token: str) -> None:
    peer = far.peers["apns"]
    context = ssl.create_default_context(cadata=peer.ca)
    own = {"apns-topic": "com.example.app", "apns-push-type": "alert"}
    far.apns._keys = {**far.apns._keys, ("TEAM", "OTHER"): far.apns._keys["TEAM", "KEY"]}
    async with httpx.AsyncClient(http1=False, http2=True, verify=context, trust_env=False) as client:
        url = f"{peer.url('https')}/3/device/{HEX}"
        first = await client.post(url, headers={**own, "authorization": f"bearer {provider_token}"}, json=PUSH)
        too_large = await client.post(
            url, headers={**own, "authorization": f"bearer {provider_token}"}, json={"aps": {"alert": "x" * 5_000}}
        )

    assert (first.status_code, too_large.status_code) == (200, 413)


async def test_another_implementation_pushes_to_a_browser(far: Far, ec_key: ec.EllipticCurvePrivateKey) -> None:
    """As pywebpush does it: http_ece encrypts, py_vapid signs."""
    found = far.webpush.subscribe("ann")
    signer = py_vapid.Vapid02(conf={"no-strict": True})
    signer.private_key = ec_key
    headers = signer.sign({"aud": far.webpush.url, "sub": "mailto:a@example.com", "exp": int(time.time()) + 60})
    body = http_ece.encrypt(
        b"Hi", private_key=ec.generate_private_key(ec.SECP256R1()), dh=from_base64url(found.keys.p256dh),
        auth_secret=from_base64url(found.keys.auth), version="aes128gcm",
    )  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            found.endpoint, headers={**headers, "ttl": "60", "content-encoding": "aes128gcm"}, content=body
        )
        forged = await client.post(
            found.endpoint, headers={**headers, "ttl": "60", "content-encoding": "aes128gcm",
                                     "authorization": headers["Authorization"].replace("k=", "k=B")}, content=body
        )  # fmt: skip

    assert (answer.status_code, forged.status_code) == (201, 401)
    assert "location" in answer.headers
    assert [plain for _, plain in far.webpush.pushes or []] == [b"Hi"]


async def test_a_browser_reads_our_push_with_another_implementation(far: Far) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    found = far.webpush.subscribe("ann")
    bodies: list[bytes] = []
    serve = far.webpush.server.handler

    def keep(call: Any) -> Any:
        bodies.append(call.body)
        return serve(call)

    far.webpush.server.handler = keep
    browser = far.webpush._browsers["ann"]
    token = json.dumps({"endpoint": found.endpoint, "keys": {"p256dh": found.keys.p256dh, "auth": found.keys.auth}})
    line = await far.connect()
    await line.send("chrome_pushid", token)
    plain = http_ece.decrypt(bodies[0], private_key=browser.key, auth_secret=browser.secret, version="aes128gcm")

    assert json.loads(plain)["notification"] == {"title": "T", "body": "Hi"}
    assert base64url(b"") == ""
    assert key is not browser.key
