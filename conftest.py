"""Both shapes of the platform for every test that keeps something: SQLite in one process, PostgreSQL with NATS.

A test that asks for `platforms` runs once in each. One that asks for `database` alone has no bus and runs once on
each database. The third shape, PostgreSQL in one process, is what the modules in `WITHOUT_BROKER` run in as well.
`--database sqlite` runs everything in one shape. The servers come from the test extra, so nothing is skipped for
want of one: a skip that is none of `SKIPS` fails the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from heliograph import testing
from heliograph.store import Store
from heliograph.store.engines.postgres import connection
from heliograph.testing.databases import Database, PostgresDatabase, SqliteDatabase
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer, postgres

sys.path.insert(0, str(Path(__file__).parent / "tests"))

from forked import Commands, commands

Report = TypeVar("Report", pytest.CollectReport, pytest.TestReport)

SQLITE, POSTGRESQL = "sqlite", "postgresql"
NATS = "nats"  # PostgreSQL, and the work by way of a broker
WITHOUT_BROKER = frozenset({"test_messaging", "test_status", "test_idempotency", "test_money", "test_limits"})
"""Modules of tests/acceptance that run on PostgreSQL without a broker too."""
# Programs and libraries of others that ours are held against; with `PEERS=required` none may be missing (.ci/run).
PEERS = (r"needs ", r"could not import ")
MACHINES = (r"a small file system cannot be mounted here", r"\S+ has no package for this machine")
SKIPS = re.compile("|".join(MACHINES if os.environ.get("PEERS") == "required" else (*PEERS, *MACHINES)))
"""What a test may be skipped for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.addoption(
        "--database", choices=(SQLITE, POSTGRESQL, NATS, "both"), default="both", help="the shape to test in"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Called by pytest."""
    if "shape" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        name = metafunc.module.__name__.rpartition(".")[2]
        if "platforms" not in metafunc.fixturenames:
            every: tuple[str, ...] = (SQLITE, POSTGRESQL)
        elif name in WITHOUT_BROKER:
            every = (SQLITE, POSTGRESQL, NATS)
        else:
            every = (SQLITE, NATS)
        metafunc.parametrize("shape", every if chosen == "both" else (chosen,), scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Called by pytest: a module that is skipped for what is no reason fails."""
    return judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Called by pytest: a test that is skipped for what is no reason fails."""
    return judged((yield))


def judged(report: Report) -> Report:
    """The report; failed if it is of a skip that none of `SKIPS` allows."""
    if report.skipped and not hasattr(report, "wasxfail"):
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not SKIPS.match(said.removeprefix("Skipped: ")):
            report.outcome, report.longrepr = "failed", f"no test may be skipped for this: {said}"
    return report


@pytest.fixture(scope="session", autouse=True)
def patient() -> None:
    """A machine that has much else to do may take long to answer."""
    connection.CONNECT_SECONDS = 10.0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def forked() -> Iterator[Commands]:
    """Runs commands in processes of their own that need not import everything first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    with commands({**kept, "COLUMNS": "200", "NO_COLOR": "1"}) as found:
        yield found


class Databases:
    """Databases of a server, which tests have one after another. One that a test leaves with the tables that a new
    store has is emptied and given to the next, in a fraction of the time that another takes to make."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free = [server.create()]
        with ThreadPoolExecutor(1) as aside:  # which has no event loop
            aside.submit(asyncio.run, self._filled(server.url(self._free[0]))).result()
        self._tables = server.emptied(self._free[0])

    async def _filled(self, url: str) -> None:
        store = Store.on_postgres(url)
        await store.open()
        await store.close()

    def take(self) -> str:
        """The name of an empty one."""
        return self._free.pop() if self._free else self._server.create()

    def give(self, name: str) -> None:
        """A test is done with it."""
        with contextlib.suppress(subprocess.CalledProcessError):  # it is in use, or not what it was
            if self._server.emptied(name) == self._tables:
                self._free.append(name)


@pytest.fixture(scope="session")
def databases(postgres_server: PostgresServer) -> Databases:
    """Those of this process's server."""
    return Databases(postgres_server)


@pytest.fixture(scope="session")
def nats_server() -> Iterator[NatsServer]:
    """One broker for all tests of this process that do not stop it."""
    with nats() as server:
        yield server


@pytest.fixture
def database(shape: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of this test's shape."""
    if shape == SQLITE:
        yield SqliteDatabase(tmp_path / "test.sqlite")
    else:
        found: Databases = request.getfixturevalue("databases")
        name = found.take()
        yield PostgresDatabase(request.getfixturevalue("postgres_server").url(name))
        found.give(name)


@pytest.fixture
def untouched(shape: str, tmp_path: Path, request: pytest.FixtureRequest) -> Database:
    """A database of this test's shape that no store has opened yet."""
    if shape == SQLITE:
        return SqliteDatabase(tmp_path / "test.sqlite")
    return PostgresDatabase.made(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="session")
def platforms(shape: str, request: pytest.FixtureRequest) -> Iterator[None]:
    """Platforms that `heliograph.testing.running` starts keep their state in a database of this shape, the same for
    the same data folder."""
    if shape == SQLITE:
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
