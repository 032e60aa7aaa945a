"""The schema as it is written down equals the sum of the migrations."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from heliograph.store.sqlite import connect, migrate
from heliograph.store.statements import load, migrations, read


def shape(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Every object's name and text."""
    return sorted(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_the_schema_equals_all_migrations(tmp_path: Path) -> None:
    whole, migrated = connect(tmp_path / "a"), connect(tmp_path / "b")
    whole.executescript(read("schema.sql"))
    migrate(migrated, 0)

    assert shape(whole) == shape(migrated)
    whole.close()
    migrated.close()


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    db = connect(tmp_path / "a")

    assert migrate(db, 0) == [name for name, _ in migrations()]
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
    statements = load("queries.sql")
    db.executescript(statements.pop("create_scratch"))
    for sql in statements.values():
        if sql.startswith("INSERT") and "SELECT" not in sql and "VALUES" not in sql:
            continue  # completed by bulk.py; the store's own tests run them
        db.execute(f"EXPLAIN {sql}", [0] * _parameters(sql))
    db.close()


def _parameters(sql: str) -> int:
    return max((number for number in range(1, 21) if f"?{number}" in sql), default=0)
