"""Holds a channel's object against the channel's rules; what goes on is the object with canonical values."""

from __future__ import annotations

from typing import Any

from heliograph.model.outcome import Rejected
from heliograph.model.rules import OneOf, Required, Rule, ValueIn


def check(rules: tuple[Rule, ...], found: dict[str, Any], *, templated: bool) -> dict[str, Any]:
    """The object with mapped values; raises `Rejected` for the first rule that is broken. With a template the
    members that carry content may be absent."""
    values = dict(found)
    for rule in rules:
        if isinstance(rule, ValueIn):
            _check_value(rule, values)
        elif not templated and _missing(rule, values):
            raise Rejected(rule.key)
    return values


def present(found: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Whether the member is there and not empty."""
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value is not None and value not in ("", [], {})


def _missing(rule: Required | OneOf, values: dict[str, Any]) -> bool:
    if rule.when is not None and not rule.when(values):
        return False
    paths = (rule.path,) if isinstance(rule, Required) else rule.paths
    return not any(present(values, path) for path in paths)


def _check_value(rule: ValueIn, values: dict[str, Any]) -> None:
    if not present(values, rule.path):
        return
    holder: dict[str, Any] = values
    for name in rule.path[:-1]:
        holder = holder[name]
    value = holder[rule.path[-1]]
    known = rule.values.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if known is None or isinstance(value, bool):
        raise Rejected(rule.key)
    holder[rule.path[-1]] = known
