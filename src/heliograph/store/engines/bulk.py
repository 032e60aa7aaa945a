"""Many rows in one statement: the interpreter lock changes hands once per some hundred rows, not once per row.

`executemany` gives the lock up and takes it back for each row, which starves the writer beside a busy event
loop; a multi-row `VALUES` does not, and costs a third of unpacking the same rows from JSON.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

SIZES = (256, 32, 4, 1)  # rows per statement; few shapes, so that each stays prepared
ROWS = ":rows"


@lru_cache(maxsize=128)
def _statement(sql: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return sql.replace(ROWS, ",".join([row] * rows))


def insert(db: sqlite3.Connection, sql: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows of equal width; `sql` names them in `VALUES :rows`."""
    start, count = 0, len(rows)
    if not count:
        return
    width = len(rows[0])
    for size in SIZES:
        while count - start >= size:
            db.execute(_statement(sql, width, size), list(chain.from_iterable(rows[start : start + size])))
            start += size
