"""A message made ready for the wire once, and then spliced for each of its thousand destinations."""

from __future__ import annotations

import itertools
import random

from heliograph.catalogue import keys
from heliograph.channels.sms.settings import Settings
from heliograph.channels.sms.text import kind_of, octets_of
from heliograph.model.channel import Body
from heliograph.model.outcome import SendError
from heliograph.wire.smpp.codec import LocalProtocolError, SubmitTemplate
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.segment import Options, Part, TooLong, segment_binary, segment_text

Templates = tuple[SubmitTemplate, ...]

KEPT = 2_048
"""Bodies whose encoding is at hand."""

LONGEST_VALIDITY = 31 * 86_400
"""Seconds; what the day field of a relative time can say without months."""

SHORT_CODE_DIGITS = 6
_ALPHANUMERIC, _SHORT_CODE, _MSISDN = (5, 0), (3, 0), (1, 1)


class Unsendable(Exception):
    """The message cannot be put into PDUs; `error` says so in the platform's terms."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(key, detail)
        self.error = SendError(key, detail=detail)


class Encoder:
    """Keeps the parts of each body under its identity and validity."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: dict[tuple[int, int], tuple[Body, Templates]] = {}
        self._last: tuple[Body | None, int, Templates] = (None, 0, ())
        # Messages to one handset must not share a reference while their parts travel (GSM 03.40, 9.2.3.24.1).
        self._references = itertools.count(random.randrange(0x10000))

    def templates(self, body: Body, validity: int) -> Templates:
        """The message's parts, ready but for destination and sequence; raises Unsendable."""
        last, seconds, templates = self._last
        if last is body and seconds == validity:
            return templates
        key = (id(body), bucket(validity))
        kept = self._kept.get(key)
        if kept is None:  # the body is kept with its templates, so that its identity is not given anew
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[key] = (body, self._encode(body, key[1]))
        self._last = (body, validity, kept[1])
        return kept[1]

    def _encode(self, body: Body, validity: int) -> Templates:
        settings = self._settings
        ton, npi = sender_type(body.sender)
        head = ShortMessage(
            service_type=settings.service_type,
            source_addr_ton=ton if settings.source_ton is None else settings.source_ton,
            source_addr_npi=npi if settings.source_npi is None else settings.source_npi,
            source_addr=body.sender.removeprefix("+"),
            dest_addr_ton=settings.dest_ton,
            dest_addr_npi=settings.dest_npi,
            validity_period=relative_time(validity),
            registered_delivery=settings.registered_delivery,
        )
        try:
            return tuple(SubmitTemplate(head._replace(**part._asdict())) for part in self._parts(body))
        except TooLong as error:
            raise Unsendable(keys.MESSAGE_TOO_LONG, str(error)) from error
        except LocalProtocolError as error:
            raise Unsendable(keys.INVALID_SENDER_ID, str(error)) from error

    def _parts(self, body: Body) -> tuple[Part, ...]:
        kind = kind_of(body.content)
        settings = self._settings
        options = Options(
            mode=settings.segmentation,
            flash=kind == "flash",
            reference=next(self._references),
            alphabet=settings.default_alphabet,
            unicode=kind == "unicode",
        )
        if kind != "binary":
            return segment_text(body.text, options)
        octets = octets_of(body.text)
        if octets is None:
            raise Unsendable(keys.BINARY_MESSAGE_ERROR, "body is not an even number of hexadecimal digits")
        return segment_binary(octets, options)


def sender_type(sender: str) -> tuple[int, int]:
    """TON and NPI that say what a sender is: alphanumeric, short code or international number."""
    digits = sender.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return _ALPHANUMERIC
    return _SHORT_CODE if len(digits) <= SHORT_CODE_DIGITS else _MSISDN


def bucket(seconds: int) -> int:
    """The validity rounded down by at most a sixteenth, so that few encodings serve a whole queue."""
    step = max(0, seconds.bit_length() - 5)
    return seconds >> step << step


def relative_time(seconds: int) -> str:
    """A validity_period as YYMMDDhhmmsstnnR (SMPP 3.4, 7.1.1); empty for the carrier's default."""
    if seconds <= 0:
        return ""
    minutes, second = divmod(min(seconds, LONGEST_VALIDITY), 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"0000{day:02d}{hour:02d}{minute:02d}{second:02d}000R"
