"""Cutting messages into parts: limits, seams, and that the text is the same at the other end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire import gsm7
from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.reassembly import fragment, user_data
from heliograph.wire.smpp.segment import (
    Mode,
    Options,
    Part,
    TooLong,
    count_parts,
    decode_text,
    segment_binary,
    segment_text,
)

modes = st.sampled_from(["udh", "udh16", "sar", "payload"])
gsm_text = st.text(alphabet="abc @é€[]{}~\n", max_size=700)
any_text = st.text(alphabet=st.sampled_from("ab€я\u20ac\U0001f600\U0001f680é"), max_size=400)
options = st.builds(
    Options,
    mode=modes,
    flash=st.booleans(),
    reference=st.integers(0, 0xFFFFF),
    alphabet=st.sampled_from(["gsm", "latin1"]),
    use_latin1=st.booleans(),
    unicode=st.booleans(),
)


def received(part: Part) -> ShortMessage:
    return ShortMessage(
        short_message=part.short_message,
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        tlvs=part.tlvs,
    )


def payload(part: Part) -> bytes:
    return user_data(received(part)).payload


def shape(parts: tuple[Part, ...]) -> tuple[int, int, list[int]]:
    return parts[0].data_coding, parts[0].esm_class, [len(part.short_message) for part in parts]


@given(gsm_text | any_text, options)
def test_the_parts_read_as_the_text(text: str, chosen: Options) -> None:
    parts = segment_text(text, chosen)
    texts = [decode_text(payload(part), part.data_coding, chosen.alphabet) for part in parts]
    assert "".join(one or "" for one in texts) == text


@given(gsm_text | any_text, options)
def test_no_part_is_longer_than_a_short_message(text: str, chosen: Options) -> None:
    for part in segment_text(text, chosen):
        assert len(part.short_message) <= (160 if part.data_coding in (0, 0x10) else 140)


@given(gsm_text, modes)
def test_no_part_ends_in_escape(text: str, mode: Mode) -> None:
    assert all(payload(part)[-1:] != b"\x1b" for part in segment_text(text, Options(mode)))


@given(any_text, modes)
def test_no_part_ends_in_half_a_surrogate_pair(text: str, mode: Mode) -> None:
    for part in segment_text(text, Options(mode, unicode=True)):
        payload(part).decode("utf-16-be")


@given(gsm_text | any_text, options)
def test_count_is_the_number_of_parts(text: str, chosen: Options) -> None:
    assert count_parts(text, chosen) == len(segment_text(text, chosen))


@given(any_text, st.sampled_from(["udh", "udh16", "sar"]), st.integers(0, 255))
def test_every_part_says_which_it_is(text: str, mode: Mode, reference: int) -> None:
    parts = segment_text(text, Options(mode, reference=reference))
    if len(parts) > 1:
        said = [fragment(received(part)) for part in parts]
        assert [(one.reference, one.total, one.number) for one in said if one] == [
            (reference, len(parts), number) for number in range(1, len(parts) + 1)
        ]


@given(st.binary(max_size=2000), options, st.sampled_from([b"", b"\x05\x04\x15\x8a\x00\x00"]))
def test_binary_parts_read_as_the_data(data: bytes, chosen: Options, header: bytes) -> None:
    assert b"".join(map(payload, segment_binary(data, chosen, header))) == data


@given(st.binary(max_size=2000), options, st.sampled_from([b"", b"\x05\x04\x15\x8a\x00\x00"]))
def test_binary_parts_fit(data: bytes, chosen: Options, header: bytes) -> None:
    assert all(len(part.short_message) <= 140 for part in segment_binary(data, chosen, header))


@pytest.mark.parametrize(
    ("mode", "text", "expected"),
    [
        ("udh", "", (0, 0, [0])),
        ("udh", "a" * 160, (0, 0, [160])),
        ("udh", "a" * 161, (0, 0x40, [6 + 153, 6 + 8])),
        ("udh", "a" * 306, (0, 0x40, [159, 159])),
        ("udh", "a" * 307, (0, 0x40, [159, 159, 7])),
        ("udh16", "a" * 161, (0, 0x40, [7 + 152, 7 + 9])),
        ("sar", "a" * 161, (0, 0, [153, 8])),
        ("payload", "a" * 161, (0, 0, [0])),
        ("udh", "€" * 80, (0, 0, [160])),
        ("udh", "€" * 81, (0, 0x40, [6 + 152, 6 + 10])),
        ("udh", "я" * 70, (8, 0, [140])),
        ("udh", "я" * 71, (8, 0x40, [6 + 134, 6 + 8])),
        ("udh16", "я" * 71, (8, 0x40, [7 + 132, 7 + 10])),
        ("udh", "\U0001f600" * 35, (8, 0, [140])),
        ("udh", "\U0001f600" * 36, (8, 0x40, [6 + 132, 6 + 12])),
    ],
)
def test_cuts(mode: Mode, text: str, expected: tuple[int, int, list[int]]) -> None:
    assert shape(segment_text(text, Options(mode))) == expected


@pytest.mark.parametrize(
    ("chosen", "text", "data_coding"),
    [
        (Options(), "a", 0x00),
        (Options(), "ç", 0x08),
        (Options(flash=True), "a", 0x10),
        (Options(flash=True), "ç", 0x18),
        (Options(flash=True, use_latin1=True), "ç", 0x18),
        (Options(use_latin1=True), "ç", 0x03),
        (Options(use_latin1=True), "я", 0x08),
        (Options(unicode=True), "a", 0x08),
        (Options(alphabet="latin1"), "é", 0x00),
        (Options(alphabet="latin1"), "€", 0x08),
    ],
)
def test_chooses_the_coding(chosen: Options, text: str, data_coding: int) -> None:
    assert segment_text(text, chosen)[0].data_coding == data_coding


def test_a_latin1_default_alphabet_gets_latin1_octets() -> None:
    assert segment_text("@é_", Options(alphabet="latin1"))[0].short_message == b"@\xe9_"


@pytest.mark.parametrize(("flash", "data_coding"), [(False, 0x04), (True, 0x14)])
def test_binary_is_told_by_its_coding(flash: bool, data_coding: int) -> None:
    assert segment_binary(b"\0", Options(flash=flash))[0].data_coding == data_coding


def test_a_header_of_ones_own_comes_before_the_concatenation() -> None:
    parts = segment_binary(bytes(200), Options(reference=7), b"\x05\x04\x15\x8a\x00\x00")
    assert parts[0].short_message[:12] == b"\x0b\x05\x04\x15\x8a\x00\x00\x00\x03\x07\x02\x01"


def test_udh_has_an_eight_bit_reference() -> None:
    assert segment_text("a" * 161, Options(reference=0x1FE))[1].short_message[:6] == b"\x05\0\x03\xfe\x02\x02"


def test_udh16_has_a_sixteen_bit_reference() -> None:
    parts = segment_text("a" * 161, Options("udh16", reference=0x1FE))
    assert parts[1].short_message[:7] == b"\x06\x08\x04\x01\xfe\x02\x02"


def test_sar_puts_the_reference_in_tlvs() -> None:
    assert segment_text("a" * 161, Options("sar", reference=0x1FE))[1].tlvs == {
        c.SAR_MSG_REF_NUM: b"\x01\xfe",
        c.SAR_TOTAL_SEGMENTS: b"\x02",
        c.SAR_SEGMENT_SEQNUM: b"\x02",
    }


def test_255_parts_are_the_most() -> None:
    assert count_parts("a" * (255 * 153)) == 255
    with pytest.raises(TooLong):
        segment_text("a" * (255 * 153 + 1))


def test_a_payload_holds_64k() -> None:
    assert count_parts("a" * 0xFFFF, Options("payload")) == 1
    with pytest.raises(TooLong):
        segment_text("a" * 0x10000, Options("payload"))


def test_a_header_without_room_for_data_is_too_long() -> None:
    with pytest.raises(TooLong):
        segment_binary(bytes(10), Options(), bytes(140))


def test_a_lone_surrogate_does_not_stop_a_message() -> None:
    assert count_parts("a\ud83d" * 50) == 2


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"\x00a", 0, "@a"),
        (b"a", 1, "a"),
        (b"\xe9", 3, "é"),
        (b"\x04\x4f", 8, "я"),
        (b"\x00", 0x10, "@"),
        (b"\x04\x4f", 0x18, "я"),
        (b"\x00", 0xF0, "@"),
        (b"\x00", 0xF4, None),
        (b"\x00", 0x14, None),
        (b"\x00", 2, None),
        (b"\x00", 4, None),
        (b"\x00", 9, None),
        (b"\x04", 8, "\ufffd"),
        (gsm7.encode("€"), 0, "€"),
    ],
)
def test_reads_text_by_its_coding(octets: bytes, data_coding: int, text: str | None) -> None:
    assert decode_text(octets, data_coding) == text
