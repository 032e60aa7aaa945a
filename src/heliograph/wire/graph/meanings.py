"""What a Graph fault means in keys of the catalogue: read from a channel's `receipts.csv`.

A fault is written `code`, `code/subcode`, `*/subcode`, `code~words of its message`, `first-last`, `http 5xx` or
`other`; the first of these that is in the table counts, in the order exact, subcode, words, code, span, status.
"""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

from heliograph.model.outcome import SendError

OTHER, DOWN = "other", "http 5xx"
DETAIL_CHARACTERS = 300
HOLDS = ("", "channel", "rate", "thread")


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, `holds` what is left alone because of it (the
    channel as its credentials are refused, the channel until its rate allows more, the thread with this person), and
    what it says of the address (`yes`: it cannot be reached)."""

    native: str
    key: str
    retry: str
    holds: str
    deactivate: str
    note: str


class Fault(NamedTuple):
    """An error object of Graph."""

    code: int
    subcode: int = 0
    message: str = ""
    transient: bool = False
    trace: str = ""

    @property
    def native(self) -> str:
        """Code and subcode as people know them."""
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


def fault_of(error: Any) -> Fault | None:
    """The fault of a decoded `error` object; None when it is none."""
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return None
    subcode, data = error.get("error_subcode"), error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    message = " ".join(dict.fromkeys(str(part) for part in (error.get("message"), details) if part))
    return Fault(
        error["code"], subcode if isinstance(subcode, int) else 0, message[:DETAIL_CHARACTERS],
        error.get("is_transient") is True, str(error.get("fbtrace_id") or ""),
    )  # fmt: skip


def fault_in(body: bytes) -> Fault | None:
    """The fault that an answer tells of."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return fault_of(found.get("error")) if isinstance(found, dict) else None


class Meanings:
    """The table of one channel."""

    def __init__(self, text: str) -> None:
        rows = [Outcome(**row) for row in csv.DictReader(io.StringIO(text, newline=""))]
        self.rows = {row.native: row for row in rows}
        self._words = [(row.native.partition("~"), row) for row in rows if "~" in row.native]
        self._spans = [(span, row) for row in rows if (span := _span(row.native))]

    def of(self, fault: Fault) -> Outcome:
        """What a fault means."""
        found = self.rows.get(f"{fault.code}/{fault.subcode}") or self.rows.get(f"*/{fault.subcode}")
        if found is None:
            message = fault.message.lower()
            for (code, _, words), row in self._words:
                if str(fault.code) == code and words in message:
                    return row
            found = self.rows.get(str(fault.code))
        if found is None:
            found = next((row for span, row in self._spans if fault.code in span), None)
        return found or self.rows[DOWN if fault.transient else OTHER]

    def error(self, fault: Fault) -> tuple[SendError, Outcome]:
        """What becomes of the message that met a fault, and the row that says so."""
        outcome = self.of(fault)
        trace = f" (fbtrace_id {fault.trace})" if fault.trace else ""
        return SendError(outcome.key, outcome.retry, fault.native, f"{fault.message}{trace}"), outcome


def _span(native: str) -> range | None:
    """`200-299`."""
    first, _, last = native.partition("-")
    return range(int(first), int(last) + 1) if first.isdigit() and last.isdigit() else None


def load(package: str) -> Meanings:
    """The table in the folder of a channel."""
    return Meanings(files(package).joinpath("receipts.csv").read_text(encoding="utf-8"))
