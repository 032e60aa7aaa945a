"""Dotted names into what happened."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.model.events import values_at

BODY = {
    "data": {"id": "7", "none": None, "a.b": {"c": 1}},
    "items": [{"sku": "x", "tags": ["p", "q"]}, {"sku": "y"}, 3],
}

CASES: list[tuple[str, list[Any]]] = [
    ("data.id", ["7"]),
    ("data.none", [None]),
    ("data.a.b.c", [1]),
    ("items.sku", ["x", "y"]),
    ("items.tags", ["p", "q"]),
    ("items.0.sku", []),
    ("data.id.more", []),
    ("absent", []),
    ("data..id", []),
    (".", []),
]


@pytest.mark.parametrize(("name", "values"), CASES)
def test_a_dotted_name_finds_its_values(name: str, values: list[Any]) -> None:
    assert values_at(BODY, name) == values
