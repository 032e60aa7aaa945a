"""Imports a do-not-disturb list from a file: batch by batch over the admin API, with an outcome for each row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from heliograph.cli.bulk.outcomes import outcomes
from heliograph.cli.remote import Remote, RemoteError

BATCH = 5_000
COLUMNS = ("address", "channel", "category", "reason", "expires")
HEADS = ("line", "address", "outcome", "message")

Row = tuple[int, dict[str, str]]
"""The number of a line, and what it says by column."""


def rows_of(file: Path, defaults: Mapping[str, str]) -> Iterator[Row]:
    """The entries of a CSV file: by its heads, if the first line names `address`; else the first column is the
    address. What a row leaves empty is as in `defaults`. Raises `RemoteError` for a column nobody knows."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream)
        names: list[str] = ["address"]
        for cells in reader:
            if reader.line_num == 1 and "address" in (heads := [cell.strip().lower() for cell in cells]):
                if unknown := [name for name in heads if name not in COLUMNS]:
                    raise RemoteError(f"{file}: there is no column {unknown[0]!r}; there are {', '.join(COLUMNS)}")
                names = heads
                continue
            if cells:
                given = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
                yield reader.line_num, {"address": "", **defaults, **given}


def import_list(
    remote: Remote, tenant: str, file: Path, outcome: Path, defaults: Mapping[str, str]
) -> dict[str, Any]:
    """Put every row of a file on the list of a tenant; how many were listed, were new, were refused. Raises
    `RemoteError`: what was listed before it stays so, and may be imported again."""
    counts = {"rows": 0, "listed": 0, "new": 0, "refused": 0}
    with outcomes(file, HEADS, outcome) as written:
        rows = rows_of(file, defaults)
        while batch := list(islice(rows, BATCH)):
            refused, added = _send(remote, tenant, batch)
            for place, (line, entry) in enumerate(batch):
                said = ("refused", refused[place]) if place in refused else ("listed", "")
                written.write(line, entry["address"], *said)
            counts["rows"] += len(batch)
            counts["listed"] += len(batch) - len(refused)
            counts["refused"] += len(refused)
            counts["new"] += added
            written.reached(batch[-1][0])
    return {**counts, "outcome": str(outcome)}


def _send(remote: Remote, tenant: str, batch: list[Row]) -> tuple[dict[int, str], int]:
    """What was refused, by its place in the batch, and how many were new."""
    body = {"entries": [entry for _, entry in batch]}
    answer = remote.admin("POST", f"/tenants/{tenant}/dnd", params={"origin": "import"}, json=body)
    return {one["index"]: one["message"] for one in answer["refused"]}, answer["added"]
