"""Dotted names into a JSON value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def values_at(found: Any, name: str) -> list[Any]:
    """The values under a dotted name, in their order; none when nothing has that name. A list on the way or at the
    end stands for each of its elements, so names carry no index: `items.sku` names the `sku` of every item. A member
    whose own name has dots is found under them."""
    return _descend(found, name.split(".")) if name else _spread(found)


def _descend(found: Any, steps: list[str]) -> list[Any]:
    if isinstance(found, list):
        return [value for item in found for value in _descend(item, steps)]
    if not isinstance(found, Mapping):
        return []
    for width in range(1, len(steps) + 1):
        name = ".".join(steps[:width])
        if name in found:
            rest = steps[width:]
            return _descend(found[name], rest) if rest else _spread(found[name])
    return []


def _spread(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [value for item in found for value in _spread(item)]
    return [found]
