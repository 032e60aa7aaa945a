"""Conditions made ready: each becomes a function of a scope. A field may have several values, as the elements of a
list; a comparison holds when it holds for one of them, and `not_...` when it holds for none."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import re2

from heliograph.model.automation import Condition
from heliograph.model.automation.naming import is_of_profile, names_in, regex_options
from heliograph.model.policies.texts import moment_of
from heliograph.policy.automation.filling import NoValue, fill, text_of
from heliograph.policy.automation.scope import Scope

Test = Callable[[Scope], bool]
Compare = Callable[[Any, Any], bool]

SEARCHED = 4_096  # characters; no expression is looked for in longer values


def all_of(conditions: Iterable[Condition]) -> Test | None:
    """One test for all conditions; None where there is none."""
    tests = [condition_test(condition) for condition in conditions]
    if not tests:
        return None
    return tests[0] if len(tests) == 1 else lambda scope: all(test(scope) for test in tests)


def condition_test(condition: Condition) -> Test:
    """A condition as a function."""
    if condition.all is not None:
        tests = [condition_test(inner) for inner in condition.all]
        return lambda scope: all(test(scope) for test in tests)
    if condition.any is not None:
        some = [condition_test(inner) for inner in condition.any]
        return lambda scope: any(test(scope) for test in some)
    if condition.negated is not None:
        inner = condition_test(condition.negated)
        return lambda scope: not inner(scope)
    return _comparison(condition)


def _comparison(condition: Condition) -> Test:
    name, value, op = condition.field, condition.value, condition.op
    if op == "exists":
        wanted = value is not False
        return lambda scope: bool(scope.values(name)) is wanted
    if op == "regex":
        pattern = re2.compile(str(value), regex_options())
        return lambda scope: any(_is_found(pattern, text_of(one)) for one in scope.values(name))
    negative = op.startswith("not_")
    compare = _COMPARES[op.removeprefix("not_")]
    if condition.ignore_case:
        compare = _folded(compare)
    if names_in(value):
        return _moving(name, value, compare, negative)
    if op in _ORDERS and (number := number_of(value)) is not None:
        return _numeric(name, _ORDERS[op], number)
    return _plain(name, value, compare, negative)


def _plain(name: str, value: Any, compare: Compare, negative: bool) -> Test:
    def test(scope: Scope) -> bool:
        for one in scope.values(name):  # a loop, for `any` costs as much as a comparison
            if compare(one, value):
                return not negative
        return negative

    return test


def _numeric(name: str, holds: Callable[[float, float], bool], wanted: float) -> Test:
    def test(scope: Scope) -> bool:
        for one in scope.values(name):
            number = one if type(one) is int or type(one) is float else number_of(one)
            if number is not None and holds(number, wanted):
                return True
        return False

    return test


def _is_found(pattern: Any, text: str) -> bool:
    return len(text) <= SEARCHED and pattern.search(text) is not None


def _moving(name: str, value: Any, compare: Compare, negative: bool) -> Test:
    """A comparison with what the occurrence itself says; with nothing, nothing is alike."""

    def test(scope: Scope) -> bool:
        try:
            wanted = fill(value, scope)
        except NoValue:
            return negative
        return any(compare(one, wanted) for one in scope.values(name)) is not negative

    return test


def equal(one: Any, other: Any) -> bool:
    """Numbers by value, all else as text."""
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return text_of(one) == text_of(other)


def _contains(one: Any, part: Any) -> bool:
    return text_of(part) in text_of(one)


def _prefix(one: Any, part: Any) -> bool:
    return text_of(one).startswith(text_of(part))


def _suffix(one: Any, part: Any) -> bool:
    return text_of(one).endswith(text_of(part))


def _in(one: Any, several: Any) -> bool:
    return any(equal(one, item) for item in (several if isinstance(several, list | tuple) else [several]))


def _ordered(holds: Callable[[float, float], bool]) -> Compare:
    def compare(one: Any, other: Any) -> bool:
        pair = _numbers(one, other) or _moments(one, other)
        return pair is not None and holds(*pair)

    return compare


def _numbers(*values: Any) -> tuple[float, float] | None:
    found: list[float] = []
    for value in values:
        number = number_of(value)
        if number is None:
            return None
        found.append(number)
    return found[0], found[1]


def number_of(value: Any) -> float | None:
    """A number, or a text of one; None for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _moments(one: Any, other: Any) -> tuple[float, float] | None:
    if not isinstance(one, str) or not isinstance(other, str):
        return None
    first, second = moment_of(one), moment_of(other)
    return None if first is None or second is None else (first, second)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _folded(compare: Compare) -> Compare:
    return lambda one, other: compare(_fold(one), _fold(other))


def _fold(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return [_fold(item) for item in value] if isinstance(value, list | tuple) else value


_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "less": operator.lt, "at_most": operator.le, "greater": operator.gt, "at_least": operator.ge,
}  # fmt: skip
_COMPARES: dict[str, Compare] = {
    "equals": equal,
    "contains": _contains,
    "prefix": _prefix,
    "suffix": _suffix,
    "in": _in,
    **{name: _ordered(holds) for name, holds in _ORDERS.items()},
}


def literals(conditions: Sequence[Condition]) -> dict[str, list[str]]:
    """Of conditions that must all hold: the fields that must equal one of some texts given in the rule itself."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        if condition.ignore_case or not condition.field or condition.field in found or names_in(condition.value):
            continue
        if is_of_profile(condition.field):
            continue  # nobody's profile is known yet
        if condition.op == "equals" and isinstance(condition.value, str):
            found[condition.field] = [condition.value]
        elif condition.op == "in" and _are_texts(condition.value):
            found[condition.field] = list(condition.value)
    return found


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
