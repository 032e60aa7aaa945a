"""Opens a call of the Profile API: what is wrong with it as a whole, before its records are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from heliograph.catalogue import keys
from heliograph.contract.expiry import expiry_ms
from heliograph.contract.values import as_text, check_depth
from heliograph.model.outcome import Rejected

MOST_RECORDS = 100
ID_CHARACTERS = 256

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Opened:
    """The records of a write, not looked at yet, and its expiry in Unix milliseconds, 0 for none."""

    records: list[Any]
    expiry: int = 0


def open_write(body: bytes) -> Opened:
    """The records of a body. Raises `Rejected`: 7000 for what is no JSON object, 7003 without records, 7012 with too
    many, 7004 for an `expiry` that is none."""
    try:
        root = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(keys.INVALID_JSON) from error
    if not isinstance(root, dict):
        raise Rejected(keys.INVALID_JSON)
    records = member(root, "records")
    if not isinstance(records, list) or not records:
        raise Rejected(keys.RECORDS_MISSING)
    check_size(records)
    check_depth(records)
    return Opened(records, _expiry(member(root, "expiry")))


def check_size(records: Sequence[Any]) -> None:
    """7012 for more records than a call may have."""
    if len(records) > MOST_RECORDS:
        raise Rejected(keys.BATCH_TOO_LARGE)


def member(holder: dict[str, Any], name: str) -> Any:
    """A member by its name in small letters, whatever the call's capitals; None where it is absent."""
    return next((value for given, value in holder.items() if given.lower() == name), None)


def asked_ids(pairs: Iterable[tuple[str, str]], name: str) -> list[str]:
    """The ids that a query names, each once and in order. `name` is in small letters; 7012 for too many."""
    found = list(dict.fromkeys(value.strip() for given, value in pairs if given.lower() == name and value.strip()))
    check_size(found)
    return found


def id_of(value: Any) -> str | None:
    """An id as text, "" for none; None for what cannot be one."""
    if value is None:
        return ""
    text = as_text(value)
    if text is None:
        return None
    text = text.strip()
    return text if not text or (len(text) <= ID_CHARACTERS and text.isprintable()) else None


def links_wanted(pairs: Iterable[tuple[str, str]]) -> int:
    """`showinwardlinks`: 0, 1 or 2, else 7004."""
    given = next((value.strip() for name, value in pairs if name.lower() == "showinwardlinks"), "")
    if given not in ("", "0", "1", "2"):
        raise Rejected(keys.INVALID_PARAM, "showinwardlinks")
    return int(given or 0)


def _expiry(value: Any) -> int:
    if value is None or value == "":
        return 0
    moment = expiry_ms(value) if isinstance(value, str) else None
    if moment is None:
        raise Rejected(keys.INVALID_PARAM, "expiry")
    return max(moment, 1)
