"""A text or binary message to the parts that SMPP carries, and the octets of a part back to text.

Limits are those of GSM 03.40: 140 octets of user data, which are 160 septets or 70 units of UCS-2.
"""

from enum import Enum
from typing import Final, Literal, NamedTuple

from heliograph.wire import gsm7
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import make_tlvs
from heliograph.wire.smpp.pdus import NO_TLVS, Tlvs

Mode = Literal["udh", "udh16", "sar", "payload"]
"""How the parts of a long message name each other: user data header with 8- or 16-bit reference, TLVs,
or no parts at all but one message_payload."""

Alphabet = Literal["gsm", "latin1"]
"""What an SMSC takes for its default alphabet (data_coding 0)."""

UDHI: Final = 0x40
"""The bit of esm_class that says: a user data header comes first (SMPP 3.4, 5.2.12)."""

MAX_PARTS: Final = 255
"""The count of parts is one octet (GSM 03.40, 9.2.3.24.1)."""

MAX_PAYLOAD: Final = 0xFFFF
"""The length of a TLV is two octets (SMPP 3.4, 3.2.4.1)."""


class TooLong(ValueError):
    """The message needs more parts, or more octets in one, than the protocol can count."""


class Coding(NamedTuple):
    """One way of writing a text, and how many octets of it one part holds."""

    data_coding: int
    flash: int
    """data_coding of the same for a message of class 0, shown at once (GSM 03.38, 4)."""
    single: int
    """Octets in a message of one part; GSM counts a septet as an octet, for it is sent unpacked."""
    udh: int
    udh16: int


class Codings(Enum):
    """The codings in use; the value says how."""

    GSM = Coding(0x00, 0x10, 160, 153, 152)
    LATIN1 = Coding(0x03, 0x14, 140, 134, 133)
    UCS2 = Coding(0x08, 0x18, 140, 134, 132)
    BINARY = Coding(0x04, 0x14, 140, 134, 133)


class Options(NamedTuple):
    """How a channel wants its messages cut; `reference` ties the parts of one message together."""

    mode: Mode = "udh"
    flash: bool = False
    reference: int = 0
    """Differs between messages that may reach one handset at about the same time; cut to 8 or 16 bits."""
    alphabet: Alphabet = "gsm"
    use_latin1: bool = False
    """Whether text outside GSM 03.38 may go as Latin-1 (data_coding 3) before UCS-2 is taken."""
    unicode: bool = False
    """Whether text goes as UCS-2 even if the default alphabet would do."""


PLAIN: Final = Options()
"""The usual way of cutting."""


class Part(NamedTuple):
    """What one submit_sm carries of a message: the fields of those names."""

    short_message: bytes
    esm_class: int
    data_coding: int
    tlvs: Tlvs = NO_TLVS


def segment_text(text: str, options: Options = PLAIN) -> tuple[Part, ...]:
    """The parts of a text, in order; raises TooLong.

    No part ends between ESC and its character or between two surrogates.
    """
    coding = choose_coding(text, options)
    chunks = _cut(_octets(text, coding), coding, options)
    if coding is Codings.GSM and options.alphabet == "latin1":
        chunks = [gsm7.decode(chunk).encode("latin-1") for chunk in chunks]
    return _parts(chunks, coding, options)


def segment_binary(data: bytes, options: Options = PLAIN, header: bytes = b"") -> tuple[Part, ...]:
    """The parts of binary data, with a user data header of one's own (elements without length octet) in each.

    Raises TooLong.
    """
    return _parts(_cut(data, Codings.BINARY, options, header), Codings.BINARY, options, header)


def count_parts(text: str, options: Options = PLAIN) -> int:
    """How many parts, which is how many messages an operator charges, a text takes; raises TooLong."""
    coding = choose_coding(text, options)
    if coding is Codings.GSM and len(text) <= 80:
        return 1  # even if each character took two septets
    return len(_cut(_octets(text, coding), coding, options))


def choose_coding(text: str, options: Options = PLAIN) -> Codings:
    """The coding that a text goes in: the shortest one that the options allow and that can hold it."""
    if not options.unicode:
        if gsm7.is_gsm(text) and (options.alphabet == "gsm" or _is_latin1(text)):
            return Codings.GSM
        # GSM 03.38, 4: message class goes with GSM, 8-bit data or UCS-2; there is no flash Latin-1.
        if options.use_latin1 and not options.flash and _is_latin1(text):
            return Codings.LATIN1
    return Codings.UCS2


