"""Fan-out inside one process: the live log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BACKLOG = 1_000  # events a slow listener may be behind; older ones are dropped for that listener


class Tail:
    """Everyone who listens hears what happens; when nobody listens it costs nothing."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self.began: Callable[[], None] | None = None
        """Called when somebody begins to listen."""

    @property
    def heard(self) -> bool:
        """Whether anyone listens."""
        return bool(self._listeners)

    def publish(self, event: dict[str, Any]) -> None:
        """Tell all listeners."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def close(self) -> None:
        """End every listener's stream."""
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[dict[str, Any] | None]]:
        """A queue of what happens from now on; None ends it."""
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(BACKLOG)
        self._listeners.add(queue)
        if self.began is not None:
            self.began()
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
