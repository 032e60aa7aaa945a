"""The table of native codes: whole, known to the catalogue, and read as the error profiles say."""

from __future__ import annotations

import pytest

from heliograph import catalogue
from heliograph.channels.sms.outcomes import TABLE, Meanings, Outcome
from heliograph.wire.smpp.constants import MESSAGE_STATES, STATUSES
from heliograph.wire.smpp.receipt import NativeReceipt, NetworkError

RETRIES = {"no", "soon", "late", "once", "free", "unknown"}


def rows() -> list[Outcome]:
    groups: list[dict] = [TABLE.submit, TABLE.states, TABLE.reasons, TABLE.links, *TABLE.errs.values()]
    return [outcome for group in groups for outcome in group.values()] + [TABLE.other_submit]


def receipt(
    state: str, err: str = "", network: NetworkError | None = None, reason: int | None = None
) -> NativeReceipt:
    return NativeReceipt("1", state, err, network, reason, None, None, "")


def test_every_key_exists_and_every_retry_class_is_one() -> None:
    for outcome in rows():
        assert catalogue.find(outcome.key).key == outcome.key
        assert outcome.retry in RETRIES
        assert outcome.deactivate in {"no", "count", "clear"}


def test_every_status_and_state_of_smpp_has_a_row() -> None:
    assert {number for number in STATUSES if ("", number) not in TABLE.submit} == {0}
    assert set(MESSAGE_STATES.values()) <= set(TABLE.states)


@pytest.mark.parametrize("status", [0x09, 0x200, 0x4AA, 0x500, 0xFFFFFFFF])
def test_a_status_outside_the_table_is_the_operators_refusal(status: int) -> None:
    assert Meanings().of_status(status, False).key == "failed_at_operator"


@pytest.mark.parametrize(
    ("status", "joined", "key"),
    [
        (0x01, False, "message_too_long"),
        (0x01, True, "multipart_failed"),
        (0xC3, False, "billing_configuration_error"),
        (0xC3, True, "multipart_failed"),
    ],
)
def test_some_refusals_depend_on_the_parts(status: int, joined: bool, key: str) -> None:
    assert Meanings().of_status(status, joined).key == key


@pytest.mark.parametrize(
    ("profile", "err", "key"),
    [
        ("list", "001", "unknown_subscriber"),
        ("map", "1", "unknown_subscriber"),
        ("twilio", "001", "subscriber_unreachable"),
        ("8x8", "1", "subscriber_unreachable"),
        ("list", "043", "binary_message_error"),
        ("8x8", "043", "spam_content"),
        ("map", "D0", "sim_full"),
        ("list", "0xd0", "sim_full"),  # no other profile has it
        ("list", "393", "subscriber_without_credit"),
        ("premium-dk", "393", "subscriber_without_credit"),
        ("list", "010", "failed_at_operator"),  # two profiles disagree on 10
        ("8x8", "10", "cloud_failure"),
        ("list", "000", "failed_at_operator"),
        ("list", "LowBalance", "subscriber_without_credit"),
    ],
)
def test_an_error_code_is_read_by_profile(profile: str, err: str, key: str) -> None:
    assert Meanings(profile).of_receipt(receipt("UNDELIV", err)) == (key, f"UNDELIV err:{err}")


def test_the_tlv_comes_before_the_text_and_gsm_codes_are_map() -> None:
    told = Meanings().of_receipt(receipt("UNDELIV", "001", NetworkError(3, 27)))

    assert told == ("subscriber_unreachable", "UNDELIV err:001 network:3/27")


@pytest.mark.parametrize("reason", [0, 1, 2, 3])
def test_the_failure_reason_decides_where_no_code_does(reason: int) -> None:
    keys = ["subscriber_unreachable", "unknown_subscriber", "failed_at_operator", "failed_at_operator"]

    assert Meanings().of_receipt(receipt("UNDELIV", "", None, reason))[0] == keys[reason]


@pytest.mark.parametrize("state", ["DELIVRD", "EXPIRED", "ENROUTE", "UNKNOWN"])
def test_a_state_that_says_why_is_not_refined(state: str) -> None:
    assert Meanings().of_receipt(receipt(state, "001"))[0] == TABLE.states[state].key