def decode_text(octets: bytes, data_coding: int, alphabet: Alphabet = "gsm") -> str | None:
    """The text of user data without its header; None for binary data and codings we do not know."""
    if data_coding >= 0xF0:  # GSM 03.38, 4: group 1111, bit 2 chooses between GSM and 8-bit data
        name = None if data_coding & 0x04 else "gsm"
    elif 0x10 <= data_coding < 0x20:  # group 0001: message class, bits 3 and 2 the alphabet
        name = _CLASS_ALPHABETS[data_coding >> 2 & 3]
    else:
        name = _ALPHABETS.get(data_coding)
    if name is None:
        return None
    if name == "gsm":
        name = alphabet
    return gsm7.decode(octets) if name == "gsm" else octets.decode(name, "replace")


# SMPP 3.4, 5.2.19; binary and unknown codings have no text
_ALPHABETS = {0: "gsm", 1: "ascii", 3: "latin1", 6: "iso8859_5", 7: "iso8859_8", 8: "utf-16-be"}
_CLASS_ALPHABETS = ("gsm", None, "utf-16-be", None)


def _is_latin1(text: str) -> bool:
    return text.isascii() or max(text) <= "\xff"


def _octets(text: str, coding: Codings) -> bytes:
    if coding is Codings.GSM:
        return gsm7.encode(text)
    if coding is Codings.LATIN1:
        return text.encode("latin-1")
    return text.encode("utf-16-be", "surrogatepass")  # SMPP says UCS-2; handsets read UTF-16


def _cut(octets: bytes, coding: Codings, options: Options, header: bytes = b"") -> list[bytes]:
    """Octets in chunks, each of which fits a part."""
    limits = coding.value
    before = len(header) + 1 if header else 0
    limit = (limits.udh16 if options.mode == "udh16" else limits.udh) - len(header)
    if limit < 1:
        raise TooLong(f"a header of {len(header)} octets leaves no room")
    if before + len(octets) <= limits.single:
        return [octets]
    if options.mode == "payload":
        if before + len(octets) > MAX_PAYLOAD:
            raise TooLong(f"{len(octets)} octets; message_payload holds {MAX_PAYLOAD}")
        return [octets]
    chunks, at = [], 0
    while at < len(octets):
        end = min(at + limit, len(octets))
        if end < len(octets):
            end -= _overhang(octets, end, coding)
        chunks.append(octets[at:end])
        at = end
    if len(chunks) > MAX_PARTS:
        raise TooLong(f"{len(chunks)} parts; {MAX_PARTS} is the limit")
    return chunks


def _overhang(octets: bytes, end: int, coding: Codings) -> int:
    """How many octets before a cut belong to the character after it."""
    if coding is Codings.GSM and octets[end - 1] == 0x1B:
        return 1
    if coding is Codings.UCS2 and octets[end - 2] & 0xFC == 0xD8 and octets[end] & 0xFC == 0xDC:
        return 2
    return 0


def _parts(chunks: list[bytes], coding: Codings, options: Options, header: bytes = b"") -> tuple[Part, ...]:
    data_coding = coding.value.flash if options.flash else coding.value.data_coding
    total = len(chunks)
    parts = []
    for number, chunk in enumerate(chunks, 1):
        elements, tlvs = header, NO_TLVS
        if total > 1:
            elements += _concatenation(options, total, number)
            if options.mode == "sar":
                tlvs = make_tlvs(
                    sar_msg_ref_num=options.reference & 0xFFFF,
                    sar_total_segments=total,
                    sar_segment_seqnum=number,
                )
        # GSM 03.40, 9.2.3.24: one octet of length, then the information elements
        content = bytes((len(elements),)) + elements + chunk if elements else chunk
        if len(content) > coding.value.single:
            content, tlvs = b"", {c.MESSAGE_PAYLOAD: content}
        parts.append(Part(content, UDHI if elements else 0, data_coding, tlvs))
    return tuple(parts)


def _concatenation(options: Options, total: int, number: int) -> bytes:
    """The information element that ties parts together (GSM 03.40, 9.2.3.24.1 and 9.2.3.24.8)."""
    if options.mode == "udh":
        return bytes((0x00, 3, options.reference & 0xFF, total, number))
    if options.mode == "udh16":
        return bytes((0x08, 4, options.reference >> 8 & 0xFF, options.reference & 0xFF, total, number))
    return b""
