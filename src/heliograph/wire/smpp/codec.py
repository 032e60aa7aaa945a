"""SMPP 3.4 PDUs to bytes and back, and the framing of a byte stream into PDUs.

Decoding is lenient where carriers are odd (a last NUL or an answer's body missing, rubbish after an answer)
and strict where a wrong length would be believed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple, get_type_hints

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.pdus import (
    BODIES,
    NO_TLVS,
    Body,
    CountedKind,
    CString,
    OctetKind,
    ShortMessage,
    Tlvs,
)

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number (SMPP 3.4, 3.2)."""

MAX_PDU = 0x10400
"""Longest PDU taken in octets: message_payload of 64K (SMPP 3.4, 5.3.2.32) and everything around it."""

_TLV = struct.Struct(">HH")
_OCTETS = tuple(bytes((value,)) for value in range(256))


class ProtocolError(Exception):
    """A rule of SMPP was broken: by us (LocalProtocolError) or by the peer (RemoteProtocolError)."""


class LocalProtocolError(ProtocolError):
    """We were about to send what SMPP forbids; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer sent what SMPP forbids; command_status is the answer it deserves."""

    def __init__(self, reason: str, command_status: int = c.ESME_RINVCMDLEN) -> None:
        super().__init__(reason)
        self.command_status = command_status


class Pdu(NamedTuple):
    """One PDU cut out of the stream: its header, and `frame`, all its octets with the header."""

    command_id: int
    status: int
    sequence: int
    frame: bytes


def encode(command_id: int, sequence: int, body: Body | None = None, status: int = c.ESME_ROK) -> bytes:
    """The octets of a PDU; without a body a header only, as an answer with an error status is.

    Raises LocalProtocolError for a value that its field cannot hold.
    """
    content = encode_body(body) if body is not None else b""
    return HEADER.pack(HEADER.size + len(content), command_id, status, sequence) + content


def encode_body(body: Body) -> bytes:
    """The octets of a body, mandatory fields and then TLVs; raises LocalProtocolError."""
    fields = zip(body._fields, _KINDS[type(body)], body, strict=True)
    return b"".join(_encode_field(name, kind, value) for name, kind, value in fields)


def _encode_field(name: str, kind: Any, value: Any) -> bytes:
    if isinstance(kind, CString):
        return encode_text(name, value, kind.size)
    if isinstance(kind, OctetKind):
        octet: int = value
        if not 0 <= octet <= 0xFF:
            raise LocalProtocolError(f"{name} must be 0..255, not {octet}")
        return _OCTETS[octet]
    if isinstance(kind, CountedKind):
        octets: bytes = value
        # SMPP 3.4, 5.2.21 and 5.2.22: short_message is at most 254 octets; longer text goes in a TLV.
        if len(octets) > 254:
            raise LocalProtocolError(f"{name} holds at most 254 octets, not {len(octets)}")
        return _OCTETS[len(octets)] + octets
    return encode_tlvs(value)


