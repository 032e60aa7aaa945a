"""One message as a call: dialled over the hosts of the trunk until somebody answers, then talked to, then accounted
for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from heliograph.catalogue import keys
from heliograph.channels.voice import outcomes
from heliograph.channels.voice.flow.conversation import Conversation
from heliograph.channels.voice.leg import Callee, Leg
from heliograph.channels.voice.outcomes import Outcome
from heliograph.channels.voice.record import Record
from heliograph.channels.voice.settings import Settings
from heliograph.channels.voice.sound.store import Sound, SoundError, Sounds
from heliograph.channels.voice.wanted import Wanted, spoken
from heliograph.model.channel import Outbound
from heliograph.model.outcome import Receipt, SendError, Submitted
from heliograph.wire.http import Client, HttpError
from heliograph.wire.rtp.stream import NoPort
from heliograph.wire.sending import CredentialsRefused, Unreachable
from heliograph.wire.sip import session as ss
from heliograph.wire.sip.endpoint import Endpoint
from heliograph.wire.sip.layer import Target
from heliograph.wire.sip.session import Ending

NEXT_HOST = frozenset({408, 500, 502, 503, 504})
REST_SECONDS = 30.0  # for which a host that did not answer is asked last
GOODBYE_SECONDS = 35.0  # until a BYE is answered or given up
NOTIFY_SECONDS = 10.0
CHALLENGED = frozenset({401, 407})
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


class Call:
    """`settled` is done once the message is submitted or refused; `run` goes on until the call is over."""

    def __init__(self, around: Around, outbound: Outbound) -> None:
        self._around = around
        self._outbound = outbound
        self._record = Record(around.clock_ms)
        self._leg: Leg | None = None
        self._native_id = ""
        self._stopping = False
        self._answer_told = False
        self._early: list[Receipt] | None = []  # those that came before the result was reported
        self._redirects = around.settings.redirects
        self.settled: asyncio.Future[Submitted | SendError] = asyncio.get_running_loop().create_future()
        wanted = outbound.body.attached
        self._wanted: Wanted = wanted if isinstance(wanted, Wanted) else Wanted()
        flow = self._wanted.flow or spoken(outbound.body.text)
        parameters = outbound.body.content.parameters
        self._talk = Conversation(flow, parameters, self, self._record, around.settings.language)

    # For the conversation

    async def prompt(self, name: str) -> Sound:
        """See `Library`."""
        return await self._around.sounds.prompt(name, self._wanted.prompts, private=self._wanted.private)

    async def spoken(self, text: str, language: str) -> Sound:
        """See `Library`."""
        return await self._around.sounds.spoken(text, language)

    async def tell(self, url: str, body: bytes) -> str:
        """See `Teller`."""
        headers = {"content-type": "application/json"}
        try:
            answer = await self._around.http.request("POST", url, headers, body, NOTIFY_SECONDS, self._wanted.private)
        except HttpError as error:
            return f"failed, {error.detail}"
        return f"HTTP {answer.status}"

    # The call

    def stop(self) -> None:
        """This process is to end: nobody is called any more, who talks is let go."""
        self._stopping = True
        if self._leg is not None:
            self._leg.hang_up()

    def was_settled(self) -> None:
        """The result was reported: receipts may follow it."""
        early, self._early = self._early or [], None
        for receipt in early:
            self._around.report(receipt)

    @property
    def talking(self) -> bool:
        """Whether somebody answered."""
        return bool(self._record.answered)

    async def run(self) -> None:
        """From the first INVITE to the last receipt."""
        try:
            await self._talk.prepare()
        except SoundError as error:
            retry = "soon" if error.passing else "no"
            self._settle(SendError(keys.CONFIGURATION_ERROR, retry, detail=str(error)))
            return
        try:
            leg = await self._reach()
        except Failed as failure:
            self._fail(failure)
            return
        try:
            await self._talk_over(leg)
        finally:
            leg.close()

    # Until somebody answers

    async def _reach(self) -> Leg:
        """Somebody who answers, over one host or the next. Raises `Failed`."""
        last = _own(outcomes.NO_RESPONSE, Ending("trunk", reason="no host of the trunk has an address"), "trunk")
        for target in await self._around.targets(""):
            try:
                return await self._follow(target)
            except Failed as failure:
                last = failure
                ending = failure.ending
                if self._record.ringing or self.settled.done() or self._stopping:
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
        for uri in last.ending.contacts:
            for elsewhere in await self._around.targets(uri):
                if self._redirects <= 0 or self._stopping:
                    break
                self._redirects -= 1
                self._record.note(f"sent on to {uri}")
                try:
                    return await self._try(elsewhere, uri)
                except Failed as failure:
                    last = failure
        raise last

    async def _try(self, target: Target, to: str = "") -> Leg:
        if self._stopping:
            raise _own(outcomes.STOPPED, Ending("us"), "platform")
        leg = self._leg = Leg(self._around.endpoint, self._around.settings, self._record.note)
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
        if self._stopping:
            return _own(outcomes.STOPPED, ending, "platform")
        if ending.by == "us":
            return _own(outcomes.RING_LIMIT if rang else outcomes.NO_RESPONSE, ending, "limit")
        return _own(outcomes.NO_RESPONSE, ending, "trunk")

    def _submit(self, leg: Leg, call: str) -> None:
        if not self.settled.done():
            self._native_id = call
            self._settle(Submitted((call,), tuple(leg.native)))

    def _settle(self, result: Submitted | SendError) -> None:
        if not self.settled.done():
            self.settled.set_result(result)

    def _fail(self, failure: Failed) -> None:
        self._record.finished(failure.by, failure.ending)
        detail = self._record.short().removeprefix(f"{failure.code} ")
        if self.settled.done():
            self._receipt(failure.outcome.key, failure.code, detail)
            return
        leg = self._leg
        native = (*(leg.native if leg else ()), self._record.raw().encode())
        result = SendError(failure.outcome.key, failure.outcome.retry, failure.code, detail, native)
        if failure.code == outcomes.NO_RESPONSE:
            self.settled.set_exception(Unreachable(result))
        elif failure.ending.code in CHALLENGED:
            self.settled.set_exception(CredentialsRefused(result))
        else:
            self._settle(result)

    # Once somebody answered

    async def _talk_over(self, leg: Leg) -> None:
        settings = self._around.settings
        self._record.picked_up(leg.codec)
        timer = None
        if settings.min_play:
            timer = asyncio.get_running_loop().call_later(settings.min_play, self._tell_answer)
        else:
            self._tell_answer()
        by, ending = await self._converse(leg)
        if timer is not None:
            timer.cancel()
        await self._talk.told()
        self._record.audio = leg.audio()
        self._record.finished(by, ending)
        if not self._answer_told and by != "flow" and by != "transfer":
            outcome = outcomes.of_local(outcomes.EARLY_BYE)
            self._receipt(outcome.key, outcomes.EARLY_BYE, self._record.short())
        else:
            self._answer_told = True
            self._receipt(outcomes.of_local(outcomes.ANSWERED).key, "200", self._record.short())

    def _tell_answer(self) -> None:
        self._answer_told = True
        self._receipt(outcomes.of_local(outcomes.ANSWERED).key, "200", self._record.short())

    async def _converse(self, leg: Leg) -> tuple[str, Ending]:
        """Talk until the flow, the callee or a limit ends it: who did, and how."""
        outbound, settings = self._outbound, self._around.settings
        talk = asyncio.ensure_future(
            self._talk.run(leg, self.tell, call=self._native_id, to=outbound.to, sender=outbound.body.sender)
        )
        either: set[asyncio.Future[Any]] = {talk, leg.over}
        try:
            done, _ = await asyncio.wait(either, timeout=settings.longest_call, return_when=asyncio.FIRST_COMPLETED)
            if leg.over in done:
                ending = leg.over.result()
                far = "callee" if ending.by == "far" else "trunk"
                return ("platform" if self._stopping else far), ending
            by = self._result(talk) if talk in done else "limit"
            leg.hang_up()
            await asyncio.wait({leg.over}, timeout=GOODBYE_SECONDS)
            return by, leg.over.result() if leg.over.done() else Ending("us", reason="the BYE was not answered")
        finally:
            talk.cancel()
            await asyncio.gather(talk, return_exceptions=True)

    def _result(self, talk: asyncio.Future[str]) -> str:
        try:
            return talk.result()
        except SoundError as error:
            self._record.note(f"the flow cannot go on: {error}")
            return "fault"

    def _receipt(self, key: str, code: str, detail: str) -> None:
        receipt = Receipt("", self._native_id, key, code, detail, self._outbound.to, self._record.raw())
        if self._early is None:
            self._around.report(receipt)
        else:
            self._early.append(receipt)
