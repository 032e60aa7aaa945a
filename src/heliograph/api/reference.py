"""The HTTP surface described: OpenAPI 3.1, and a page to read it and to try calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import msgspec
import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heliograph import __version__

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
# The page is whole in itself: nothing is loaded from elsewhere, and calls go to this server alone.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)


def describe(admin: Sequence[BaseRoute]) -> dict[str, Any]:
    """The document: what `openapi.yaml` says, and the admin API as its routes and their sentences have it."""
    found: dict[str, Any] = yaml.safe_load(_file("openapi.yaml"))
    found["info"]["version"] = __version__
    details = found.pop("x-admin")
    limits = found["components"].pop("x-limits")
    found["paths"]["/resources/v1/messaging"]["post"]["responses"]["200"]["headers"] = limits
    for route in admin:
        if isinstance(route, Route):
            path = _PARAMETER.sub(r"{\1}", route.path)
            for method in sorted((route.methods or set()) - {"HEAD"}):
                operation = _operation(method, path, route, details.get(f"{method} {path}", {}))
                found["paths"].setdefault(path, {})[method.lower()] = operation
    for path, operations in found["paths"].items():
        for name, operation in operations.items():
            _add_path_parameters(path, operation)
            operations[name] = operation
    return found


def _operation(method: str, path: str, route: Route, details: dict[str, Any]) -> dict[str, Any]:
    words = [word.strip("{}") for word in path.removeprefix("/admin/v1/").split("/")]
    operation: dict[str, Any] = {
        "tags": ["admin"],
        "operationId": "_".join([method.lower(), *words]),
        "summary": " ".join((route.endpoint.__doc__ or "").split()),
        "security": [{"adminToken": []}],
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in details.get("query", ())
        ],
        "responses": {"200": {"description": "Done."}, "default": {"$ref": "#/components/responses/Error"}},
    }
    if details.get("body"):
        operation["requestBody"] = {"content": {"application/json": {"schema": {"type": ["object", "array"]}}}}
    return operation


def _add_path_parameters(path: str, operation: dict[str, Any]) -> None:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
    ]
    operation["parameters"] = [*named, *operation.get("parameters", ())]


def reference_routes(admin: Sequence[BaseRoute]) -> list[BaseRoute]:
    """`/openapi.json` and `/docs`."""
    made: list[bytes] = []  # at the first request, so that no start waits for it

    async def openapi(_: Request) -> Response:
        if not made:
            made.append(msgspec.json.encode(describe(admin)))
        return Response(made[0], media_type="application/json")

    async def docs(_: Request) -> Response:
        return Response(_file("docs.html"), media_type="text/html", headers={"content-security-policy": _POLICY})

    return [Route("/openapi.json", openapi), Route("/docs", docs)]


def _file(name: str) -> str:
    return files("heliograph.api").joinpath(name).read_text(encoding="utf-8")
