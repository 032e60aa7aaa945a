"""Reads an expiry in every form that clients of the API send."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

# `2015-04-12T13:00:19.456Z`, `...+5:30` (one-digit hours occur), `...+0530`, or without a zone, which is UTC. The
# farthest zone of the world is UTC+14.
FORM = (
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt ]"
    r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]{1,9}))?)?"
    r" ?(?:[Zz]|([+-])(0?[0-9]|1[0-4])(?::?([0-5][0-9]))?)?"
)
"""The forms of a moment, as a regular expression; that the month has such a day is for the calendar to say."""
_FORM = re.compile(FORM)
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
    offset = (zone_hours * 60 + zone_minutes) * (-60_000 if sign == "-" else 60_000)
    try:
        since = datetime(*(int(part or 0) for part in moment)) - _EPOCH  # type: ignore[arg-type]
    except ValueError:
        return None
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    return (since.days * 86_400 + since.seconds) * 1000 + milliseconds - offset
