"""Every code that a destination number can choose comes back as its catalogue key, over real TCP."""

from __future__ import annotations

import pytest

from heliograph import catalogue
from heliograph.channels.sms.simulated import RECEIPTS, REFUSALS
from heliograph.model.outcome import SendError, Submitted

from .conftest import Line, until

SMS_PROVIDER_CODES = [
    "7101", "7109", "7111", "7200", "7201", "7202", "7203", "7204", "7205", "7206", "7207", "7208", "7209",
    "7210", "7211",
]  # fmt: skip


async def outcome(line: Line, to: str) -> str:
    """The code a message to `to` ends with."""
    result = await line.send_and_wait(to)
    if isinstance(result, SendError):
        return catalogue.code(result.key)
    await until(lambda: line.recorder.receipts)
    receipt = line.recorder.receipts[-1]
    assert (receipt.native_id,) == result.native_ids
    assert receipt.destination == to
    return catalogue.code(receipt.key)


@pytest.mark.parametrize("code", sorted({*SMS_PROVIDER_CODES, *RECEIPTS, *REFUSALS}))
async def test_a_number_with_a_code_ends_as_that_code(line: Line, code: str) -> None:
    assert await outcome(line, f"999000{code}") == code


@pytest.mark.parametrize("code", sorted({*SMS_PROVIDER_CODES, *RECEIPTS}))
async def test_a_number_with_a_later_code_is_submitted_first(line: Line, code: str) -> None:
    result = await line.send_and_wait(f"999001{code}")

    assert isinstance(result, Submitted)
    assert line.recorder.receipts == []
    await until(lambda: line.recorder.receipts)
    assert catalogue.code(line.recorder.receipts[0].key) == code


async def test_7208_is_the_expiry_in_both_rows(line: Line) -> None:
    await outcome(line, "9990007208")
    await outcome(line, "9990027208")

    assert {receipt.key for receipt in line.recorder.receipts} == {"expired_at_operator"}


async def test_any_other_number_is_submitted_then_delivered(line: Line) -> None:
    assert await outcome(line, "447700900001") == "7500"
    assert line.recorder.order == ["Submitted", "Receipt"]


async def test_7501_stays_submitted(line: Line) -> None:
    await line.send_and_wait("9990007501")
    await outcome(line, "447700900001")

    assert len(line.recorder.receipts) == 1
