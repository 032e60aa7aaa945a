"""How the doctor reads a connector's status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heliograph.cli.doctor import examine, standing
from heliograph.config import load
from heliograph.testing.nats import NatsServer


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


@pytest.mark.parametrize(("there", "found"), [(True, "NATS 2."), (False, "no connection to NATS")])
def test_the_broker_is_looked_at_where_one_is_set(
    tmp_path: Path, nats_server: NatsServer, there: bool, found: str
) -> None:
    bus = nats_server.url if there else "nats://user:hidden@127.0.0.1:1"
    config = load({"DATA": str(tmp_path), "DATABASE": "postgresql://127.0.0.1:1/x", "BUS": bus}, {})
    findings = {finding.what: finding for finding in examine(config)}

    assert findings["broker"].ok is there
    assert found in findings["broker"].found
    assert "hidden" not in str(findings)
    assert ("jetstream" in findings) is there
