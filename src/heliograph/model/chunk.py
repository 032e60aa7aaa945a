"""A chunk: the destinations of one request element, as the work that goes from the table to a worker."""

from __future__ import annotations

import msgspec

RELAY_MS = 2_000
"""What a process accepted and has not published after that time is published by any."""


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a worker must know of a request element to queue it: where it goes and how urgent it is. `count`
    destinations are to be sent at most; `expiry` is as the caller gave it. With `again` another process may have
    begun with it and died."""

    request: int
    element: int
    count: int
    priority: int
    expiry: int
    tenant: str
    service: str
    channel: str
    app: str = ""
    again: bool = False


class Owed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row of the outbox: the chunk, of `size` destinations at most, is published at `due` (Unix milliseconds)
    unless the row is gone by then."""

    due: int
    request: int
    element: int
    size: int = 1
    again: bool = False


class Parked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A chunk that was handed to workers `deliveries` times without an end of it, the last time at `at` (Unix
    milliseconds), and is handed out no more until somebody says so."""

    request: int
    element: int
    at: int
    deliveries: int