def encode_text(name: str, text: str, size: int) -> bytes:
    """A C-octet string with its NUL, at most `size` octets in all; raises LocalProtocolError."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"{name} must be ASCII, not {text!r}") from error
    if len(octets) >= size or b"\0" in octets:
        raise LocalProtocolError(f"{name} holds at most {size - 1} characters, and no NUL")
    return octets + b"\0"


def encode_tlvs(tlvs: Tlvs) -> bytes:
    """Optional parameters as tag, length, value (SMPP 3.4, 5.3.1); raises LocalProtocolError."""
    out = b""
    for tag, value in tlvs.items():
        if not (0 <= tag <= 0xFFFF and len(value) <= 0xFFFF):
            raise LocalProtocolError(f"TLV {tag:#06x} of {len(value)} octets does not fit")
        out += _TLV.pack(tag, len(value)) + value
    return out


def make_tlvs(**values: int | str | bytes) -> dict[int, bytes]:
    """Optional parameters from names of the table `constants.TLVS`, each value written as its rule says."""
    tlvs = {}
    for name, value in values.items():
        tag = c.TAGS[name]
        if isinstance(value, int):
            tlvs[tag] = value.to_bytes(c.TLVS[tag].size, "big")
        else:
            tlvs[tag] = value if isinstance(value, bytes) else value.encode("latin-1") + b"\0"
    return tlvs


def decode(pdu: Pdu) -> Body:
    """The body of a PDU. An answer always decodes: what its peer did is done, and what is missing is empty.

    Raises RemoteProtocolError, with the status to answer, for an unknown command or a broken request.
    """
    layout = _LAYOUTS.get(pdu.command_id)
    if layout is None:
        raise RemoteProtocolError(f"unknown command {pdu.command_id:#010x}", c.ESME_RINVCMDID)
    is_response = pdu.command_id >= c.RESPONSE
    values = _read(pdu.frame, layout, is_response)
    missing = len(layout.defaults) - len(values)
    if missing:
        if not is_response:
            raise RemoteProtocolError(f"{c.COMMANDS[pdu.command_id]} ends {missing} fields early")
        values += layout.defaults[-missing:]
    made: Body = layout.body._make(values)
    return made


def _read(frame: bytes, layout: _Layout, is_response: bool) -> list[Any]:
    """As many field values as the frame holds, in the order of the layout."""
    values: list[Any] = []
    at, size = HEADER.size, len(frame)
    for octets, kind in layout.steps:
        if octets:
            values += frame[at : at + octets]
            at += octets
            if at > size:
                break
        elif kind is CString and at <= size:
            end = frame.find(0, at)
            if end < 0:  # the NUL of a last field is left out by some peers
                end = size
            values.append(str(frame[at:end], "latin-1"))
            at = end + 1
        elif kind is _Tlvs:
            values.append(_read_tlvs(frame, at, is_response) if at < size else NO_TLVS)
        elif kind is CountedKind and at < size:
            start = at + 1
            at = start + frame[at]
            if at > size:
                raise RemoteProtocolError("sm_length goes beyond the end of the PDU", c.ESME_RINVMSGLEN)
            values.append(frame[start:at])
        else:
            break
    return values


def _read_tlvs(frame: bytes, at: int, is_response: bool) -> Tlvs:
    """The TLVs from `at` on; fewer than four octets at the end are no TLV and are passed over."""
    tlvs: dict[int, bytes] = {}
    size = len(frame)
    while size - at >= _TLV.size:
        tag, length = _TLV.unpack_from(frame, at)
        at += _TLV.size
        if length > size - at:
            if is_response:
                break
            raise RemoteProtocolError(f"TLV {tag:#06x} goes beyond the PDU", c.ESME_RINVOPTPARSTREAM)
        tlvs.setdefault(tag, frame[at : at + length])
        at += length
    return tlvs


class SubmitTemplate:
    """A submit_sm encoded but for sequence number and destination, for the same text to thousands."""

    def __init__(self, message: ShortMessage) -> None:
        """Encode once; destination_addr of the message is not used. Raises LocalProtocolError."""
        self.message = message
        fields = list(zip(message._fields, _KINDS[ShortMessage], message, strict=True))
        at = message._fields.index("destination_addr")
        self._prefix = b"".join(_encode_field(*field) for field in fields[:at])
        self._suffix = b"\0" + b"".join(_encode_field(*field) for field in fields[at + 1 :])
        self._length = HEADER.size + len(self._prefix) + len(self._suffix)

    def encode(self, sequence: int, destination: str) -> bytes:
        """The submit_sm for one destination; raises LocalProtocolError if that is no address."""
        # SMPP 3.4, 5.2.9: destination_addr is at most 20 characters and its NUL.
        if len(destination) > 20 or not destination.isalnum() or not destination.isascii():
            raise LocalProtocolError(f"destination_addr cannot be {destination!r}")
        address = destination.encode()
        header = HEADER.pack(self._length + len(address), c.SUBMIT_SM, c.ESME_ROK, sequence)
        return header + self._prefix + address + self._suffix


class Reader:
    """Cuts a byte stream into PDUs, however the network has sliced it."""

    def __init__(self, max_pdu: int = MAX_PDU) -> None:
        self._max_pdu = max_pdu
        self._chunks: list[bytes] = []
        self._held = 0
        self._wanted = HEADER.size

    def feed(self, data: bytes) -> Iterator[Pdu]:
        """Take more of the stream and give the PDUs now complete.

        The iterator raises RemoteProtocolError where a length makes the rest of the stream unreadable.
        """
        self._chunks.append(data)
        self._held += len(data)
        return iter(()) if self._held < self._wanted else self._split(b"".join(self._chunks))

    def _split(self, data: bytes) -> Iterator[Pdu]:
        at, size = 0, len(data)
        self._wanted = HEADER.size
        try:
            while size - at >= HEADER.size:
                length, command_id, status, sequence = HEADER.unpack_from(data, at)
                if not HEADER.size <= length <= self._max_pdu:
                    raise RemoteProtocolError(f"command_length {length} is out of 16..{self._max_pdu}")
                if length > size - at:
                    self._wanted = length
                    return
                frame = data[at : at + length]
                at += length
                yield Pdu(command_id, status, sequence, frame)
        finally:
            self._chunks = [data[at:]]
            self._held = size - at


class _Tlvs:
    """A field kind: everything to the end of the PDU, as optional parameters."""


class _Layout(NamedTuple):
    """A body class made ready for decoding; neighbouring octets are one step."""

    body: type[Body]
    steps: tuple[tuple[int, type], ...]
    defaults: list[Any]


def _kinds(body: type[Body]) -> tuple[Any, ...]:
    hints = get_type_hints(body, include_extras=True)
    return tuple(getattr(hints[name], "__metadata__", (_Tlvs(),))[0] for name in body._fields)


def _layout(body: type[Body]) -> _Layout:
    steps: list[tuple[int, type]] = []
    for kind in map(type, _KINDS[body]):
        if kind is OctetKind and steps and steps[-1][0]:
            steps[-1] = (steps[-1][0] + 1, OctetKind)
        else:
            steps.append((int(kind is OctetKind), kind))
    return _Layout(body, tuple(steps), [body._field_defaults[name] for name in body._fields])


_KINDS = {body: _kinds(body) for body in set(BODIES.values())}
_LAYOUTS = {command_id: _layout(body) for command_id, body in BODIES.items()}
