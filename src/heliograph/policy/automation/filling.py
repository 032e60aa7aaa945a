"""`${...}` in what a rule sends and says. What a value holds is never filled again."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.model.automation.naming import PLACE, names_in
from heliograph.policy.automation.scope import Scope

LONGEST = 256 * 1024  # characters of one filled text


class NoValue(Exception):
    """A text names something that this occurrence has no value for, or that is too long; the text says which."""


def fill(value: Any, scope: Scope) -> Any:
    """The value with every placeholder filled. A text that is nothing but a placeholder becomes what it names, with
    its type; of several values a list. Raises `NoValue`."""
    if isinstance(value, str):
        whole = PLACE.fullmatch(value)
        return _only(whole[1], scope) if whole else fill_text(value, scope)
    if isinstance(value, dict):
        return {name: fill(inner, scope) for name, inner in value.items()}
    return [fill(inner, scope) for inner in value] if isinstance(value, list | tuple) else value


def fill_members(members: dict[str, Any], scope: Scope) -> dict[str, Any]:
    """The members filled, without those that have no value."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        if all(scope.values(asked) for asked in names_in(value)):
            found[name] = fill(value, scope)
    return found


def fill_text(text: str, scope: Scope) -> str:
    """The text filled, several values of one name with commas. Raises `NoValue`."""
    if "$" not in text:
        return text
    pieces: list[str] = []
    end = length = 0
    for match in PLACE.finditer(text):
        values = _values(match[1], scope)
        piece = text[end : match.start()] + ", ".join(map(text_of, values))
        end, length = match.end(), length + len(piece)
        if length > LONGEST:
            raise NoValue(f"more than {LONGEST} characters")
        pieces.append(piece)
    return "".join(pieces) + text[end:]


def text_of(value: Any) -> str:
    """A value as text: numbers in digits, true and false in small letters, objects as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _only(name: str, scope: Scope) -> Any:
    values = _values(name, scope)
    return values[0] if len(values) == 1 else list(values)


def _values(name: str, scope: Scope) -> list[Any]:
    values = scope.values(name)
    if not values:
        raise NoValue(f"there is no value for ${{{name}}}")
    return values
