"""Service keys over the admin API: made, rotated, revoked, and when they were last used."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import KEY, OTHER_KEY, Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = "/services/orders/keys"
BEHIND_MS = 1_000  # at most of a process that goes by the clock of its database
GOOD = {
    "deliverychannel": "sms",
    "channels": {"sms": {"text": "Hello"}},
    "destination": [{"msisdn": ["447700900001"]}],
}


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(live: Running) -> Running:
    """The platform with the keys of the test workspace and no others."""
    assert (await live.admin("PUT", "/workspace", json=workspace(live.url))).status_code == 200
    return live


async def code(live: Running, key: str) -> str:
    """How a call with the key is answered."""
    response = (await live.send(GOOD, key)).json()["response"]
    return str((response if isinstance(response, dict) else response[0])["code"])


async def listed(live: Running) -> list[dict[str, Any]]:
    """The keys of the service."""
    found: list[dict[str, Any]] = (await live.admin("GET", KEYS)).json()["keys"]
    return found


def name(key: str) -> str:
    """By what a key is known."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


async def make(live: Running, query: str = "") -> Any:
    """A new key."""
    answer = await live.admin("POST", f"{KEYS}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_made_key_is_good_beside_the_old_one(fresh: Running) -> None:
    made = await make(fresh)

    assert made["id"] == name(made["key"])
    assert made["revoked"] == []
    assert [await code(fresh, key) for key in (KEY, made["key"])] == ["1001", "1001"]
    assert [item["id"] for item in await listed(fresh)] == [name(KEY), made["id"]]


async def test_a_third_key_is_refused(fresh: Running) -> None:
    await make(fresh)
    answer = await fresh.admin("POST", KEYS)

    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "too_many_keys")
    assert len(await listed(fresh)) == 2


async def test_rotating_ends_the_older_key(fresh: Running) -> None:
    second = await make(fresh)
    third = await make(fresh, "?rotate=true")

    assert third["revoked"] == [name(KEY)]
    assert [await code(fresh, key) for key in (KEY, second["key"], third["key"])] == ["7001", "1001", "1001"]


async def test_rotating_one_key_ends_none(fresh: Running) -> None:
    assert (await make(fresh, "?rotate=true"))["revoked"] == []


@pytest.mark.parametrize("digits", [8, 12, 64])
async def test_a_revoked_key_is_bad_at_once(fresh: Running, digits: int) -> None:
    prefix = hashlib.sha256(KEY.encode()).hexdigest()[:digits]
    answer = await fresh.admin("DELETE", f"{KEYS}/{prefix}")

    assert answer.json() == {"revoked": [name(KEY)]}
    assert await code(fresh, KEY) == "7001"
    assert await listed(fresh) == []
    assert (await fresh.admin("DELETE", f"{KEYS}/{prefix}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", f"{KEYS}/abc", 400),
        ("DELETE", f"{KEYS}/zzzzzzzzzz", 400),
        ("DELETE", f"{KEYS}/00000000", 404),
        ("DELETE", f"{KEYS}/{hashlib.sha256(OTHER_KEY.encode()).hexdigest()}", 404),
        ("POST", "/services/nobody/keys", 404),
        ("GET", "/services/orders/keys?tenant=nobody", 404),
        ("GET", "/services/orders/keys?tenant=demo", 200),
    ],
)
async def test_what_is_named_must_be_there(fresh: Running, method: str, path: str, status: int) -> None:
    assert (await fresh.admin(method, path)).status_code == status


async def test_a_service_id_of_two_tenants_leaves_a_doubt(fresh: Running) -> None:
    document = workspace(fresh.url)
    twin = {**document["tenants"][0], "id": "twin"}
    twin["services"] = [{**twin["services"][0], "keys": ["twin-key-1"]}]
    document["tenants"].append(twin)
    await fresh.admin("PUT", "/workspace", json=document)

    assert (await fresh.admin("GET", KEYS)).json()["error"]["key"] == "ambiguous"
    assert (await fresh.admin("POST", f"{KEYS}?tenant=twin")).status_code == 200
    assert len((await fresh.admin("GET", f"{KEYS}?tenant=demo")).json()["keys"]) == 1


async def test_applying_without_keys_keeps_what_was_made(fresh: Running) -> None:
    made = await make(fresh)
    document = workspace(fresh.url)
    del document["tenants"][0]["services"][0]["keys"]
    await fresh.admin("PUT", "/workspace", json=document)

    assert await code(fresh, made["key"]) == "1001"


async def test_the_log_says_who_was_given_and_denied(fresh: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "heliograph.audit"):
        made = await make(fresh)
        await fresh.admin("DELETE", f"{KEYS}/{made['id']}")
    said = [record.getMessage() for record in caplog.records if record.name == "heliograph.audit"]

    assert said == [
        f"key {made['id']} of service demo/orders was made",
        f"key {made['id']} of service demo/orders was revoked",
    ]
    assert made["key"] not in caplog.text


async def test_when_a_key_was_used_outlives_the_process(tmp_path: Path) -> None:
    before = time.time() * 1000 - BEHIND_MS
    async with running(tmp_path) as one:
        made = (await one.admin("POST", KEYS)).json()
        assert await code(one, KEY) == "1001"
        first = await listed(one)
        after = one.platform.clock_ms()
    async with running(tmp_path) as two:
        second = await listed(two)
        assert await code(two, made["key"]) == "1001"
        third = await listed(two)

    assert second == first
    assert before <= first[0]["created_at"] <= first[0]["last_used_at"] <= after
    assert first[1]["last_used_at"] is None
    assert third[1]["last_used_at"] >= first[0]["last_used_at"]


async def test_a_wrong_key_leaves_no_trace(fresh: Running) -> None:
    await fresh.platform.key_use.write()
    await code(fresh, "nonsense-key")

    assert fresh.platform.key_use._used == {}
