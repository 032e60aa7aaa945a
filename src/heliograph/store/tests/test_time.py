"""The time of day as the database shows it."""

from __future__ import annotations

import time

from heliograph.store import Store


async def test_the_store_tells_the_time_of_its_database(store: Store) -> None:
    before = time.time_ns() // 1_000_000
    shown = await store.now_ms()

    assert before - 1 <= shown <= time.time_ns() // 1_000_000 + 1
