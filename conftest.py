"""Both shapes of the platform for every test that keeps something: SQLite, and PostgreSQL from the test extra.

A test that asks for `database` (or for a fixture over it) runs once on each. `--database sqlite` runs on one alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph import testing
from heliograph.testing.databases import Database, PostgresDatabase, SqliteDatabase
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer, postgres

SHAPES = ("sqlite", "postgresql")
NATS = "nats"  # PostgreSQL, and the work by way of a broker
WITH_NATS = frozenset({"test_messaging", "test_status", "test_idempotency", "test_money", "test_breaker"})
"""Modules of acceptance that run in that shape too."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addoption("--database", choices=(*SHAPES, NATS, "both"), default="both", help="the databases to test on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Called by pytest."""
    if "shape" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        whole = "platforms" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in WITH_NATS
        every = (*SHAPES, NATS) if whole else SHAPES
        metafunc.parametrize("shape", every if chosen == "both" else (chosen,), scope="session")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """One broker for all tests of this process that do not stop it."""
    with nats() as server:
        yield server


@pytest.fixture
def database(shape: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of this test's shape."""
    if shape == "sqlite":
        yield SqliteDatabase(tmp_path / "test.sqlite")
    else:
        yield PostgresDatabase.made(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="session")
def platforms(shape: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Platforms that `heliograph.testing.running` starts keep their state in a database of this shape, the same for
    the same data folder."""
    if shape == "sqlite":
        yield
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made: dict[Path, str] = {}

    def database_of(data: Path) -> str:
        if data not in made:
            made[data] = server.url(server.create())
        return made[data]

    testing.database_of = database_of
    if shape == NATS:
        broker: NatsServer = request.getfixturevalue("nats_server")
        spaces: dict[Path, str] = {}

        def bus_of(data: Path) -> str:
            if data not in spaces:
                spaces[data] = broker.space()
            return spaces[data]

        testing.bus_of = bus_of
    yield
    testing.database_of, testing.bus_of = testing.on_sqlite, testing.within_one_process
