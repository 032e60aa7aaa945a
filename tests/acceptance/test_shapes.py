"""The tests of this folder are held against both shapes, and against what they say they are."""

from __future__ import annotations

import pytest

from heliograph.testing import Running


@pytest.mark.asyncio(loop_scope="module")
async def test_the_platform_keeps_its_state_where_the_test_says(live: Running, shape: str) -> None:
    assert live.platform.config.database.partition(":")[0] == shape
