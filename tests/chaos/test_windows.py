"""The check that what is sent twice was under way at a strike finds what was not."""

from __future__ import annotations

import pytest

import windows

FLAGGED, PLAIN = 1, 0
STRUCK = [windows.Strike("somebody", 10.0, 12.0)]
Move = tuple[str, int, int, int, float]


def claimed(at: float, flag: int = PLAIN) -> Move:
    """It is claimed."""
    return "a", 10, 20, flag, at


def given_up(at: float) -> Move:
    """Its claim is released, flagged."""
    return "a", 20, 10, FLAGGED, at


def settled(at: float) -> Move:
    """Its submit is answered."""
    return "a", 20, 30, FLAGGED, at


AGAIN = [claimed(9.9), given_up(40.0), claimed(40.1, FLAGGED), settled(40.2)]


@pytest.mark.parametrize(
    ("submits", "moves"),
    [
        ([1.1], [claimed(1.0), settled(1.2)]),
        ([9.95, 40.15], AGAIN),
        ([40.15], AGAIN),
        ([12.9, 10.7], [claimed(9.9), given_up(10.5), claimed(10.6), settled(10.8)]),
    ],
    ids=["once", "twice, claimed before the strike", "once, claimed twice", "by one that was frozen, after another"],
)
def test_what_was_under_way_at_a_strike_may_go_out_twice(submits: list[float], moves: list[Move]) -> None:
    assert windows.look({"a": submits}, moves, STRUCK).outside == []


@pytest.mark.parametrize(
    ("submits", "moves"),
    [
        ([5.1, 35.2], [claimed(5.0), given_up(35.0), claimed(35.1), settled(35.3)]),
        ([1.1, 1.3], [claimed(1.0), settled(1.2)]),
        ([1.1, 1.15], [claimed(1.0), settled(1.2)]),
        ([9.95, 40.15, 40.17], AGAIN),
        ([9.95, 40.3], AGAIN),
        ([0.9], [claimed(1.0), settled(1.2)]),
        ([1.0], []),
        ([9.6, 9.8], [claimed(9.5), given_up(9.7), claimed(9.75), settled(9.9)]),
    ],
    ids=[
        "nothing struck its first claim", "sent after it was settled", "sent twice by one claim",
        "sent twice by the second claim", "sent after its second claim was settled", "sent before it was claimed",
        "never claimed", "given up before anything struck",
    ],
)  # fmt: skip
def test_what_was_not_is_found(submits: list[float], moves: list[Move]) -> None:
    assert len(windows.look({"a": submits}, moves, STRUCK).outside) >= 1


def test_claims_are_counted() -> None:
    found = windows.look({"a": [9.95, 40.15]}, AGAIN, STRUCK)

    assert (found.claims, found.struck, found.given_up["somebody"]) == (2, 1, 1)
    assert found.longest == pytest.approx(0.1)
