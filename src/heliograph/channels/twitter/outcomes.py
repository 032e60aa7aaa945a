"""What an answer of X means in keys of the catalogue; the table is `receipts.csv`. Both shapes of errors are read."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

OTHER = "other"


class Outcome(NamedTuple):
    """A row of the table: the key, the retry class of `SendError`, what the account does (`error`: nothing goes out
    until X takes us again; `pause`: nothing until X says so; `down`: X is not up), what it says of the address."""

    key: str
    retry: str = "no"
    action: str = ""
    deactivate: str = "no"
    note: str = ""


class Fault(NamedTuple):
    """What X said: the HTTP status, its own number or the last word of its problem type, and its sentence."""

    status: int
    code: str = ""
    problem: str = ""
    detail: str = ""

    @property
    def native_code(self) -> str:
        """The status and what X calls the fault."""
        return " ".join(part for part in (str(self.status), self.code or self.problem) if part)


def load() -> dict[tuple[str, str], Outcome]:
    """Read `receipts.csv`, in its order."""
    text = files("heliograph.channels.twitter").joinpath("receipts.csv").read_text(encoding="utf-8")
    return {
        (row["kind"], row["native"]): Outcome(
            row["key"], row["retry"], row["action"], row["deactivate"], row["note"]
        )
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }  # fmt: skip


TABLE = load()
_DETAILS = [(native, outcome) for (kind, native), outcome in TABLE.items() if kind == "detail"]


def outcome_of(fault: Fault) -> Outcome:
    """The row that fits best: the sentence, the number, the problem type, the HTTP status, else the last."""
    said = fault.detail.lower()
    for words, outcome in _DETAILS:
        if words in said:
            return outcome
    return (
        TABLE.get(("code", fault.code))
        or TABLE.get(("problem", fault.problem))
        or TABLE.get(("status", str(fault.status)))
        or TABLE["status", "503" if fault.status >= 500 else OTHER]
    )


def fault_of(status: int, body: bytes) -> Fault:
    """An answer's fault. Old: `{"errors": [{"code", "message"}]}`; new: a problem of RFC 7807."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Fault(status)
    if not isinstance(found, dict):
        return Fault(status)
    errors = found.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    if "type" not in found and first:
        found = {**first, **{name: found[name] for name in ("title", "detail") if name in found}}
    kind, message = _text(found.get("type")), _text(first.get("message"))
    detail = _text(found.get("detail")) or message or _text(found.get("title"))
    return Fault(
        status,
        _text(first.get("code")),
        kind.rpartition("/")[2] if "/problems/" in kind else "",
        detail if message in detail else f"{detail} ({message})",
    )


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
