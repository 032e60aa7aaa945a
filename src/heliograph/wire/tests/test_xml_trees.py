"""XML of strangers: what is built of it, and what is not let in."""

from __future__ import annotations

import contextlib
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.xml import BadXml, tree

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(
    lambda text: "".join(char for char in text if char not in "￾￿").strip()
)
VALUES = st.recursive(TEXTS, lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=8)


def written(name: str, value: Any) -> str:
    """An element of a value."""
    if isinstance(value, str):
        return f"<{name}>{escape(value)}</{name}>"
    return f"<{name}>{''.join(written(inner, one) for inner, one in value.items())}</{name}>"


@given(NAMES, VALUES)
def test_what_was_written_is_read(name: str, value: Any) -> None:
    assert tree(written(name, value).encode()) == {name: value}


@given(TEXTS)
def test_an_attribute_is_read_as_it_was_written(text: str) -> None:
    assert tree(f"<a b={quoteattr(text)}/>".encode()) == {"a": {"@b": text}}


@given(st.binary(max_size=64) | st.text(st.sampled_from("<>/ab &;!?[]-'\"=x#0"), max_size=64).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BadXml):
        assert isinstance(tree(body), dict)


TREES: list[tuple[str, Any]] = [
    ("<a/>", {"a": ""}),
    ("<a> x </a>", {"a": "x"}),
    ("<a><b>1</b><b>2</b></a>", {"a": {"b": ["1", "2"]}}),
    ("<a><b>1</b><b><c>2</c></b><b/></a>", {"a": {"b": ["1", {"c": "2"}, ""]}}),
    ("<a n='1'>x</a>", {"a": {"@n": "1", "#text": "x"}}),
    ("<a>x<b>1</b>y</a>", {"a": {"b": "1", "#text": "xy"}}),
    ("<a><![CDATA[<b>&]]></a>", {"a": "<b>&"}),
    ("<a>&lt;&#65;</a>", {"a": "<A"}),
    ("<!-- c --><?p i?><a/>", {"a": ""}),
]


@pytest.mark.parametrize(("body", "found"), TREES)
def test_a_document_becomes_an_object(body: str, found: Any) -> None:
    assert tree(body.encode()) == found


REFUSED = (
    "", " ", "x", "<a>", "<a/><b/>", "<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<!DOCTYPE a [<!ENTITY % b SYSTEM 'http://x'>%b;]><a/>", "<a>&b;</a>",
    "<?xml version='1.0' encoding='nonsense'?><a/>", "<a>" * 33 + "</a>" * 33, "<a>\x00</a>",
)  # fmt: skip


@pytest.mark.parametrize("body", REFUSED)
def test_what_is_no_plain_document_is_refused(body: str) -> None:
    with pytest.raises(BadXml):
        tree(body.encode())


def test_it_may_be_as_deep_as_the_limit() -> None:
    assert tree(b"<a>" * 32 + b"</a>" * 32)
