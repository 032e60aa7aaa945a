"""Receipts that nobody knows are kept and shown to operators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heliograph.model.outcome import Receipt
from heliograph.testing import eventually, running

pytestmark = pytest.mark.usefixtures("platforms")


async def test_a_receipt_for_nobody_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        answers: list[bool] = []
        receipt = Receipt("", "n-404", "delivered", "000", "", "447700900001", "id:n-404 stat:DELIVRD")
        live.platform.receiver.receive("demo/smsc", receipt, answers.append)

        async def shown() -> Any:
            return (await live.admin("GET", "/receipts/unmatched")).json()["receipts"]

        [found] = await eventually(shown)

    assert answers == [True]
    assert (found["native_id"], found["connector"], found["raw"]) == ("n-404", "demo/smsc", "id:n-404 stat:DELIVRD")


async def test_it_is_shown_no_more_once_its_message_is_known(tmp_path: Path) -> None:
    async with running(tmp_path) as live:
        [element] = await live.sms("447700900001")
        await live.final(element["transid"])

        assert (await live.admin("GET", "/receipts/unmatched")).json() == {"receipts": []}
