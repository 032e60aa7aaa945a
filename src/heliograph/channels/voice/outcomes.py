"""What a SIP response, a Q.850 cause or one of our own limits means in keys of the catalogue; the table is
`receipts.csv`."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import NamedTuple

from heliograph.wire.sip.session import Ending

OTHER = "other"
RING_LIMIT, NO_RESPONSE, NO_MEDIA = "ring_limit", "no_response", "no_media"
EARLY_BYE, NO_PORT, STOPPED, ANSWERED = "early_bye", "no_port", "stopped", "answered"


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, what it says of the number, a note."""

    key: str
    retry: str = "no"
    deactivate: str = "no"
    note: str = ""


def load() -> dict[tuple[str, str], Outcome]:
    """`receipts.csv`, by kind and native code."""
    text = files("heliograph.channels.voice").joinpath("receipts.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return {
        (row["kind"], row["native"]): Outcome(row["key"], row["retry"], row["deactivate"], row["note"])
        for row in rows
    }


TABLE = load()


def of_local(word: str) -> Outcome:
    """What one of our own words means."""
    return TABLE["local", word]


def of_ending(ending: Ending, rang: bool) -> Outcome:
    """What a far end's final response means, `rang` whether it rang before (providers 2.11). The Q.850 cause, where
    it says more than the response, wins."""
    code = str(ending.code)
    found = TABLE.get(("cause", str(ending.cause)))
    if found is None and rang:
        found = TABLE.get(("rang", code))
    return found or TABLE.get(("status", code)) or TABLE["status", OTHER]
