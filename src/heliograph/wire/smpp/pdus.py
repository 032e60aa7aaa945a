"""The PDU bodies of SMPP 3.4, each class its own field table.

Names, order, kinds and limits of the fields stand in the annotations; `codec` reads them from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, NamedTuple

from heliograph.wire.smpp import constants as c

Tlvs = Mapping[int, bytes]
"""Optional parameters, raw by tag; of a repeated tag the first value is kept."""

NO_TLVS: Tlvs = MappingProxyType({})
"""The empty set of optional parameters."""


class CString:
    """A field kind: text that ends with NUL, of at most `size` octets with the NUL (SMPP 3.4, 3.1)."""

    def __init__(self, size: int) -> None:
        self.size = size


class OctetKind:
    """A field kind: an unsigned integer of one octet."""


class CountedKind:
    """A field kind: one octet of length, then that many octets (sm_length and short_message)."""


Octet = Annotated[int, OctetKind()]
Counted = Annotated[bytes, CountedKind()]
Address = Annotated[str, CString(21)]
Time = Annotated[str, CString(17)]
MessageId = Annotated[str, CString(65)]


class Bind(NamedTuple):
    """Body of bind_transmitter, bind_receiver and bind_transceiver (SMPP 3.4, 4.1)."""

    system_id: Annotated[str, CString(16)] = ""
    password: Annotated[str, CString(9)] = ""
    system_type: Annotated[str, CString(13)] = ""
    interface_version: Octet = 0x34
    addr_ton: Octet = 0
    addr_npi: Octet = 0
    address_range: Annotated[str, CString(41)] = ""


class BindResp(NamedTuple):
    """Body of the three bind answers; absent when the bind was refused."""

    system_id: Annotated[str, CString(16)] = ""
    tlvs: Tlvs = NO_TLVS


class Outbind(NamedTuple):
    """Body of outbind, by which an SMSC asks an ESME to bind (SMPP 3.4, 4.1.7)."""

    system_id: Annotated[str, CString(16)] = ""
    password: Annotated[str, CString(9)] = ""


class ShortMessage(NamedTuple):
    """Body of submit_sm and of deliver_sm, which have the same fields (SMPP 3.4, 4.4.1 and 4.6.1)."""

    service_type: Annotated[str, CString(6)] = ""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Address = ""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: Address = ""
    esm_class: Octet = 0
    protocol_id: Octet = 0
    priority_flag: Octet = 0
    schedule_delivery_time: Time = ""
    validity_period: Time = ""
    registered_delivery: Octet = 0
    replace_if_present_flag: Octet = 0
    data_coding: Octet = 0
    sm_default_msg_id: Octet = 0
    short_message: Counted = b""
    tlvs: Tlvs = NO_TLVS


class DataSm(NamedTuple):
    """Body of data_sm, whose text is always in the TLV message_payload (SMPP 3.4, 4.7.1)."""

    service_type: Annotated[str, CString(6)] = ""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Annotated[str, CString(65)] = ""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: Annotated[str, CString(65)] = ""
    esm_class: Octet = 0
    registered_delivery: Octet = 0
    data_coding: Octet = 0
    tlvs: Tlvs = NO_TLVS

    def as_short_message(self) -> ShortMessage:
        """The same fields in the shape of a deliver_sm, so that both are read alike."""
        return ShortMessage(**self._asdict())


class MessageResp(NamedTuple):
    """Body of submit_sm_resp, deliver_sm_resp (message_id unused there) and data_sm_resp."""

    message_id: MessageId = ""
    tlvs: Tlvs = NO_TLVS


class QuerySm(NamedTuple):
    """Body of query_sm (SMPP 3.4, 4.8.1)."""

    message_id: MessageId = ""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Address = ""


class QuerySmResp(NamedTuple):
    """Body of query_sm_resp (SMPP 3.4, 4.8.2)."""

    message_id: MessageId = ""
    final_date: Time = ""
    message_state: Octet = 0
    error_code: Octet = 0


class CancelSm(NamedTuple):
    """Body of cancel_sm (SMPP 3.4, 4.9.1)."""

    service_type: Annotated[str, CString(6)] = ""
    message_id: MessageId = ""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Address = ""
    dest_addr_ton: Octet = 0
    dest_addr_npi: Octet = 0
    destination_addr: Address = ""


class ReplaceSm(NamedTuple):
    """Body of replace_sm (SMPP 3.4, 4.10.1)."""

    message_id: MessageId = ""
    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Address = ""
    schedule_delivery_time: Time = ""
    validity_period: Time = ""
    registered_delivery: Octet = 0
    sm_default_msg_id: Octet = 0
    short_message: Counted = b""


class AlertNotification(NamedTuple):
    """Body of alert_notification (SMPP 3.4, 4.12.1)."""

    source_addr_ton: Octet = 0
    source_addr_npi: Octet = 0
    source_addr: Annotated[str, CString(65)] = ""
    esme_addr_ton: Octet = 0
    esme_addr_npi: Octet = 0
    esme_addr: Annotated[str, CString(65)] = ""
    tlvs: Tlvs = NO_TLVS


class Empty(NamedTuple):
    """The body of a PDU that is a header only."""


Body = (
    Bind
    | BindResp
    | Outbind
    | ShortMessage
    | DataSm
    | MessageResp
    | QuerySm
    | QuerySmResp
    | CancelSm
    | ReplaceSm
    | AlertNotification
    | Empty
)

BODIES: dict[int, type[Body]] = {
    **dict.fromkeys(c.BINDS, Bind),
    **dict.fromkeys((bind | c.RESPONSE for bind in c.BINDS), BindResp),
    c.OUTBIND: Outbind,
    c.SUBMIT_SM: ShortMessage,
    c.SUBMIT_SM | c.RESPONSE: MessageResp,
    c.DELIVER_SM: ShortMessage,
    c.DELIVER_SM | c.RESPONSE: MessageResp,
    c.DATA_SM: DataSm,
    c.DATA_SM | c.RESPONSE: MessageResp,
    c.QUERY_SM: QuerySm,
    c.QUERY_SM | c.RESPONSE: QuerySmResp,
    c.CANCEL_SM: CancelSm,
    c.CANCEL_SM | c.RESPONSE: Empty,
    c.REPLACE_SM: ReplaceSm,
    c.REPLACE_SM | c.RESPONSE: Empty,
    c.UNBIND: Empty,
    c.UNBIND | c.RESPONSE: Empty,
    c.ENQUIRE_LINK: Empty,
    c.ENQUIRE_LINK | c.RESPONSE: Empty,
    c.GENERIC_NACK: Empty,
    c.ALERT_NOTIFICATION: AlertNotification,
}
"""Command id to the table of its body."""
