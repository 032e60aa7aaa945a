"""The frame of connectors whose far end is asked once per message: calls at once up to a window, behind a breaker.

A far end that does not answer, or refuses our credentials, is left alone for a while; messages wait meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.model.channel import Events, Outbound, Report
from heliograph.model.outcome import SendError, Submitted
from heliograph.wire.breaker import Breaker

log = logging.getLogger(__name__)

ERRORS_KEPT = 5
HOLD_SECONDS = 30.0  # before a far end that refused our credentials is asked again
FAST_SECONDS = 0.1  # the same and the breaker's pause in the sandbox


class Unreachable(Exception):
    """The far end did not answer, or answered that it is down: counts against the breaker. `result` is what
    becomes of the message."""

    def __init__(self, result: SendError) -> None:
        super().__init__(result.detail)
        self.result = result


class CredentialsRefused(Exception):
    """The far end does not take our credentials; nothing goes out until it is asked again. `result` is what becomes
    of the message."""

    def __init__(self, result: SendError) -> None:
        super().__init__(result.detail)
        self.result = result


Send = Callable[[Outbound], Awaitable[Submitted | SendError]]
Check = Callable[[], Awaitable[None]]
"""Asks the far end whether it takes our credentials; raises `CredentialsRefused` or `Unreachable` when not."""


class Sending:
    """Runs `send` for each message, `window` at a time. `send` gives the result, or raises `Unreachable` or
    `CredentialsRefused`; `close` is awaited at the end. With a `check`, credentials that were refused are asked about
    before another message goes out, so that none is spent on finding out."""

    def __init__(
        self,
        name: str,
        send: Send,
        *,
        window: int,
        fast: bool = False,
        close: Callable[[], Awaitable[None]] | None = None,
        check: Check | None = None,
    ) -> None:
        self.name = name
        self._send = send
        self._window = window
        self._fast = fast
        self._close = close
        self._check = check
        self._checking: asyncio.Task[None] | None = None
        self._rest_until = 0.0
        self._breaker = Breaker(pause=FAST_SECONDS, longest=1.0) if fast else Breaker()
        self._under_way: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._errors: deque[str] = deque(maxlen=ERRORS_KEPT)
        self._refused = ""  # why our credentials were refused, until they are taken
        self._events: Events | None = None
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        self._events = events

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)
        if self._under_way:
            _, late = await asyncio.wait(list(self._under_way.values()), timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._close is not None:
            await self._close()

    def capacity(self) -> int:
        """See `Connector`."""
        now = asyncio.get_running_loop().time()
        if self._stopped or self._events is None or now < self._rest_until:
            return 0
        if self._refused and self._check is not None:
            return 0
        return self._breaker.room(now, max(0, self._window - len(self._under_way)))

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        loop = asyncio.get_running_loop()
        self._breaker.started(loop.time())
        self._under_way[outbound.request, outbound.ordinal] = loop.create_task(self._run(outbound))

    async def _run(self, outbound: Outbound) -> None:
        events = self._events
        assert events is not None  # noqa: S101 - `submit` comes after `start`
        pause = 0.0
        try:
            result = await self._send(outbound)
            self._breaker.succeeded()
            self._refused = ""
        except Unreachable as error:
            result = error.result
            pause = self._breaker.failed(asyncio.get_running_loop().time())
            self._note(result)
        except CredentialsRefused as error:
            result = error.result
            if self._refused and result.retry == "no":  # one message found out; those under way with it wait
                result = msgspec.structs.replace(result, retry="soon")
            pause = self._refuse(result)
        except Exception:  # this task's loop: a fault of ours must not leave the message without an end
            log.exception("%s: an unexpected error while sending", self.name)
            result = SendError(
                keys.UNKNOWN_EXCEPTION, "unknown", detail="an error of the platform; its log says more"
            )
            pause = self._breaker.failed(asyncio.get_running_loop().time())
        if pause:
            self._ready_after(pause)
        del self._under_way[outbound.request, outbound.ordinal]  # there is room again by now
        events.settled(outbound, result)

    def refuse(self, result: SendError) -> None:
        """The far end refuses our credentials, as was found otherwise than by sending."""
        self._ready_after(self._refuse(result))

    def _refuse(self, result: SendError) -> float:
        why = result.detail or result.native_code or result.key
        if not self._refused:
            log.error("%s: the far end refuses our credentials: %s", self.name, why)
        self._refused = why
        self._note(result)
        return self._hold()

    def _hold(self) -> float:
        return self._breaker.hold(asyncio.get_running_loop().time(), FAST_SECONDS if self._fast else HOLD_SECONDS)

    @property
    def in_use(self) -> int:
        """How many calls are under way."""
        return len(self._under_way)

    def news(self, item: Report) -> None:
        """Hand on what an answer told besides; it comes again with the next answer if it cannot be kept."""
        if self._events is not None:
            self._events.received(item, lambda stored: None)

    def rest(self, seconds: float) -> None:
        """Start nothing more for so long, because the far end asks for it."""
        until = asyncio.get_running_loop().time() + seconds
        if until > self._rest_until:
            self._rest_until = until
            self._ready_after(seconds)

    def _note(self, result: SendError) -> None:
        self._errors.append(" ".join(part for part in (result.native_code, result.detail) if part))

    def _ready_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._ready)

    def _ready(self) -> None:
        self._timer = None
        if self._events is None or self._stopped:
            return
        now = asyncio.get_running_loop().time()
        wait = max(self._rest_until, self._breaker.until) - now
        if wait > 0:  # another reason to wait came up
            self._ready_after(wait)
        elif self._refused and self._check is not None and self._checking is None:
            self._checking = asyncio.get_running_loop().create_task(self._ask(self._check, self._events))
        else:
            self._events.ready()

    async def _ask(self, check: Check, events: Events) -> None:
        """Whether our credentials are taken by now."""
        pause = 0.0
        try:
            await check()
            log.info("%s: the far end takes our credentials again", self.name)
            self._refused = ""
        except CredentialsRefused as error:
            pause = self._refuse(error.result)
        except Unreachable as error:
            pause = self._hold()
            self._note(error.result)
        except Exception:  # as above: the connector must not stand still for ever
            log.exception("%s: an unexpected error while asking about credentials", self.name)
            pause = self._hold()
        finally:
            self._checking = None
        if pause:
            self._ready_after(pause)
        else:
            events.ready()

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        now = asyncio.get_running_loop().time()
        breaker = self._breaker.state(now)
        state = "error" if self._refused else {"closed": "ready", "open": "down", "half-open": "down"}[breaker]
        shown: dict[str, Any] = {
            "state": state, "breaker": breaker, "window": self._window, "in_use": len(self._under_way),
            "last_errors": list(self._errors), "credentials_state": "refused" if self._refused else "ok",
        }  # fmt: skip
        if self._refused:
            shown["credentials"] = self._refused
        if now < self._rest_until:
            shown["rests_seconds"] = round(self._rest_until - now, 1)
        return shown
