"""Reads a request's body within a size, and serves routes of the published APIs that are posted to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from heliograph.api import render

Answered = tuple[bytes, Sequence[tuple[bytes, bytes]]]

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


async def serve_post(
    scope: Scope, receive: Receive, send: Send, answer: Callable[[Scope, Receive], Awaitable[Answered]], advice: str
) -> None:
    """Serve one call: `answer` gives the body and headers; `advice` goes to who does not POST."""
    if scope["method"] != "POST":
        error = render.admin_error("method_not_allowed", advice)
        await render.send_json(send, render.ascii_json(error), render.NOT_ALLOWED, [(b"allow", b"POST")])
        return
    try:
        body, headers = await answer(scope, receive)
    except Gone:
        return
    except TooLarge:
        error = render.admin_error("body_too_large", "a call may have 4 MiB at most; split it")
        await render.send_json(send, render.ascii_json(error), render.TOO_LARGE)
        return
    await render.send_json(send, body, headers=headers)
