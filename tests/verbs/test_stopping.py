"""A platform that is told to stop stops, whatever state its store is in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from heliograph.model.message import Address, Transaction
from heliograph.model.record import Reported
from heliograph.store import StoreUnavailable
from heliograph.testing import running


async def fail(*args: Any) -> None:
    raise StoreUnavailable("disk full")


@pytest.mark.parametrize("call", ["receive", "settle"])
async def test_it_stops_in_time_although_the_store_takes_nothing(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as live:
        [element] = await live.sms("447700900001")
        await live.final(element["transid"])
        monkeypatch.setattr(live.platform.store, call, fail)
        row = Transaction(1, 0, 0, Address("msisdn", "447700900001"))
        live.platform.receiver._correlator.early(Reported(1, 0, 0, 0, "c", "n", "delivered", 0))
        live.platform.receiver._correlator.submitted("c", ("n",), row)
        await live.sms("447700900002")
        begun = time.monotonic()

    assert time.monotonic() - begun < 10
