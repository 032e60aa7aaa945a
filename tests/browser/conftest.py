"""A headless Chromium, driven over its own DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS = 30.0


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def command(self, method: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol; its result."""
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def value(self, expression: str) -> Any:
        """What an expression comes to in the page, a promise awaited."""
        found = await self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float = 20.0) -> Any:
        """The first true value of an expression."""
        async with asyncio.timeout(seconds):
            while not (found := await self.value(expression)):
                await asyncio.sleep(0.05)
            return found


def program() -> str:
    """Chromium; without it the test is skipped."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip("needs a Chromium: apt install chromium")
    return found


@pytest_asyncio.fixture
async def browse(tmp_path: Path) -> AsyncIterator[Callable[[str], Any]]:
    """Opens a URL in a tab of a fresh browser."""
    profile = tmp_path / "profile"
    browser = await asyncio.create_subprocess_exec(
        program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--no-proxy-server", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as tabs:
        port = await _port(profile / "DevToolsActivePort")

        async def open_tab(url: str) -> Page:
            async with httpx.AsyncClient(trust_env=False) as client:
                made = (await client.put(f"http://127.0.0.1:{port}/json/new?about:blank")).json()
            socket = await tabs.enter_async_context(
                connect(made["webSocketDebuggerUrl"], proxy=None, max_size=1 << 24, ping_interval=None)
            )
            page = Page(socket)
            await page.command("Page.enable")
            await page.command("Page.navigate", url=url)
            await page.until(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")
            return page

        yield open_tab
    browser.terminate()
    await browser.wait()


async def _port(file: Path) -> int:
    async with asyncio.timeout(START_SECONDS):
        while not (text := _text(file)).strip():
            await asyncio.sleep(0.05)
    return int(text.splitlines()[0])


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
