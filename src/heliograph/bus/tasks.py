"""Tasks that run for as long as the process: when one ends with an error, it is said loudly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


def lasting(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start a part of the platform; an error that ends it is logged as critical."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("the part %s ended with an error; restart the process", task.get_name(), exc_info=error)
