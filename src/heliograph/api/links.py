"""`GET /l/{code}`: a short link leads on, and whoever sent it hears of the click."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable

from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from heliograph.api import render
from heliograph.catalogue import keys
from heliograph.model.events import Occurrence
from heliograph.model.ids import Ids
from heliograph.model.message import Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Click, LinkRow, Notice, StoryLine
from heliograph.policy.automation.occurring import of_click
from heliograph.policy.directory import Directory
from heliograph.policy.objects.links import Codes, Place
from heliograph.policy.outcomes import OutcomeBook
from heliograph.store import Clicked, Store, StoreUnavailable

log = logging.getLogger(__name__)

# Programs that open links to show or to check them; what they open is no click of a person.
_ROBOT = re.compile(
    r"bot\b|bot[/ ]|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|telegram|skypeuripreview|discord|"
    r"linkedin|embedly|curl/|wget/|python-|headless|scan",
    re.IGNORECASE,
)
_SYSTEMS = (("ios", re.compile("iphone|ipad|ipod", re.IGNORECASE)), ("android", re.compile("android", re.IGNORECASE)))
_HEADERS = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


class LinkViews:
    """Leads on, and keeps clicks. `tell` gets the notices of clicks after their commit."""

    def __init__(
        self,
        store: Store,
        codes: Codes,
        directory: Callable[[], Directory],
        ids: Ids,
        clock_ms: Callable[[], int],
        tell: Callable[[list[Notice]], None],
    ) -> None:
        self._store = store
        self._codes = codes
        self._book = OutcomeBook(directory, ids.next)
        self._directory = directory
        self._ids = ids
        self._clock_ms = clock_ms
        self._tell = tell

    async def follow(self, request: HttpRequest) -> Response:
        """Where the link leads, at once; a person's click is kept first."""
        place = self._codes.read(request.path_params["code"])
        link = await self._store.link(*place) if place else None
        if place is None or link is None:
            return _page("There is no such link.", render.NOT_FOUND)
        now_ms = self._clock_ms()
        if link.until <= now_ms:
            if link.expired:
                return RedirectResponse(link.expired, render.FOUND, _HEADERS)
            return _page("This link has expired.", render.GONE)
        agent = request.headers.get("user-agent", "")
        system = next((name for name, pattern in _SYSTEMS if pattern.search(agent)), "other")
        if request.method == "GET" and agent and not _ROBOT.search(agent):
            await self._keep(place, link, system, now_ms)
        url = {"ios": link.ios, "android": link.android}.get(system) or link.url
        return RedirectResponse(url, render.FOUND, _HEADERS)

    async def _keep(self, place: Place, link: LinkRow, system: str, now_ms: int) -> None:
        data = {"link": link.label, "url": link.url, "system": system}
        line = StoryLine(self._ids.next(), place.request, place.ordinal, now_ms, "click", json.dumps(data))
        try:
            notice, occurrence = await self._told(place, link, system, now_ms)
            first = await self._store.click(Clicked(Click(*place, now_ms), line, notice, occurrence))
        except StoreUnavailable as error:  # the person is led on all the same
            log.warning("a click on a link could not be kept: %s", error)
            return
        if first and notice is not None:
            self._tell([notice])

    async def _told(
        self, place: Place, link: LinkRow, system: str, now_ms: int
    ) -> tuple[Notice | None, Occurrence | None]:
        """What the sender and its rules are told; None where nobody asked, or the message is no longer kept."""
        request = (await self._store.requests([place.request])).get(place.request)
        rows = await self._store.transactions(place.request, place.ordinal) if request else []
        if request is None or not rows:
            return None, None
        outcomes = self._book.of(request, rows[0].element)
        change = outcomes.change(place.ordinal, State.READ, keys.LINK_CLICKED, now_ms, link.label or link.url)
        row = Transaction(place.request, place.ordinal, rows[0].element, rows[0].address)
        asked = self._directory().rules(request.tenant).has("click")
        occurrence = of_click(request, row, link, system, self._ids.next(), now_ms) if asked else None
        return outcomes.notice(change, row) if change.notice else None, occurrence


def _page(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, _HEADERS)
