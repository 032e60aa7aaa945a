"""The shipped sets of buttons hang together, and a tenant's own are read as they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.model.categories import (
    ACTIONS,
    ALIASES,
    ALLOWED,
    MATRIX,
    PUSH,
    RT,
    SHIPPED,
    Category,
    categories_of,
    category_faults,
)

EVERY = pytest.mark.parametrize("category", SHIPPED.values(), ids=lambda category: category.name)


def test_there_are_as_many_as_published() -> None:
    assert len([one for one in SHIPPED.values() if PUSH in one.channels]) == 17
    assert len([one for one in SHIPPED.values() if RT in one.channels]) == 21


@EVERY
def test_every_button_may_do_something_on_every_channel_of_its_category(category: Category) -> None:
    for channel in category.channels:
        for identifier in category.identifiers.values():
            assert category.allowed(identifier, channel)


@EVERY
def test_a_single_category_has_one_button_and_a_double_one_two(category: Category) -> None:
    assert category.positions == ((1,) if category.name.startswith("SINGLE_") else (1, 2))
    assert tuple(category.identifiers) == category.positions


def test_no_identifier_stands_twice_in_the_matrix() -> None:
    names = [name for row in MATRIX for name in row[0].split()]

    assert len(set(names)) == len(names)


def test_what_is_allowed_is_an_action_of_the_channel() -> None:
    for (_, channel), actions in ALLOWED.items():
        assert all(channel in ACTIONS[action].channels for action in actions)


def test_other_spellings_mean_known_actions() -> None:
    assert set(ALIASES.values()) <= set(ACTIONS)
    assert not set(ALIASES) & set(ACTIONS)


def own(**members: Any) -> Category:
    """A tenant's category."""
    return categories_of(({"name": "OWN", **members},))["OWN"]


def test_a_tenant_without_own_categories_has_the_shipped_ones() -> None:
    assert categories_of(()) is SHIPPED


def test_own_categories_stand_beside_the_shipped_ones() -> None:
    assert set(categories_of(({"name": "OWN"},))) == {*SHIPPED, "OWN"}


def test_positions_are_those_of_the_identifiers_when_left_out() -> None:
    assert own(identifiers={"2": "B", 1: "A"}).positions == (1, 2)


def test_positions_may_have_a_hole() -> None:
    found = own(positions=[2, 1], identifiers={1: "A"})

    assert (found.positions, found.identifiers) == ((1, 2), {1: "A"})


def test_own_actions_go_before_the_matrix_and_keep_to_the_channel() -> None:
    found = own(identifiers={1: "YES", 2: "NO"}, actions={"YES": ["TRIVIAL_REPLIES", "OPEN_WEBVIEW"]})

    assert found.allowed("YES", PUSH) == ("OPENWEBVIEW",)
    assert found.allowed("YES", RT) == ("TRIVIAL_REPLY", "OPENWEBVIEW")
    assert found.allowed("NO", PUSH) == ALLOWED["NO", PUSH]
    assert found.allowed("MINE", PUSH) == ()


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"positions": "1"}, "positions"),
    ({"positions": [0]}, "positions"),
    ({"positions": [True]}, "positions"),
    ({"positions": [1, 1]}, "positions"),
    ({"identifiers": ["A"]}, "identifiers"),
    ({"identifiers": {"first": "A"}}, "identifiers"),
    ({"identifiers": {"1": ""}}, "identifiers"),
    ({"identifiers": {"1": 5}}, "identifiers"),
    ({"actions": []}, "actions"),
    ({"actions": {"A": "OPEN_APP"}}, "actions"),
    ({"actions": {"A": [["OPEN_APP"]]}}, "actions"),
    ({"actions": {"A": ["OPEN_HTML"]}}, "actions"),
    ({"action": {}}, "action"),
]


@pytest.mark.parametrize(("members", "where"), FAULTY)
def test_a_fault_is_named_and_the_category_left_out(members: dict[str, Any], where: str) -> None:
    item = {"name": "OWN", **members}

    assert [path for path, _ in category_faults(item)] == [where]
    assert "OWN" not in categories_of((item,))
