"""Placeholders and their values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.model.message import Content
from heliograph.model.workspace import Template
from heliograph.policy.content import apply_template, fill, missing, placeholders

NAMES = {
    "none": ("Hello", []),
    "one": ("Hello ${name}", ["name"]),
    "two, one twice": ("${a}${b}${a}", ["a", "b", "a"]),
    "round brackets": ("Hello $(name)", ["name"]),
    "mixed brackets": ("Hello ${name)", []),
    "dots and letters of any script": ("${a.b_1} ${n\u00e4me}", ["a.b_1", "n\u00e4me"]),
    "no name": ("${} ${1} $ {a} {a} $a", []),
    "money": ("$5 and 5$", []),
}


@pytest.mark.parametrize(("text", "names"), NAMES.values(), ids=NAMES.keys())
def test_names_are_found_in_order(text: str, names: list[str]) -> None:
    assert placeholders(text) == names


VALUES = {
    "text": ("Ann", "Ann"),
    "a number": (7, "7"),
    "a fraction": (7.5, "7.5"),
    "true": (True, "true"),
    "none": ("", ""),
}


@pytest.mark.parametrize(("value", "text"), VALUES.values(), ids=VALUES.keys())
def test_a_value_is_its_text(value: object, text: str) -> None:
    assert fill("<${a}>", {"a": value}) == f"<{text}>"


@pytest.mark.parametrize("value", [None, [], ["x"], {}, {"x": "y"}])
def test_what_is_no_text_is_no_value(value: object) -> None:
    assert missing("${a}", {"a": value}) == ["a"]
    assert fill("${a}", {"a": value}) == "${a}"


def test_a_missing_name_is_told_once() -> None:
    assert missing("${a} ${b} ${a}", {"b": "x"}) == ["a"]


def test_a_text_of_the_call_stands_before_the_template(template: Template) -> None:
    content = Content(channel="sms", fields={"text": "mine", "senderid": "X"}, template="1")

    assert apply_template(content, template) == content


def test_the_text_of_a_template_is_taken_where_there_is_none(template: Template) -> None:
    content = Content(channel="sms", fields={"senderid": "X"}, template="1", parameters={"a": "b"}, appid="AP")

    assert apply_template(content, template) == Content(
        channel="sms", fields={"text": "theirs", "senderid": "X"}, template="1", parameters={"a": "b"}, appid="AP"
    )


@pytest.fixture(name="template")
def _template() -> Template:
    return Template(id="1", channel="sms", text="theirs")


@given(st.text("${}()ab ", max_size=30), st.dictionaries(st.sampled_from("ab"), st.text("${}ab")))
def test_what_has_all_values_has_no_placeholder_of_its_own_left(text: str, parameters: dict[str, object]) -> None:
    filled = fill(text, dict.fromkeys(placeholders(text), "x"))

    assert missing(filled, {}) == []
    assert fill(text, parameters) == text or placeholders(text)
