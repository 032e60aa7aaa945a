"""What a delivery receipt says, whatever dialect the operator writes it in.

SMPP 3.4 leaves the text to the vendor (Appendix B is an example), so any part of it may be missing or odd.
"""

import re
from datetime import datetime
from typing import Final, Literal, NamedTuple

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.segment import decode_text

IdFormat = Literal["as_is", "hex", "decimal"]
"""How an operator writes message ids; submit_sm_resp and receipt may differ."""


class NetworkError(NamedTuple):
    """The TLV network_error_code (SMPP 3.4, 5.3.2.31)."""

    network: int
    """1 ANSI-136, 2 IS-95, 3 GSM."""
    code: int


class NativeReceipt(NamedTuple):
    """A receipt in the operator's own terms."""

    message_id: str
    state: str
    """A word of constants.MESSAGE_STATES, or the operator's own in capitals."""
    err: str
    """The operator's error code as written, of digits, hex or letters; empty if there is none."""
    network_error: NetworkError | None
    failure_reason: int | None
    """The TLV delivery_failure_reason (SMPP 3.4, 5.3.2.33): 0 to 3."""
    submit_date: datetime | None
    """Local time of the operator, who does not say of which zone."""
    done_date: datetime | None
    raw: str
    """The text of the receipt, empty if it came in TLVs only."""


_RECEIPT_BITS: Final = 0x3C
_DELIVERY_RECEIPT: Final = 0x04
_INTERMEDIATE: Final = 0x20

_ALIASES: Final = {
    "DELIVERED": "DELIVRD",
    "DELIVERD": "DELIVRD",
    "DELIVERY": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVRD": "UNDELIV",
    "UNDELIVD": "UNDELIV",
    "REJECTED": "REJECTD",
    "ACCEPTED": "ACCEPTD",
    "ACKED": "ACCEPTD",
    "EXPIRD": "EXPIRED",
    "DELETD": "DELETED",
    "UNKNOWND": "UNKNOWN",
    "UNKNOW": "UNKNOWN",
    "BUFFERED": "ENROUTE",
    "BUFFERD": "ENROUTE",
    "BUFFRED": "ENROUTE",
    "EN_ROUTE": "ENROUTE",
    "SCHEDULED": "SCHEDLD",
}

# Appendix B to the letter, as most operators write it: a shortcut past the patience below.
_CANONICAL: Final = re.compile(
    r"id:(?P<id>\S+) sub:\S+ dlvrd:\S+ submit date:(?P<submitdate>\d+) done date:(?P<donedate>\d+)"
    r" stat:(?P<stat>\w+) err:(?P<err>\w+)(?: text:.*)?",
    re.IGNORECASE | re.DOTALL,
)
# The keys of Appendix B wherever a space or a digit precedes them, and vendors' own after a space.
_KEY: Final = re.compile(
    r"(?:(?:^|[\s,;|])\s*(?:(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat(?:us)?|err(?:or)?|text)"
    r"|[a-z][\w.-]{0,31})"
    r"|(?<=\d)(dlvrd|submit[ _]?date|done[ _]?date|stat|err|text))\s*[:=]",
    re.IGNORECASE,
)
_NAMES: Final = {"status": "stat", "error": "err"}
_WORD: Final = re.compile(r"\w*")
_NOT_DIGITS: Final = re.compile(r"\D+")
_HEX: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")


def is_receipt(esm_class: int) -> bool:
    """Whether a deliver_sm is a delivery receipt or an intermediate notification (SMPP 3.4, 5.2.12)."""
    return esm_class & _RECEIPT_BITS in (_DELIVERY_RECEIPT, _INTERMEDIATE)


def parse_receipt(message: ShortMessage) -> NativeReceipt | None:
    """The receipt in a deliver_sm, TLVs before text; None if it names no message or no state."""
    tlvs = message.tlvs
    raw = _text(message)
    usual = _CANONICAL.fullmatch(raw)
    fields = usual.groupdict() if usual else _fields(raw)
    named = tlvs.get(c.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0]
    message_id = str(named, "latin-1").strip() or fields.get("id", "")
    state = c.MESSAGE_STATES.get(_int(tlvs.get(c.MESSAGE_STATE))) or _state(fields.get("stat", ""))
    if not message_id or not state:
        return None
    network = tlvs.get(c.NETWORK_ERROR_CODE, b"")
    reason = _int(tlvs.get(c.DELIVERY_FAILURE_REASON))
    return NativeReceipt(
        message_id=message_id,
        state=state,
        err=fields.get("err", ""),
        network_error=NetworkError(network[0], int.from_bytes(network[1:3], "big")) if len(network) >= 3 else None,
        failure_reason=reason if reason >= 0 else None,
        submit_date=_date(fields.get("submitdate", "")),
        done_date=_date(fields.get("donedate", "")),
        raw=raw,
    )


def normalise_id(native_id: str, id_format: IdFormat) -> str:
    """An id in the form in which ids are compared: hex and decimal as a decimal number without leading zeros.

    An operator that answers submit_sm in hex and writes receipts in decimal gets "hex" for the one and
    "decimal" for the other, or the reverse. An id that is no such number stays as it is.
    """
    native_id = native_id.strip()
    if id_format == "hex" and (found := _HEX.fullmatch(native_id)):
        return str(int(found[1], 16))
    if id_format == "decimal" and native_id.isascii() and native_id.isdigit():
        return str(int(native_id))
    return native_id


def _text(message: ShortMessage) -> str:
    octets = message.short_message or message.tlvs.get(c.MESSAGE_PAYLOAD, b"")
    if message.data_coding == 8:
        return decode_text(octets, 8) or ""
    # Written as ASCII by nearly all; in GSM 03.38 only the underscore of an id would differ.
    return str(octets, "latin-1").replace("\x11", "_").rstrip("\0")


def _fields(text: str) -> dict[str, str]:
    """Values by key in lower case without spaces; the first of a repeated key counts, `text` ends it all."""
    fields: dict[str, str] = {}
    found = list(_KEY.finditer(text))
    ends = [later.start() for later in found[1:]] + [len(text)]
    for one, end in zip(found, ends, strict=False):
        word = (one[1] or one[2] or "").lower()
        key = _NAMES.get(word) or word.replace(" ", "").replace("_", "")
        if key == "text":
            break
        value = text[one.end() : end].strip(" \t\r\n,;|")
        fields.setdefault(key, value if key.endswith("date") else value.partition(" ")[0])
    return fields


def _state(word: str) -> str:
    found = _WORD.match(word)
    state = found[0].upper() if found else ""
    if state.isdigit():  # some write the number of message_state
        return c.MESSAGE_STATES.get(int(state), "")
    return _ALIASES.get(state, state)


def _int(value: bytes | None) -> int:
    return int.from_bytes(value, "big") if value else -1


def _date(text: str) -> datetime | None:
    """YYMMDDhhmm with or without seconds, with or without the century or separators."""
    digits = text if text.isdigit() else _NOT_DIGITS.sub("", text)
    if len(digits) == 14:
        digits = digits[2:]
    if len(digits) not in (10, 12):
        return None
    try:
        return datetime(
            2000 + int(digits[:2]),
            int(digits[2:4]),
            int(digits[4:6]),
            int(digits[6:8]),
            int(digits[8:10]),
            int(digits[10:] or "0"),
        )
    except ValueError:
        return None
