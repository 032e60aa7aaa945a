"""The sms rules as data, and what an address of the medium looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.channels.sms.request import MEMBERS, MISSING_KEYS, RULES, TYPES
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.rules import OneOf, Required, ValueIn

ADDRESSES = {
    "447700900001": "447700900001",
    "+447700900001": "447700900001",
    "00447700900001": "447700900001",
    "+44 (7700) 900-001": "447700900001",
    " 447700900001 ": "447700900001",
    "07700900001": "07700900001",
    "123456": "123456",
    "123456789012345": "123456789012345",
}
NO_ADDRESSES = [
    "", "+", "00", "12345", "1234567890123456", "447700x00001", "++447700900001", "447700900001+", "4477.0090.0001",
    "\u0664\u0664\u0667\u0667\u0660\u0660", "447700900001\0", "tel:447700900001", "4.47e11", "447700900001\n",
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), ADDRESSES.items())
def test_an_address_is_its_digits(given: str, expected: str) -> None:
    assert normalise_msisdn(given) == expected


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_anything_else_is_no_address(text: str) -> None:
    assert normalise_msisdn(text) is None


@given(st.text())
def test_an_address_is_6_to_15_digits_or_none(text: str) -> None:
    found = normalise_msisdn(text)

    assert found is None or (found.isascii() and found.isdigit() and 6 <= len(found) <= 15)


@pytest.mark.parametrize(
    "key", [*MISSING_KEYS, *(rule.key for rule in RULES if isinstance(rule, Required | OneOf | ValueIn))]
)
def test_every_rule_names_a_row_of_the_catalogue(key: str) -> None:
    assert catalogue.find(key).phase == "accept"


def test_missing_values_are_looked_for_before_wrong_ones() -> None:
    codes = [catalogue.code(rule.key) for rule in RULES if isinstance(rule, Required | OneOf | ValueIn)]

    assert codes == sorted(codes)


def test_the_four_types_have_a_number_and_a_word() -> None:
    assert sorted(TYPES) == ["1", "2", "3", "4", *sorted(set(TYPES.values()))]


def test_no_member_is_named_twice() -> None:
    assert len(set(MEMBERS)) == len(MEMBERS)
