"""Microseconds of the SMPP hot path, each beside a bare struct.pack of one header in the same run."""

import struct
import timeit
from collections.abc import Callable

from heliograph.wire import gsm7
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import Reader, SubmitTemplate, decode, encode, make_tlvs
from heliograph.wire.smpp.pdus import Bind, BindResp, MessageResp, ShortMessage
from heliograph.wire.smpp.receipt import parse_receipt
from heliograph.wire.smpp.segment import count_parts, segment_text
from heliograph.wire.smpp.session import Role, Session, Settings

DESTINATION = "447700900123"
RECEIPT = b"id:0123456789 sub:1 dlvrd:1 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 text:hi"
ODD_RECEIPT = b"ID: 0123456789 Sub:1 Submit Date:260101120000 mcc:234 Done Date: Stat:UNDELIV Err:0x1A Text:"
SUBMIT = ShortMessage("", 5, 0, "HELIO", 1, 1, DESTINATION, registered_delivery=1, short_message=b"a" * 160)
DELIVER = ShortMessage("", 1, 1, DESTINATION, 5, 0, "HELIO", 4, short_message=RECEIPT)
TLV_DELIVER = DELIVER._replace(tlvs=make_tlvs(receipted_message_id="0123456789", message_state=2))


def best(function: Callable[[], object], number: int = 20_000) -> float:
    """Microseconds of one call in the best of five rounds."""
    return min(timeit.repeat(function, number=number, repeat=5)) / number * 1e6


def bound() -> Session:
    """A session that may submit."""
    session = Session(Role.ESME, 0.0, Settings(window=1))
    session.bind(c.BIND_TRANSCEIVER, Bind(), 0.0)
    session.receive_data(encode(c.BIND_TRANSCEIVER | c.RESPONSE, 1, BindResp()), 0.0)
    session.data_to_send()
    return session


def cases() -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    template = SubmitTemplate(SUBMIT)
    answer = encode(c.SUBMIT_SM | c.RESPONSE, 7, MessageResp("0123456789abcdef"))
    (resp,) = Reader().feed(answer)
    (deliver,) = Reader().feed(encode(c.DELIVER_SM, 7, DELIVER))
    (tlv_deliver,) = Reader().feed(encode(c.DELIVER_SM, 7, TLV_DELIVER))
    reader, session = Reader(), bound()
    odd = DELIVER._replace(short_message=ODD_RECEIPT)
    one, three, unicode = "a" * 160, "hello [€] " * 40, "привет \U0001f600 " * 20

    def submit_and_answer() -> object:
        sequence = session.submit_template(template, DESTINATION, 0.0)
        session.data_to_send()
        return session.receive_data(answer[:12] + sequence.to_bytes(4, "big") + answer[16:], 0.0)

    return {
        "encode submit_sm by template": lambda: template.encode(7, DESTINATION),
        "encode submit_sm in full": lambda: encode(c.SUBMIT_SM, 7, SUBMIT),
        "cut one PDU out of the stream": lambda: list(reader.feed(answer)),
        "decode submit_sm_resp": lambda: decode(resp),
        "decode deliver_sm": lambda: decode(deliver),
        "decode deliver_sm with TLVs": lambda: decode(tlv_deliver),
        "parse receipt": lambda: parse_receipt(DELIVER),
        "parse receipt, odd dialect": lambda: parse_receipt(odd),
        "session: submit and its answer": submit_and_answer,
        "is_gsm, 160 characters": lambda: gsm7.is_gsm(one),
        "count parts, 160 characters": lambda: count_parts(one),
        "segment GSM, 1 part": lambda: segment_text(one),
        "segment GSM with escapes, 4 parts": lambda: segment_text(three),
        "segment UCS-2, 3 parts": lambda: segment_text(unicode),
    }


def main() -> None:
    """Print the table."""
    pack = struct.Struct(">IIII").pack
    reference = best(lambda: pack(16, c.SUBMIT_SM, 0, 7))
    print(f"{'operation':36}{'us/op':>10}{'x struct.pack':>16}")
    print(f"{'struct.pack of a header':36}{reference:10.3f}{1:16.1f}")
    for name, function in cases().items():
        taken = best(function)
        print(f"{name:36}{taken:10.3f}{taken / reference:16.1f}")


if __name__ == "__main__":
    main()
