"""The page of in-app messages and its client, in a real browser: what is sent arrives, and everything is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heliograph.realtime.frames import Close
from heliograph.testing import ADMIN_TOKEN, KEY, Running, eventually, running, workspace

APP = "AP00000001"
ROOT = Path(__file__).parents[2]


def document(url: str) -> dict[str, Any]:
    """A sandbox service with an app in real time."""
    found = workspace(url)
    found["tenants"][0]["apps"] = [{"id": APP, "features": {"rtm": True}}]
    found["tenants"][0]["services"][0]["channels"] |= {"rt": {"app": APP}}
    return found


TEXTS = "[...document.querySelectorAll('#messages li[data-seq]')].map(one => one.firstChild.textContent)"


async def connected(live: Running, browse: Callable[[str], Any], user: str = "ann") -> Any:
    """The page, connected as a user."""
    page = await browse(f"{live.url}/docs/rt")
    await page.value(
        f"document.getElementById('admin').value = {json.dumps(ADMIN_TOKEN)};"
        f"document.getElementById('user').value = {json.dumps(user)};"
        f"document.getElementById('key').value = {json.dumps(KEY)};"
        "document.getElementById('connect').click()"
    )
    await page.until("document.querySelector('#light.on') !== null")
    return page


async def state(live: Running, transid: str, state: str) -> Any:
    """The story once the message stands there."""

    async def there() -> Any:
        story = await live.story(transid)
        return story if story["state"] == state else None

    return await eventually(there)


async def test_a_message_in_a_browser_can_be_followed_step_by_step(
    tmp_path: Path, browse: Callable[[str], Any]
) -> None:
    async with running(tmp_path / "data", document) as live:
        page = await connected(live, browse)
        transid = await live.app_message("ann", "Hello <b>world</b>")
        await page.until(f"{TEXTS}.length === 1")
        story = await state(live, transid, "read")
        texts = await page.value(TEXTS)

        assert texts == ["Hello <b>world</b>"]
        assert all(gate["ok"] for gate in story["gates"])
        [attempt] = story["attempts"]
        sent, said = attempt["native"]
        assert (sent["text"], said["kept_as"], said["connected"]) == ("Hello <b>world</b>", 1, True)
        codes = [receipt["code"] for receipt in story["receipts"]]
        assert codes == ["7500", "7502"]
        assert all("device web-" in json.dumps(receipt) for receipt in story["receipts"])


async def test_what_was_sent_meanwhile_comes_in_order_and_what_is_written_is_told(
    tmp_path: Path, browse: Callable[[str], Any]
) -> None:
    async with running(tmp_path / "data", document) as live:
        page = await connected(live, browse)
        await page.value("document.getElementById('leave').click()")
        await page.until("document.querySelector('#light.on') === null")
        for number in range(5):
            await live.app_message("ann", f"number {number}")
        await page.value("document.getElementById('connect').click()")
        await page.until(f"{TEXTS}.length === 5")
        texts = await page.value(TEXTS)
        await page.value(
            "document.getElementById('draft').value = 'Good morning';document.querySelector('#write button').click()"
        )
        await page.until("document.querySelector('#messages li.mine small') !== null")
        [call] = await live.calls("inbound", 1)

        assert texts == [f"number {number}" for number in range(5)]
        inbound = json.loads(call["body"])
        assert (inbound["userId"], inbound["message"], inbound["appId"]) == ("ann", "Good morning", APP)


async def test_the_client_comes_back_after_a_restart_of_the_server(
    tmp_path: Path, browse: Callable[[str], Any]
) -> None:
    async with running(tmp_path / "data", document) as live:
        page = await connected(live, browse)
        session = next(live.platform.realtime.hub.sessions())
        session.end(Close.AWAY)
        await page.until("document.querySelector('#light.on') === null")
        await page.until("document.querySelector('#light.on') !== null")
        transid = await live.app_message("ann", "Back again")
        await page.until(f"{TEXTS}.length === 1")

        assert (await state(live, transid, "read"))["state"] == "read"


async def test_the_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with running(tmp_path / "data", document) as live:
        page = await live.client.get("/docs/rt")
        scripts = [await live.client.get(f"/docs/rt/{name}") for name in ("heliograph.js", "page.js", "x.js")]

    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http" not in page.text.replace("<!doctype html>", "")
    assert [script.status_code for script in scripts] == [200, 200, 404]


def test_the_server_serves_the_client_of_this_repository() -> None:
    client = ROOT / "clients" / "web" / "heliograph.js"

    assert (ROOT / "src/heliograph/api/inapp/heliograph.js").read_bytes() == client.read_bytes()
