"""What a far end's native answer means in keys of the catalogue; the table is `receipts.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

FCM, APNS, WEBPUSH, APP = "fcm", "apns", "webpush", "app"
OTHER = "other"

DEAD, CREDENTIALS, SUSPECT, DOWN, PAUSE = "dead", "credentials", "suspect", "down", "pause"
"""Effects: the token is dead; our credentials are refused; maybe they are; the far end is down; it wants a pause."""

FAR_END_OF = {"android": FCM, "ios": APNS, "web": WEBPUSH}


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, what follows besides, a note."""

    key: str
    retry: str
    effect: str
    note: str


def load() -> dict[str, dict[str, Outcome]]:
    """Read `receipts.csv`: outcomes by far end and native code."""
    text = files("heliograph.channels.push").joinpath("receipts.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, Outcome]] = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        outcome = Outcome(row["key"], row["retry"], row["effect"], row["note"])
        found.setdefault(row["far_end"], {})[row["native"]] = outcome
    return found


TABLE: Mapping[str, Mapping[str, Outcome]] = load()


def outcome_of(far_end: str, *codes: str) -> Outcome:
    """The meaning of the first of the codes, the most particular one first, that the table knows."""
    rows = TABLE[far_end]
    return next((rows[code] for code in codes if code in rows), rows[OTHER])


def by_status(status: int) -> tuple[str, str]:
    """The codes of an HTTP status that has no name: itself and its class."""
    return str(status), f"{status // 100}xx"
