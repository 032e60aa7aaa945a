"""A real broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heliograph.testing.nats import NatsServer, nats


@pytest.fixture
def broker() -> Iterator[NatsServer]:
    """A server of this test's own."""
    with nats() as server:
        yield server
