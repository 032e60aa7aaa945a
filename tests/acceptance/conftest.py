"""One platform for all tests of a module."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import ADMIN_TOKEN, Running, running

Command = Callable[..., Awaitable[tuple[int, str, str]]]
"""Takes a platform and arguments; exit status, output, errors."""


@pytest.fixture(scope="session", autouse=True)
def both_shapes(platforms: None) -> None:
    """Every test here runs in both shapes."""


@pytest.fixture
def command(forked: Any) -> Command:
    """Runs a command of an operator against a platform, in a process of its own."""

    async def run(live: Running, *arguments: str) -> tuple[int, str, str]:
        environment = {**os.environ, "HELIOGRAPH_ADMIN_TOKEN": ADMIN_TOKEN, "NO_COLOR": "1", "COLUMNS": "200"}
        told = (*arguments, "--listen", live.url.removeprefix("http://"))
        found: tuple[int, str, str] = await asyncio.to_thread(forked.run, told, environment, Path.cwd())
        return found

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(platforms: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A running platform with the test workspace."""
    data: Path = tmp_path_factory.mktemp("data")
    async with running(data) as platform:
        yield platform
