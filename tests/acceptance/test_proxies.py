"""The caller's address behind trusted proxies, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import pytest
import pytest_asyncio

from heliograph.api.source import caller
from heliograph.testing import KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROXIES = "127.0.0.1, 10.0.0.0/8, fd00::/8"
OWN_KEY = "key-with-a-list-of-its-own"
STATUS = "/resources/v1/messaging/status/0192aaaa-0000-7000-8000-000000000000"
GOOD: dict[str, Any] = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900001"]}],
}
TENANT_SAYS_NO, SERVICE_SAYS_NO = (
    ("7010", "Source IP is not whitelisted"),
    ("7208", "Source ip is not white listed"),
)


def listed(url: str) -> dict[str, Any]:
    """The test workspace for callers of two networks; one service takes only some of them."""
    made = workspace(url)
    tenant = made["tenants"][0]
    tenant["ip_allowlist"] = ["203.0.113.0/24", "2001:db8::/32"]
    own = {**tenant["services"][0], "id": "own", "keys": [OWN_KEY], "ip_allowlist": ["203.0.113.64/26"]}
    tenant["services"].append(own)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform behind proxies."""
    async with running(tmp_path_factory.mktemp("data"), listed, TRUSTED_PROXIES=PROXIES) as platform:
        yield platform


LISTED: dict[str, list[str]] = {
    "the caller alone": ["203.0.113.9"],
    "with a port": ["203.0.113.9:4711"],
    "IPv6": ["2001:db8::7"],
    "IPv6 in brackets": ["[2001:db8::7]"],
    "IPv6 with a port": ["[2001:db8::7]:4711"],
    "an IPv4 address as IPv6": ["::ffff:203.0.113.9"],
    "what stands further left is not believed": ["198.51.100.7, 203.0.113.9"],
    "what stands further left is not read": ["nonsense, 203.0.113.9"],
    "over two proxies": ["203.0.113.9, 10.1.2.3"],
    "over proxies of both kinds": ["203.0.113.9,fd00::1 , 10.1.2.3"],
    "over a proxy written as IPv6": ["203.0.113.9, ::ffff:10.1.2.3"],
    "in two lines": ["198.51.100.7", "203.0.113.9, 10.1.2.3"],
}
UNLISTED: dict[str, list[str]] = {
    "no header: the proxy itself": [],
    "an empty header": [""],
    "another caller": ["198.51.100.7"],
    "a listed address made up by the caller": ["203.0.113.9, 198.51.100.7"],
    "a listed address made up in a line before": ["203.0.113.9", "198.51.100.7"],
    "proxies alone": ["10.1.2.3, 10.1.2.4"],
    "garbage on the right": ["203.0.113.9, nonsense"],
    "an end without address": ["203.0.113.9,"],
    "a port that is none": ["203.0.113.9:port"],
    "a bracket left open": ["[2001:db8::7"],
    "more behind the bracket": ["[2001:db8::7]x"],
    "a zone": ["2001:db8::7%eth0"],
    "a name": ["localhost"],
    "unknown": ["unknown"],
    "a long list": [", ".join(["10.0.0.1"] * 2_000)],
}


async def refusal(live: Running, lines: list[str], key: str = KEY) -> tuple[str, str] | None:
    """Code and text of the refusal of a good call, None when it is taken."""
    headers = [("key", key), *(("X-Forwarded-For", line) for line in lines)]
    response = (await live.client.post("/resources/v1/messaging", json=GOOD, headers=headers)).json()["response"]
    return (response["code"], response["description"]) if isinstance(response, dict) else None


@pytest.mark.parametrize("lines", LISTED.values(), ids=LISTED)
async def test_a_listed_caller_behind_proxies_is_taken(live: Running, lines: list[str]) -> None:
    assert await refusal(live, lines) is None


@pytest.mark.parametrize("lines", UNLISTED.values(), ids=UNLISTED)
async def test_any_other_is_refused(live: Running, lines: list[str]) -> None:
    assert await refusal(live, lines) == TENANT_SAYS_NO


@pytest.mark.parametrize(("source", "wanted"), [("203.0.113.65", None), ("203.0.113.9", SERVICE_SAYS_NO)])
async def test_the_list_of_a_service_sees_the_caller_too(live: Running, source: str, wanted: Any) -> None:
    assert await refusal(live, [source], OWN_KEY) == wanted


@pytest.mark.parametrize(("source", "code"), [("203.0.113.9", "7600"), ("198.51.100.7", "7010")])
async def test_the_status_api_sees_the_caller_too(live: Running, source: str, code: str) -> None:
    answer = await live.client.get(STATUS, headers={"key": KEY, "X-Forwarded-For": source})

    assert answer.json()["response"]["code"] == code


@pytest.mark.parametrize("setting", ["", "10.0.0.0/8"])
async def test_who_is_no_trusted_proxy_is_not_believed(tmp_path: Any, setting: str) -> None:
    async with running(tmp_path, listed, TRUSTED_PROXIES=setting) as platform:
        assert await refusal(platform, ["203.0.113.9"]) == TENANT_SAYS_NO


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        ("10.0.0.1", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9"),
        ("fd00::1", "203.0.113.9"),
        ("192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("/run/socket", "/run/socket"),
    ],
)
async def test_the_peer_decides_whether_the_header_counts(peer: str, found: str) -> None:
    proxies = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]

    assert caller(peer, "203.0.113.9", proxies) == found
