"""What the doctor says of the broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph import config
from heliograph.cli.doctor import Finding, examine
from heliograph.testing.nats import NatsServer


def finding(bus: str, folder: Path) -> Finding:
    """Of the broker."""
    settings = config.load({"DATA": str(folder), "BUS": bus, "DATABASE": "postgresql://nobody@127.0.0.1:1/none"}, {})
    return next(found for found in examine(settings) if found.what == "broker")


def test_a_broker_with_jetstream_is_well(nats_server: NatsServer, tmp_path: Path) -> None:
    found = finding(nats_server.url, tmp_path)

    assert (found.ok, "streams" in found.found) == (True, True)


def test_a_broker_that_is_away_is_told_with_the_mend_and_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.bus.nats.connection.START_SECONDS", 0.3)
    found = finding("nats://helio:s3cret@127.0.0.1:1", tmp_path)

    assert (found.ok, found.found) == (False, "nats://127.0.0.1:1 does not answer")
    assert "HELIOGRAPH_BUS" in found.mend
