"""Reads an expiry in every form that clients of the API send."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

# `2015-04-12T13:00:19.456Z`, `...+5:30` (one-digit hours occur), `...+0530`, or without a zone, which is UTC.
_FORM = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r" ?(?:[Zz]|([+-])(\d{1,2})(?::?(\d{2}))?)?",
    re.ASCII,
)
_LONGEST = 48  # characters of the longest form; longer texts are not remembered
_EPOCH = datetime(1970, 1, 1)


def expiry_ms(text: str) -> int | None:
    """Unix milliseconds, or None when the text is no date and time."""
    return _parsed(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> int | None:
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    *moment, fraction, sign, hours, minutes = match.groups()
    zone_hours, zone_minutes = int(hours or 0), int(minutes or 0)
    if zone_hours > 14 or zone_minutes > 59:  # the farthest zone of the world is UTC+14
        return None
    offset = (zone_hours * 60 + zone_minutes) * (-60_000 if sign == "-" else 60_000)
    try:
        since = datetime(*(int(part or 0) for part in moment)) - _EPOCH  # type: ignore[arg-type]
    except ValueError:
        return None
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    return (since.days * 86_400 + since.seconds) * 1000 + milliseconds - offset
