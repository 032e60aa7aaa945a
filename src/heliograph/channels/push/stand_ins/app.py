"""The app behind a simulated far end: says to the platform what became of its pushes, as the README tells apps to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

import msgspec

from heliograph.channels.push.app_receipts import MOST
from heliograph.channels.push.stand_ins.plans import Saying
from heliograph.wire.addresses import HttpError
from heliograph.wire.http import Client

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.02  # what is said within this time goes in one call
TRIES = 5
PAUSE_SECONDS = 0.2  # between tries, doubling
_JSON = {"content-type": "application/json"}


class AppSide:
    """All simulated apps of one far end. `platform` is the platform's own URL."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._client: Client | None = None
        self._waiting: dict[str, list[dict[str, str]]] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._calls: set[asyncio.Task[None]] = set()

    def got(self, lane: str, receipt: object, sayings: Iterable[Saying]) -> None:
        """A push came; without a lane or a receipt there is nobody to tell."""
        if not lane or not isinstance(receipt, str) or not receipt:
            return
        loop = asyncio.get_running_loop()
        for saying in sayings:
            item = {"receipt": receipt, "event": saying.event}
            if saying.reason:
                item["reason"] = saying.reason
            self._timers.add(loop.call_later(saying.after, self._say, lane, item))
        if len(self._timers) > 10_000:
            now = loop.time()
            self._timers = {timer for timer in self._timers if timer.when() > now}

    def _say(self, lane: str, item: dict[str, str]) -> None:
        waiting = self._waiting.setdefault(lane, [])
        if not waiting:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._flush, lane)
        waiting.append(item)

    def _flush(self, lane: str) -> None:
        items = self._waiting.pop(lane, [])
        for start in range(0, len(items), MOST):
            task = asyncio.get_running_loop().create_task(self._call(lane, items[start : start + MOST]))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _call(self, lane: str, items: list[dict[str, str]]) -> None:
        """Call until it is kept, as an app with its own queue would."""
        if self._client is None:
            self._client = Client()
        url, body = f"{self._platform}/callbacks/push/{lane}", msgspec.json.encode({"receipts": items})
        for attempt in range(TRIES):
            try:
                answer = await self._client.request("POST", url, _JSON, body, allow_private=True)
                if answer.status < 500:
                    if answer.status != 200:
                        log.warning("receipts of %s are answered %d", lane, answer.status)
                    return
            except HttpError as error:
                log.debug("receipts of %s: %s", lane, error)
            await asyncio.sleep(PAUSE_SECONDS * 2**attempt)

    async def stop(self) -> None:
        """Say no more."""
        for timer in self._timers:
            timer.cancel()
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
