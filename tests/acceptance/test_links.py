"""Smart links and shortened URLs, from the call to the click and its receipt."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import Running, running, workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE = "447700900001"
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
IPHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)"}
ANDROID = {"user-agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9)"}


def document(url: str) -> dict[str, Any]:
    """The test workspace with links, versions of templates, and clicks told."""
    made = workspace(url)
    tenant = made["tenants"][0]
    tenant["link_domains"] = ["go.example.com"]
    tenant["links"] = [
        {"id": "5", "url": "https://shop.example/sale", "ios_url": "https://ios.example", "android_url": "https://a.example"},
        {"id": "6", "url": "https://shop.example/old", "status": "inactive"},
        {"id": "7", "url": "https://shop.example/7", "expired_url": "https://shop.example/over"},
    ]  # fmt: skip
    tenant["templates"] = [
        {"id": "1001", "channel": "sms", "text": "One ${name}"},
        {"id": "1001", "channel": "sms", "version": 2, "text": "Two ${name} {{link_5}}"},
        {"id": "1001", "channel": "sms", "version": 3, "text": "Three", "status": "inactive"},
        {"id": "1002", "channel": "rt", "text": "In the app"},
    ]
    tenant["services"][0]["notify"]["states"] = ["Delivered", "Clicked"]
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A platform with links."""
    async with running(tmp_path_factory.mktemp("data"), document) as platform:
        yield platform


async def send(live: Running, text: str | None, *numbers: str, **more: Any) -> list[dict[str, Any]]:
    """The elements of a call."""
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {} if text is None else {"text": text}, **more.pop("channels", {})},
        "destination": [{"msisdn": list(numbers or (PHONE,))}],
        **more,
    }
    answer = (await live.send(body)).json()["response"]
    return answer if isinstance(answer, list) else [answer]


async def path_of(live: Running, text: str, **more: Any) -> tuple[str, str]:
    """The transid and the path of the short link in what was sent."""
    [element] = await send(live, text, **more)
    assert element["code"] == "1001", element
    await live.final(element["transid"])
    story = str(await live.story(element["transid"]))
    found = re.search(r"(/l/[0-9A-Za-z]{18})", story)
    assert found, story
    return element["transid"], found[1]


async def test_a_smart_link_leads_to_its_url(live: Running) -> None:
    _, path = await path_of(live, "Now {{link_5}}")
    answer = await live.client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/sale")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("agent", "url"), [(IPHONE, "https://ios.example"), (ANDROID, "https://a.example")], ids=["ios", "android"]
)
async def test_a_telephone_is_led_to_its_own(live: Running, agent: dict[str, str], url: str) -> None:
    _, path = await path_of(live, "Now {{link_5}}")
    assert (await live.client.get(path, headers=agent)).headers["location"] == url


async def test_each_destination_has_a_code_of_its_own(live: Running) -> None:
    elements = await send(live, "Now {{link_5}}", PHONE, "447700900002")
    for element in elements:
        await live.final(element["transid"])
    stories = [str(await live.story(element["transid"])) for element in elements]
    codes = {re.search(r"/l/([0-9A-Za-z]{18})", story)[1] for story in stories}  # type: ignore[index]
    assert len(codes) == 2


async def test_a_click_is_in_the_story_and_told_once(live: Running) -> None:
    transid, path = await path_of(live, "Now {{link_5}}")
    for _ in range(2):
        await live.client.get(path, headers=BROWSER)

    async def told() -> list[dict[str, Any]]:
        calls = (await live.client.get("/sim/bin/dr")).json()["calls"]
        bodies = [json.loads(call["body"]) for call in calls]
        return [one for one in bodies if transid in str(one) and "Clicked" in str(one)]

    async with asyncio.timeout(10):
        while not (found := await told()):
            await asyncio.sleep(0.05)
    assert len(found) == 1
    info = found[0]["deliveryInfoNotification"]["deliveryInfo"]
    assert (info["code"], info["Description"], info["deliveryStatus"]) == ("7901", "Clicked", "Clicked")
    story = await live.story(transid)
    assert [click["system"] for click in story["clicks"]] == ["other", "other"]


