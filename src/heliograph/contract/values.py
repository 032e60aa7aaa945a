"""JSON values as the contract takes them: a number is its text, and nothing is nested without end."""

from __future__ import annotations

from typing import Any

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected

DEEPEST = 32  # levels of objects and lists inside a value that is kept; deeper is refused as 7000


def as_text(value: Any) -> str | None:
    """A text, or a number as its text; None for anything else. Booleans are no numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def text_member(holder: dict[str, Any], name: str, most: int) -> str:
    """The named member as text, "" where it is absent; 7004 when it is no text or longer than `most`."""
    value = holder.get(name)
    if value is None:
        return ""
    text = as_text(value)
    if text is None or len(text) > most:
        raise Rejected(keys.INVALID_PARAM, name)
    return text


def object_member(holder: dict[str, Any], name: str) -> dict[str, Any] | None:
    """The named member as an object, None where it is absent; 7000 when it is anything else."""
    value = holder.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise Rejected(keys.INVALID_JSON)


def member_at(found: Any, path: tuple[str, ...]) -> Any:
    """The member at the end of a path, None where one of its steps is not there."""
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def check_depth(value: Any, levels: int = DEEPEST) -> None:
    """Refuses what is nested so deep that whoever writes it out again would run out of stack."""
    if not isinstance(value, dict | list):
        return
    if not levels:
        raise Rejected(keys.INVALID_JSON)
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            check_depth(inner, levels - 1)
