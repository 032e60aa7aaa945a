"""Composes the document: the areas, the routes and sentences of the admin API, the schemas made from rules, from the
catalogue and from the workspace's own types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
import yaml
from starlette.routing import BaseRoute, Route

from heliograph import __version__, catalogue
from heliograph.api.openapi import calls, statuses
from heliograph.model.channel import Channel
from heliograph.model.workspace import Document

ADMIN = "/admin/v1/"
JOINED = 2  # `paths` and a path, `components` and a section
TYPES = (Document, catalogue.Row)  # and all that they hold
SHARED = {
    "401": {"$ref": "#/components/responses/Unauthorised"},
    "503": {"$ref": "#/components/responses/Unavailable"},
}
"""What every call of the admin API may be answered."""

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One call of the admin API as it is served; `summary` is the sentence of its handler."""

    method: str
    path: str
    summary: str


def admin_calls(routes: Sequence[BaseRoute]) -> Iterator[AdminCall]:
    """The calls that these routes serve."""
    for route in routes:
        if isinstance(route, Route):
            path = _PARAMETER.sub(r"{\1}", route.path)
            summary = " ".join((route.endpoint.__doc__ or "").split())
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield AdminCall(method.lower(), path, summary)


def describe(admin: Sequence[BaseRoute], channels: Mapping[str, Channel]) -> dict[str, Any]:
    """The whole document."""
    found: dict[str, Any] = {}
    for area in sorted(_FOLDER.joinpath("areas").iterdir(), key=lambda file: file.name):
        _add(found, _parsed(area), area.name)
    found["info"]["version"] = __version__
    _, typed = msgspec.json.schema_components(TYPES, ref_template=f"{calls.SCHEMAS}{{name}}")
    own = {channel.name: own_of(channel.name) for channel in channels.values()}
    sentences = {**read("members.yaml"), "channels": {name: one["members"] for name, one in own.items()}}
    made = (calls.schemas(channels, sentences), statuses.schemas(), typed)
    for schemas in made:
        _add(found, {"components": {"schemas": schemas}}, "what is made from code")
    send = found["paths"]["/resources/v1/messaging"]["post"]["requestBody"]["content"]["application/json"]
    send["examples"] = {name: example for one in own.values() for name, example in one["examples"].items()}
    for call in admin_calls(admin):
        operations = found["paths"].setdefault(call.path, {})
        operations[call.method] = _operation(call, operations.get(call.method, {}))
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            operations[method] = {**operation, "parameters": _parameters(path, operation)}
    return found


def read(name: str) -> Any:
    """A file of this folder."""
    return _parsed(_FOLDER.joinpath(name))


def own_of(channel: str) -> dict[str, Any]:
    """What `openapi.yaml` in a channel's folder says: `members`, sentences by path, and `examples`, calls by name."""
    file = files("heliograph.channels").joinpath(channel, "openapi.yaml")
    return {"members": {}, "examples": {}, **(_parsed(file) if file.is_file() else {})}


def _parsed(file: Traversable) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe loader


def _add(found: dict[str, Any], more: Mapping[str, Any], source: str, depth: int = 0) -> None:
    """Areas join in their paths and in their sections of components; a method of a path, or a component, that is
    there already is a mistake of whoever added it."""
    for name, value in more.items():
        if name not in found:
            found[name] = value
        elif depth < JOINED:
            _add(found[name], value, source, depth + 1)
        else:
            raise ValueError(f"{name} of {source} is described twice")


def _operation(call: AdminCall, written: Mapping[str, Any]) -> dict[str, Any]:
    words = [word.strip("{}") for word in call.path.removeprefix(ADMIN).split("/")]
    return {
        "tags": ["admin"],
        "operationId": "_".join([call.method, *words]),
        "summary": call.summary,
        "security": [{"adminToken": []}],
        **written,
        "responses": {**written.get("responses", {}), **SHARED},
    }


def _parameters(path: str, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    written = operation.get("parameters", ())
    there = {one.get("name") for one in written if one.get("in") == "path"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(path)
        if name not in there
    ]
    return [*in_path, *written]


_FOLDER = files("heliograph.api.openapi")
