"""Profiles in bulk for the commands: files of CSV or JSON lines, in and out over the admin API."""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Any, TextIO

from rich.progress import Progress

from heliograph.cli.bulk.outcomes import outcomes, progress
from heliograph.cli.remote import Remote, RemoteError

BATCH = 100  # records of a write
PAGE = 500
CUSTOMER = "customerId"
HEADS = ("line", CUSTOMER, "code", "description")
SUCCESS = "1000"

Line = tuple[int, Any]
"""The number of a line and the record that stands there."""


def is_csv(name: str, form: str = "") -> bool:
    """Whether a file holds CSV, as `form` says or its ending; JSON lines otherwise. Raises `RemoteError`."""
    if form not in ("", "csv", "ndjson"):
        raise RemoteError(f"there is no format {form!r}; there are csv and ndjson")
    return (form or ("csv" if name.lower().endswith(".csv") else "ndjson")) == "csv"


def import_profiles(remote: Remote, tenant: str, file: Path, *, app: str = "", act: str = "put") -> dict[str, Any]:
    """Write every record of a file, and beside it what became of each; how many there were and failed. Raises
    `RemoteError`: what was written before it stays written, and with `put` the file may be imported again."""
    counts: dict[str, Any] = {"rows": 0, "written": 0, "failed": 0}
    outcome = file.with_name(f"{file.name}.outcome.csv")
    query = {"app": app, "act": act}
    with outcomes(file, HEADS, outcome) as written, file.open(newline="", encoding="utf-8-sig") as stream:
        lines = _from_csv(stream) if is_csv(file.name) else _from_lines(stream, file)
        while batch := list(islice(lines, BATCH)):
            body = {"Records": [record for _, record in batch]}
            answer = remote.admin("POST", f"/tenants/{tenant}/profiles", params=query, json=body)
            for (line, _), result in zip(batch, answer["results"], strict=True):
                written.write(line, *(result[name] for name in HEADS[1:]))
                counts["written" if result["code"] == SUCCESS else "failed"] += 1
            counts["rows"] += len(batch)
            written.reached(batch[-1][0])
    return {**counts, "outcome": str(outcome)}


def export_profiles(remote: Remote, tenant: str, target: str, *, app: str = "", form: str = "") -> int:
    """Write all profiles of a tenant to a file, or with `-` to the output; how many. Raises `RemoteError`."""
    try:
        with ExitStack() as held:
            stream: TextIO = sys.stdout
            if target != "-":
                stream = held.enter_context(Path(target).open("w", newline="", encoding="utf-8"))
            bar = held.enter_context(progress())
            task = bar.add_task("exporting", total=None)
            records = _counted(_pages(remote, tenant, app), bar, task)
            return _to_csv(records, stream) if is_csv(target, form) else _to_lines(records, stream)
    except OSError as error:
        raise RemoteError(f"{target}: {error}") from error


def _pages(remote: Remote, tenant: str, app: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        query = {"app": app, "cursor": cursor, "limit": str(PAGE)}
        answer = remote.admin("GET", f"/tenants/{tenant}/profiles", params=query)
        yield from answer["profiles"]
        cursor = answer["cursor"]
        if not cursor:
            return


def _counted(records: Iterable[dict[str, Any]], bar: Progress, task: Any) -> Iterator[dict[str, Any]]:
    for record in records:
        yield record
        bar.advance(task)


def _to_lines(records: Iterable[dict[str, Any]], stream: TextIO) -> int:
    count = 0
    for record in records:
        stream.write(json.dumps(record, ensure_ascii=False) + "\n")
        count += 1
    return count


def _to_csv(records: Iterable[dict[str, Any]], stream: TextIO) -> int:
    """The columns are known when all profiles were seen, so they are put aside first."""
    columns: dict[str, None] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as aside:
        count = _to_lines(_with_columns(records, columns), aside)
        aside.seek(0)
        writer = csv.DictWriter(stream, [CUSTOMER, *columns])
        writer.writeheader()
        for line in aside:
            record = json.loads(line)
            cells = {name: json.dumps(value) if isinstance(value, bool) else value
                     for name, value in record["Attributes"].items()}  # fmt: skip
            writer.writerow({**cells, CUSTOMER: record[CUSTOMER]})
    return count


def _with_columns(records: Iterable[dict[str, Any]], columns: dict[str, None]) -> Iterator[dict[str, Any]]:
    for record in records:
        columns.update(dict.fromkeys(record["Attributes"]))
        yield record


def _from_csv(stream: IO[str]) -> Iterator[Line]:
    """A record for each row; an empty cell says nothing of its attribute. Raises `RemoteError`."""
    reader = csv.DictReader(stream)
    heads = reader.fieldnames or []
    named = next((head for head in heads if head.strip().lower() == CUSTOMER.lower()), None)
    if named is None:
        raise RemoteError(f"the first line must name the columns, {CUSTOMER} among them")
    for row in reader:
        cells = {name.strip(): value for name, value in row.items() if name is not None and value}
        customer = row.get(named) or ""
        yield (
            reader.line_num,
            {CUSTOMER: customer, "Attributes": {k: v for k, v in cells.items() if k != named.strip()}},
        )


def _from_lines(stream: IO[str], file: Path) -> Iterator[Line]:
    """A record for each line that is not empty. Raises `RemoteError`."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RemoteError(f"{file}: line {number} is no JSON: {error}") from error
