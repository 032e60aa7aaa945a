"""How much of its rates an app has used, as Graph says in headers, and how long to leave it alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

BUSINESS = "x-business-use-case-usage"
PLAIN = ("x-app-usage", "x-page-usage")
SHARES = ("call_count", "total_time", "total_cputime")

USED_UP = 100  # per cent
LOOK_AGAIN = 60.0  # seconds, when a rate is used up and nothing says until when
LONGEST = 3_600.0
AFTER_REFUSAL = 300.0  # the first pause after a refusal that names none; it doubles (providers 2.8)


def pause_of(headers: Mapping[str, str]) -> float:
    """Seconds to leave the far end alone by what an answer's headers say; 0 when there is no need."""
    asked = headers.get("retry-after", "")
    pauses = [float(asked)] if asked.isdecimal() and len(asked) < 8 else []
    for usage in _usages(headers):
        minutes = usage.get("estimated_time_to_regain_access")
        if isinstance(minutes, int | float) and minutes > 0:
            pauses.append(minutes * 60.0)
        elif share_of(usage) >= USED_UP:
            pauses.append(LOOK_AGAIN)
    return min(max(pauses, default=0.0), LONGEST)


def most_used(headers: Mapping[str, str]) -> float:
    """The greatest share of a rate that is used, in per cent; 0 where nothing is said."""
    return max(map(share_of, _usages(headers)), default=0.0)


def share_of(usage: Mapping[str, Any]) -> float:
    """The greatest of the shares of one usage object."""
    return max((float(value) for name in SHARES if isinstance(value := usage.get(name), int | float)), default=0.0)


def after_refusal(times: int) -> float:
    """Seconds to wait after the rate was refused so many times in a row (from 1) and no header said how long."""
    return min(AFTER_REFUSAL * 2.0 ** (min(times, 8) - 1), LONGEST)


def _usages(headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in PLAIN:
        if name in headers and isinstance(found := _decoded(headers[name]), dict):
            yield found
    business = _decoded(headers[BUSINESS]) if BUSINESS in headers else None
    for entries in business.values() if isinstance(business, dict) else ():
        if isinstance(entries, list):
            yield from (entry for entry in entries if isinstance(entry, dict))


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
