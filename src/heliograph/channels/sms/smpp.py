"""The SMPP connector: messages over the binds of one account at an SMSC, answers and receipts back."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from heliograph.channels.sms.binds import POLITE, Bind, Faults
from heliograph.channels.sms.encoding import Encoder, Unsendable
from heliograph.channels.sms.outcomes import TABLE, Meanings, Outcome
from heliograph.channels.sms.receiving import Receiving
from heliograph.channels.sms.sending import PART_TRIES, Sending
from heliograph.channels.sms.settings import ID_FORMATS, read
from heliograph.model.channel import Events, Outbound
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.describe import describe
from heliograph.wire.smpp.receipt import normalise_id

log = logging.getLogger(__name__)

THROTTLED_PART_PAUSE = 1.0
"""Seconds before a throttled part of a long message is sent again."""

LONGEST_ADDRESS = 20
"""Characters of a destination_addr (SMPP 3.4, 5.2.9)."""


class SmppConnector:
    """One account at one SMSC. All parts of a message go over one bind, the one with most room."""

    def __init__(self, spec: ConnectorSpec) -> None:
        """Nothing is opened yet; `spec` has passed `settings.check`."""
        self.name = spec.name
        self.settings = settings = read(spec)
        self.counts = {"submitted": 0, "refused": 0, "unanswered": 0, "late_answers": 0, "odd_pdus": 0}
        self._encoder = Encoder(settings)
        self._meanings = Meanings(settings.err_profile, settings.status_map, settings.err_map, settings.acceptd_final)
        self._receiving = Receiving(settings, self._meanings)
        self._id_format = ID_FORMATS[settings.id_format][0]
        self._faults = Faults(time.time)
        self._binds: list[Bind] = []
        self._senders: list[Bind] = []
        self._under_way = 0
        self._drained = asyncio.Event()
        self._stopping = False
        self._events: Events
        self._loop: asyncio.AbstractEventLoop

    async def start(self, events: Events) -> None:
        """See `Connector`."""
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._receiving.start(events)
        pair = self.settings.bind == "pair"
        kinds = (c.BIND_TRANSMITTER, c.BIND_RECEIVER) if pair else (c.BIND_TRANSCEIVER,)
        commands = [kind for _ in range(self.settings.binds) for kind in kinds]
        self._binds = [
            Bind(self.settings, kind, number, self._told, self._faults) for number, kind in enumerate(commands, 1)
        ]
        self._senders = [bind for bind in self._binds if bind.sends]
        for bind in self._binds:
            bind.start()

    async def stop(self, grace: float) -> None:
        """See `Connector`."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace):
                while self._under_way:
                    self._drained.clear()
                    await self._drained.wait()
                while self._receiving.due:
                    self._receiving.settled.clear()
                    await self._receiving.settled.wait()
        except TimeoutError:
            log.warning("%s: %d messages are unanswered at the end", self.name, self._under_way)
        self._receiving.stop()
        await asyncio.gather(*(bind.stop(min(grace, POLITE)) for bind in self._binds))

    def capacity(self) -> int:
        """See `Connector`."""
        if self._stopping:
            return 0
        senders = self._senders
        return senders[0].room if len(senders) == 1 else sum(bind.room for bind in senders)

    def submit(self, outbound: Outbound) -> None:
        """See `Connector`."""
        self._under_way += 1
        senders = self._senders
        bind = senders[0] if len(senders) == 1 else max(senders, key=lambda one: one.room)
        try:
            sending = Sending(outbound, self._encoder.templates(outbound.body, outbound.validity))
            if not (outbound.to.isalnum() and outbound.to.isascii() and len(outbound.to) <= LONGEST_ADDRESS):
                raise Unsendable("invalid_address", f"{outbound.to!r} is no destination_addr")
            if bind.client is None:
                self._loop.call_soon(self._settle, sending, sending.result(False))
                return
            for index in range(len(sending.templates)):
                bind.submit(sending, index)
        except Unsendable as error:
            self._loop.call_soon(self._refuse_unsent, outbound, error.error)

    def status(self) -> dict[str, Any]:
        """See `Connector`."""
        binds = [bind.status() for bind in self._binds]
        up = sum(bind["state"] == "bound" for bind in binds)
        states = {bind["state"] for bind in binds}
        return {
            "state": "bound" if binds and up == len(binds) else "partly bound" if up else "/".join(sorted(states)),
            "host": self.settings.host,
            "port": self.settings.port,
            "system_id": self.settings.system_id,
            "tls": self.settings.tls,
            "binds": binds,
            "window": self.settings.window * len(self._senders),
            "in_window": sum(bind["in_window"] for bind in binds),
            "counts": self.counts | self._receiving.counts,
            "last_errors": self._faults.shown(),
        }

    def describe(self, native: bytes) -> dict[str, Any]:
        """See `Connector`."""
        return describe(native)

    def _told(self, bind: Bind, event: ev.Event) -> None:
        """Everything the binds report comes through here; the frequent first."""
        if isinstance(event, ev.SubmitAnswered):
            self._answered(bind, event)
        elif isinstance(event, ev.DeliverArrived):
            if bind.client is not None:
                self._receiving.arrived(bind.client, event)
        elif isinstance(event, ev.TimedOut):
            self._lost(bind, event.requests, f"no answer within {self.settings.response_timeout:g} s")
        elif isinstance(event, ev.Closed):
            self._closed(bind, event)
        elif isinstance(event, ev.Nacked):
            self._nacked(bind, event)
        elif isinstance(event, ev.Bound | ev.Resumed):
            self._continue(bind)
            self._events.ready()
        elif isinstance(event, ev.Odd):
            self.counts["odd_pdus"] += 1
            self._faults.note(f"{bind.kind} {bind.number}: {event.reason}")

    def _answered(self, bind: Bind, event: ev.SubmitAnswered) -> None:
        if event.late:
            self.counts["late_answers"] += 1  # its message was settled; a receipt still moves it on
            return
        sending, index = event.context
        sending.exchange(index, event.sequence, event.frame)
        if event.status == c.ESME_ROK:
            sending.took(index, normalise_id(event.message_id, self._id_format))
        else:
            if event.status == c.ESME_RINVBNDSTS:
                bind.renew()
            outcome = self._meanings.of_status(event.status, sending.joined)
            if self._again(bind, sending, index, outcome):
                return
            note = outcome.note if event.status not in c.STATUSES else ""
            sending.refused(SendError(outcome.key, outcome.retry, c.status_name(event.status), note))
        self._went_on(bind, sending)

    def _again(self, bind: Bind, sending: Sending, index: int, outcome: Outcome) -> bool:
        """Whether a throttled part of a long message is sent once more, so that the others are not wasted."""
        alone = len(sending.templates) == 1
        if outcome.retry != "free" or alone or sending.refusal or sending.throttled >= PART_TRIES:
            return False
        sending.throttled += 1
        self._loop.call_later(THROTTLED_PART_PAUSE, self._part_again, bind, sending, index)
        return True

    def _part_again(self, bind: Bind, sending: Sending, index: int) -> None:
        if bind.client is None or sending.refusal is not None:
            sending.dropped()
            self._went_on(bind, sending)
        else:
            bind.submit(sending, index)

    def _nacked(self, bind: Bind, event: ev.Nacked) -> None:
        """The peer could not read a PDU of ours: a fault of one of the two, worth an alarm."""
        self._faults.note(f"{bind.kind} {bind.number}: generic_nack, {c.status_name(event.status)}")
        log.error("%s: generic_nack %s", self.name, c.status_name(event.status))
        request = event.pending
        if request is None or self._loop.time() - request.sent_at >= self.settings.response_timeout:
            return
        sending, index = request.context
        sending.exchange(index, event.sequence, event.frame)
        outcome = TABLE.links["generic_nack"]
        sending.refused(SendError(outcome.key, outcome.retry, f"generic_nack {c.status_name(event.status)}"))
        self._went_on(bind, sending)

    def _lost(self, bind: Bind, requests: tuple[ev.Pending, ...], why: str) -> None:
        for request in requests:
            sending, index = request.context
            sending.exchange(index, request.sequence, b"")
            sending.unanswered(why)
        for request in requests:
            self._went_on(bind, request.context[0])

    def _closed(self, bind: Bind, event: ev.Closed) -> None:
        waiting, bind.backlog = tuple(bind.backlog), type(bind.backlog)()
        for sending, _ in waiting:
            sending.dropped()
        self._lost(bind, event.unanswered, event.reason)
        for sending, _ in waiting:
            self._went_on(bind, sending)

    def _went_on(self, bind: Bind, sending: Sending) -> None:
        """One part's fate is known: settle the message if it was the last, else use the place it left."""
        if bind.backlog:
            self._continue(bind)
        if not sending.left:
            sending.left = -1  # told once
            self._settle(sending, sending.result(self.settings.unanswered == "resend"))
        elif bind.room:
            self._events.ready()

    def _continue(self, bind: Bind) -> None:
        for sending in bind.drain():
            if not sending.left:
                sending.left = -1
                self._settle(sending, sending.result(self.settings.unanswered == "resend"))

    def _settle(self, sending: Sending, result: Submitted | SendError) -> None:
        if isinstance(result, Submitted):
            self.counts["submitted"] += 1
        else:
            self.counts["unanswered" if sending.lost else "refused"] += 1
        self._under_way -= 1
        self._events.settled(sending.outbound, result)
        if not self._under_way:
            self._drained.set()

    def _refuse_unsent(self, outbound: Outbound, error: SendError) -> None:
        self.counts["refused"] += 1
        self._under_way -= 1
        self._events.settled(outbound, error)
        if not self._under_way:
            self._drained.set()
