"""What addresses look like: a phone number in digits, or an id that only its owner understands."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[1-9][0-9]{5,14}")
_DIGITS = re.compile(r"[0-9]{6,15}")
_NOISE = str.maketrans("", "", " -()\t\u00a0")


def normalise_msisdn(value: str) -> str | None:
    """6-15 digits without `+`, leading zeros of `00`, blanks, `-` and brackets; None when nothing such is left."""
    if _PLAIN.fullmatch(value):
        return value
    digits = value.translate(_NOISE).removeprefix("+").removeprefix("00")
    return digits if _DIGITS.fullmatch(digits) else None


def normalise_id(value: str, most: int) -> str | None:
    """A printable id of 1 to `most` characters without blanks around it; None when it is none."""
    found = value.strip()
    return found if 0 < len(found) <= most and found.isprintable() else None
