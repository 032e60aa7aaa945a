"""Reads a request's body within a size."""

from __future__ import annotations

from typing import Any

LIMIT = 4 * 1024 * 1024  # bytes


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The caller hung up before the body was whole."""


async def read_body(receive: Any, limit: int = LIMIT) -> bytes:
    """The whole body; raises `TooLarge` or `Gone`."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        return body
    chunks, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise TooLarge
    return b"".join(chunks)
