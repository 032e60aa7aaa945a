"""One platform for all tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from heliograph.testing import Running, running


@pytest.fixture(scope="session", autouse=True)
def both_shapes(platforms: None) -> None:
    """Every test here runs on both databases."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with the test workspace."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data) as platform:
        yield platform
