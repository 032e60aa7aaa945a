"""The only place that knows numbers: every status of the published table, by a key of ours.

A number is no identity (7010 has two meanings), so code speaks in keys; the number and the text are looked up
where an answer, a record or a receipt is written. Source: `codes.csv`, compared with `published.csv` in the tests.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict, dataclass
from importlib.resources import files

MESSAGING = "Messaging"
STATUS = "Transaction Status"
EVENT = "Event"
PROFILE = "Profile"

VALUE_LIMIT = 64  # characters of an offending value that are repeated to the caller

# Where the wire differs from the published text (decisions 1); the catalogue keeps showing the published one.
_WIRE_TEXT = {(EVENT, "queued"): "Queued"}
_RECEIPT_TEXT = {"submitted": "Submitted", "provider_exception": "Service provider exception"}

_PLACEHOLDER = re.compile(r"(?<![a-z])x{2,3}(?:,x{2,3})*(?![a-z])")  # [xx,xx] is one, of a list


@dataclass(frozen=True, slots=True)
class Row:
    """One published row and our columns; `fixed_by` is caller, tenant, operator (of this installation) or nobody."""

    api: str
    code: str
    message: str
    description: str
    key: str
    phase: str
    finality: str
    fixed_by: str
    retry_safe: str
    cause: str
    fix: str

    def as_dict(self) -> dict[str, str]:
        """The row as JSON members."""
        return asdict(self)


def _load(name: str) -> tuple[Row, ...]:
    text = files("heliograph.catalogue").joinpath(name).read_text(encoding="utf-8")
    return tuple(Row(**row) for row in csv.DictReader(io.StringIO(text, newline="")))


ROWS = _load("codes.csv")
EXTENSIONS = _load("extensions.csv")  # ours: what decisions.md adds to the published table
_BY_KEY = {(row.api, row.key): row for row in ROWS + EXTENSIONS}


def find(key: str, api: str = MESSAGING) -> Row:
    """The row of `key` in that API's section, or in Messaging where that section has none (spec: 9)."""
    row = _BY_KEY.get((api, key)) or _BY_KEY.get((MESSAGING, key))
    if row is None:
        raise KeyError(f"no status {key!r} in the catalogue; see codes.csv")
    return row


def code(key: str) -> str:
    """The published number of a key, as text."""
    return find(key).code


def text(key: str, api: str = MESSAGING, values: tuple[object, ...] = ()) -> str:
    """The text an API answers, with the placeholders xxx and xx filled in order, values trimmed."""
    template = _WIRE_TEXT.get((api, key)) or find(key, api).message
    rest = iter(values)
    return _PLACEHOLDER.sub(lambda match: str(next(rest, match[0]))[:VALUE_LIMIT], template)


def receipt_text(key: str) -> str:
    """The `Description` of a delivery receipt."""
    return _RECEIPT_TEXT.get(key) or find(key).message


def with_code(number: str) -> tuple[Row, ...]:
    """All rows with that number, published ones first in table order."""
    return tuple(row for row in ROWS + EXTENSIONS if row.code == number)
