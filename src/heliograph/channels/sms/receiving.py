"""What an SMSC delivers: receipts, and messages from people put together from their segments.

Nothing is answered before it is stored: of a message in segments, no segment is before the whole is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from heliograph.channels.sms.outcomes import TABLE, Meanings
from heliograph.channels.sms.settings import ID_FORMATS, Settings
from heliograph.model.channel import Events
from heliograph.model.outcome import Inbound, Receipt
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.client import Client
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.reassembly import Assembled, Reassembler, fragment, user_data
from heliograph.wire.smpp.receipt import is_receipt, normalise_id, parse_receipt
from heliograph.wire.smpp.segment import decode_text

HOLD_SECONDS = 30.0
"""How long segments wait for the others of their message."""

_INTERMEDIATE = 0x20
_RECEIPT_BITS = 0x3C

Answer = Callable[[bool], None]
_Key = tuple[str, str, int, int]


class _Held(NamedTuple):
    """Segments that wait: the coding of their text, and the answers due."""

    data_coding: int
    answers: list[Answer]


class Receiving:
    """Takes the deliver_sm of all binds of one connector."""

    def __init__(self, settings: Settings, meanings: Meanings, hold: float = HOLD_SECONDS) -> None:
        self.counts = {"receipts": 0, "unreadable_receipts": 0, "inbound": 0, "incomplete": 0, "given_back": 0}
        self.due = 0
        """Deliveries that are not answered yet, held segments aside."""
        self.settled = asyncio.Event()
        self._id_format = ID_FORMATS[settings.id_format][1]
        self._alphabet = settings.default_alphabet
        self._at_once = settings.inbound_parts == "at_once"
        self._meanings = meanings
        self._hold = hold
        self._events: Events | None = None
        self._segments = Reassembler(max_age=hold)
        self._held: dict[_Key, _Held] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, events: Events) -> None:
        """Where everything is reported from now on."""
        self._events = events

    def stop(self) -> None:
        """Segments that wait are left to the SMSC, which was not answered and sends them again."""
        if self._timer is not None:
            self._timer.cancel()

    def arrived(self, client: Client, event: ev.DeliverArrived) -> None:
        """Take one deliver_sm or data_sm."""
        message = event.message
        answer = partial(self._answer, client, event.command_id, event.sequence)
        if is_receipt(message.esm_class) or c.RECEIPTED_MESSAGE_ID in message.tlvs:
            self._report(self._receipt(message, event.frame), answer)
            return
        part = fragment(message)
        if part is None:
            self._report(self._inbound(message, user_data(message).payload, message.data_coding), answer)
            return
        now = asyncio.get_running_loop().time()
        key = (message.source_addr, message.destination_addr, part.reference, part.total)
        whole = None
        for given in self._segments.add(message.source_addr, message.destination_addr, part, now):
            if given.is_complete:
                whole = given
            else:
                self._give(given)
        held = self._held.setdefault(key, _Held(message.data_coding, []))
        held.answers.append(self._now(answer) if self._at_once else answer)
        if whole is not None:
            self._give(whole)
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._hold / 10, self._expire)

    def _now(self, answer: Answer) -> Answer:
        """Answer a segment although its message is not stored; the carrier has room for one only."""
        self.due += 1
        answer(True)
        return lambda stored: self._count_answer()

    def _receipt(self, message: ShortMessage, frame: bytes) -> Receipt:
        self.counts["receipts"] += 1
        native = parse_receipt(message)
        destination = message.source_addr.removeprefix("+")
        if native is None:
            self.counts["unreadable_receipts"] += 1
            key = TABLE.states["unreadable"].key
            text = str(message.short_message, "latin-1")
            return Receipt("", "", key, "", "the receipt cannot be read", destination, text or frame.hex())
        key, native_code = self._meanings.of_receipt(native)
        if message.esm_class & _RECEIPT_BITS == _INTERMEDIATE and key != "delivered":
            key = "submitted"  # SMPP 3.4, 5.2.12: an intermediate notification is not the last word
        native_id = normalise_id(native.message_id, self._id_format)
        return Receipt("", native_id, key, native_code, "", destination, native.raw or frame.hex())

    def _inbound(self, message: ShortMessage, payload: bytes, data_coding: int) -> Inbound:
        return self._message(message.source_addr, message.destination_addr, payload, data_coding, {})

    def _message(
        self, source: str, destination: str, payload: bytes, data_coding: int, native: dict[str, str]
    ) -> Inbound:
        self.counts["inbound"] += 1
        text = decode_text(payload, data_coding, self._alphabet)
        native = {"data_coding": str(data_coding), **native}
        if text is None:
            text, native["encoding"] = payload.hex(), "hex"
        return Inbound("", "sms", source.removeprefix("+"), destination.removeprefix("+"), text, native)

    def _give(self, given: Assembled) -> None:
        """Report segments put together, or as many as came."""
        held = self._held.pop((given.source, given.destination, given.reference, given.total))
        native = {"parts": str(given.total)}
        if not given.is_complete:
            self.counts["incomplete"] += 1
            numbers = ", ".join(str(number) for number, _ in given.parts)
            native["incomplete"] = f"only part {numbers} of {given.total} came"
        item = self._message(given.source, given.destination, given.payload, held.data_coding, native)
        self._report(item, partial(_each, held.answers), len(held.answers))

    def _expire(self) -> None:
        loop = asyncio.get_running_loop()
        for given in self._segments.expire(loop.time()):
            self._give(given)
        self._timer = loop.call_later(self._hold / 10, self._expire) if self._held else None

    def _report(self, item: Receipt | Inbound, answer: Answer, answers: int = 1) -> None:
        self.due += answers
        assert self._events is not None  # noqa: S101 - a bind is started after `start`
        self._events.received(item, answer)

    def _answer(self, client: Client, command_id: int, sequence: int, stored: bool) -> None:
        if not stored:
            self.counts["given_back"] += 1
        # SMPP 3.4, 5.1.3: ESME_RX_T_APPN, a temporary error; the SMSC sends it again.
        client.answer(command_id, sequence, c.ESME_ROK if stored else c.ESME_RX_T_APPN)
        self._count_answer()

    def _count_answer(self) -> None:
        self.due -= 1
        if not self.due:
            self.settled.set()


def _each(answers: list[Answer], stored: bool) -> None:
    for answer in answers:
        answer(stored)
