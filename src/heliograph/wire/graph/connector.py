"""A connector to one account on the Graph API: each message is one or several calls, each written once.

The Send APIs are not idempotent. So a call that was written and not answered is never repeated: its message ends as
unknown, unless the far end has by then repeated our reference to us, which settles it (see `receipts`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Events, Outbound, Tools
from heliograph.model.outcome import Reachability, Receipt, SendError, Submitted
from heliograph.wire.graph import credentials, usage
from heliograph.wire.graph.account import Account
from heliograph.wire.graph.meanings import DOWN, OTHER, Fault, Meanings, Outcome, fault_in
from heliograph.wire.graph.threads import Threads
from heliograph.wire.http import Answer, Client, HttpError
from heliograph.wire.sending import CredentialsRefused, Sending, Unreachable

log = logging.getLogger(__name__)

TIMEOUT, FAST_TIMEOUT = 10.0, 5.0  # seconds for one call
ECHO_WAIT, FAST_ECHO_WAIT = 5.0, 0.5  # that the far end gets to repeat our reference when its answer did not come
THREAD_REST, FAST_THREAD_REST = 300.0, 0.5
FAST_REST = 0.2  # at most, in the sandbox
MAYBE_DONE = frozenset({502, 504})  # a gateway gave up waiting: what it had passed on may have been done
NEVER_SENT = frozenset({"bad_url", "refused_target", "protocol"})  # faults of ours or of the workspace


class Piece(NamedTuple):
    """One call of a message. `reports` says whether the far end will report on it; `media` that it counts towards
    the lower rate of heavy media."""

    body: dict[str, Any]
    reports: bool = True
    media: bool = False


@dataclass(frozen=True, slots=True)
class Medium:
    """What differs between the channels on Graph: `pieces` are the calls of a message (or why there are none),
    `native_id` the id in a good answer; `marks` says that reports come until a moment, per person; `media_rate` is
    how many pieces of heavy media may go out a second (0: any number)."""

    channel: str
    meanings: Meanings
    pieces: Callable[[Outbound, str], Sequence[Piece] | SendError]
    native_id: Callable[[Mapping[str, Any]], str]
    marks: bool = False
    media_rate: float = 0


class GraphConnector:
    """See `Connector`. Built from what a channel sends, its account, how many calls may be under way, and tools."""

    def __init__(self, medium: Medium, account: Account, window: int, tools: Tools) -> None:
        self.name = tools.lane
        self._medium = medium
        self._account = account
        self._tools = tools
        self._http = Client(max_connections_per_origin=window + 1)
        self._sending = Sending(
            tools.lane, self._send, window=window, fast=tools.fast, close=self._close, check=self._check
        )
        self._threads = Threads(lambda: asyncio.get_running_loop().time())
        self._events: Events | None = None
        self._watching: asyncio.Task[None] | None = None
        self._standing = credentials.UNKNOWN
        self._used = 0.0
        self._rate_refusals = 0
        self._media_next = 0.0
        self._messages = account.url("messages")
        self._headers = account.headers() | {"content-type": "application/json"}

    # Connector

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        self._events = events
        await self._sending.start(events)
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        await self._sending.stop(grace)

    async def _close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._http.close()

    def capacity(self) -> int:
        """See `Connector`."""
        return self._sending.capacity()

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        self._sending.submit(outbound)

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        shown = self._sending.status()
        shown |= {"token": self._standing.words, "rate_used_percent": round(self._used)}
        if self._standing.ends_at:
            shown["token_ends_ms"] = shown["credentials_end_ms"] = self._standing.ends_at * 1000
        return shown

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        status, _, body = native.partition(b" ") if native[:1].isdigit() else (b"", b"", native)
        try:
            shown: Any = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            shown = body.decode("utf-8", "replace")
        return {"status": int(status), "body": shown} if status else {"call": "messages", "body": shown}

    # One message

    async def _send(self, outbound: Outbound) -> Submitted | SendError:
        made = self._medium.pieces(outbound, self._account.secret)
        if isinstance(made, SendError):
            return made
        async with self._threads.turn(outbound.to):
            if left := self._threads.paused(outbound.to):
                detail = f"this person was sent too much; the thread rests for {left:.1f} s more"
                return SendError(keys.RATE_LIMIT_EXCEEDED, "late", "thread", detail)
            return await self._all(made, outbound)

    async def _all(self, made: Sequence[Piece], outbound: Outbound) -> Submitted | SendError:
        ids: list[str] = []
        natives: list[bytes] = []
        sent_ms = 0
        for piece in made:
            sent_ms = self._tools.clock_ms()
            try:
                found = await self._call(piece, outbound.to)
            except (Unreachable, CredentialsRefused) as error:
                error.result = _once_begun(error.result, ids, made)
                raise
            if isinstance(found, SendError):
                return _once_begun(found, ids, made)
            if piece.reports:
                ids.append(found[0])
            natives += found[1]
        if not ids:
            return self._done(outbound, natives)
        thread = outbound.to if self._medium.marks else ""
        return Submitted(tuple(ids), tuple(natives), thread, sent_ms if thread else 0)

    def _done(self, outbound: Outbound, natives: list[bytes]) -> Submitted:
        """Taken, and nothing will be reported of it: it is done."""
        name = f"done.{outbound.request:x}.{outbound.ordinal}"
        receipt = Receipt(self.name, name, keys.DELIVERED, "", "nothing more is reported of an action")
        asyncio.get_running_loop().call_soon(self._report, receipt)
        return Submitted((name,), tuple(natives))

    def _report(self, item: Receipt | Reachability) -> None:
        if self._events is not None:
            self._events.received(item, lambda stored: None)

    async def _call(self, piece: Piece, to: str) -> tuple[str, tuple[bytes, bytes]] | SendError:
        """The id of what was taken, and the exchange; or why it was not."""
        if piece.media and self._medium.media_rate:
            await self._media_turn()
        body = msgspec.json.encode(piece.body)
        try:
            answer = await self._http.request(
                "POST", self._messages, self._headers, body, self._timeout, self._account.private, once=True
            )
        except HttpError as error:
            raise Unreachable(await self._unanswered(error, body)) from None
        native = (body, b"%d %b" % (answer.status, answer.body))
        self._heed(answer)
        if answer.status == 200:
            self._rate_refusals = 0
            return self._taken(answer, piece, native)
        fault = fault_in(answer.body)
        if fault is None:
            return await self._unexplained(answer, native)
        refused, outcome = self._medium.meanings.error(fault)
        return self._refused(msgspec.structs.replace(refused, native=native), outcome, answer, to)

    def _taken(self, answer: Answer, piece: Piece, native: tuple[bytes, bytes]) -> tuple[str, Any] | SendError:
        try:
            found = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        name = self._medium.native_id(found) if isinstance(found, dict) else ""
        if name or (not piece.reports and found is not None):
            return name, native
        return SendError(keys.ENDPOINT_UNREACHABLE, "unknown", "http 200", "the answer cannot be read", native)

    async def _unexplained(self, answer: Answer, native: tuple[bytes, bytes]) -> SendError:
        """An answer that is no fault of Graph: something before it spoke."""
        code = f"http {answer.status}"
        if answer.status in MAYBE_DONE:
            await asyncio.sleep(self._echo_wait)
            detail = "a gateway gave up; the message may have been taken and is not sent again"
            raise Unreachable(SendError(keys.ENDPOINT_UNREACHABLE, "unknown", code, detail, native))
        if answer.status >= 500:
            row = self._medium.meanings.rows[DOWN]
            raise Unreachable(SendError(row.key, row.retry, code, "the far end is down", native))
        if answer.status == 429:
            outcome = self._medium.meanings.of(Fault(4))
            return self._refused(SendError(outcome.key, outcome.retry, code, "", native), outcome, answer, "")
        row = self._medium.meanings.rows[OTHER]
        return SendError(row.key, row.retry, code, "an answer that is not of Graph", native)

    def _refused(self, error: SendError, outcome: Outcome, answer: Answer, to: str) -> SendError:
        if outcome.deactivate == "yes":
            self._report(Reachability(self.name, self._medium.channel, to, False, reason=error.native_code))
        if outcome.holds == "channel":
            raise CredentialsRefused(error)
        if outcome.holds == "rate":
            self._rate_refusals += 1
            self._rest(usage.pause_of(answer.headers) or usage.after_refusal(self._rate_refusals))
        elif outcome.holds == "thread" and to:
            self._threads.pause(to, FAST_THREAD_REST if self._tools.fast else THREAD_REST)
        if answer.status >= 500:
            raise Unreachable(error)
        return error

    async def _unanswered(self, error: HttpError, body: bytes) -> SendError:
        if not error.written:
            retry = "no" if error.kind in NEVER_SENT else "soon"
            return SendError(keys.ENDPOINT_UNREACHABLE, retry, error.kind, error.detail, (body,))
        await asyncio.sleep(self._echo_wait)
        detail = f"{error.detail}; the message may have been taken and is not sent again"
        return SendError(keys.ENDPOINT_UNREACHABLE, "unknown", error.kind, detail, (body,))

    # Rates

    def _heed(self, answer: Answer) -> None:
        self._used = usage.most_used(answer.headers)
        if pause := usage.pause_of(answer.headers):
            self._rest(pause)

    def _rest(self, seconds: float) -> None:
        self._sending.rest(min(seconds, FAST_REST) if self._tools.fast else seconds)

    async def _media_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._media_next)
        self._media_next = turn + 1.0 / self._medium.media_rate
        if turn > now:
            await asyncio.sleep(turn - now)

    @property
    def _timeout(self) -> float:
        return FAST_TIMEOUT if self._tools.fast else TIMEOUT

    @property
    def _echo_wait(self) -> float:
        return FAST_ECHO_WAIT if self._tools.fast else ECHO_WAIT

    # Credentials

    async def _check(self) -> None:
        """Ask whether the token is good; see `Check`."""
        self._standing = await credentials.ask(self._http, self._account, self._medium.meanings, self._timeout)

    async def _watch(self) -> None:
        """At start and now and then: until when the token is good."""
        while True:
            pause = credentials.EVERY_SECONDS
            try:
                await self._check()
                if warning := credentials.warning(self._standing, self._tools.clock_ms()):
                    log.warning("%s: %s", self.name, warning)
            except CredentialsRefused as error:
                self._sending.refuse(error.result)
            except Unreachable:
                pause = credentials.AGAIN_SECONDS
            await asyncio.sleep(pause)


def _once_begun(error: SendError, ids: Sequence[str], made: Sequence[Piece]) -> SendError:
    """A message of which something went out is not sent again: that would come twice."""
    if not ids:
        return error
    detail = f"{error.detail}; {len(ids)} of its {sum(piece.reports for piece in made)} parts went out before"
    return msgspec.structs.replace(error, retry=error.retry if error.retry == "unknown" else "no", detail=detail)
