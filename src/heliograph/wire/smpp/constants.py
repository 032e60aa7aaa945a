"""The numbers of SMPP 3.4 as data: commands, statuses, TLV tags and message states."""

from typing import Final, NamedTuple

RESPONSE: Final = 0x80000000
"""The bit that makes a response out of its request's command id (SMPP 3.4, 5.1.2.1)."""

GENERIC_NACK: Final = 0x80000000
BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
QUERY_SM: Final = 0x00000003
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
REPLACE_SM: Final = 0x00000007
CANCEL_SM: Final = 0x00000008
BIND_TRANSCEIVER: Final = 0x00000009
OUTBIND: Final = 0x0000000B
ENQUIRE_LINK: Final = 0x00000015
ALERT_NOTIFICATION: Final = 0x00000102
DATA_SM: Final = 0x00000103

BINDS: Final = (BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER)
"""The three ways to bind."""

_REQUESTS = {
    BIND_RECEIVER: "bind_receiver",
    BIND_TRANSMITTER: "bind_transmitter",
    QUERY_SM: "query_sm",
    SUBMIT_SM: "submit_sm",
    DELIVER_SM: "deliver_sm",
    UNBIND: "unbind",
    REPLACE_SM: "replace_sm",
    CANCEL_SM: "cancel_sm",
    BIND_TRANSCEIVER: "bind_transceiver",
    ENQUIRE_LINK: "enquire_link",
    DATA_SM: "data_sm",
}
COMMANDS: Final[dict[int, str]] = {
    **_REQUESTS,
    **{command | RESPONSE: f"{name}_resp" for command, name in _REQUESTS.items()},
    GENERIC_NACK: "generic_nack",
    OUTBIND: "outbind",  # neither has an answer (SMPP 3.4, 4.1.7 and 4.12)
    ALERT_NOTIFICATION: "alert_notification",
}
"""Command id to the name that the specification gives it."""

ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RALYBND: Final = 0x05
ESME_RSYSERR: Final = 0x08
ESME_RINVSRCADR: Final = 0x0A
ESME_RINVDSTADR: Final = 0x0B
ESME_RBINDFAIL: Final = 0x0D
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RMSGQFUL: Final = 0x14
ESME_RTHROTTLED: Final = 0x58
ESME_RX_T_APPN: Final = 0x64
ESME_RINVOPTPARSTREAM: Final = 0xC0

STATUSES: Final[dict[int, str]] = {
    0x00: "ESME_ROK",
    0x01: "ESME_RINVMSGLEN",
    0x02: "ESME_RINVCMDLEN",
    0x03: "ESME_RINVCMDID",
    0x04: "ESME_RINVBNDSTS",
    0x05: "ESME_RALYBND",
    0x06: "ESME_RINVPRTFLG",
    0x07: "ESME_RINVREGDLVFLG",
    0x08: "ESME_RSYSERR",
    0x0A: "ESME_RINVSRCADR",
    0x0B: "ESME_RINVDSTADR",
    0x0C: "ESME_RINVMSGID",
    0x0D: "ESME_RBINDFAIL",
    0x0E: "ESME_RINVPASWD",
    0x0F: "ESME_RINVSYSID",
    0x11: "ESME_RCANCELFAIL",
    0x13: "ESME_RREPLACEFAIL",
    0x14: "ESME_RMSGQFUL",
    0x15: "ESME_RINVSERTYP",
    0x33: "ESME_RINVNUMDESTS",
    0x34: "ESME_RINVDLNAME",
    0x40: "ESME_RINVDESTFLAG",
    0x42: "ESME_RINVSUBREP",
    0x43: "ESME_RINVESMCLASS",
    0x44: "ESME_RCNTSUBDL",
    0x45: "ESME_RSUBMITFAIL",
    0x48: "ESME_RINVSRCTON",
    0x49: "ESME_RINVSRCNPI",
    0x50: "ESME_RINVDSTTON",
    0x51: "ESME_RINVDSTNPI",
    0x53: "ESME_RINVSYSTYP",
    0x54: "ESME_RINVREPFLAG",
    0x55: "ESME_RINVNUMMSGS",
    0x58: "ESME_RTHROTTLED",
    0x61: "ESME_RINVSCHED",
    0x62: "ESME_RINVEXPIRY",
    0x63: "ESME_RINVDFTMSGID",
    0x64: "ESME_RX_T_APPN",
    0x65: "ESME_RX_P_APPN",
    0x66: "ESME_RX_R_APPN",
    0x67: "ESME_RQUERYFAIL",
    0xC0: "ESME_RINVOPTPARSTREAM",
    0xC1: "ESME_ROPTPARNOTALLWD",
    0xC2: "ESME_RINVPARLEN",
    0xC3: "ESME_RMISSINGOPTPARAM",
    0xC4: "ESME_RINVOPTPARAMVAL",
    0xFE: "ESME_RDELIVERYFAILURE",
    0xFF: "ESME_RUNKNOWNERR",
}
"""Command status to its name (SMPP 3.4, 5.1.3)."""


