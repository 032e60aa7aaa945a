"""Any PDU as plain names and values for the story of a message, with passwords left out."""

from typing import Any

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import HEADER, Pdu, RemoteProtocolError, decode
from heliograph.wire.smpp.pdus import Body, DataSm, ReplaceSm, ShortMessage, Tlvs
from heliograph.wire.smpp.reassembly import user_data
from heliograph.wire.smpp.segment import decode_text

HIDDEN = "***"
"""What stands in the place of a password."""

_WITH_PASSWORD = frozenset({*c.BINDS, c.OUTBIND})


def describe(frame: bytes) -> dict[str, Any]:
    """The fields of one PDU by name, fit for JSON; what cannot be decoded tells why and shows its octets."""
    if len(frame) < HEADER.size:
        return {"error": "shorter than a header", "hex": frame.hex()}
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    told: dict[str, Any] = {
        "command": c.COMMANDS.get(command_id, f"0x{command_id:08X}"),
        "command_length": length,
        "command_status": c.status_name(status),
        "sequence_number": sequence,
    }
    try:
        body = decode(Pdu(command_id, status, sequence, frame))
    except RemoteProtocolError as error:
        told["error"] = str(error)
        told["body"] = HIDDEN if command_id in _WITH_PASSWORD else frame[HEADER.size :].hex()
        return told
    return told | _fields(body)


def _fields(body: Body) -> dict[str, Any]:
    told: dict[str, Any] = body._asdict()
    if told.get("password"):
        told["password"] = HIDDEN
    if isinstance(body, ShortMessage | ReplaceSm):
        told["short_message"] = {"hex": body.short_message.hex()}
    if isinstance(body, ShortMessage | DataSm):
        message = body if isinstance(body, ShortMessage) else body.as_short_message()
        told["text"] = decode_text(user_data(message).payload, message.data_coding)
    if "tlvs" in told:
        told["tlvs"] = _tlvs(told["tlvs"])
    return told


def _tlvs(tlvs: Tlvs) -> dict[str, Any]:
    return {_tlv_name(tag): _tlv_value(tag, value) for tag, value in tlvs.items()}


def _tlv_name(tag: int) -> str:
    return c.TLVS[tag].name if tag in c.TLVS else f"0x{tag:04X}"


def _tlv_value(tag: int, value: bytes) -> int | str:
    kind = c.TLVS[tag].kind if tag in c.TLVS else "octets"
    if kind == "int":
        return int.from_bytes(value, "big")
    return str(value.rstrip(b"\0"), "latin-1") if kind == "text" else value.hex()
