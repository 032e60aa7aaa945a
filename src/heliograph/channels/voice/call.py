"""One message as a call: dialled over the hosts of the trunk until somebody answers, then talked to, then accounted
for."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.voice import outcomes
from heliograph.channels.voice.dial import GOODBYE_SECONDS, Around, Dialling, Failed
from heliograph.channels.voice.flow.conversation import Conversation
from heliograph.channels.voice.leg import Leg
from heliograph.channels.voice.record import Record
from heliograph.channels.voice.sound.store import Sound, SoundError
from heliograph.channels.voice.wanted import Wanted, spoken
from heliograph.model.channel import Outbound
from heliograph.model.outcome import Receipt, SendError, Submitted
from heliograph.wire.http import HttpError
from heliograph.wire.sending import CredentialsRefused, Unreachable
from heliograph.wire.sip.session import Ending

NOTIFY_SECONDS = 10.0
CHALLENGED = frozenset({401, 407})


class Call:
    """`settled` is done once the message is submitted or refused; `run` goes on until the call is over."""

    def __init__(self, around: Around, outbound: Outbound) -> None:
        self._around = around
        self._outbound = outbound
        self._record = Record(around.clock_ms)
        self._dialling = Dialling(around, outbound, self._record, self._submit)
        self._native_id = ""
        self._answer_told = False
        self._early: list[Receipt] | None = []  # those that came before the result was reported
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
        self._dialling.stop()

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
            leg = await self._dialling.reach()
        except Failed as failure:
            self._fail(failure)
            return
        try:
            await self._talk_over(leg)
        finally:
            leg.close()

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
        leg = self._dialling.leg
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
                return ("platform" if self._dialling.stopping else far), ending
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
