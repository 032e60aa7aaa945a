"""The table of native codes: nothing in it is unknown, everything has an answer."""

from __future__ import annotations

import pytest

from heliograph import catalogue
from heliograph.channels.push.outcomes import (
    APNS,
    APP,
    CREDENTIALS,
    DEAD,
    DOWN,
    FAR_END_OF,
    FCM,
    PAUSE,
    SUSPECT,
    TABLE,
    WEBPUSH,
    outcome_of,
)
from heliograph.channels.push.stand_ins import apns, fcm, webpush
from heliograph.dispatch.retry import CLASSES
from heliograph.wire.addresses import Kind

ROWS = [(far_end, native, row) for far_end, rows in TABLE.items() for native, row in rows.items()]
PROVIDER = {
    row.code for row in catalogue.ROWS if row.code in {"7212", "7213", "7214"} or "7504" <= row.code <= "7518"
}


@pytest.mark.parametrize(("far_end", "native", "row"), ROWS, ids=[f"{one}-{native}" for one, native, _ in ROWS])
def test_a_row_says_what_the_platform_knows(far_end: str, native: str, row: object) -> None:
    found = TABLE[far_end][native]

    assert catalogue.find(found.key)
    assert found.retry in {"no", *CLASSES}
    assert found.effect in {"", DEAD, CREDENTIALS, SUSPECT, DOWN, PAUSE}
    assert found.note


@pytest.mark.parametrize("far_end", [FCM, APNS, WEBPUSH, APP])
def test_what_nobody_knows_has_an_answer(far_end: str) -> None:
    assert catalogue.code(outcome_of(far_end, "NEVER_HEARD_OF", "299", "2xx").key) == "7518"


@pytest.mark.parametrize("far_end", sorted(set(FAR_END_OF.values())))
@pytest.mark.parametrize("kind", Kind.__args__)  # type: ignore[attr-defined]
def test_every_way_in_which_a_call_fails_has_its_row(far_end: str, kind: str) -> None:
    assert kind in TABLE[far_end]


def test_a_message_that_may_have_been_taken_is_flagged_when_it_is_sent_again() -> None:
    for far_end in FAR_END_OF.values():
        assert {TABLE[far_end][kind].retry for kind in ("timeout", "closed", "protocol")} == {"resend"}
        assert {TABLE[far_end][kind].retry for kind in ("connect", "resolve")} == {"soon"}


def test_every_published_code_of_push_is_said_by_a_far_end() -> None:
    said = {catalogue.code(row.key) for far_end, _, row in ROWS if far_end != APP}

    assert said >= PROVIDER


def test_the_stand_ins_say_every_published_code() -> None:
    assert {*fcm.REFUSALS, *apns.REFUSALS, *webpush.REFUSALS} >= PROVIDER
