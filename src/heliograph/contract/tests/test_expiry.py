"""Forms of an expiry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.contract.expiry import expiry_ms

NOON = 1_428_843_619_000  # 2015-04-12T13:00:19Z

FORMS = {
    "2015-04-12T13:00:19Z": NOON,
    "2015-04-12T13:00:19z": NOON,
    "2015-04-12T13:00:19": NOON,
    "2015-04-12 13:00:19": NOON,
    "2015-04-12T13:00:19.456Z": NOON + 456,
    "2015-04-12T13:00:19.456": NOON + 456,
    "2015-04-12T13:00:19.4Z": NOON + 400,
    "2015-04-12T13:00:19.456789123Z": NOON + 456,
    "2015-04-12T13:00Z": NOON - 19_000,
    "2015-04-12T18:30:19.456+5:30": NOON + 456,
    "2015-04-12T18:30:19+05:30": NOON,
    "2015-04-12T18:30:19+0530": NOON,
    "2015-04-12T18:00:19+5": NOON,
    "2015-04-12T18:00:19+05": NOON,
    "2015-04-12T08:00:19-05:00": NOON,
    "2015-04-12T13:00:19+00:00": NOON,
    "2015-04-13T03:00:19+14:00": NOON,
    "1969-12-31T23:59:59.250Z": -750,
    "2016-02-29T00:00:00Z": 1_456_704_000_000,
    "9999-12-31T23:59:59-14:00": 253_402_351_199_000,
}
NO_FORMS = [
    "", " ", "tomorrow", "2015-04-12", "13:00:19", "1428843619", "1428843619000", "2015-4-12T13:00:19Z",
    "2015-13-12T13:00:19Z", "2015-02-30T13:00:19Z", "2015-04-12T25:00:19Z", "2015-04-12T13:60:19Z",
    "2015-04-12T13:00:60Z", "0000-01-01T00:00:00Z", "2015-04-12T13:00:19+05:99", "2015-04-12T13:00:19+15:00",
    "2015-04-12T13:00:19.Z", "2015-04-12T13:00:19ZZ", "2015-04-12T13:00:19 UTC", "2015-04-12T13:00:19\n+1x",
    "\u0662\u0660\u0661\u0665-04-12T13:00:19Z", "2015-04-12T13:00:19Z" + " " * 100,
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FORMS.items())
def test_a_form_that_clients_send_is_read(text: str, expected: int) -> None:
    assert expiry_ms(text) == expected


@pytest.mark.parametrize("text", NO_FORMS)
def test_anything_else_is_no_expiry(text: str) -> None:
    assert expiry_ms(text) is None


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_an_offset_moves_the_moment_by_itself(moment: object, minutes: int) -> None:
    text = str(moment)[:19]
    sign, size = ("-" if minutes < 0 else "+"), abs(minutes)
    plain = expiry_ms(text)

    assert plain is not None
    assert expiry_ms(f"{text}{sign}{size // 60}:{size % 60:02}") == plain - minutes * 60_000


@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_be_judged(text: str) -> None:
    assert expiry_ms(text) is None or isinstance(expiry_ms(text), int)
