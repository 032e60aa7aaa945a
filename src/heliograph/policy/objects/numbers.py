"""What a phone number says by itself: its time zones and its country. Pure.

The tables are those of the `phonenumbers` package.
"""

from __future__ import annotations

from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumber, region_code_for_number
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

LONGEST_CODE = 3  # digits of a country's calling code
KEPT = 65_536


def zones_of(digits: str) -> tuple[str, tuple[str, ...]]:
    """The prefix of a number that tells its time zones, and those zones; `("", ())` when nothing is known."""
    return _zones_of(digits[:TIMEZONE_LONGEST_PREFIX])


@lru_cache(maxsize=KEPT)
def _zones_of(start: str) -> tuple[str, tuple[str, ...]]:
    for length in range(len(start), 0, -1):
        zones = TIMEZONE_DATA.get(start[:length])
        if zones:
            return start[:length], tuple(zones)
    return "", ()


@lru_cache(maxsize=KEPT)
def country_of(digits: str) -> str:
    """The country of a number as two letters, `GB`; "" when its calling code is nobody's. A number that none of the
    countries of its code would give out belongs to the largest of them."""
    for length in range(1, LONGEST_CODE + 1):
        code = digits[:length]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdigit() else None
        if regions:
            return (_exact(digits, length) if len(regions) > 1 else "") or _country(regions[0])
    return ""


def _exact(digits: str, code: int) -> str:
    rest = digits[code:]
    number = PhoneNumber(country_code=int(digits[:code]), national_number=int(rest or 0))
    return region_code_for_number(number) or ""


def _country(region: str) -> str:
    return region if region.isalpha() else ""  # 001 stands for what belongs to no country
