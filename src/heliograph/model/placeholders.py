"""Placeholders in texts, `${name}` or `$(name)`, and what fills them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_PLACEHOLDER = re.compile(r"\$(?:\{([^\W\d][\w.]*)\}|\(([^\W\d][\w.]*)\))")


def placeholders(text: str) -> list[str]:
    """Names a text asks for, in order."""
    return [match[1] or match[2] for match in _PLACEHOLDER.finditer(text)]


def missing(text: str, parameters: Mapping[str, object]) -> list[str]:
    """Placeholders without a value, each named once."""
    return absent(placeholders(text), parameters)


def absent(names: Iterable[str], parameters: Mapping[str, object]) -> list[str]:
    """Names without a value, each once."""
    return [name for name in dict.fromkeys(names) if _value(parameters.get(name)) is None]


def fill(text: str, parameters: Mapping[str, object]) -> str:
    """The text with every placeholder that has a value replaced by it; what a value holds is not filled again."""

    def value(match: re.Match[str]) -> str:
        found = _value(parameters.get(match[1] or match[2]))
        return match[0] if found is None else found

    return _PLACEHOLDER.sub(value, text) if "$" in text else text


def _value(value: object) -> str | None:
    """A parameter as text; objects, lists and null are no values for a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else None