@pytest.mark.parametrize("agent", ["WhatsApp/2.24", "Twitterbot/1.0", "facebookexternalhit/1.1", "curl/8.0"])
async def test_a_program_that_only_looks_is_no_click(live: Running, agent: str) -> None:
    transid, path = await path_of(live, "Now {{link_5}}")
    assert (await live.client.get(path, headers={"user-agent": agent})).status_code == 302
    assert (await live.client.head(path, headers=BROWSER)).status_code == 302
    assert (await live.story(transid))["clicks"] == []


async def test_an_expired_link_leads_elsewhere(live: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    _, path = await path_of(live, "{{link_7}}", channels={"smartlinks": [{"linkid": "7", "validity": "1"}]})
    later = int(time.time() * 1_000) + 61_000
    monkeypatch.setattr(live.platform.links, "_clock_ms", lambda: later)
    assert (await live.client.get(path, headers=BROWSER)).headers["location"] == "https://shop.example/over"


async def test_a_forged_code_leads_nowhere(live: Running) -> None:
    _, path = await path_of(live, "Now {{link_5}}")
    forged = path[:-1] + ("0" if path[-1] != "0" else "1")
    assert [(await live.client.get(one)).status_code for one in (forged, "/l/x", f"/l/{'0' * 18}")] == [404] * 3


async def test_a_url_is_shortened_where_asked(live: Running) -> None:
    options = {"shortenLinks": "true", "domain": "go.example.com"}
    transid, path = await path_of(live, "See https://shop.example/a/very/long/way?x=1", options=options)
    assert (
        (await live.client.get(path, headers=BROWSER)).headers["location"].startswith("https://shop.example/a/very")
    )
    assert "https://go.example.com/l/" in str(await live.story(transid))


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("an unknown link", {"text": "{{link_99}}"}, "7121"),
    ("an inactive link", {"text": "{{link_6}}"}, "7121"),
    ("a foreign domain", {"text": "http://a.example", "options": {"shortenLinks": True, "domain": "x.de"}}, "7114"),
    ("no domain", {"text": "http://a.example", "options": {"shortenLinks": "true"}}, "7004"),
    ("an odd flag", {"text": "x", "options": {"shortenLinks": "perhaps", "domain": "go.example.com"}}, "7004"),
    ("an odd validity", {"text": "x", "channels": {"smartlinks": [{"linkid": 5, "validity": "soon"}]}}, "7004"),
    ("no link id", {"text": "x", "channels": {"smartlinks": [{"validity": 5}]}}, "7004"),
    ("smartlinks that are no list", {"text": "x", "channels": {"smartlinks": {}}}, "7004"),
    ("an unknown version", {"text": None, "message": {"template": "1001@9"}}, "7108"),
    ("an inactive version", {"text": None, "message": {"template": "1001@3"}}, "7108"),
    ("a template for another channel", {"text": None, "message": {"template": "1002"}}, "7108"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(REFUSED)), ids=[row[0] for row in REFUSED])
async def test_what_cannot_be_linked_is_refused(live: Running, case: int) -> None:
    _, body, code = REFUSED[case]
    body = dict(body)
    [element] = await send(live, body.pop("text"), **body)
    assert element["code"] == code


@pytest.mark.parametrize(("template", "text"), [("1001", "Two Ada "), ("1001@1", "One Ada"), ("1001@2", "Two Ada ")])
async def test_the_newest_active_version_is_sent(live: Running, template: str, text: str) -> None:
    [element] = await send(live, None, message={"template": template, "parameters": {"name": "Ada"}})
    assert element["code"] == "1001"
    await live.final(element["transid"])
    assert text in str(await live.story(element["transid"]))
