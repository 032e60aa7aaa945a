"""SMPP PDUs: round trips, oddities of carriers that pass, and faults that do not."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp.codec import (
    HEADER,
    MAX_PDU,
    LocalProtocolError,
    Pdu,
    Reader,
    RemoteProtocolError,
    SubmitTemplate,
    decode,
    encode,
    encode_body,
    make_tlvs,
)
from heliograph.wire.smpp.pdus import (
    BODIES,
    Bind,
    BindResp,
    Body,
    CString,
    DataSm,
    Empty,
    MessageResp,
    QuerySmResp,
    ShortMessage,
)

MESSAGE = ShortMessage(
    source_addr_ton=5,
    source_addr="HELIO",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="447700900123",
    esm_class=0x40,
    validity_period="000001000000000R",
    registered_delivery=1,
    data_coding=8,
    short_message=b"\0h\0i",
    tlvs={c.MESSAGE_STATE: b"\2", 0x1400: b"vendor"},
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "OctetKind": st.integers(0, 255),
    "CountedKind": st.binary(max_size=254),
}


def strategy_of(body: type[Body]) -> st.SearchStrategy[Body]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, hint in body.__annotations__.items():
        kind = hint.__forward_arg__ if hasattr(hint, "__forward_arg__") else str(hint)
        fields[name] = field_strategy(kind)
    return st.builds(body, **fields)


def field_strategy(kind: str) -> st.SearchStrategy[Any]:
    if kind == "Octet":
        return st.integers(0, 255)
    if kind == "Counted":
        return st.binary(max_size=254)
    if kind == "Tlvs":
        return st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)
    sizes = {"Address": 21, "Time": 17, "MessageId": 65}
    size = sizes[kind] if kind in sizes else int(kind.partition("CString(")[2].partition(")")[0])
    latin1 = st.characters(min_codepoint=1, max_codepoint=255)
    return st.text(alphabet=latin1, max_size=size - 1)


def cut(data: bytes) -> Pdu:
    (pdu,) = Reader().feed(data)
    return pdu


def one_by_one(data: bytes) -> Iterator[Pdu]:
    reader = Reader()
    for at in range(len(data)):
        yield from reader.feed(data[at : at + 1])


every_command = pytest.mark.parametrize("command_id", BODIES, ids=lambda command_id: c.COMMANDS[command_id])


@every_command
@given(data=st.data(), status=st.integers(0, 0xFFFFFFFF), sequence=st.integers(1, 0x7FFFFFFF))
def test_every_pdu_comes_back_as_it_was(command_id: int, data: st.DataObject, status: int, sequence: int) -> None:
    body = data.draw(strategy_of(BODIES[command_id]))
    pdu = cut(encode(command_id, sequence, body, status))
    assert (pdu.command_id, pdu.status, pdu.sequence, decode(pdu)) == (command_id, status, sequence, body)


@every_command
def test_every_command_has_a_name(command_id: int) -> None:
    assert command_id in c.COMMANDS


@every_command
def test_every_default_body_comes_back(command_id: int) -> None:
    body = BODIES[command_id]()
    assert decode(cut(encode(command_id, 1, body))) == body


def test_submit_sm_is_laid_out_as_the_specification_says() -> None:
    message = ShortMessage("AB", 1, 2, "12", 3, 4, "56", 5, 6, 7, "S", "V", 8, 9, 10, 11, b"hey", {0x1400: b"x"})
    assert encode_body(message) == (
        b"AB\0\x01\x0212\0\x03\x0456\0\x05\x06\x07S\0V\0\x08\x09\x0a\x0b\x03hey\x14\x00\x00\x01x"
    )


def test_header_is_four_big_endian_words() -> None:
    assert encode(c.ENQUIRE_LINK, 2) == bytes.fromhex("00000010 00000015 00000000 00000002")


@given(st.lists(st.sampled_from([encode(c.SUBMIT_SM, 3, MESSAGE), encode(c.ENQUIRE_LINK, 4)]), max_size=6))
def test_bytes_may_come_one_at_a_time(frames: list[bytes]) -> None:
    assert [pdu.frame for pdu in one_by_one(b"".join(frames))] == frames


@given(st.lists(st.integers(0, 200), max_size=20))
def test_bytes_may_come_in_any_slices(cuts: list[int]) -> None:
    stream = encode(c.SUBMIT_SM, 3, MESSAGE) * 2 + encode(c.ENQUIRE_LINK, 4)
    marks = [0, *sorted(min(mark, len(stream)) for mark in cuts), len(stream)]
    reader = Reader()
    slices = [stream[start:end] for start, end in itertools.pairwise(marks)]
    assert [pdu.sequence for piece in slices for pdu in reader.feed(piece)] == [3, 3, 4]


@pytest.mark.parametrize("length", [0, 15, MAX_PDU + 1, 0xFFFFFFFF])
def test_a_length_out_of_bounds_breaks_the_stream_after_what_was_good(length: int) -> None:
    good = encode(c.ENQUIRE_LINK, 4)
    pdus = Reader().feed(good + HEADER.pack(length, c.SUBMIT_SM, 0, 1))
    assert next(pdus).frame == good
    with pytest.raises(RemoteProtocolError) as caught:
        next(pdus)
    assert caught.value.command_status == c.ESME_RINVCMDLEN


def test_a_broken_stream_stays_broken() -> None:
    reader = Reader()
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(bytes(16)))
    with pytest.raises(RemoteProtocolError):
        list(reader.feed(encode(c.ENQUIRE_LINK, 4)))


def test_the_longest_message_payload_fits_a_pdu() -> None:
    message = ShortMessage(tlvs={c.MESSAGE_PAYLOAD: bytes(0xFFFF)})
    assert decode(cut(encode(c.SUBMIT_SM, 1, message))) == message


def test_a_refused_submit_needs_no_body() -> None:
    assert decode(cut(encode(c.SUBMIT_SM | c.RESPONSE, 1, status=0x58))) == MessageResp()


def test_a_refused_bind_needs_no_body() -> None:
    assert decode(cut(encode(c.BIND_TRANSCEIVER | c.RESPONSE, 1, status=0x0E))) == BindResp()


def test_an_answer_may_end_early() -> None:
    short = HEADER.pack(20, c.QUERY_SM | c.RESPONSE, 0, 1) + b"id\0\0"
    assert decode(cut(short)) == QuerySmResp("id")


@pytest.mark.parametrize("rubbish", [b"\0", b"\0\0\0", b"\xff\xff\xff\xff\xff", b"\x04\x27\xff\xff\0"])
def test_rubbish_after_an_answer_does_not_cost_its_message_id(rubbish: bytes) -> None:
    good = encode_body(MessageResp("abc"))
    frame = HEADER.pack(16 + len(good) + len(rubbish), c.SUBMIT_SM | c.RESPONSE, 0, 1) + good + rubbish
    answer = decode(cut(frame))
    assert isinstance(answer, MessageResp)
    assert answer.message_id == "abc"


def test_a_last_nul_may_be_missing_in_an_answer() -> None:
    frame = HEADER.pack(19, c.SUBMIT_SM | c.RESPONSE, 0, 1) + b"abc"
    assert decode(cut(frame)) == MessageResp("abc")


def test_a_last_nul_may_be_missing_in_a_request() -> None:
    body = encode_body(Bind("user", "secret"))[:-1]
    assert decode(cut(HEADER.pack(16 + len(body), c.BIND_TRANSCEIVER, 0, 1) + body)) == Bind("user", "secret")


def test_a_message_id_longer_than_the_rule_is_read() -> None:
    frame = HEADER.pack(16 + 101, c.SUBMIT_SM | c.RESPONSE, 0, 1) + b"x" * 100 + b"\0"
    assert decode(cut(frame)) == MessageResp("x" * 100)


@pytest.mark.parametrize("rubbish", [b"\0", b"\0\0\0"])
def test_less_than_a_tlv_after_a_request_is_passed_over(rubbish: bytes) -> None:
    good = encode_body(MESSAGE)
    frame = HEADER.pack(16 + len(good) + len(rubbish), c.DELIVER_SM, 0, 1) + good + rubbish
    assert decode(cut(frame)) == MESSAGE


def test_the_first_of_a_repeated_tlv_counts() -> None:
    frame = encode(c.SUBMIT_SM, 1, MESSAGE)
    again = make_tlvs(message_state=5)[c.MESSAGE_STATE]
    longer = frame + b"\x04\x27\x00\x01" + again
    pdu = cut(len(longer).to_bytes(4, "big") + longer[4:])
    assert decode(pdu) == MESSAGE


def test_an_unknown_command_is_status_3() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(cut(encode(0x00000777, 1)))
    assert caught.value.command_status == c.ESME_RINVCMDID


def test_sm_length_beyond_the_pdu_is_refused() -> None:
    frame = bytearray(encode(c.SUBMIT_SM, 1, ShortMessage(short_message=b"abc")))
    frame[-4] = 200
    with pytest.raises(RemoteProtocolError) as caught:
        decode(cut(bytes(frame)))
    assert caught.value.command_status == c.ESME_RINVMSGLEN


def test_a_tlv_beyond_a_request_is_refused() -> None:
    frame = bytearray(encode(c.SUBMIT_SM, 1, ShortMessage(tlvs={0x1400: b"abc"})))
    frame[-4] = 200
    with pytest.raises(RemoteProtocolError) as caught:
        decode(cut(bytes(frame)))
    assert caught.value.command_status == c.ESME_RINVOPTPARSTREAM


def test_a_request_cut_anywhere_before_its_last_field_is_refused() -> None:
    body = encode_body(MESSAGE._replace(tlvs={}))
    for size in range(len(body)):
        with pytest.raises(RemoteProtocolError):
            decode(Pdu(c.SUBMIT_SM, 0, 1, bytes(16) + body[:size]))


@given(st.sampled_from([*BODIES, 0x999, 0x80000999]), st.binary(max_size=200))
def test_random_bodies_raise_nothing_but_remote_protocol_error(command_id: int, body: bytes) -> None:
    pdu = cut(HEADER.pack(16 + len(body), command_id, 0, 1) + body)
    with contextlib.suppress(RemoteProtocolError):
        assert isinstance(decode(pdu), tuple)


@given(st.sampled_from([one for one in BODIES if one & c.RESPONSE]), st.binary(max_size=200))
def test_an_answer_always_decodes(command_id: int, body: bytes) -> None:
    decode(Pdu(command_id, 0, 1, bytes(16) + body))


@given(st.binary(max_size=300))
def test_random_streams_raise_nothing_but_remote_protocol_error(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        list(one_by_one(data))


@pytest.mark.parametrize(
    "body",
    [
        Bind(system_id="x" * 16),
        Bind(password="x" * 9),
        ShortMessage(source_addr="x" * 21),
        ShortMessage(source_addr="a\0b"),
        ShortMessage(source_addr="я"),
        ShortMessage(short_message=bytes(255)),
        ShortMessage(data_coding=256),
        ShortMessage(data_coding=-1),
        ShortMessage(tlvs={0x10000: b""}),
        ShortMessage(tlvs={c.MESSAGE_PAYLOAD: bytes(0x10000)}),
        MessageResp("x" * 65),
    ],
)
def test_a_value_that_does_not_fit_is_not_sent(body: Body) -> None:
    with pytest.raises(LocalProtocolError):
        encode_body(body)


@given(strategy_of(ShortMessage), st.from_regex(r"[0-9]{1,20}", fullmatch=True), st.integers(1, 0x7FFFFFFF))
def test_a_template_makes_the_same_octets(message: Body, destination: str, sequence: int) -> None:
    assert isinstance(message, ShortMessage)
    expected = encode(c.SUBMIT_SM, sequence, message._replace(destination_addr=destination))
    assert SubmitTemplate(message).encode(sequence, destination) == expected


@pytest.mark.parametrize("destination", ["", "1" * 21, "+4477", "44 77", "44\0", "٤٤"])
def test_a_template_refuses_what_is_no_address(destination: str) -> None:
    with pytest.raises(LocalProtocolError):
        SubmitTemplate(MESSAGE).encode(1, destination)


def test_tlvs_are_written_as_their_rules_say() -> None:
    made = make_tlvs(receipted_message_id="abc", message_state=2, sar_msg_ref_num=258, message_payload=b"p")
    assert made == {0x001E: b"abc\0", 0x0427: b"\2", 0x020C: b"\1\2", 0x0424: b"p"}


def test_data_sm_reads_like_a_short_message() -> None:
    data = DataSm(source_addr="1", destination_addr="2", esm_class=4, tlvs={c.MESSAGE_PAYLOAD: b"x"})
    assert data.as_short_message() == ShortMessage(
        source_addr="1", destination_addr="2", esm_class=4, tlvs={c.MESSAGE_PAYLOAD: b"x"}
    )


def test_a_field_table_knows_its_sizes() -> None:
    assert CString(16).size == 16
    assert Empty() == ()
