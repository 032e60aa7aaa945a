"""One SMPP bind kept up: connecting, binding, waiting longer each time it fails, and what it has to say of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from heliograph.channels.sms.sending import Sending
from heliograph.channels.sms.settings import Settings
from heliograph.wire.smpp import client as smpp
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp import session
from heliograph.wire.smpp.pdus import Bind as BindBody

log = logging.getLogger(__name__)

CONNECT_WITHIN = 10.0
POLITE = 2.0
"""Seconds for an unbind that nobody waits for."""

CREDENTIALS = frozenset({c.ESME_RINVPASWD, c.ESME_RINVSYSID})
"""Refusals that another quick try makes worse: carriers lock accounts out."""

KINDS = {c.BIND_TRANSCEIVER: "transceiver", c.BIND_TRANSMITTER: "transmitter", c.BIND_RECEIVER: "receiver"}


class Faults:
    """The last things that went wrong, with their times, for status."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last: deque[dict[str, str]] = deque(maxlen=10)

    def note(self, text: str) -> None:
        """Remember a sentence."""
        self._last.appendleft({"at": stamp(self._clock()), "error": text})

    def shown(self) -> list[dict[str, str]]:
        """Newest first."""
        return list(self._last)


def stamp(seconds: float) -> str:
    """A Unix time for people."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Bind:
    """A connection that comes back. Its events go to `told`; `backlog` holds parts for which the window has no
    place yet, in order."""

    def __init__(
        self,
        settings: Settings,
        command_id: int,
        number: int,
        told: Callable[[Bind, ev.Event], None],
        faults: Faults,
    ) -> None:
        self.kind = KINDS[command_id]
        self.number = number
        self.state = "starting"
        self.since = stamp(time.time())
        self.backlog: deque[tuple[Sending, int]] = deque()
        self.client: smpp.Client | None = None
        self._settings = settings
        self._command_id = command_id
        self._told = told
        self._faults = faults
        self._peer = ""
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._bound_at = 0.0
        self._renewing: asyncio.Task[None] | None = None

    @property
    def sends(self) -> bool:
        """Whether messages may be submitted on this bind, when it is up."""
        return self._command_id != c.BIND_RECEIVER

    @property
    def room(self) -> int:
        """How many submits this bind takes now."""
        client = self.client
        if client is None or self._stopping:
            return 0
        return max(0, client.room - len(self.backlog))

    def start(self) -> None:
        """Connect, and keep connected."""
        self._task = asyncio.create_task(self._run(), name=f"bind {self._settings.name} {self.number}")

    async def stop(self, grace: float) -> None:
        """Wait for the answers under way, unbind, end."""
        self._stopping = True
        if self.client is not None:
            await self.client.close(grace)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._change("stopped")

    def renew(self) -> None:
        """The SMSC thinks this bind is none: unbind, and bind again."""
        if self.client is not None and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self.client.close(POLITE))

    def submit(self, sending: Sending, index: int) -> None:
        """Send one part now, or when the window has a place."""
        client = self.client
        if client is not None and client.room > 0 and not self.backlog:
            client.submit_template(sending.templates[index], sending.outbound.to, (sending, index))
        else:
            self.backlog.append((sending, index))

    def drain(self) -> list[Sending]:
        """Send what waits while there is room. Gives the messages whose waiting parts were given up because
        another part of theirs was refused."""
        given_up = []
        client, backlog = self.client, self.backlog
        while backlog and client is not None and client.room > 0:
            sending, index = backlog.popleft()
            if sending.refusal is not None:
                sending.dropped()
                given_up.append(sending)
            else:
                client.submit_template(sending.templates[index], sending.outbound.to, (sending, index))
        return given_up

    def status(self) -> dict[str, Any]:
        """For people."""
        client = self.client
        return {
            "number": self.number,
            "kind": self.kind,
            "state": self.state,
            "since": self.since,
            "peer": self._peer,
            "window": self._settings.window,
            "in_window": client.session.pending if client is not None else 0,
            "waiting": len(self.backlog),
        }

    async def _run(self) -> None:
        settings = self._settings
        delay = settings.reconnect_after
        loop = asyncio.get_running_loop()
        while not self._stopping:
            self._change("connecting")
            refused = await self._once()
            if self._stopping:
                return
            if self._bound_at and loop.time() - self._bound_at >= max(delay, settings.reconnect_after * 5):
                delay = settings.reconnect_after
            wait = max(delay, settings.refused_wait) if refused in CREDENTIALS else delay
            self._change(f"{'refused' if refused else 'down'}, next try {wait:g} s later")
            await asyncio.sleep(wait)
            delay = min(delay * 2, settings.reconnect_at_most)

    async def _once(self) -> int:
        """One connection from its beginning to its end; gives the status the bind was refused with, or 0."""
        settings = self._settings
        self._bound_at = 0.0
        self._ended.clear()
        try:
            self.client = client = await smpp.connect(
                settings.host,
                settings.port,
                self._on_event,
                tls=settings.context(),
                settings=limits(settings),
                within=CONNECT_WITHIN,
            )
        except (OSError, UnicodeError) as error:  # a host name that is none is the latter
            why = str(error) or type(error).__name__
            self._faults.note(f"cannot connect to {settings.host}:{settings.port}: {why}")
            return 0
        body = BindBody(settings.system_id, settings.password, settings.system_type)
        outcome = await client.bind(body, self._command_id)
        if isinstance(outcome, ev.BindRefused):
            self._refused(outcome.status)
            await client.close(POLITE)
            return outcome.status
        await self._ended.wait()
        return 0

    def _refused(self, status: int) -> None:
        self.client = None
        self._faults.note(f"the {self.kind} bind was refused: {c.status_name(status)}")
        log.warning("%s: the %s bind was refused: %s", self._settings.name, self.kind, c.status_name(status))

    def _on_event(self, event: ev.Event) -> None:
        if isinstance(event, ev.Bound):
            self._peer = event.system_id
            self._bound_at = asyncio.get_running_loop().time()
            self._change("bound")
            log.info("%s: %s %d is bound to %r", self._settings.name, self.kind, self.number, event.system_id)
        elif isinstance(event, ev.Closed):
            self._closed(event)
        self._told(self, event)

    def _closed(self, event: ev.Closed) -> None:
        told = self.client is None  # a refused bind is closed by us
        self.client = None
        self._ended.set()
        if self._stopping or told:
            return
        self._change("down")
        self._faults.note(f"{self.kind} {self.number}: {event.reason}")
        log.warning("%s: %s %d is down: %s", self._settings.name, self.kind, self.number, event.reason)

    def _change(self, state: str) -> None:
        self.state, self.since = state, stamp(time.time())


def limits(settings: Settings) -> session.Settings:
    """The session's limits."""
    return session.Settings(
        window=settings.window,
        response_timeout=settings.response_timeout,
        bind_timeout=max(settings.response_timeout, 1.0),
        enquire_after=settings.enquire_link,
        enquire_timeout=min(settings.response_timeout, 20.0),
    )
