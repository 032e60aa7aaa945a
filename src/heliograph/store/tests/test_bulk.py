"""Many rows in few statements: every row arrives, whatever their number."""

from __future__ import annotations

import sqlite3

import pytest

from heliograph.store.engines.bulk import SIZES, insert


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 31, 33, 255, 256, 257, 1_000])
def test_every_row_arrives_in_order(count: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a, b)")
    rows = [(number, str(number)) for number in range(count)]
    insert(db, "INSERT INTO t (a, b) VALUES :rows", rows)
    found = db.execute("SELECT a, b FROM t ORDER BY rowid").fetchall()
    db.close()

    assert found == rows


def test_a_thousand_rows_are_few_statements() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a)")
    seen: list[str] = []
    db.set_trace_callback(lambda sql: seen.append(sql) if sql.startswith("INSERT") else None)
    insert(db, "INSERT INTO t (a) VALUES :rows", [(number,) for number in range(1_000)])
    db.close()

    assert len(seen) <= 1_000 // SIZES[0] + 3 * 8
