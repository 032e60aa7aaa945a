"""Inbound webhooks over HTTP: every code with its exact text, what may be posted, who may call from a page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.model.ids import parse_transid
from heliograph.store import StoreUnavailable
from heliograph.testing import KEY, OTHER_KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN, KEYED, TOKENED, SIGNED, SIGNED_512, FILTERED, SMALL, OFF = (
    "HOOK00000001", "HOOK00000002", "HOOK00000003", "HOOK00000004", "HOOK00000005", "HOOK00000006", "HOOK00000007",
    "HOOK00000008",
)  # fmt: skip
WALLED, FENCED, ASLEEP, SUSPENDED, LIMITED = "WALLED0001", "FENCED0001", "ASLEEP0001", "SUSPENDED1", "LIMITED001"
SECRET = "a-secret-of-the-hook"
TOKEN_SECRET = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
SHOP = "https://shop.example.com"
BODY = b'{"data": {"id": "7", "status": "shipped"}}'


def declared(url: str) -> dict[str, Any]:
    """Hooks in every condition that a caller may meet."""
    document = workspace(url, jwt=[{"id": "orders", "secret": TOKEN_SECRET}])
    demo = document["tenants"][0]
    condition = {"field": "data.status", "op": "in", "value": ["shipped", "sent"]}
    demo["hooks"] = [
        {"id": OPEN, "service": "orders", "cors": [SHOP]},
        {"id": KEYED, "service": "orders", "auth": "key", "cors": ["*"]},
        {"id": TOKENED, "service": "orders", "auth": "jwt"},
        {"id": SIGNED, "service": "orders", "signature": {"secret": SECRET}},
        {
            "id": SIGNED_512,
            "service": "orders",
            "signature": {"secret": SECRET, "header": "X-Shop", "algorithm": "sha512"},
        },
        {"id": FILTERED, "service": "orders", "when": [condition]},
        {"id": SMALL, "service": "orders", "max_bytes": 64},
        {"id": OFF, "service": "orders", "status": "inactive"},
        {"id": FENCED, "service": "fenced"},
        {"id": ASLEEP, "service": "asleep"},
    ]
    demo["services"] += [
        {"id": "asleep", "status": "suspended"}, {"id": "fenced", "ip_allowlist": ["10.0.0.0/8"]},
    ]  # fmt: skip
    for name, hook, more in (
        ("walled", WALLED, {"ip_allowlist": ["10.0.0.0/8"]}),
        ("suspended", SUSPENDED, {"status": "suspended"}),
        ("limited", LIMITED, {"limits": {"event_per_second": 1}}),
    ):
        hooks = [{"id": hook, "service": "a"}]
        document["tenants"].append({"id": name, "services": [{"id": "a"}], "hooks": hooks, **more})
    return document


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with these hooks."""
    async with running(tmp_path_factory.mktemp("data"), declared) as platform:
        yield platform


async def post(live: Running, hook: str, body: bytes = BODY, **headers: str) -> httpx.Response:
    """One call of a hook."""
    return await live.client.post(f"/events/{hook}", content=body, headers=headers)


async def kept(live: Running, answer: httpx.Response) -> Any:
    """What was kept of a call."""
    return (await live.admin("GET", f"/events/{answer.json()['response']['transid']}")).json()


def signed(body: bytes = BODY, secret: str = SECRET, algorithm: str = "sha256", prefix: bool = True) -> str:
    """The signature of a body."""
    digest = hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()
    return f"{algorithm}={digest}" if prefix else digest


