"""Until somebody answers: one host of the trunk after the other, and where redirects lead."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from heliograph.channels.voice import outcomes
from heliograph.channels.voice.leg import Callee, Leg
from heliograph.channels.voice.outcomes import Outcome
from heliograph.channels.voice.record import Record
from heliograph.channels.voice.settings import Settings
from heliograph.channels.voice.sound.store import Sounds
from heliograph.model.channel import Outbound
from heliograph.model.outcome import Receipt
from heliograph.wire.http import Client
from heliograph.wire.rtp.stream import NoPort
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.layer import Target
from heliograph.wire.sip.session import Ending

NEXT_HOST = frozenset({408, 500, 502, 503, 504})
REST_SECONDS = 30.0  # for which a host that did not answer is asked last
GOODBYE_SECONDS = 35.0  # until a BYE is answered or given up
RINGING = frozenset({180, 183})


@dataclass(frozen=True, slots=True)
class Around:
    """What all calls of a connector share. `targets` gives the hosts to try, best first, or those that a URI means;
    `rest` says that one is to be asked last for so many seconds; `report` takes receipts."""

    endpoint: Endpoint
    settings: Settings
    sounds: Sounds
    http: Client
    targets: Callable[[str], Awaitable[list[Target]]]
    rest: Callable[[Target, float], None]
    report: Callable[[Receipt], None]
    clock_ms: Callable[[], int]


class Failed(Exception):
    """A try that ended before anybody answered: how, the native code, what that means, who ended it."""

    def __init__(self, ending: Ending, code: str, outcome: Outcome, by: str) -> None:
        super().__init__(ending)
        self.ending = ending
        self.code = code
        self.outcome = outcome
        self.by = by


def _own(word: str, ending: Ending, by: str) -> Failed:
    return Failed(ending, word, outcomes.of_local(word), by)


class Dialling:
    """One message's tries. `submit` is told, once or more, that the far end has the call, under its Call-ID."""

    def __init__(
        self, around: Around, outbound: Outbound, record: Record, submit: Callable[[Leg, str], None]
    ) -> None:
        self.leg: Leg | None = None
        self.stopping = False
        self._around = around
        self._outbound = outbound
        self._record = record
        self._told = submit
        self._rang = False
        self._redirects = around.settings.redirects

    def stop(self) -> None:
        """Nobody is called any more."""
        self.stopping = True
        if self.leg is not None:
            self.leg.hang_up()

    async def reach(self) -> Leg:
        """Somebody who answers, over one host or the next. Raises `Failed`."""
        last = _own(outcomes.NO_RESPONSE, Ending("trunk", reason="no host of the trunk has an address"), "trunk")
        for target in await self._around.targets(""):
            try:
                return await self._follow(target)
            except Failed as failure:
                last = failure
                ending = failure.ending
                if self._record.ringing or self._rang or self.stopping:
                    break
                if failure.code != outcomes.NO_RESPONSE and ending.code not in NEXT_HOST:
                    break
                self._around.rest(target, float(ending.retry_after) or REST_SECONDS)
        raise last

    async def _follow(self, target: Target) -> Leg:
        """Somebody who answers there, or where we are sent from there (RFC 3261 8.1.3.4). Raises `Failed`."""
        try:
            return await self._try(target)
        except Failed as failure:
            last = failure
        queue = deque(last.ending.contacts)
        while queue and self._redirects > 0 and not self.stopping:
            uri = queue.popleft()
            for elsewhere in (await self._around.targets(uri))[:1]:
                self._redirects -= 1
                self._record.note(f"sent on to {uri}")
                try:
                    return await self._try(elsewhere, uri)
                except Failed as failure:
                    last = failure
                    queue.extendleft(reversed(last.ending.contacts))
        raise last

    async def _try(self, target: Target, to: str = "") -> Leg:
        if self.stopping:
            raise _own(outcomes.STOPPED, Ending("us"), "platform")
        leg = self.leg = Leg(self._around.endpoint, self._around.settings, self._record.note)
        answered = False
        try:
            try:
                call = await leg.place(self._callee(), target, to)
            except NoPort as error:
                raise _own(outcomes.NO_PORT, Ending("us", reason=str(error)), "platform") from None
            except OSError as error:
                ending = Ending("trunk", reason=error.strerror or "no way there")
                raise _own(outcomes.NO_RESPONSE, ending, "trunk") from None
            self._record.placing(call, f"{target.transport} {target.host}:{target.port}")
            await self._until_up(leg, call)
            answered = True
        finally:
            if not answered:
                leg.close()
        return leg

    def _callee(self) -> Callee:
        settings, outbound = self._around.settings, self._outbound
        return Callee(settings.prefix + quote(outbound.to, "+*#"), quote(outbound.body.sender or "anonymous", "+*#"))

    async def _until_up(self, leg: Leg, call: str) -> None:
        """Until the callee answers with audio that we can send. Raises `Failed`."""
        settings, loop = self._around.settings, asyncio.get_running_loop()
        limit: float | None = loop.time() + settings.setup_limit
        rang = False
        while True:
            try:
                async with asyncio.timeout_at(limit):
                    fact = await leg.progress.get()
            except TimeoutError:
                self._record.note("it rang long enough" if rang else "it took too long to ring")
                leg.hang_up()
                limit = None  # the call ends by itself
                continue
            if fact is None:
                raise self._failed(leg.over.result(), rang)
            if isinstance(fact, ss.Up):
                break
            self._record.progress(fact.code, fact.reason)
            if fact.code in RINGING and not rang and limit is not None:
                rang, limit = True, loop.time() + settings.ring_limit
            if fact.code > 100:
                self._submit(leg, call)
        if leg.media_fault:
            leg.hang_up()
            await asyncio.wait({leg.over}, timeout=GOODBYE_SECONDS)
            raise _own(outcomes.NO_MEDIA, Ending("us", 200, leg.media_fault), "platform")
        self._submit(leg, call)

    def _failed(self, ending: Ending, rang: bool) -> Failed:
        if ending.by == "far":
            return Failed(ending, str(ending.code), outcomes.of_ending(ending, rang), "far end")
        if self.stopping:
            return _own(outcomes.STOPPED, ending, "platform")
        if ending.by == "us":
            return _own(outcomes.RING_LIMIT if rang else outcomes.NO_RESPONSE, ending, "limit")
        return _own(outcomes.NO_RESPONSE, ending, "trunk")

    def _submit(self, leg: Leg, call: str) -> None:
        self._rang = True
        self._told(leg, call)
