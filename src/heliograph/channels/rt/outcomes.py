"""What an app says of a message that it could not show, in keys of the catalogue: read from `receipts.csv`."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import NamedTuple

OTHER = "other"


class Outcome(NamedTuple):
    """A row of the table: the app's word, the key, the retry class of `SendError`, a note."""

    native: str
    key: str
    retry: str
    deactivate: str
    note: str


def _load() -> dict[str, Outcome]:
    text = files("heliograph.channels.rt").joinpath("receipts.csv").read_text(encoding="utf-8")
    return {row["native"]: Outcome(**row) for row in csv.DictReader(io.StringIO(text, newline=""))}


TABLE = _load()


def key_of(reason: str) -> str:
    """The key of an app's reason."""
    return (TABLE.get(reason) or TABLE[OTHER]).key
