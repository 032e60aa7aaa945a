"""Values that the workspace writes as text: amounts, pulses, times of day, dates, moments, expressions. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import re2

MILLION = 1_000_000
"""Units of an amount in one unit of the currency; 64 bits hold nine million millions of them."""

LEAST_DECIMALS = 2
REGEX_BYTES = 8 << 20  # what RE2 may use for the expressions of one channel

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,6}))?")
_PULSE = re.compile(r"([1-9][0-9]{0,3})(?:\+([1-9][0-9]{0,3}))?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_YEARLY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def amount_of(text: str) -> int | None:
    """Decimal text, `12.50`, in millionths; None when it is none (a sign, a comma, more than six decimals)."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * MILLION + int((match[2] or "").ljust(6, "0"))


def amount_text(amount: int) -> str:
    """Millionths as decimal text with two to six decimals."""
    sign, (whole, rest) = "-" if amount < 0 else "", divmod(abs(amount), MILLION)
    decimals = f"{rest:06d}".rstrip("0").ljust(LEAST_DECIMALS, "0")
    return f"{sign}{whole}.{decimals}"


def pulse_of(text: str) -> tuple[int, int] | None:
    """Seconds of the first block and of those after it; None when the text is no pulse."""
    match = _PULSE.fullmatch(text)
    return (int(match[1]), int(match[2] or match[1])) if match else None


def minute_of(text: str) -> int | None:
    """`09:30` as minutes of the day, `24:00` included; None when it is no time."""
    if not _TIME.fullmatch(text):
        return None
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def is_holiday(text: str) -> bool:
    """Whether it is a date, `2030-12-24`, or a day of every year, `12-25`."""
    return bool(_YEARLY.fullmatch(text)) or (bool(_DATE.fullmatch(text)) and _date(text) is not None)


def moment_of(text: str) -> int | None:
    """A moment, `2030-01-31T12:00:00Z`, or the beginning of a day, `2030-01-31`, in Unix milliseconds; UTC where no
    offset is given. None when it is neither."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def regex_options() -> Any:
    """How regular expressions of a workspace are read: by RE2, without regard to case, in linear time."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = REGEX_BYTES
    return options


def regex_fault(pattern: str) -> str:
    """Why RE2 does not take a regular expression; "" when it does."""
    try:
        re2.compile(pattern, regex_options())
    except re2.error as error:
        [what, *_] = error.args or ("",)
        return what.decode(errors="replace") if isinstance(what, bytes) else str(what)
    return ""
