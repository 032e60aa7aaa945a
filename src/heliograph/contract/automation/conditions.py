"""Holds conditions against what their trigger gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from heliograph.contract.automation.around import Around
from heliograph.contract.shape import Fault
from heliograph.model.automation import Condition
from heliograph.model.automation.naming import names_in, regex_fault
from heliograph.model.policies.texts import moment_of

MOST, DEEPEST, MOST_VALUES, PATTERN_CHARACTERS = 64, 8, 10_000, 512
_ORDERS = frozenset({"less", "at_most", "greater", "at_least"})


def conditions_faults(
    conditions: Sequence[Condition], known: Around, trigger: str, path: str, *, person: bool
) -> Iterator[Fault]:
    """Every fault of conditions that must all hold."""
    if sum(map(_count, conditions)) > MOST:
        yield path, f"there may be {MOST} conditions at most"
        return
    for index, condition in enumerate(conditions):
        yield from _faults(condition, known, trigger, f"{path}[{index}]", person)


def _count(condition: Condition) -> int:
    inner = (*(condition.all or ()), *(condition.any or ()))
    return 1 + sum(map(_count, inner)) + (_count(condition.negated) if condition.negated is not None else 0)


def _faults(
    condition: Condition, known: Around, trigger: str, path: str, person: bool, depth: int = 1
) -> Iterator[Fault]:
    groups = {"all": condition.all, "any": condition.any}
    if depth > DEEPEST:
        yield path, f"conditions may stand {DEEPEST} deep in one another at most"
        return
    given = [bool(condition.field), condition.negated is not None, *(group is not None for group in groups.values())]
    if sum(given) != 1:
        yield path, "must be one of `field` with `op` and `value`, `all`, `any` or `not`"
        return
    for name, group in groups.items():
        if group is not None and not group:
            yield f"{path}.{name}", "must hold a condition at least"
        for index, inner in enumerate(group or ()):
            yield from _faults(inner, known, trigger, f"{path}.{name}[{index}]", person, depth + 1)
    if condition.negated is not None:
        yield from _faults(condition.negated, known, trigger, f"{path}.not", person, depth + 1)
    if condition.field:
        yield from known.names_faults([condition.field], trigger, f"{path}.field", person=person)
        yield from known.names_faults(names_in(condition.value), trigger, f"{path}.value", person=person)
        yield from _value_faults(condition, f"{path}.value")


def _value_faults(condition: Condition, path: str) -> Iterator[Fault]:
    value, operator = condition.value, condition.op
    if operator == "exists":
        if value is not None and not isinstance(value, bool):
            yield path, "must be true or false, or be left out"
    elif operator == "regex":
        yield from _regex_faults(value, path)
    elif operator in ("in", "not_in"):
        if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_VALUES:
            yield path, f"must be a list of 1 to {MOST_VALUES} values"
        elif not all(map(_is_plain, value)):
            yield path, "must be a list of texts, numbers, true or false"
    elif not _is_plain(value):
        yield path, "must be a text, a number, true or false"
    elif operator in _ORDERS and not names_in(value) and not _has_order(value):
        yield path, "must be a number, or a moment such as 2030-01-31T12:00:00Z"


def _regex_faults(value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not 0 < len(value) <= PATTERN_CHARACTERS:
        yield path, f"must be a regular expression of 1 to {PATTERN_CHARACTERS} characters"
    elif fault := regex_fault(value):
        yield path, f"is no regular expression that can be used (RE2): {fault}"


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _has_order(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str) and moment_of(value) is None:
        try:
            float(value)
        except ValueError:
            return False
    return True
