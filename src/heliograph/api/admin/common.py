"""What every admin endpoint shares: the token, the error shape, JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import yaml
from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import auth, render
from heliograph.contract.declared.documents import read_yaml
from heliograph.store import StoreUnavailable

Handler = Callable[[Request], Awaitable[Response]]


class AdminError(Exception):
    """An answer of the admin API that is no success."""

    def __init__(self, status: int, key: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = render.admin_error(key, message, field)


def reply(value: Any, status: int = render.OK) -> Response:
    """JSON as the answer."""
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")


def guarded(token: str, handler: Handler) -> Handler:
    """The handler behind the admin token, its errors in the one shape."""

    async def serve(request: Request) -> Response:
        if not auth.is_admin(request.scope["headers"], token):
            error = render.admin_error(
                "unauthorised",
                "send `Authorization: Bearer <admin token>`; the token is HELIOGRAPH_ADMIN_TOKEN or stands in "
                "the data folder in `admin-token`",
            )
            return reply(error, render.UNAUTHORISED)
        try:
            return await handler(request)
        except AdminError as error:
            return reply(error.body, error.status)
        except StoreUnavailable as error:
            shape = render.admin_error("store_unavailable", f"the database cannot do this now: {error}")
            return reply(shape, render.UNAVAILABLE)

    serve.__doc__ = handler.__doc__
    return serve


def numbers(text: str, count: int) -> tuple[int, ...] | None:
    """`count` whole numbers separated by dots, as ids and cursors are written; None for anything else."""
    parts = text.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts):
        return None
    found = tuple(int(part) for part in parts)
    return found if max(found) < 1 << 63 else None


def whole(request: Request, name: str, default: int, most: int) -> int:
    """A whole number from the query, at most `most`."""
    given = request.query_params.get(name, "")
    if not given:
        return default
    if numbers(given, 1) is None:
        raise AdminError(render.BAD_REQUEST, "invalid_value", f"`{name}` must be a whole number", name)
    return min(int(given), most)


def page_size(request: Request, most: int = 500) -> int:
    """How many things a list shows, from the query: 50 where it does not say, at most `most`."""
    size = whole(request, "limit", 50, most)
    if not size:
        raise AdminError(render.BAD_REQUEST, "invalid_value", "`limit` must be 1 or more", "limit")
    return size


async def document_of(request: Request, limit: int = 8 * 1024 * 1024) -> dict[str, Any]:
    """The body as a JSON or YAML object."""
    body = await request.body()
    if len(body) > limit:
        raise AdminError(render.TOO_LARGE, "body_too_large", f"a document may have {limit} bytes at most")
    try:
        is_json = "json" in request.headers.get("content-type", "")
        document = msgspec.json.decode(body) if is_json else read_yaml(body)
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise AdminError(
            render.BAD_REQUEST, "invalid_document", f"the body is neither JSON nor YAML: {error}"
        ) from error
    if not isinstance(document, dict):
        raise AdminError(render.BAD_REQUEST, "invalid_document", "the body must be one object")
    return document
