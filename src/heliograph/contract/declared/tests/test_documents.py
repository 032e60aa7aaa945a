"""What people write in YAML means what it says."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.contract.declared.documents import read_yaml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on: {event: '1'}", {"on": {"event": "1"}}),
        ("country: NO", {"country": "NO"}),
        ("a: true", {"a": True}),
        ("a: False", {"a": False}),
        ("since: 2026-11-24", {"since": "2026-11-24"}),
        ("n: 1", {"n": 1}),
        ("n: null", {"n": None}),
    ],
)
def test_a_scalar_of_a_document(text: str, expected: dict[str, Any]) -> None:
    assert read_yaml(text) == expected
