"""JSON web tokens instead of service keys, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import KEY, OTHER_KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = b"0123456789abcdef0123456789abcdef"
SHARED = b"fedcba9876543210fedcba9876543210"
STATUS = "/resources/v1/messaging/status"
UNKNOWN = "0192aaaa-0000-7000-8000-000000000000"
GOOD = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900001"]}],
}


def declared(url: str) -> dict[str, Any]:
    """The test workspace with tokens: one issuer of its own, one unusable, one that two services share."""
    text = base64.b64encode(SECRET).decode()
    shared = {"id": "shared", "secret": base64.b64encode(SHARED).decode()}
    document = workspace(
        url, jwt=[{"id": "issuer", "secret": text}, {"id": "empty"}, {"id": "broken", "secret": "%%%"}, shared]
    )
    document["tenants"][0]["services"][1]["jwt"] = [shared, {"id": "issuer", "secret": shared["secret"]}]
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform whose services have token secrets."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


def part(value: Any) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(secret: bytes = SECRET, head: Any = None, digest: str = "sha256", **claims: Any) -> str:
    """A token; times are seconds from now, None leaves a claim out."""
    now = int(time.time())
    body: dict[str, Any] = {"iss": "issuer", "iat": 0, **claims}
    for name in ("iat", "exp", "nbf"):
        if isinstance(body.get(name), int) and not isinstance(body[name], bool):
            body[name] += now
    body = {name: value for name, value in body.items() if value is not None}
    signed = f"{part(head or {'alg': 'HS256', 'typ': 'JWT'})}.{part(body)}"
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), digest))}"


def tampered() -> str:
    """A good token with the claims of another."""
    head, _, signature = token().split(".")
    return f"{head}.{token(iss='shared').split('.')[1]}.{signature}"


def unsigned(algorithm: str) -> str:
    """A token without a signature."""
    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part({'iss': 'issuer', 'iat': int(time.time())})}."


TAKEN = {
    "fresh": token,
    "an hour old, almost": lambda: token(iat=-3590),
    "a clock ahead": lambda: token(iat=55),
    "exp to come": lambda: token(exp=100),
    "nbf passed": lambda: token(nbf=-1),
    "without typ": lambda: token(head={"alg": "HS256"}),
    "more claims": lambda: token(sub="x", aud=["y"], jti="z"),
}
REFUSED = {
    "no token": lambda: "nonsense",
    "a service key": lambda: KEY,
    "parts that are no base64url": lambda: "a.b.c",
    "parts that are no JSON": lambda: ".".join([part(b"{"), part(b"["), part(b"x")]),
    "parts that are no objects": lambda: ".".join([part([1]), part("x"), part(b"x")]),
    "another secret": lambda: token(secret=b"x" * 32),
    "the secret not decoded": lambda: token(secret=base64.b64encode(SECRET)),
    "tampered": tampered,
    "alg none": lambda: unsigned("none"),
    "alg HS256 without a signature": lambda: unsigned("HS256"),
    "alg in small letters": lambda: token(head={"alg": "hs256"}),
    "alg HS512": lambda: token(head={"alg": "HS512"}, digest="sha512"),
    "alg RS256": lambda: token(head={"alg": "RS256"}),
    "no alg": lambda: token(head={"typ": "JWT"}),
    "something critical": lambda: token(head={"alg": "HS256", "crit": ["exp"]}),
    "no iss": lambda: token(iss=None),
    "iss a number": lambda: token(iss=7),
    "iss unknown": lambda: token(iss="nobody"),
    "iss with an empty secret": lambda: token(iss="empty", secret=b""),
    "iss with an unreadable secret": lambda: token(iss="broken", secret=b""),
    "iss and secret of two services": lambda: token(iss="shared", secret=SHARED),
    "no iat": lambda: token(iat=None),
    "iat a text": lambda: token(iat="now"),
    "iat true": lambda: token(iat=True),
    "iat an hour ago": lambda: token(iat=-3601),
    "iat to come": lambda: token(iat=70),
    "exp passed": lambda: token(exp=-1),
    "exp a text": lambda: token(exp="later"),
    "nbf to come": lambda: token(nbf=70),
    "too long": lambda: token(sub="x" * 10_000),
}  # fmt: skip


async def send(live: Running, made: str, **headers: str) -> Any:
    """The `response` of a good call with a token."""
    head = {"authorization": f"Bearer {made}", **headers}
    return (await live.client.post("/resources/v1/messaging", json=GOOD, headers=head)).json()["response"]


@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN)
async def test_a_good_token_is_taken(live: Running, make: Any) -> None:
    assert (await send(live, make()))[0]["code"] == "1001"


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
async def test_a_bad_token_is_refused_although_the_key_is_good(live: Running, make: Any) -> None:
    refusal = await send(live, make(), key=KEY)

    assert (refusal["code"], refusal["description"]) == ("7001", "Authentication failed")


async def test_a_token_wins_over_a_bad_key(live: Running) -> None:
    assert (await send(live, token(), key="nonsense-key"))[0]["code"] == "1001"


async def test_another_scheme_is_no_token(live: Running) -> None:
    answer = await live.client.post(
        "/resources/v1/messaging", json=GOOD, headers={"authorization": "Basic eDp5", "key": KEY}
    )

    assert answer.json()["response"][0]["code"] == "1001"


async def test_services_may_share_an_issuer_with_secrets_of_their_own(live: Running) -> None:
    element = (await send(live, token(secret=SHARED)))[0]

    assert element["code"] == "7106"  # the service `other` has no way out
    assert (await live.status(element["transid"], OTHER_KEY))[0]["code"] == "7106"


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
async def test_the_status_api_has_its_own_refusal(live: Running, make: Any) -> None:
    answer = await live.client.get(f"{STATUS}/{UNKNOWN}", headers={"authorization": f"Bearer {make()}"})

    assert answer.json()["response"]["code"] == "7601"


async def test_the_status_api_takes_a_token(live: Running) -> None:
    transid = (await send(live, token()))[0]["transid"]
    answer = await live.client.get(f"{STATUS}/{transid}", headers={"authorization": f"bearer {token()}"})

    assert answer.json()[0]["transactionid"] == transid


@pytest.mark.parametrize(("key", "code"), [(KEY, "7600"), (OTHER_KEY, "7603"), ("nonsense-key", "7601")])
async def test_a_key_in_the_path_must_be_of_the_tokens_service(live: Running, key: str, code: str) -> None:
    answer = await live.client.get(f"{STATUS}/{key}/{UNKNOWN}", headers={"authorization": f"Bearer {token()}"})

    assert answer.json()["response"]["code"] == code


async def test_the_secret_is_decoded_whatever_its_alphabet_and_padding(live: Running) -> None:
    raw = hashlib.sha256(b"x").digest() + b"\xfb\xff"
    for text in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")):
        document = workspace(live.url, jwt=[{"id": "issuer", "secret": text}])
        assert (await live.admin("PUT", "/workspace", json=document)).status_code == 200

        assert (await send(live, token(secret=raw)))[0]["code"] == "1001"
