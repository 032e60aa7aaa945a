"""The routes of the description of the HTTP surface: OpenAPI 3.1, and a page to read it and to try calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib.resources import files

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heliograph.api.openapi.document import describe
from heliograph.model.channel import Channel

# The page is whole in itself: nothing is loaded from elsewhere, and calls go to this server alone.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)


def reference_routes(admin: Sequence[BaseRoute], channels: Mapping[str, Channel]) -> list[BaseRoute]:
    """`/openapi.json` and `/docs`, for the routes of the admin API and the passports of the channels."""
    made: list[bytes] = []  # at the first request, so that no start waits for it

    def compose() -> bytes:
        return msgspec.json.encode(describe(admin, channels))

    async def openapi(_: Request) -> Response:
        if not made:
            made.append(await asyncio.to_thread(compose))
        return Response(made[0], media_type="application/json")

    async def docs(_: Request) -> Response:
        page = files("heliograph.api").joinpath("docs.html").read_text(encoding="utf-8")
        return Response(page, media_type="text/html", headers={"content-security-policy": _POLICY})

    return [Route("/openapi.json", openapi), Route("/docs", docs)]
