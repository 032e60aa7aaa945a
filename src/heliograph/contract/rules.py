"""Holds a channel's object against the channel's rules; what goes on is the object with canonical values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.values import as_text, member_at
from heliograph.model.outcome import Rejected
from heliograph.model.rules import Action, Alias, EachIn, Members, OneOf, Path, Required, Rule, ValueIn, Yields


def check(rules: tuple[Rule, ...], found: dict[str, Any], *, templated: bool) -> dict[str, Any]:
    """The object with mapped values; raises `Rejected` for the first rule that is broken. With a template the
    members that carry content may be absent."""
    values = dict(found)
    for rule in rules:
        if isinstance(rule, Required):
            if (rule.always or not templated) and not present(values, rule.path) and _applies(rule, values):
                raise Rejected(rule.key, *rule.says)
        elif isinstance(rule, OneOf):
            if not templated and _applies(rule, values) and not _any_present(rule, values):
                raise Rejected(rule.key, *rule.says)
        else:
            _APPLY[type(rule)](rule, values)
    return values


def present(found: dict[str, Any], path: Path, bare: bool = False) -> bool:
    """Whether the member is there and not empty; with `bare` an empty object or list is there too."""
    value = found.get(path[0]) if len(path) == 1 else member_at(found, path)
    if value is None or value == "":
        return False
    return bare or type(value) is str or value not in ([], {})


def _applies(rule: Required | OneOf, values: dict[str, Any]) -> bool:
    return rule.when is None or rule.when(values)


def _any_present(rule: OneOf, values: dict[str, Any]) -> bool:
    return any(present(values, path, rule.bare) for path in rule.paths)


def _holder(values: dict[str, Any], path: Path) -> dict[str, Any]:
    """The object that holds the member, an empty one where it is not there."""
    holder = member_at(values, path[:-1])
    return holder if isinstance(holder, dict) else {}


def _check_members(rule: Members, values: dict[str, Any]) -> None:
    holder = member_at(values, rule.path)
    if holder is None or holder == "":
        return
    if not isinstance(holder, dict):
        raise Rejected(keys.INVALID_JSON)
    for name in rule.objects:
        if not isinstance(holder.get(name, ""), dict) and holder.get(name) not in (None, ""):
            raise Rejected(keys.INVALID_JSON)
    for name in rule.texts:
        value = holder.get(name)
        if value is None or type(value) is str:
            continue
        text = as_text(value)
        if text is None:
            raise Rejected(keys.INVALID_JSON)
        holder[name] = text


def _apply_alias(rule: Alias, values: dict[str, Any]) -> None:
    holder = _holder(values, rule.path)
    value = holder.pop(rule.other, None)
    if value is not None and not present(values, rule.path):
        holder[rule.path[-1]] = value


def _apply_yields(rule: Yields, values: dict[str, Any]) -> None:
    if any(present(values, path) for path in rule.to):
        _holder(values, rule.path).pop(rule.path[-1], None)


def _check_value(rule: ValueIn, values: dict[str, Any]) -> None:
    if not present(values, rule.path):
        return
    holder = _holder(values, rule.path)
    value = holder[rule.path[-1]]
    known = rule.values.get(str(value).strip().lower()) if isinstance(value, str | int) else None
    if known is None or isinstance(value, bool):
        raise Rejected(rule.key, *rule.says)
    holder[rule.path[-1]] = known


def _check_each(rule: EachIn, values: dict[str, Any]) -> None:
    if not present(values, rule.path):
        return
    value, name = member_at(values, rule.path), rule.path[-1]
    given = value if isinstance(value, list) else [value]
    known = [item.strip().lower() if isinstance(item, str) else "" for item in given]
    if not rule.values.issuperset(known):
        raise Rejected(rule.key, name)
    _holder(values, rule.path)[name] = list(dict.fromkeys(known))


def _check_action(rule: Action, values: dict[str, Any]) -> None:
    found = member_at(values, rule.path)
    if found is None or found == "":
        return
    if not isinstance(found, dict):
        raise Rejected(keys.INVALID_JSON)
    action = found.get("action") if present(found, ("action",)) else rule.default
    if action not in rule.actions:
        raise Rejected(rule.invalid_key)
    if action not in rule.bare and not present(found, ("value",)):
        raise Rejected(rule.missing_key, action)
    _holder(values, rule.path)[rule.path[-1]] = {**found, "action": action}


_APPLY: dict[type, Callable[[Any, dict[str, Any]], None]] = {
    Members: _check_members,
    Alias: _apply_alias,
    Yields: _apply_yields,
    ValueIn: _check_value,
    EachIn: _check_each,
    Action: _check_action,
}
