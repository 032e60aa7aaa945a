"""Holds a document against the structs that declare its shape, and names every fault and not only the first."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

Fault = tuple[str, str]
"""Where, as people find it (`tenants[demo].services[orders].status`), and a sentence on what is wrong."""


def shape_faults(value: Any, kind: Any, path: str = "") -> Iterator[Fault]:
    """Every member of `value` that has no place, is missing or is of another type than `kind` says."""
    kind = _arm(value, kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _object_faults(value, kind, path)
    elif origin is tuple and isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from shape_faults(item, arguments[0], f"{path}[{label(item) or index}]")
    elif origin is dict and isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(name, str):
                yield from shape_faults(inner, arguments[1], f"{path}[{name}]")
            else:
                yield f"{path}[{name}]", f"the name {name!r} must be text; put it in quotes"
    else:
        yield from _value_faults(value, kind, path)


def _arm(value: Any, kind: Any) -> Any:
    """Of several kinds the one whose objects or lists `value` is one of, so that faults are told inside it."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    if isinstance(value, dict):
        fits = [arm for arm in get_args(kind) if isinstance(arm, type) and issubclass(arm, msgspec.Struct)]
    elif isinstance(value, list | tuple):
        fits = [arm for arm in get_args(kind) if get_origin(arm) is tuple]
    else:
        fits = []
    return fits[0] if len(fits) == 1 else kind


def label(item: Any) -> str:
    """The id, name or address by which people know an object of a list; "" if it has none."""
    if not isinstance(item, dict):
        return ""
    name = item.get("id") or item.get("name") or item.get("address")
    return name if isinstance(name, str) else ""


def _object_faults(value: Any, kind: type[msgspec.Struct], path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path or "document", f"must be an object with members, not {_named(value)}"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, inner in value.items():
        where = f"{path}.{name}" if path else str(name)
        if name in fields:
            yield from shape_faults(inner, fields[name].type, where)
        else:
            yield where, f"there is no such member; there are {', '.join(fields)}"
    for name, field in fields.items():
        if field.required and name not in value:
            yield f"{path}.{name}" if path else name, "is missing"


def _value_faults(value: Any, kind: Any, path: str) -> Iterator[Fault]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        sentence, _, inner = str(error).partition(" - at `$")
        hint = "; put it in quotes" if "Expected `str" in sentence and isinstance(value, int | float) else ""
        yield path + inner.rstrip("`"), sentence.replace("`", "'") + hint


def _named(value: Any) -> str:
    return {list: "a list", str: "text", type(None): "nothing"}.get(type(value), type(value).__name__)