def status_name(status: int) -> str:
    """The name of a status, or its number in hex for a vendor's own."""
    return STATUSES.get(status) or f"0x{status:08X}"


class TlvRule(NamedTuple):
    """How one optional parameter is called and written: kind is int, text (NUL at its end) or octets."""

    name: str
    kind: str = "octets"
    size: int = 0


RECEIPTED_MESSAGE_ID: Final = 0x001E
SAR_MSG_REF_NUM: Final = 0x020C
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
SC_INTERFACE_VERSION: Final = 0x0210
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
DELIVERY_FAILURE_REASON: Final = 0x0425
MESSAGE_STATE: Final = 0x0427

TLVS: Final[dict[int, TlvRule]] = {
    0x0005: TlvRule("dest_addr_subunit", "int", 1),
    0x0006: TlvRule("dest_network_type", "int", 1),
    0x0007: TlvRule("dest_bearer_type", "int", 1),
    0x0008: TlvRule("dest_telematics_id", "int", 2),
    0x000D: TlvRule("source_addr_subunit", "int", 1),
    0x000E: TlvRule("source_network_type", "int", 1),
    0x000F: TlvRule("source_bearer_type", "int", 1),
    0x0010: TlvRule("source_telematics_id", "int", 1),
    0x0017: TlvRule("qos_time_to_live", "int", 4),
    0x0019: TlvRule("payload_type", "int", 1),
    0x001D: TlvRule("additional_status_info_text", "text"),
    RECEIPTED_MESSAGE_ID: TlvRule("receipted_message_id", "text"),
    0x0030: TlvRule("ms_msg_wait_facilities", "int", 1),
    0x0201: TlvRule("privacy_indicator", "int", 1),
    0x0202: TlvRule("source_subaddress"),
    0x0203: TlvRule("dest_subaddress"),
    0x0204: TlvRule("user_message_reference", "int", 2),
    0x0205: TlvRule("user_response_code", "int", 1),
    0x020A: TlvRule("source_port", "int", 2),
    0x020B: TlvRule("destination_port", "int", 2),
    SAR_MSG_REF_NUM: TlvRule("sar_msg_ref_num", "int", 2),
    0x020D: TlvRule("language_indicator", "int", 1),
    SAR_TOTAL_SEGMENTS: TlvRule("sar_total_segments", "int", 1),
    SAR_SEGMENT_SEQNUM: TlvRule("sar_segment_seqnum", "int", 1),
    SC_INTERFACE_VERSION: TlvRule("sc_interface_version", "int", 1),
    0x0302: TlvRule("callback_num_pres_ind", "int", 1),
    0x0303: TlvRule("callback_num_atag"),
    0x0304: TlvRule("number_of_messages", "int", 1),
    0x0381: TlvRule("callback_num"),
    0x0420: TlvRule("dpf_result", "int", 1),
    0x0421: TlvRule("set_dpf", "int", 1),
    0x0422: TlvRule("ms_availability_status", "int", 1),
    NETWORK_ERROR_CODE: TlvRule("network_error_code"),
    MESSAGE_PAYLOAD: TlvRule("message_payload"),
    DELIVERY_FAILURE_REASON: TlvRule("delivery_failure_reason", "int", 1),
    0x0426: TlvRule("more_messages_to_send", "int", 1),
    MESSAGE_STATE: TlvRule("message_state", "int", 1),
    0x0501: TlvRule("ussd_service_op", "int", 1),
    0x1201: TlvRule("display_time", "int", 1),
    0x1203: TlvRule("sms_signal", "int", 2),
    0x1204: TlvRule("ms_validity", "int", 1),
    0x130C: TlvRule("alert_on_message_delivery"),
    0x1380: TlvRule("its_reply_type", "int", 1),
    0x1383: TlvRule("its_session_info", "int", 2),
}
"""Tag to rule (SMPP 3.4, 5.3.2); a tag outside this table travels raw."""

TAGS: Final[dict[str, int]] = {rule.name: tag for tag, rule in TLVS.items()}
"""TLV name to tag."""

MESSAGE_STATES: Final[dict[int, str]] = {
    0: "SCHEDLD",  # 0 and 9 come from SMPP 5.0, 4.7.15
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    9: "SKIPPED",
}
"""Value of message_state to the word that receipt texts use for it (SMPP 3.4, 5.2.28 and Appendix B)."""
