"""Delivery receipts in every dialect we know."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.smpp.codec import make_tlvs
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.receipt import NetworkError, is_receipt, normalise_id, parse_receipt

NOON = datetime(2026, 1, 1, 12, 0)
MINUTE_LATER = datetime(2026, 1, 1, 12, 1)
SECONDS_LATER = datetime(2026, 1, 1, 12, 1, 59)

# (what is odd about it, text, id, state, err, submit date, done date)
VARIANTS = [
    (
        "Appendix B",
        "id:0123456789 sub:1 dlvrd:1 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 text:",
        ("0123456789", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    (
        "seconds in dates",
        "id:9 sub:001 dlvrd:001 submit date:260101120000 done date:260101120159 stat:DELIVRD err:000 text:",
        ("9", "DELIVRD", "000", NOON, SECONDS_LATER),
    ),
    (
        "century in dates",
        "id:9 submit date:20260101120000 done date:20260101120159 stat:EXPIRED err:12",
        ("9", "EXPIRED", "12", NOON, SECONDS_LATER),
    ),
    (
        "written dates",
        "id:9 submit date:26-01-01 12:00:00 done date:2026-01-01 12:01:59 stat:DELIVRD err:0",
        ("9", "DELIVRD", "0", NOON, SECONDS_LATER),
    ),
    (
        "no dates",
        "id:9 sub:001 dlvrd:000 stat:UNDELIV err:001 text:x",
        ("9", "UNDELIV", "001", None, None),
    ),
    (
        "empty dates",
        "id:9 sub:001 dlvrd:000 submit date: done date: stat:UNDELIV err:001 text:x",
        ("9", "UNDELIV", "001", None, None),
    ),
    (
        "impossible dates",
        "id:9 submit date:0000000000 done date:2613011200 stat:DELIVRD err:000",
        ("9", "DELIVRD", "000", None, None),
    ),
    (
        "capital keys",
        "ID:9 SUB:001 DLVRD:001 SUBMIT DATE:2601011200 DONE DATE:2601011201 STAT:DELIVRD ERR:000 TEXT:Hi",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    (
        "mixed keys, Text:",
        "id:9 Sub:001 Dlvrd:001 Submit Date:2601011200 Done Date:2601011201 Stat:delivrd Err:000 Text:Hi",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    (
        "underscores in keys",
        "id:9 submit_date:2601011200 done_date:2601011201 stat:DELIVRD err:000",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    (
        "no text",
        "id:9 sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    ("no err", "id:9 stat:REJECTD", ("9", "REJECTD", "", None, None)),
    ("empty err", "id:9 stat:REJECTD err: text:", ("9", "REJECTD", "", None, None)),
    ("one digit err", "id:9 stat:UNDELIV err:1", ("9", "UNDELIV", "1", None, None)),
    ("six digit err", "id:9 stat:UNDELIV err:123456", ("9", "UNDELIV", "123456", None, None)),
    ("hex err", "id:9 stat:UNDELIV err:0x1A", ("9", "UNDELIV", "0x1A", None, None)),
    ("letters in err", "id:9 stat:UNDELIV err:E0B text:x", ("9", "UNDELIV", "E0B", None, None)),
    ("word err", "id:9 stat:UNDELIV err:ABSENT", ("9", "UNDELIV", "ABSENT", None, None)),
    (
        "vendor keys",
        "id:9 mcc:234 mnc:10 price-eur:0.05 stat:DELIVRD err:000 netw:Voda",
        ("9", "DELIVRD", "000", None, None),
    ),
    (
        "vendor key between done date and stat",
        "id:9 done date:2601011201 imsi:2341 stat:DELIVRD err:000",
        ("9", "DELIVRD", "000", None, MINUTE_LATER),
    ),
    (
        "spaces after colons",
        "id: 9  sub: 001 submit date: 2601011200 done date: 2601011201  stat: DELIVRD err: 000",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    ("spaces before colons", "id : 9 stat : DELIVRD err : 000", ("9", "DELIVRD", "000", None, None)),
    ("leading space", "  id:9 stat:DELIVRD err:000  ", ("9", "DELIVRD", "000", None, None)),
    ("line ends", "id:9\r\nstat:DELIVRD\r\nerr:000\r\n", ("9", "DELIVRD", "000", None, None)),
    ("commas", "id:9, stat:DELIVRD, err:000", ("9", "DELIVRD", "000", None, None)),
    (
        "no spaces between digits and keys",
        "id:9 sub:001dlvrd:001submit date:2601011200done date:2601011201stat:DELIVRD err:000",
        ("9", "DELIVRD", "000", NOON, MINUTE_LATER),
    ),
    ("another order", "stat:DELIVRD err:000 id:9", ("9", "DELIVRD", "000", None, None)),
    (
        "a text that looks like a receipt",
        "id:9 stat:EXPIRED err:5 text:id:8 stat:DELIVRD err:0",
        ("9", "EXPIRED", "5", None, None),
    ),
    ("a whole word for the state", "id:9 stat:DELIVERED err:0", ("9", "DELIVRD", "0", None, None)),
    ("UNDELIVERABLE", "id:9 stat:UNDELIVERABLE err:0", ("9", "UNDELIV", "0", None, None)),
    ("state as a number", "id:9 stat:2 err:0", ("9", "DELIVRD", "0", None, None)),
    ("enroute", "id:9 stat:ENROUTE err:000", ("9", "ENROUTE", "000", None, None)),
    ("a state of the vendor", "id:9 stat:BLOCKED err:000", ("9", "BLOCKED", "000", None, None)),
    ("status: and error:", "id:9 status:DELIVRD error:000", ("9", "DELIVRD", "000", None, None)),
    (
        "uuid id",
        "id:3f2a-11ee_be56.x stat:DELIVRD err:000",
        ("3f2a-11ee_be56.x", "DELIVRD", "000", None, None),
    ),
    ("NUL at the end", "id:9 stat:DELIVRD err:000\0", ("9", "DELIVRD", "000", None, None)),
]


def short(text: str) -> ShortMessage:
    return ShortMessage(esm_class=4, short_message=text.encode("latin-1"))


@pytest.mark.parametrize(("oddity", "text", "expected"), VARIANTS, ids=[row[0] for row in VARIANTS])
def test_reads(oddity: str, text: str, expected: tuple[object, ...]) -> None:
    receipt = parse_receipt(short(text))
    assert receipt is not None
    got = (receipt.message_id, receipt.state, receipt.err, receipt.submit_date, receipt.done_date)
    assert got == expected, oddity


@pytest.mark.parametrize("text", ["", "Hello", "id:9", "stat:DELIVRD", "id: stat:DELIVRD", "id:9 stat:", "::: :"])
def test_is_none_without_id_and_state(text: str) -> None:
    assert parse_receipt(short(text)) is None


def test_tlvs_come_before_text() -> None:
    tlvs = make_tlvs(receipted_message_id="abc", message_state=5, network_error_code=b"\x03\x00\x1b")
    receipt = parse_receipt(short("id:9 stat:DELIVRD err:7")._replace(tlvs=tlvs))
    assert receipt is not None
    assert (receipt.message_id, receipt.state, receipt.err) == ("abc", "UNDELIV", "7")
    assert receipt.network_error == NetworkError(3, 27)


def test_tlvs_alone_are_enough() -> None:
    tlvs = make_tlvs(receipted_message_id="abc", message_state=8, delivery_failure_reason=0)
    receipt = parse_receipt(ShortMessage(esm_class=4, tlvs=tlvs))
    assert receipt is not None
    assert (receipt.message_id, receipt.state, receipt.failure_reason, receipt.raw) == (
        "abc",
        "REJECTD",
        0,
        "",
    )


def test_an_id_in_a_tlv_goes_with_a_state_in_text() -> None:
    receipt = parse_receipt(short("stat:EXPIRED")._replace(tlvs=make_tlvs(receipted_message_id="abc")))
    assert receipt is not None
    assert (receipt.message_id, receipt.state) == ("abc", "EXPIRED")


def test_an_unknown_message_state_leaves_the_text_to_say() -> None:
    receipt = parse_receipt(short("id:9 stat:DELIVRD")._replace(tlvs=make_tlvs(message_state=77)))
    assert receipt is not None
    assert receipt.state == "DELIVRD"


def test_the_text_may_be_in_message_payload() -> None:
    receipt = parse_receipt(ShortMessage(tlvs=make_tlvs(message_payload=b"id:9 stat:DELIVRD")))
    assert receipt is not None
    assert receipt.message_id == "9"


def test_the_text_may_be_in_ucs2() -> None:
    octets = "id:9 stat:DELIVRD text:я".encode("utf-16-be")
    receipt = parse_receipt(ShortMessage(data_coding=8, short_message=octets))
    assert receipt is not None
    assert (receipt.message_id, receipt.raw) == ("9", "id:9 stat:DELIVRD text:я")


def test_an_underscore_in_gsm_alphabet_is_an_underscore() -> None:
    receipt = parse_receipt(short("id:a\x11b stat:DELIVRD"))
    assert receipt is not None
    assert receipt.message_id == "a_b"


@given(st.binary(max_size=254), st.dictionaries(st.sampled_from([0x1E, 0x423, 0x425, 0x427]), st.binary()))
def test_any_bytes_are_a_receipt_or_none(octets: bytes, tlvs: dict[int, bytes]) -> None:
    parse_receipt(ShortMessage(short_message=octets, tlvs=tlvs))


@given(st.text(alphabet="id:stat err0123456789 done date submit\n;", max_size=150))
def test_almost_receipts_do_not_break(text: str) -> None:
    parse_receipt(short(text))


@pytest.mark.parametrize(
    ("esm_class", "expected"),
    [(0x04, True), (0x44, True), (0x20, True), (0x00, False), (0x40, False), (0x08, False), (0x10, False)],
)
def test_esm_class_tells_receipts(esm_class: int, expected: bool) -> None:
    assert is_receipt(esm_class) is expected


@pytest.mark.parametrize(
    ("answered", "answered_format", "receipted", "receipted_format"),
    [
        ("1A2b", "hex", "6699", "decimal"),
        ("0x1A2B", "hex", "0006699", "decimal"),
        ("6699", "decimal", "1a2b", "hex"),
        ("00001A2B", "hex", "1a2b", "hex"),
        (" abc-1 ", "as_is", "abc-1", "as_is"),
        ("not-hex", "hex", "not-hex", "decimal"),
        ("FFFFFFFFFFFFFFFFFFFF", "hex", "1208925819614629174706175", "decimal"),
    ],
)
def test_ids_meet(answered: str, answered_format: str, receipted: str, receipted_format: str) -> None:
    left = normalise_id(answered, answered_format)  # type: ignore[arg-type]
    assert left == normalise_id(receipted, receipted_format)  # type: ignore[arg-type]


def test_as_is_keeps_zeros_and_case() -> None:
    assert normalise_id("00aB", "as_is") == "00aB"
