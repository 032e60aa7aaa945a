"""Parts of inbound messages: read, joined in any order, and never lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.smpp.codec import make_tlvs
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.reassembly import Assembled, Fragment, Reassembler, UserData, fragment, user_data


def with_header(header: bytes, text: bytes = b"hi") -> ShortMessage:
    return ShortMessage(esm_class=0x40, short_message=bytes((len(header),)) + header + text)


def part(number: int, total: int = 3, payload: bytes | None = None, reference: int = 1) -> Fragment:
    return Fragment(reference, total, number, str(number).encode() if payload is None else payload)


def add_all(shelf: Reassembler, *parts: Fragment) -> list[Assembled]:
    return [given for one in parts for given in shelf.add("a", "b", one, 0.0)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (with_header(b"\0\x03\x07\x02\x01"), Fragment(7, 2, 1, b"hi")),
        (with_header(b"\x08\x04\x01\x07\x02\x02"), Fragment(0x107, 2, 2, b"hi")),
        (with_header(b"\x05\x04\x15\x8a\0\0\0\x03\x07\x02\x01"), Fragment(7, 2, 1, b"hi")),
        (with_header(b"\0\x03\x07\x02\x00"), None),
        (with_header(b"\0\x03\x07\x02\x03"), None),
        (with_header(b"\0\x03\x07\x00\x00"), None),
        (with_header(b"\0\x03\x07\x01\x01"), None),
        (with_header(b"\x05\x04\x15\x8a\0\0"), None),
        (ShortMessage(short_message=b"\x05\0\x03\x07\x02\x01hi"), None),
        (
            ShortMessage(
                short_message=b"hi",
                tlvs=make_tlvs(sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=2),
            ),
            Fragment(300, 2, 2, b"hi"),
        ),
        (ShortMessage(short_message=b"hi", tlvs=make_tlvs(sar_msg_ref_num=300)), None),
    ],
)
def test_reads_which_part_it_is(message: ShortMessage, expected: Fragment | None) -> None:
    assert fragment(message) == expected


@pytest.mark.parametrize("header", [b"\0\x09\x07\x02\x01", b"\0", b"\x05\x04\x15\x8a\0\0\0"])
def test_a_header_that_contradicts_itself_is_content(header: bytes) -> None:
    message = with_header(header)
    assert user_data(message) == UserData(message.short_message)


def test_a_header_longer_than_the_message_is_content() -> None:
    message = ShortMessage(esm_class=0x40, short_message=b"\x20abc")
    assert user_data(message) == UserData(b"\x20abc")


def test_content_may_be_in_message_payload() -> None:
    message = ShortMessage(tlvs=make_tlvs(message_payload=b"long"))
    assert user_data(message) == UserData(b"long")


@given(st.binary(max_size=160), st.integers(0, 255))
def test_any_octets_have_content(octets: bytes, esm_class: int) -> None:
    message = ShortMessage(esm_class=esm_class, short_message=octets)
    fragment(message)
    assert octets.endswith(user_data(message).payload)


@given(st.permutations([1, 2, 3, 4, 5]))
def test_parts_join_in_any_order(order: list[int]) -> None:
    (whole,) = add_all(Reassembler(), *(part(number, 5) for number in order))
    assert (whole.payload, whole.is_complete) == (b"12345", True)


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=12))
def test_duplicates_change_nothing(numbers: list[int]) -> None:
    shelf = Reassembler()
    wholes = add_all(shelf, *map(part, numbers))
    assert all(whole.payload == b"123" for whole in wholes)


def test_another_part_in_the_same_place_begins_another_message() -> None:
    shelf = Reassembler()
    old, new = add_all(shelf, part(1), part(1, payload=b"x"), part(2), part(3))
    assert (old.payload, old.is_complete) == (b"1", False)
    assert (new.payload, new.is_complete) == (b"x23", True)


@pytest.mark.parametrize(
    ("source", "destination", "other"),
    [
        ("x", "b", part(2)),
        ("a", "x", part(2)),
        ("a", "b", part(2, reference=9)),
        ("a", "b", part(2, total=2)),
    ],
)
def test_messages_do_not_mix(source: str, destination: str, other: Fragment) -> None:
    shelf = Reassembler()
    shelf.add("a", "b", part(1), 0.0)
    assert shelf.add(source, destination, other, 0.0) == []
    assert len(shelf) == 2


def test_an_old_message_is_given_back_incomplete() -> None:
    shelf = Reassembler(max_age=60)
    shelf.add("a", "b", part(3), 0.0)
    shelf.add("a", "b", part(1), 1.0)
    assert shelf.expire(59.9) == []
    assert shelf.expire(60.0) == [Assembled("a", "b", 1, 3, ((1, b"1"), (3, b"3")), 0.0)]
    assert len(shelf) == 0


def test_a_new_part_finds_the_old_ones_expired() -> None:
    shelf = Reassembler(max_age=60)
    shelf.add("a", "b", part(1), 0.0)
    (old,) = shelf.add("a", "b", part(2), 61.0)
    assert old.payload == b"1"


def test_the_oldest_is_pushed_out_of_a_full_shelf() -> None:
    shelf = Reassembler(max_sets=2)
    given_back = add_all(shelf, *(part(1, reference=reference) for reference in (1, 2, 3)))
    assert [one.reference for one in given_back] == [1]
    assert len(shelf) == 2


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.binary(max_size=2)), max_size=40))
def test_nothing_is_lost(arrivals: list[tuple[int, int, bytes]]) -> None:
    shelf = Reassembler(max_sets=2)
    parts = [part(number, payload=payload, reference=reference) for reference, number, payload in arrivals]
    out = add_all(shelf, *parts) + shelf.flush()
    kept = {(one.reference, number, payload) for one in out for number, payload in one.parts}
    assert kept == set(arrivals)
