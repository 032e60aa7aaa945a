"""A user's messages are numbered in the order in which they were handed over, whatever had to be asked first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.rt import CHANNEL
from heliograph.channels.rt.connector import WINDOW, RtConnector
from heliograph.model.channel import Body, Events, Outbound, Tools
from heliograph.model.inapp import Delivery, InApp, Kept, Notification
from heliograph.model.workspace import ConnectorSpec
from heliograph.testing import NOW_MS, message_of

COUNT = 20
DISK_SECONDS = 0.02


class SlowUsers:
    """Users of whom it takes ever less time to find out that they are away; all that is kept takes as long."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int]] = []
        self.asked = self.at_once = self.most = 0

    async def present(self, lane: str, user: str) -> bool:
        self.asked += 1
        await asyncio.sleep(0.02 / self.asked)
        return False

    async def keep(self, delivery: Delivery) -> Kept:
        self.kept.append((delivery.user, delivery.request))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(DISK_SECONDS)
        self.at_once -= 1
        return Kept(len(self.kept))

    async def notify(self, delivery: Delivery, notification: Notification) -> str:
        raise NotImplementedError


class Taken:
    """Counts what has an end."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def settled(self, outbound: Outbound, result: Any) -> None:
        self.results.append(result)

    def ready(self) -> None:
        """There is room again."""


async def test_messages_of_a_user_keep_their_order_and_do_not_wait_for_each_other_s_disk(tmp_path: Path) -> None:
    users, taken = SlowUsers(), Taken()
    spec = ConnectorSpec(name="AP1", channel="rt", kind="app", options={"rtm": {}, "push": False}, window=WINDOW)
    tools = Tools("demo/AP1", False, LocalTokens(lambda: NOW_MS), lambda: NOW_MS, tmp_path, cast(InApp, users))
    connector = RtConnector(spec, tools)
    await connector.start(cast(Events, taken))
    content = message_of(CHANNEL, {"message": {"text": "Hi"}}).content
    for number in range(COUNT):
        for ordinal, user in enumerate(("ann", "ben")):
            connector.submit(Outbound(number, ordinal, user, Body(content=content)))
    async with asyncio.timeout(5):
        while len(taken.results) < 2 * COUNT:
            await asyncio.sleep(0.005)
    await connector.stop(1)

    assert [number for user, number in users.kept if user == "ann"] == list(range(COUNT))
    assert [number for user, number in users.kept if user == "ben"] == list(range(COUNT))
    assert users.most > 2
