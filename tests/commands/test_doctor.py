"""How the doctor reads a connector's status."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.cli.doctor import standing


@pytest.mark.parametrize(
    ("status", "found", "mend"),
    [
        ({"state": "ready"}, "ready", "endpoint"),
        ({"state": "down", "last_errors": ["a", "b"]}, "down, last error: b", "endpoint"),
        ({"state": "error", "credentials": "401 89 Invalid or expired token."}, "refused: 401 89", "credentials"),
        (
            {"state": "ready", "token_ends_ms": 1_700_000_000_000},
            "its token ends 2023-11-14 22:13:20 UTC",
            "endpoint",
        ),
        ({"state": "ready", "token_ends_ms": 0}, "ready", "endpoint"),
    ],
)
def test_a_connector_is_told_with_its_mend(status: dict[str, Any], found: str, mend: str) -> None:
    told, advice = standing(status)

    assert found in told
    assert mend in advice
