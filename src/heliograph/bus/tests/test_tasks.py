"""A lasting part that ends with an error is said loudly; one that is cancelled is not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from heliograph.bus.tasks import lasting


async def fails() -> None:
    raise RuntimeError("broken")


async def test_an_error_that_ends_a_part_is_critical_and_names_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        await asyncio.gather(lasting(fails(), "teller"), return_exceptions=True)
        await asyncio.sleep(0)

    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert "teller" in caplog.text


async def test_a_cancelled_part_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    task = lasting(asyncio.sleep(60), "sweeper")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert caplog.records == []
