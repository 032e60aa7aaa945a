"""`/docs/rt`: a page to try real time with, and the module that it and others use."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heliograph.api import render

PAGE_PATH = "/docs/rt"
# Nothing is loaded from elsewhere; the page talks to this server alone.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'"
)
_SCRIPTS = frozenset({"heliograph.js", "page.js"})


def _read(name: str) -> str:
    return files("heliograph.api.inapp").joinpath(name).read_text(encoding="utf-8")


async def _page(_: Request) -> Response:
    headers = {"content-security-policy": _POLICY, "referrer-policy": "no-referrer"}
    return Response(_read("rt.html"), media_type="text/html", headers=headers)


async def _script(request: Request) -> Response:
    name = request.path_params["script"]
    if name not in _SCRIPTS:
        return Response(status_code=render.NOT_FOUND)
    return Response(_read(name), media_type="text/javascript", headers={"x-content-type-options": "nosniff"})


def page_routes() -> list[BaseRoute]:
    """The page and its scripts."""
    return [Route(PAGE_PATH, _page), Route(f"{PAGE_PATH}/{{script}}", _script)]
