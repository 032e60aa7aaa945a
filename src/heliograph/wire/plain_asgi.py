"""An ASGI application that is one function from a whole request to a whole answer: what simulators need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

BODY_LIMIT = 16 * 1024 * 1024
JSON = "application/json; charset=utf-8"


class Asked(NamedTuple):
    """A request: the path without its query, names of headers in lower case, the body whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An answer; with `cut` the connection ends in the middle of it, with `silent` it is never given."""

    status: int = 200
    body: bytes = b""
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    silent: bool = False


Handler = Callable[[Asked], Awaitable[Reply]]


def said(found: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A JSON answer."""
    return Reply(status, msgspec.json.encode(found), headers=headers)


def application(handle: Handler) -> Any:
    """The ASGI application of a function."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        asked = Asked(scope["method"], scope["path"], query, headers, body or b"")
        reply = Reply(413) if body is None else await handle(asked)
        if not reply.silent:
            await _answer(send, reply)
            return
        while (await receive())["type"] != "http.disconnect":  # until the caller has enough of it
            pass

    return app


async def _body(receive: Any) -> bytes | None:
    """The body; None when it is too long."""
    pieces: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return b""
        size += len(event["body"])
        if size > BODY_LIMIT:
            return None
        pieces.append(event["body"])
        if not event.get("more_body"):
            return b"".join(pieces)


async def _answer(send: Any, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.media_type.encode()),
        (b"content-length", str(len(reply.body) + (100 if reply.cut else 0)).encode()),
        *((name.encode(), value.encode()) for name, value in reply.headers),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if not reply.cut:  # an answer that is never completed makes the server hang up
        await send({"type": "http.response.body", "body": reply.body})
