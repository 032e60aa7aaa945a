"""An empty cluster for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.testing.cluster import Cluster, cluster
from heliograph.testing.nats import NatsServer
from heliograph.testing.postgres import PostgresServer


@pytest.fixture
def shared(postgres_server: PostgresServer, nats_server: NatsServer, tmp_path: Path) -> Iterator[Cluster]:
    """A database and a broker, nothing on them yet."""
    with cluster(
        postgres_server.url(postgres_server.create()), nats_server.space(ack_wait=5, deliveries=3), tmp_path
    ) as made:
        yield made