def token() -> str:
    """A token of the service."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"iss": "orders", "iat": int(time.time())})
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    digest = hmac.new(base64.b64decode(TOKEN_SECRET), text, "sha256").digest()
    return b".".join((text, base64.urlsafe_b64encode(digest).rstrip(b"="))).decode()


@dataclass
class Case:
    """A call, and what it is answered."""

    key: str
    hook: str = OPEN
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


XML = {"content-type": "application/xml"}
CASES = [
    Case(keys.QUEUED),
    Case(keys.QUEUED, KEYED, headers={"key": KEY}),
    Case(keys.QUEUED, SIGNED, headers={"x-hub-signature": signed()}),
    Case(keys.QUEUED, SIGNED, headers={"x-hub-signature": signed(prefix=False).upper()}),
    Case(keys.QUEUED, SIGNED_512, headers={"x-shop": signed(algorithm="sha512")}),
    Case(keys.QUEUED, SMALL, b'"' + b"x" * 62 + b'"'),
    *(Case(keys.INVALID_JSON, body=body) for body in (b"", b"{", b"\xff", b"nonsense", b"[" * 20_000)),
    Case(keys.INVALID_JSON, body=b'{"a":' + b"[" * 40 + b"]" * 40 + b"}"),
    Case(keys.INVALID_JSON, body=b"<a/>", headers={"content-type": "application/json"}),
    Case(keys.AUTHENTICATION_FAILED, KEYED, headers={"key": OTHER_KEY}),
    Case(keys.AUTHENTICATION_FAILED, KEYED, headers={"key": "nonsense"}),
    Case(keys.AUTHENTICATION_FAILED, TOKENED, headers={"authorization": "Bearer x.y.z"}),
    Case(keys.SERVICE_KEY_MISSING, KEYED),
    Case(keys.SERVICE_KEY_MISSING, TOKENED),
    Case(keys.SERVICE_KEY_MISSING, TOKENED, headers={"key": KEY}),
    Case(keys.SERVICE_INACTIVE, ASLEEP),
    Case(keys.SERVICE_INACTIVE, SUSPENDED),
    Case(keys.HOOK_UNKNOWN, "NOBODY0001"),
    Case(keys.HOOK_UNKNOWN, OPEN.lower()),
    Case(keys.HOOK_UNKNOWN, OFF),
    Case(keys.IP_NOT_ALLOWED, WALLED),
    Case(keys.SERVICE_IP_NOT_ALLOWED, FENCED),
    *(Case(keys.INVALID_XML, body=body) for body in (b"<a", b"<a></b>", b"<!DOCTYPE a><a/>", b"<a>&b;</a>")),
    *(Case(keys.INVALID_XML, body=body, headers=XML) for body in (b"", BODY, b"<a>" * 40 + b"</a>" * 40)),
    Case(keys.INVALID_SIGNATURE, SIGNED, headers={"x-hub-signature": signed(b"other")}, status=400),
    Case(keys.INVALID_SIGNATURE, SIGNED, headers={"x-hub-signature": signed(secret="other")}, status=400),
    Case(keys.INVALID_SIGNATURE, SIGNED, headers={"x-hub-signature": f"md5={signed(prefix=False)}"}, status=400),
    Case(keys.INVALID_SIGNATURE, SIGNED, headers={"x-hub-signature": signed(algorithm="sha512")}, status=400),
    Case(keys.SIGNATURE_MISSING, SIGNED),
    Case(keys.SIGNATURE_MISSING, SIGNED_512, headers={"x-hub-signature": signed()}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key)
async def test_a_call_is_answered_to_the_letter(live: Running, case: Case) -> None:
    answer = await post(live, case.hook, case.body, **case.headers)
    row = catalogue.find(case.key, catalogue.EVENT)
    response = answer.json()["response"]

    assert (answer.status_code, response["code"]) == (case.status, row.code)
    assert response["description"] == ("Queued" if case.key == keys.QUEUED else row.message)
    assert parse_transid(response.pop("transid"))
    assert set(response) == {"code", "description"}


async def test_a_token_is_taken(live: Running) -> None:
    for hook in (KEYED, TOKENED):
        answer = await post(live, hook, authorization=f"Bearer {token()}")
        assert answer.json()["response"]["code"] == "1002"


async def test_calls_above_the_limit_are_7020(live: Running) -> None:
    codes = [(await post(live, LIMITED)).json()["response"]["code"] for _ in range(4)]

    assert "7020" in codes


@pytest.mark.parametrize(
    ("error", "code"), [(StoreUnavailable("in this test"), "7005"), (RuntimeError("in this test"), "7006")]
)
async def test_a_fault_of_ours_is_told(
    live: Running, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    async def broken(_: Any) -> None:
        raise error

    monkeypatch.setattr(live.platform.store, "accept_events", broken)
    response = (await post(live, OPEN)).json()["response"]

    assert (response["code"], response["description"]) == (code, "Internal error occurred")


async def test_a_body_that_is_too_large_is_430(live: Running) -> None:
    answer = await post(live, SMALL, b'"' + b"x" * 63 + b'"')

    assert answer.status_code == 430
    assert answer.json()["error"]["key"] == "body_too_large"


async def test_a_hook_is_posted_to(live: Running) -> None:
    assert (await live.client.get(f"/events/{OPEN}")).status_code == 405


async def test_a_trailing_slash_is_served(live: Running) -> None:
    assert (await live.client.post(f"/events/{OPEN}/", content=BODY)).json()["response"]["code"] == "1002"


# What may be posted

PAYLOADS: list[tuple[bytes, dict[str, str], Any]] = [
    (BODY, {}, {"data": {"id": "7", "status": "shipped"}}),
    (b"\xef\xbb\xbf<a/>", {}, {"a": ""}),
    (b'[{"a": 1}, {"a": 2}]', {}, {"body": [{"a": 1}, {"a": 2}]}),
    (b"7", {}, {"body": 7}),
    (b'"<a/>"', {"content-type": "text/plain"}, {"body": "<a/>"}),
    ("<o n='7'> <sku>a</sku><sku>é</sku>x</o>".encode(), {}, {"o": {"@n": "7", "sku": ["a", "é"], "#text": "x"}}),
    (b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", XML, {"a": "é"}),
    (b"<s:a xmlns:s='u'><s:b>1</s:b></s:a>", {"content-type": "application/soap+xml; charset=utf-8"},
     {"s:a": {"@xmlns:s": "u", "s:b": "1"}}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "headers", "payload"), PAYLOADS)
async def test_what_was_posted_is_kept(live: Running, body: bytes, headers: dict[str, str], payload: Any) -> None:
    found = await kept(live, await post(live, OPEN, body, **headers))

    assert (found["trigger"], found["name"], found["service"]) == ("hook", OPEN, "orders")
    assert found["payload"] == payload


# What follows


async def test_a_call_without_a_rule_is_unresolved(live: Running) -> None:
    assert (await kept(live, await post(live, OPEN)))["state"] == "unresolved"


async def test_a_call_that_the_filter_leaves_out_is_kept_as_ignored(live: Running) -> None:
    found = await kept(live, await post(live, FILTERED, b'{"data": {"status": "packed"}}'))

    assert (found["state"], found["note"]) == ("ignored", "the filter of its hook left it out")


async def test_a_call_that_fulfils_the_filter_is_not_ignored(live: Running) -> None:
    assert (await kept(live, await post(live, FILTERED)))["state"] == "unresolved"


async def test_a_call_that_was_left_out_runs_again_under_another_filter(live: Running) -> None:
    found = await kept(live, await post(live, FILTERED, b'{"data": {"status": "packed"}}'))
    rule = {"name": "packed", "on": {"hook": FILTERED}, "then": [{"stop": True}]}
    await live.admin("POST", "/tenants/demo/rules", json=rule)
    refused = await live.admin("POST", f"/events/{found['id']}/rerun")
    document = (await live.admin("GET", "/workspace?secrets=true")).json()
    [hook] = [one for one in document["tenants"][0]["hooks"] if one["id"] == FILTERED]
    before = hook.pop("when")
    assert (await live.admin("PUT", "/workspace", json=document)).status_code == 200
    taken = await live.admin("POST", f"/events/{found['id']}/rerun")
    hook["when"] = before
    document["tenants"][0].pop("rules", None)
    await live.admin("PUT", "/workspace", json=document)

    assert (refused.status_code, taken.status_code) == (409, 200)


async def test_a_named_call_is_taken_once(live: Running) -> None:
    named = {"idempotency-key": "delivery-1"}
    first, second = [(await post(live, OPEN, **named)).json() for _ in range(2)]
    other = (await post(live, KEYED, key=KEY, **named)).json()
    wrong = (await post(live, OPEN, b"{}", **named)).json()["response"]

    assert first == second
    assert first != other
    assert (wrong["code"], wrong["description"]) == ("7004", "invalid value for param 'Idempotency-Key'")


# From pages


async def test_a_page_of_a_listed_origin_may_call(live: Running) -> None:
    asked = await live.client.options(f"/events/{OPEN}", headers={"origin": SHOP})
    answer = await post(live, OPEN, origin=SHOP)

    assert asked.status_code == 204
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["vary"] == "origin"


async def test_any_page_may_call_where_all_may(live: Running) -> None:
    answer = await post(live, KEYED, origin="https://other.example")

    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("hook", [OPEN, SIGNED, "NOBODY0001"])
async def test_a_page_of_another_origin_may_not(live: Running, hook: str) -> None:
    asked = await live.client.options(f"/events/{hook}", headers={"origin": "https://shop.example.com.evil.example"})

    assert "access-control-allow-origin" not in asked.headers


async def test_no_other_endpoint_may_be_called_from_a_page(live: Running) -> None:
    answer = await live.client.post(
        "/resources/v1/events/externalevent", headers={"origin": SHOP, "key": KEY}, json={"events": []}
    )

    assert "access-control-allow-origin" not in answer.headers


# Declared

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"id": "hook"}, "id"),
    ({"service": "nobody"}, "service"),
    ({"signature": {"secret": "short"}}, "signature.secret"),
    ({"signature": {"secret": SECRET, "header": "a b"}}, "signature.header"),
    ({"cors": ["shop.example.com"]}, "cors"),
    ({"cors": [f"{SHOP}/"]}, "cors"),
    ({"max_bytes": 0}, "max_bytes"),
    ({"when": [{"field": "a", "op": "regex", "value": "("}]}, "when[0].value"),
    ({"when": [{"field": "profile.name", "value": "x"}]}, "when[0].field"),
    ({"auth": "password"}, "auth"),
    ({"id": WALLED}, "id"),
]


@pytest.mark.parametrize(("members", "where"), FAULTS, ids=[where for _, where in FAULTS])
async def test_a_hook_that_cannot_be_declared_is_named(live: Running, members: dict[str, Any], where: str) -> None:
    document = declared(live.url)
    hook = {"id": "HOOK00000009", "service": "orders", **members}
    demo = document["tenants"].pop(0)
    demo["hooks"] = [hook]
    document["tenants"].append(demo)  # behind the other tenants, whose ids are taken
    answer = await live.admin("PUT", "/workspace?plan=true", json=document)

    assert answer.status_code == 400
    path = f"tenants[demo].hooks[{hook['id']}].{where}"
    assert path in [fault["path"] for fault in answer.json()["error"]["faults"]]


async def test_the_secret_of_a_hook_is_shown_to_nobody(live: Running) -> None:
    shown = (await live.admin("GET", "/workspace")).text

    assert SECRET not in shown
    assert SIGNED in shown
