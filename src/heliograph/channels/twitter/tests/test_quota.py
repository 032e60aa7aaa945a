"""How many messages X takes, as its headers say, and how often it is asked about an account it refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.twitter.quota import LONGEST_SECONDS, Asking, Quota

NOW = 1_700_000_000_000
WINDOW = {"x-rate-limit-limit": "15", "x-rate-limit-remaining": "3", "x-rate-limit-reset": "1700000900"}
DAY = {"x-user-limit-24hour-limit": "1440", "x-user-limit-24hour-remaining": "0",
       "x-user-limit-24hour-reset": "1700050000"}  # fmt: skip


def read(headers: dict[str, str]) -> Quota:
    quota = Quota()
    quota.read(headers)
    return quota


def test_nothing_is_known_before_x_says_something() -> None:
    assert (read({}).room(NOW), read({}).wait_ms(NOW)) == (None, 0)


def test_what_is_left_is_the_room() -> None:
    assert (read(WINDOW).room(NOW), read(WINDOW).wait_ms(NOW)) == (3, 0)


def test_a_window_that_is_used_up_is_waited_for() -> None:
    used = read({**WINDOW, "x-rate-limit-remaining": "0"})

    assert (used.room(NOW), used.wait_ms(NOW)) == (0, 900_000)
    assert (used.room(NOW + 900_000), used.wait_ms(NOW + 900_000)) == (None, 0)


def test_the_narrowest_window_counts() -> None:
    assert read(WINDOW | DAY).wait_ms(NOW) == 50_000_000


def test_of_two_that_are_used_up_the_later_counts() -> None:
    assert read({**WINDOW, "x-rate-limit-remaining": "0"} | DAY).wait_ms(NOW) == 50_000_000


@given(st.dictionaries(st.sampled_from([*WINDOW, *DAY]), st.text(max_size=14)))
def test_odd_headers_are_nothing(headers: dict[str, str]) -> None:
    quota = read(headers)

    assert quota.wait_ms(NOW) >= 0
    assert quota.left is None or quota.left >= 0


def test_it_is_asked_less_and_less_often() -> None:
    asking = Asking()
    pauses = [asking.pause() for _ in range(8)]

    assert pauses == [0, 30, 60, 120, 240, 480, LONGEST_SECONDS, LONGEST_SECONDS]
    asking.answered()
    assert asking.pause() == 0


def test_in_the_sandbox_it_is_asked_at_once() -> None:
    asking = Asking(fast=True)

    assert [asking.pause() for _ in range(5)] == [0] * 5
