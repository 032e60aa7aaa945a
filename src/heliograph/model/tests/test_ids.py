"""Ids grow whatever the clock does, and a transid tells its request."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.ids import Ids, accepted_ms, first_id_at, new_nonce, parse_transid, transid_of

NOW = 1_800_000_000_000
OTHER = "0192aaaa-0000-7000-8000-000000000000"


@given(st.lists(st.integers(NOW, NOW + 1_000), min_size=2, max_size=50))
def test_ids_grow_however_the_clock_jumps(moments: list[int]) -> None:
    clock = iter(moments)
    ids = Ids(lambda: next(clock))
    made = [ids.next() for _ in moments]

    assert made == sorted(set(made))


def test_a_process_begins_above_the_ids_of_the_one_before_it() -> None:
    before = Ids(lambda: NOW)
    last = [before.next() for _ in range(1_000)][-1]

    assert Ids(lambda: NOW - 60_000, floor=last).next() > last


def test_more_ids_than_a_millisecond_holds_go_on_growing() -> None:
    ids = Ids(lambda: NOW)
    made = [ids.next() for _ in range(70_000)]

    assert len(set(made)) == 70_000
    assert made == sorted(made)


def test_several_ids_lie_together_whatever_the_clock_does() -> None:
    clock = iter(range(NOW, NOW + 10**9, 10**6))
    ids = Ids(lambda: next(clock))
    made = ids.several(70_000)

    assert made == sorted(set(made))
    assert accepted_ms(made[-1]) - accepted_ms(made[0]) <= 2
    assert ids.next() > made[-1]


@pytest.mark.parametrize("node", [-1, 64])
def test_a_node_has_six_bits(node: int) -> None:
    with pytest.raises(ValueError, match=r"node must be 0\.\.63"):
        Ids(lambda: NOW, node)


@given(st.integers(first_id_at(NOW), first_id_at(NOW + 10**12)), st.integers(0, 2**52 - 1), st.integers(1, 999))
def test_a_transid_is_a_uuid_that_tells_its_request(request: int, nonce: int, ordinal: int) -> None:
    transid = transid_of(request, nonce)

    assert uuid.UUID(transid).version == 7
    assert parse_transid(transid) == (request, nonce, None)
    assert parse_transid(f"{transid.upper()}_{ordinal}") == (request, nonce, ordinal)


@pytest.mark.parametrize("text", ["", "x", "_1", "0" * 36, f"{OTHER}_0", f"{OTHER}_", f"{OTHER}x"])
def test_what_is_no_transid_is_none(text: str) -> None:
    assert parse_transid(text) is None


@given(st.uuids())
def test_a_uuid_of_somebody_else_is_read_without_an_error(other: uuid.UUID) -> None:
    parsed = parse_transid(str(other))

    assert parsed is not None
    assert 0 <= parsed[0] < 2**63


def test_an_id_tells_when_it_was_made() -> None:
    assert accepted_ms(Ids(lambda: NOW).next()) == NOW


def test_nonces_differ() -> None:
    made = {new_nonce() for _ in range(5_000)}

    assert len(made) == 5_000
    assert max(made) < 2**52
