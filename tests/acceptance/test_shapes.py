"""The tests of this folder are held against both shapes, and against what they say they are."""

from __future__ import annotations

import pytest

from heliograph.testing import Running

KEPT_AND_CARRIED = {
    "sqlite": ("sqlite", "local"),
    "postgresql": ("postgresql", "local"),
    "nats": ("postgresql", "nats"),
}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_platform_has_the_database_and_the_bus_that_its_shape_says(live: Running, shape: str) -> None:
    config = live.platform.config

    assert (config.database.partition(":")[0], config.bus.partition(":")[0]) == KEPT_AND_CARRIED[shape]
    assert live.platform.cluster.shared == (shape == "nats")
