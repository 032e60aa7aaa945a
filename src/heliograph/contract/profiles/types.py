"""The types of attributes: what a value of each may look like in a call, and how it is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.contract.expiry import expiry_ms
from heliograph.contract.values import as_text
from heliograph.model.addresses import normalise_msisdn
from heliograph.model.profiles.apps import Scalar
from heliograph.model.profiles.declared import Attribute

FLAGS: dict[Any, int] = {0: 0, 1: 1, "0": 0, "1": 1}
NUMBER_CHARACTERS = 32
EMAIL_CHARACTERS = 254  # RFC 5321 4.5.3.1.3: a path of 256 octets, with its brackets
GREATEST = 1 << 63  # whole numbers are kept in 64 bits

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@.\"(),:;<>\[\]\\]+(\.[^\s@.\"(),:;<>\[\]\\]+)+")
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:[_-]([A-Za-z0-9]{2,8}))*", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class BadValue(Exception):
    """A value that does not fit its type."""


def typed(attribute: Attribute, value: Any) -> Scalar:
    """A value as it is kept; raises `BadValue`."""
    return _TYPES[attribute.type](value, attribute.max_length)


def text_of(value: Any, most: int) -> str:
    """A text of so many characters at most; a number is its text."""
    text = as_text(value)
    if text is None or len(text) > most or "\0" in text:
        raise BadValue
    return text


def flag_of(value: Any, _: int = 0) -> int:
    """0 or 1, as a number or a text."""
    if isinstance(value, bool | int | str) and value in FLAGS:
        return FLAGS[value]
    raise BadValue


def _number(value: Any, _: int) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadValue
    number = _parsed(value.strip()) if isinstance(value, str) else value
    if not math.isfinite(number) or abs(number) >= GREATEST:
        raise BadValue
    return number


def _parsed(text: str) -> int | float:
    if len(text) > NUMBER_CHARACTERS or not _NUMBER.fullmatch(text):
        raise BadValue
    return float(text) if set(text) & set(".eE") else int(text)


def _boolean(value: Any, _: int) -> bool:
    found = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None
    if found is None:
        raise BadValue
    return found


def _date(value: Any, _: int) -> str:
    text = text_of(value, 10)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadValue from error


def _datetime(value: Any, _: int) -> str:
    moment = expiry_ms(value) if isinstance(value, str) else None
    if moment is None:
        raise BadValue
    try:
        found = datetime.fromtimestamp(moment / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadValue from error
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _msisdn(value: Any, _: int) -> str:
    digits = normalise_msisdn(text_of(value, 64))
    if digits is None:
        raise BadValue
    return digits


def _email(value: Any, most: int) -> str:
    text = text_of(value, max(most, EMAIL_CHARACTERS)).strip()
    if len(text) > EMAIL_CHARACTERS or not _EMAIL.fullmatch(text) or not text.isprintable():
        raise BadValue
    return text


def _timezone(value: Any, _: int) -> str:
    text = text_of(value, 64).strip()
    if not is_zone(text):
        raise BadValue
    return text


def _locale(value: Any, _: int) -> str:
    text = text_of(value, 35).strip()
    if not _LOCALE.fullmatch(text):
        raise BadValue
    language, *rest = text.replace("_", "-").split("-")
    return "-".join([language.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether it names a time zone, such as Europe/London."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as `Europe`
        return False
    return True


_TYPES: dict[str, Callable[[Any, int], Scalar]] = {
    "string": text_of,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "msisdn": _msisdn,
    "email": _email,
    "flag": flag_of,
    "timezone": _timezone,
    "locale": _locale,
}
