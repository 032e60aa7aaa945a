"""The schema as it is written down equals the sum of the migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from heliograph.store.areas import audit, messages, notices, purge, receipts, requests, workspace
from heliograph.store.areas.people import erasing, profiles
from heliograph.store.engines.sqlite import STATEMENTS, connect, migrate
from heliograph.store.statements import migrations, schema


def shape(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every object's name and text."""
    return sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_the_schema_equals_all_migrations(tmp_path: Path) -> None:
    whole, migrated = connect(tmp_path / "a"), connect(tmp_path / "b")
    whole.executescript(schema("sqlite"))
    migrate(migrated, 0)

    assert shape(whole) == shape(migrated)
    whole.close()
    migrated.close()


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")

    assert migrate(db, 0) == [name for name, _ in migrations("sqlite")]
    assert migrate(db, 0) == []
    db.close()


def test_writes_are_synced_and_logged_ahead(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")

    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_the_hot_table_has_no_index_beside_its_key(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")
    migrate(db, 0)
    names = [row[1] for row in db.execute("PRAGMA index_list(transactions)")]
    db.close()

    assert names == ["sqlite_autoindex_transactions_1"]


def test_every_statement_can_be_prepared(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")
    migrate(db, 0)
    for name, pieces in STATEMENTS.items():
        for piece in pieces if name != "create_scratch" else ():
            if not piece.rows:  # completed by bulk.py; the store's own tests run them
                db.execute(f"EXPLAIN {piece.sql}", [0] * piece.width)
    db.close()


def test_no_two_areas_give_a_method_the_same_name() -> None:
    areas = [
        requests.Requests, messages.Messages, receipts.Receipts, notices.Notices, workspace.Workspace, purge.Purge,
        profiles.Profiles, audit.Audit, erasing.Erasers,
    ]  # fmt: skip
    names = [name for area in areas for name in vars(area) if not name.startswith("_")]

    assert len(names) == len(set(names))
