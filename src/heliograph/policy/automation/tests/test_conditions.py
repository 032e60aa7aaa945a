"""What each comparison says, and what must hold of all of them."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.automation import Condition
from heliograph.model.automation.naming import regex_fault
from heliograph.model.events import Occurrence
from heliograph.policy.automation import Scope
from heliograph.policy.automation.conditions import SEARCHED, all_of, condition_test, literals

PAYLOAD: dict[str, Any] = {
    "parameters": {
        "city": "London", "count": 5, "price": "12.50", "gold": True, "nothing": None, "empty": "",
        "ordered": "2026-11-24T10:00:00Z", "items": [{"sku": "a1", "n": 1}, {"sku": "b2", "n": 7}],
        "other": "london", "dotted.name": "x",
    }
}  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
FIELDS = st.sampled_from(["parameters.a", "parameters.b", "parameters.list", "parameters.none"])
LEAVES = st.builds(
    lambda field, op, value: {"field": field, "op": op, "value": value},
    FIELDS,
    st.sampled_from(["equals", "not_equals", "contains", "not_contains", "prefix", "suffix", "exists", "less"]),
    st.text(max_size=3) | st.integers(-3, 3),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda one: {"all": one}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda one: {"any": one}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda one: {"not": one}, inner)
    ),
    max_leaves=8,
)
PAYLOADS = st.fixed_dictionaries({"a": VALUES, "b": VALUES, "list": st.lists(VALUES, max_size=3)})


def condition(**members: Any) -> Condition:
    return msgspec.convert(members, Condition)


def scope(payload: dict[str, Any], profile: dict[str, Any] | None = None) -> Scope:
    return Scope(Occurrence(7, "demo", "orders", "event", "4451", payload, 1), profile)


def holds(given_condition: dict[str, Any], payload: dict[str, Any] = PAYLOAD) -> bool:
    return condition_test(msgspec.convert(given_condition, Condition))(scope(payload))


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("city", "equals", "London", True),
        ("city", "equals", "london", False),
        ("city", "not_equals", "Paris", True),
        ("city", "not_equals", "London", False),
        ("absent", "not_equals", "London", True),
        ("absent", "equals", "London", False),
        ("count", "equals", 5, True),
        ("count", "equals", 5.0, True),
        ("count", "equals", "5", True),
        ("gold", "equals", True, True),
        ("gold", "equals", "true", True),
        ("gold", "equals", 1, False),
        ("city", "contains", "ondo", True),
        ("city", "not_contains", "ondo", False),
        ("city", "prefix", "Lon", True),
        ("city", "suffix", "don", True),
        ("city", "suffix", "Lon", False),
        ("city", "regex", "^Lon(don|g)$", True),
        ("city", "regex", "^london$", False),
        ("city", "regex", "(?i)^london$", True),
        ("city", "in", ["Paris", "London"], True),
        ("count", "in", [4, 5], True),
        ("city", "not_in", ["Paris"], True),
        ("city", "in", ["Paris"], False),
        ("count", "less", 6, True),
        ("count", "less", 5, False),
        ("count", "at_most", 5, True),
        ("price", "greater", 12, True),
        ("price", "at_least", "12.5", True),
        ("city", "greater", 1, False),
        ("gold", "greater", 0, False),
        ("ordered", "less", "2026-11-25", True),
        ("ordered", "greater", "2026-11-24T11:00:00+02:00", True),
        ("city", "exists", None, True),
        ("nothing", "exists", None, False),
        ("nothing", "exists", False, True),
        ("empty", "exists", True, True),
        ("items.sku", "equals", "b2", True),
        ("items.n", "greater", 6, True),
        ("items.sku", "not_equals", "b2", False),
        ("city", "equals", "${parameters.other}", False),
        ("city", "equals", "${parameters.absent}", False),
        ("city", "not_equals", "${parameters.absent}", True),
        ("dotted.name", "equals", "x", True),
    ],
)
def test_a_comparison(field: str, op: str, value: Any, expected: bool) -> None:
    assert holds({"field": f"parameters.{field}", "op": op, "value": value}) is expected


def test_capitals_may_be_left_aside() -> None:
    given_condition = {"field": "parameters.city", "value": "${parameters.other}", "ignore_case": True}

    assert holds(given_condition)


def test_a_field_of_the_profile() -> None:
    test = condition_test(condition(field="profile.city", value="Bath"))

    assert test(scope(PAYLOAD, {"city": "Bath"}))
    assert not test(scope(PAYLOAD))


def test_a_field_of_the_occurrence_itself() -> None:
    assert holds({"field": "occurrence.service", "value": "orders"})


@given(TREES, PAYLOADS)
def test_not_turns_every_condition_round(tree: dict[str, Any], payload: dict[str, Any]) -> None:
    whole = {"parameters": payload}

    assert holds({"not": tree}, whole) is not holds(tree, whole)


@given(st.lists(TREES, min_size=1, max_size=4), PAYLOADS)
def test_all_is_not_any_of_the_opposites(trees: list[dict[str, Any]], payload: dict[str, Any]) -> None:
    whole = {"parameters": payload}

    assert holds({"all": trees}, whole) is not holds({"any": [{"not": tree} for tree in trees]}, whole)


@given(FIELDS, st.text(max_size=3) | st.integers(-3, 3), PAYLOADS)
def test_a_negative_comparison_is_the_opposite_of_its_positive(field: str, value: Any, payload: Any) -> None:
    whole = {"parameters": payload}
    for op in ("equals", "contains"):
        positive = holds({"field": field, "op": op, "value": value}, whole)

        assert holds({"field": field, "op": f"not_{op}", "value": value}, whole) is not positive


@given(st.text(max_size=3), PAYLOADS)
def test_what_literals_leave_out_never_holds(value: str, payload: dict[str, Any]) -> None:
    """Rules are found by the texts that a field must equal: a field without them meets no such rule."""
    asked = condition(field="parameters.a", value=value)
    seen = scope({"parameters": payload})
    texts = literals([asked])["parameters.a"]
    found = [
        one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in seen.values("parameters.a")
    ]

    if condition_test(asked)(seen):
        assert set(found) & set(texts)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)[^a!]$",
        "(a+a+)+b",
        "(a?){140}a{140}b",
        "(a{0,15}){0,25}b",
        "[a-z]{0,400}[0-9]{3}z",
    ],
)
def test_an_expression_that_would_never_end_elsewhere_ends_soon(pattern: str) -> None:
    test = condition_test(condition(field="parameters.text", op="regex", value=pattern))
    seen = scope({"parameters": {"text": "a" * (SEARCHED - 1) + "!"}})
    began = time.perf_counter()

    assert regex_fault(pattern) == ""
    assert not test(seen)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize("pattern", ["(x{0,30}){0,30}y", "(a?){400}b", "(?:a{1,100}){1,10}"])
def test_an_expression_that_would_take_too_long_is_refused(pattern: str) -> None:
    assert regex_fault(pattern)


def test_no_expression_is_looked_for_in_a_value_that_is_too_long() -> None:
    test = condition_test(condition(field="parameters.text", op="regex", value="a"))

    assert test(scope({"parameters": {"text": "a" * SEARCHED}}))
    assert not test(scope({"parameters": {"text": "a" * (SEARCHED + 1)}}))


def test_without_conditions_there_is_nothing_to_test() -> None:
    assert all_of(()) is None
