"""Commands that meet a PostgreSQL database: serve, doctor, migrate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph.testing.postgres import PostgresServer

PASSWORD = "s3cr3t-p"


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    """An empty database, with a password that the server does not ask for."""
    made = postgres_server.url(postgres_server.create())
    return made.replace("@", f":{PASSWORD}@")


@pytest.fixture
def nowhere(url: str) -> str:
    """A database that nobody serves."""
    return url.replace(url.split(":")[-1].split("/")[0], "1")


def status_of(serving: Any, transid: str) -> Any:
    """The status record of a message."""
    key = "11111111-1111-4111-8111-111111111111"
    return httpx.get(f"{serving.url}/resources/v1/messaging/status/{transid}", headers={"key": key}).json()


def test_a_live_installation_moves_and_goes_on(start: Any, command: Any, url: str, tmp_path: Path) -> None:
    before = start()
    before("apply", before.file())
    transid = before.sent()
    record = before.final(transid)
    busy = command("migrate", "--to", url, "--data", str(before.data))
    before.stop()
    moved = command("migrate", "--from", "sqlite", "--to", url, "--data", str(before.data), "--json")
    after = start(HELIOGRAPH_DATABASE=url)

    assert (busy.status, "another process serves" in busy.err) == (1, True)
    assert {row["table"]: row["rows"] for row in moved.json}["transactions"] == 1
    assert status_of(after, transid) == [record]
    assert after.final(after.sent("447700900124"))["status"] == "delivered"
    assert PASSWORD not in moved.err + busy.err + after.log.read_text()


def test_a_database_that_is_in_use_is_no_target(start: Any, command: Any, url: str) -> None:
    before = start()
    before("apply", before.file())
    before.stop()
    first, second = (command("migrate", "--to", url, "--data", str(before.data)) for _ in range(2))

    assert (first.status, second.status) == (0, 1)
    assert "the target is in use: its table" in second.err
    assert PASSWORD not in first.out + first.err + second.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "oracle", "--to", "postgresql://a@b/c"), "--from oracle is unknown; it must be sqlite"),
        ((), "give the target with --to"),
        (("--to", "mysql://a@b/c"), "HELIOGRAPH_DATABASE=*** must be sqlite or look like postgresql://"),
        (("--to", "postgresql://a@b/c", "--data", "nowhere"), "the data folder nowhere does not exist"),
        (("--to", "postgresql://a@b/c"), "there is no database"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_the_mend(
    command: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = command("migrate", *arguments, cwd=tmp_path, HELIOGRAPH_DATA=str(tmp_path))

    assert (ended.status, said in ended.err) == (1, True)


def test_the_doctor_looks_at_the_database(command: Any, url: str, tmp_path: Path) -> None:
    ended = command("doctor", "--json", HELIOGRAPH_DATABASE=url, HELIOGRAPH_DATA=str(tmp_path))
    found = {finding["what"]: finding for finding in ended.json}

    assert found["database"]["ok"]
    assert "PostgreSQL 16" in found["database"]["found"]
    assert found["durability"]["found"] == "fsync = off, full_page_writes = off"
    assert "migrations to apply" in found["schema"]["found"]
    assert PASSWORD not in ended.out + ended.err


@pytest.mark.parametrize("arguments", [("doctor",), ("serve", "--listen", "127.0.0.1:0")])
def test_a_database_that_is_away_is_named_without_its_password(
    command: Callable[..., Any], nowhere: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = command(*arguments, HELIOGRAPH_DATABASE=nowhere, HELIOGRAPH_DATA=str(tmp_path))

    assert ended.status == 1
    assert "no connection to PostgreSQL" in ended.out + ended.err
    assert PASSWORD not in ended.out + ended.err
