"""Whose id is it: at hand, too early, or never answered."""

from __future__ import annotations

from heliograph.model.message import Address, Transaction
from heliograph.model.record import Match, Reported
from heliograph.store.correlator import EARLY, EARLY_EACH, UNANSWERED_MS, Correlator

ROW = Transaction(7, 0, 0, Address("msisdn", "447700900001"))


def reported(number: int = 1, native: str = "n", destination: str = "", at: int = 0) -> Reported:
    """A receipt that came."""
    return Reported(number, 0, 0, 0, "c", native, "delivered", at, destination=destination)


def heard(correlator: Correlator) -> list[tuple[int, Match]]:
    """Where late receipts are handed to."""
    came: list[tuple[int, Match]] = []
    correlator.on_late = lambda item, match: came.append((item.id, match))
    return came


def test_every_part_is_known_by_its_id() -> None:
    correlator = Correlator()
    correlator.submitted("c", ("a", "b"), ROW)

    assert [correlator.find("c", native) for native in ("a", "b")] == [Match(ROW, 0, 2), Match(ROW, 1, 2)]


def test_an_id_of_another_connector_is_another() -> None:
    correlator = Correlator()
    correlator.submitted("c", ("a",), ROW)

    assert correlator.find("d", "a") is None


def test_early_receipts_are_handed_on_once_in_the_order_they_came() -> None:
    correlator = Correlator()
    came = heard(correlator)
    for number in (1, 2):
        correlator.early(reported(number))
    correlator.submitted("c", ("n",), ROW)
    correlator.submitted("c", ("n",), ROW)

    assert came == [(1, Match(ROW)), (2, Match(ROW))]


def test_a_peer_that_repeats_itself_fills_no_memory() -> None:
    correlator = Correlator()
    came = heard(correlator)
    for number in range(1_000):
        correlator.early(reported(number))
    correlator.submitted("c", ("n",), ROW)

    assert len(came) == EARLY_EACH


def test_receipts_for_nobody_are_bounded() -> None:
    correlator = Correlator()
    for number in range(3 * EARLY):
        correlator.early(reported(number, str(number)))

    assert len(correlator._early) <= 2 * EARLY


def test_an_unanswered_submit_is_claimed_once() -> None:
    correlator = Correlator()
    correlator.unanswered("c", "447700900001", ROW)

    assert [correlator.claim_unanswered("c", "447700900001") for _ in range(2)] == [ROW, None]


def test_a_receipt_that_came_before_we_gave_up_on_the_answer_is_its() -> None:
    correlator = Correlator()
    came = heard(correlator)
    correlator.early(reported(1, destination="447700900001", at=1_000))
    correlator.unanswered("c", "447700900001", ROW, 9_000)

    assert came == [(1, Match(ROW))]
    assert correlator.find("c", "n") == Match(ROW)
    assert correlator.claim_unanswered("c", "447700900001") is None


def test_a_receipt_of_long_ago_is_of_another_submit() -> None:
    correlator = Correlator()
    came = heard(correlator)
    correlator.early(reported(1, destination="447700900001", at=1_000))
    correlator.unanswered("c", "447700900001", ROW, 1_001 + UNANSWERED_MS)

    assert came == []
    assert correlator.claim_unanswered("c", "447700900001") == ROW


def test_a_receipt_that_found_its_own_submit_is_no_others() -> None:
    correlator = Correlator()
    came = heard(correlator)
    correlator.early(reported(1, destination="447700900001"))
    other = Transaction(8, 0, 0, Address("msisdn", "447700900001"))
    correlator.submitted("c", ("n",), other)
    correlator.unanswered("c", "447700900001", ROW)

    assert came == [(1, Match(other))]
    assert correlator.claim_unanswered("c", "447700900001") == ROW


def test_a_receipt_settles_one_submit() -> None:
    correlator = Correlator()
    came = heard(correlator)
    correlator.early(reported(1, destination="447700900001"))
    for _ in range(2):
        correlator.unanswered("c", "447700900001", ROW)

    assert len(came) == 1


def test_a_receipt_without_a_destination_settles_nothing() -> None:
    correlator = Correlator()
    came = heard(correlator)
    correlator.early(reported(1))
    correlator.unanswered("c", "", ROW)

    assert came == []
