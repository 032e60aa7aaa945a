"""The connector of kind `x`: direct messages of one account. What X takes no longer waits here until X says when."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.twitter.credentials import Bearer, Signed
from heliograph.channels.twitter.hook import moment_of
from heliograph.channels.twitter.message import Call, call_of, event_id
from heliograph.channels.twitter.outcomes import Fault, Outcome, fault_of, outcome_of
from heliograph.channels.twitter.quota import Asking, Quota
from heliograph.channels.twitter.settings import FAST_TIMEOUT, account_of
from heliograph.model.channel import Outbound, Tools
from heliograph.model.outcome import Reachability, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire import natives
from heliograph.wire.http import Answer, Client, HttpError
from heliograph.wire.sending import FAST_SECONDS, CredentialsRefused, Sending, Unreachable

IDLE_SECONDS = 10.0  # kept connections are closed by us before X closes them under a message
PAUSE_SECONDS = {"free": 60.0, "late": 900.0, "no": 900.0}  # where X does not say until when, by retry class
UNAUTHORIZED = 401
ME_PATH = "/2/users/me"


class XConnector(Sending):
    """One account. See `Connector`."""

    def __init__(self, spec: ConnectorSpec, tools: Tools) -> None:
        self._account = account_of(spec)
        self._tools = tools
        self._timeout = FAST_TIMEOUT if tools.fast else self._account.timeout
        self._client = Client(max_connections_per_origin=spec.window + 1, idle_timeout=IDLE_SECONDS)
        self._credentials: Signed | Bearer = (
            Bearer(self._account, tools, self._client) if self._account.bearer else Signed(self._account, tools)
        )
        self._quota = Quota()
        self._asking = Asking(fast=tools.fast)
        super().__init__(
            spec.name, self._direct_message, window=spec.window, fast=tools.fast, close=self._client.close,
            check=self._known,
        )  # fmt: skip

    def capacity(self) -> int:
        """See `Connector`: no more than X still takes."""
        room = super().capacity()
        left = self._quota.room(self._tools.clock_ms())
        return room if left is None else max(0, min(room, left - self.in_use))

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        return natives.described(native)

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        shown = super().status() | {"account": self._account.own_id} | self._credentials.status()
        if self._quota.left is not None:
            shown["quota"] = {
                "left": self._quota.left, "limit": self._quota.limit, "reset_ms": self._quota.reset_ms
            }  # fmt: skip
        return shown

    async def _direct_message(self, outbound: Outbound) -> Submitted | SendError:
        call = call_of(outbound.to, outbound.body, bearer=self._account.bearer)
        if isinstance(call, SendError):
            return call
        url = self._account.endpoint.rstrip("/") + call.path
        answer = await self._asked(url, call)
        native = (natives.asked("POST", url, call.body), natives.answered(answer))
        self._heed(answer)
        if identity := event_id(answer.body) if answer.status < 300 else "":
            return Submitted((identity,), native, thread=outbound.to, sent_ms=moment_of(identity))
        fault = fault_of(answer.status, answer.body)
        if answer.status < 300 and not fault.detail:  # taken, it seems, but under which id?
            said = "X answered without an id of the message"
            return SendError(keys.UNKNOWN_EXCEPTION, "unknown", fault.native_code, said, native)
        return self._refusal(outbound, fault, native)

    async def _asked(self, url: str, call: Call) -> Answer:
        """The answer to a call; an OAuth 2 token that X refuses is renewed once."""
        refused = ""
        while True:
            authorization = await self._credentials.authorize("POST", url, refused)
            headers = {"content-type": "application/json", "authorization": authorization.header}
            try:
                answer = await self._client.request(
                    "POST", url, headers, call.body, self._timeout, self._account.allow_private, once=True
                )
            except HttpError as error:
                # What was written may have been taken: an event of our own sending settles it, never a resend.
                retry = "unknown" if error.written else "soon"
                native = (natives.asked("POST", url, call.body),)
                raise Unreachable(
                    SendError(keys.ENDPOINT_UNREACHABLE, retry, error.kind, error.detail, native)
                ) from error
            if answer.status != UNAUTHORIZED or not authorization.token or refused:
                return answer
            refused = authorization.token

    async def _known(self) -> None:
        """Whether X takes the account again: asked seldom, for that too is counted."""
        await asyncio.sleep(self._asking.pause())
        url = self._account.endpoint.rstrip("/") + ME_PATH
        authorization = await self._credentials.authorize("GET", url)
        try:
            answer = await self._client.request(
                "GET", url, {"authorization": authorization.header}, b"", self._timeout, self._account.allow_private
            )
        except HttpError as error:
            raise Unreachable(SendError(keys.ENDPOINT_UNREACHABLE, "soon", error.kind, error.detail)) from error
        fault = fault_of(answer.status, answer.body)
        outcome = outcome_of(fault)
        if answer.status >= 400 and outcome.action == "error":
            meant = self._meant(outcome, fault)
            raise CredentialsRefused(SendError(meant.key, meant.retry, fault.native_code, fault.detail))
        self._asking.answered()

    def _heed(self, answer: Answer) -> None:
        """Sleep until the reset once the window is used up."""
        self._quota.read(answer.headers)
        now_ms = self._tools.clock_ms()
        if wait_ms := self._quota.wait_ms(now_ms):
            self._quota.reset_ms = now_ms + int(self._sleep(wait_ms / 1000) * 1000)

    def _sleep(self, seconds: float) -> float:
        """Let nothing out for so long, in the sandbox for a moment; the seconds."""
        seconds = min(seconds, FAST_SECONDS) if self._tools.fast else seconds
        self.rest(seconds)
        return seconds

    def _refusal(self, outbound: Outbound, fault: Fault, native: tuple[bytes, ...]) -> SendError:
        outcome = self._meant(outcome_of(fault), fault)
        result = SendError(outcome.key, outcome.retry, fault.native_code, fault.detail, native)
        if outcome.deactivate == "yes":
            reason = f"{fault.native_code} {fault.detail}".strip()
            now_ms = self._tools.clock_ms()
            self.news(Reachability(self.name, "twitter", outbound.to, False, at_ms=now_ms, reason=reason))
        if outcome.action == "error":
            raise CredentialsRefused(result)
        if outcome.action == "down":
            raise Unreachable(result)
        if outcome.action == "pause" and not self._quota.wait_ms(self._tools.clock_ms()):
            self._sleep(PAUSE_SECONDS[outcome.retry])
        return result

    def _meant(self, outcome: Outcome, fault: Fault) -> Outcome:
        """A renewed token of OAuth 2 that is refused without a number is the user's, not the app's."""
        if fault.status == UNAUTHORIZED and not fault.code and self._account.bearer:
            return outcome._replace(key=keys.INVALID_USER_CREDENTIALS)
        return outcome
