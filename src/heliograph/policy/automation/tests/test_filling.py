"""What texts of rules become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.events import Occurrence
from heliograph.policy.automation import NoValue, Scope, fill, fill_members
from heliograph.policy.automation.filling import LONGEST

PAYLOAD: dict[str, Any] = {
    "parameters": {
        "name": "Ann", "count": 3, "gold": False, "price": 1.5, "tags": ["a", "b"], "box": {"x": 1}, "null": None,
        "tricky": "${parameters.name}",
    }
}  # fmt: skip


def scope(payload: dict[str, Any] = PAYLOAD) -> Scope:
    return Scope(Occurrence(7, "demo", "orders", "event", "4451", payload, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello ${parameters.name}!", "Hello Ann!"),
        ("${parameters.name}", "Ann"),
        ("${parameters.count}", 3),
        ("n=${parameters.count}", "n=3"),
        ("${parameters.gold}", False),
        ("gold: ${parameters.gold}", "gold: false"),
        ("${parameters.tags}", ["a", "b"]),
        ("tags: ${parameters.tags}", "tags: a, b"),
        ("${parameters.box}", {"x": 1}),
        ("${parameters.tricky}", "${parameters.name}"),
        ("see ${parameters.tricky}", "see ${parameters.name}"),
        ("${occurrence.name}", "4451"),
        ("no placeholder $ {x} ${}", "no placeholder $ {x} ${}"),
        (["${parameters.name}", 1], ["Ann", 1]),
        ({"a": {"b": "${parameters.count}"}}, {"a": {"b": 3}}),
    ],
)
def test_a_value_filled(text: Any, expected: Any) -> None:
    assert fill(text, scope()) == expected


@pytest.mark.parametrize(
    "text", ["${parameters.absent}", "x ${parameters.absent}", "${parameters.null}", "${profile.x}"]
)
def test_what_has_no_value_is_said(text: str) -> None:
    with pytest.raises(NoValue, match=r"there is no value for \$\{"):
        fill(text, scope())


def test_members_without_a_value_are_left_out() -> None:
    assert fill_members({"a": "${parameters.name}", "b": "${parameters.absent}", "c": 1}, scope()) == {
        "a": "Ann",
        "c": 1,
    }


def test_a_text_does_not_grow_without_end() -> None:
    long = {"parameters": {"long": "x" * (LONGEST // 4)}}

    with pytest.raises(NoValue, match="characters"):
        fill("${parameters.long} " * 5, scope(long))


@given(st.text(), st.text())
def test_a_value_is_never_filled_again(before: str, value: str) -> None:
    plain = before.replace("$", "")

    assert fill(f"{plain}${{parameters.v}}.", scope({"parameters": {"v": value}})) == f"{plain}{value}."
