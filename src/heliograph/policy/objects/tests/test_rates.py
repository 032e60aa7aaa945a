"""Prices by the longest prefix, in whole millionths."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.policies import Billing, Rate
from heliograph.model.policies.texts import amount_of, amount_text, pulse_of
from heliograph.policy.objects.rates import Plan, billed_seconds

PLAN = Plan(
    Billing(
        rate_plan=(
            Rate(channel="sms", prefix="44", price="0.0400"),
            Rate(channel="sms", prefix="447", price="0.03"),
            Rate(channel="sms", prefix="", price="0.1"),
            Rate(channel="voice", prefix="44", price="0.06", unit="minute", pulse="30+6"),
            Rate(channel="push", price="0.001", unit="message"),
        )
    )
)

PRICES: dict[str, tuple[str, str, int, int | None]] = {
    "the longest prefix": ("sms", "447700900001", 1, 30_000),
    "a shorter one": ("sms", "442079460000", 1, 40_000),
    "the prefix of all": ("sms", "15550001", 1, 100_000),
    "by parts": ("sms", "447700900001", 3, 90_000),
    "by message": ("push", "", 3, 1_000),
    "a call that has not begun": ("voice", "442079460000", 1, 30_000),
    "no prefix": ("voice", "1555", 1, None),
    "no channel": ("fb", "44", 1, None),
    "no number": ("sms", "", 1, 100_000),
}


@pytest.mark.parametrize(("channel", "number", "parts", "amount"), PRICES.values(), ids=PRICES)
def test_a_message_has_its_price(channel: str, number: str, parts: int, amount: int | None) -> None:
    priced = PLAN.price(channel, number, parts)

    assert (priced.amount if priced else None) == amount


def test_the_entry_that_decided_is_named() -> None:
    priced = PLAN.price("sms", "447700900001", 1)

    assert priced is not None
    assert priced.place == 1


@pytest.mark.parametrize(
    ("seconds", "billed"), [(0, 30), (1, 30), (30, 30), (31, 36), (36, 36), (37, 42), (3_600, 3_600)]
)
def test_a_call_is_billed_in_blocks_that_were_begun(seconds: int, billed: int) -> None:
    assert billed_seconds(seconds, (30, 6)) == billed


@given(st.integers(0, 10**12), st.integers(0, 10**5), st.integers(1, 600), st.integers(1, 600))
def test_a_call_costs_what_decimals_say_rounded_up(price: int, seconds: int, first: int, block: int) -> None:
    rate = Rate(channel="voice", price=amount_text(price), unit="minute", pulse=f"{first}+{block}")
    priced = Plan(Billing(rate_plan=(rate,))).price("voice", "44", 1, seconds)
    exact = Decimal(price) * billed_seconds(seconds, (first, block)) / 60

    assert priced is not None
    assert priced.amount == int(exact.to_integral_value(ROUND_CEILING))


@given(st.integers(0, 10**18 - 1))
def test_an_amount_survives_being_written(amount: int) -> None:
    assert amount_of(amount_text(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0", 0), ("100.00", 100_000_000), ("0.000001", 1), ("1.5", 1_500_000), ("999999999999.999999", 10**18 - 1)],
)
def test_decimal_text_is_an_amount(text: str, amount: int) -> None:
    assert amount_of(text) == amount


@pytest.mark.parametrize("text", ["", "-1", "1,5", "1.", ".5", "01", "1.0000001", "1e3", "٣", "NaN", " 1", "1" * 13])
def test_other_text_is_none(text: str) -> None:
    assert amount_of(text) is None


@pytest.mark.parametrize(
    ("text", "pulse"), [("60", (60, 60)), ("30+6", (30, 6)), ("0", None), ("6+", None), ("", None), ("60s", None)]
)
def test_a_pulse_is_read(text: str, pulse: tuple[int, int] | None) -> None:
    assert pulse_of(text) == pulse
