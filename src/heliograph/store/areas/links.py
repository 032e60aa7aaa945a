"""Short links: where each link of a call leads, and whose clicks came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import astuple

from heliograph.model.events import Occurrence
from heliograph.model.record import Click, LinkRow, Notice, StoryLine
from heliograph.store.areas.automation.happening import occur
from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk, count, do, value


class Clicked(NamedTuple):
    """One click to be kept, with its line of the story; `notice` is owed, and `occurrence` told to rules, for the
    first of a destination."""

    click: Click
    line: StoryLine
    notice: Notice | None
    occurrence: Occurrence | None = None


def click(payloads: Sequence[Clicked]) -> Plan[list[bool]]:
    """Clicks; whether each was the first of its destination on that link."""
    firsts: list[bool] = []
    for payload in payloads:
        clicks: int = yield value("count_click", *astuple(payload.click))
        firsts.append(clicks == 1)
        if clicks == 1 and payload.occurrence is not None:
            yield occur([payload.occurrence])
        owed = payload.notice
        if clicks == 1 and owed is not None:
            yield do(
                "insert_click_notice", owed.request, owed.ordinal, owed.id, int(owed.state), owed.key, owed.detail,
                owed.at, owed.url, owed.origin, owed.tenant, owed.service,
            )  # fmt: skip
    yield bulk("insert_click_story", [astuple(payload.line) for payload in payloads])
    return firsts


def forget_links(payloads: Sequence[int]) -> Plan[list[int]]:
    """Links that ended before a moment, with the counts of their clicks; how many links went."""
    gone: list[int] = []
    for until_ms in payloads:
        yield do("purge_clicks", until_ms)
        gone.append((yield count("purge_links", until_ms)))
    return gone


class Links(Area):
    """Short links and clicks."""

    async def link(self, request: int, ordinal: int, number: int) -> LinkRow | None:
        """The link of that number in the message to a destination."""
        found = await self._read(list[LinkRow], "find_link", request, ordinal, number)
        return found[0] if found else None

    async def click(self, clicked: Clicked) -> bool:
        """Keep a click; whether it was the first of its destination on that link."""
        first: bool = await self.engine.write("click", clicked)
        self._tell_caused(clicked.occurrence)
        return first

    async def forget_links(self, until_ms: int) -> int:
        """Delete links that ended before that moment; how many."""
        gone: int = await self.engine.write("forget_links", until_ms)
        return gone

    async def clicks(self, tenant: str, label: str, since: int) -> list[tuple[str, int, int]]:
        """`(label, destinations, clicks)` of a tenant's links, of one or ("") of all, in requests from that id on."""
        return await self._read(list[tuple[str, int, int]], "clicks", tenant, label, since)
