"""What answers of X mean: the table, both shapes of errors, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import catalogue
from heliograph.channels.twitter.outcomes import TABLE, Fault, fault_of, outcome_of
from heliograph.dispatch.retry import CLASSES

P = "https://api.x.com/2/problems/"


def old(code: int, message: str = "no") -> dict[str, object]:
    return {"errors": [{"code": code, "message": message}]}


def new(kind: str, detail: str, title: str = "Forbidden") -> dict[str, object]:
    return {"title": title, "detail": detail, "type": P + kind if kind else "about:blank", "status": 0}


# providers 2.9
MEANINGS: list[tuple[int, object, str, str]] = [
    (403, old(187), "7306", "no"),
    (403, new("", "You are not allowed to create a DM with duplicate content."), "7306", "no"),
    (403, old(151, "Whoops! You already said that"), "7306", "no"),
    (403, old(151, "There was an error sending your message"), "7202", "no"),
    (429, old(88), "7302", "free"),
    (429, new("rate-limit-exceeded", "Too Many Requests"), "7302", "free"),
    (429, new("usage-capped", "Usage cap exceeded: Monthly product cap"), "7302", "late"),
    (403, old(185), "7302", "late"),
    (403, old(226, "This request looks like it might be automated."), "7302", "no"),
    (402, new("credits", "no credits left"), "7103", "late"),
    (401, old(32), "7304", "late"),
    (401, old(135), "7304", "late"),
    (401, new("", "Unauthorized", "Unauthorized"), "7304", "late"),
    (403, new("client-forbidden", "When authenticating requests ..."), "7304", "late"),
    (403, old(453), "7304", "late"),
    (401, old(89), "7305", "late"),
    (403, old(326), "7305", "late"),
    (403, old(150), "7207", "no"),
    (403, old(349), "7207", "no"),
    (403, new("", "You do not have permission to DM one or more participants."), "7207", "no"),
    (404, old(50), "7203", "no"),
    (404, new("resource-not-found", "Could not find user"), "7203", "no"),
    (403, old(354), "7107", "no"),
    (400, old(324), "7202", "no"),
    (410, old(68), "7202", "late"),
    (503, old(130), "7307", "soon"),
    (500, old(131), "7307", "soon"),
    (502, "<html>", "7307", "soon"),
    (504, "<html>", "7307", "unknown"),
    (599, {}, "7307", "soon"),
    (403, old(998), "7010", "no"),
    (400, {"title": "Invalid Request", "type": P + "invalid-request", "detail": "wrong"}, "7010", "no"),
    (418, [], "7010", "no"),
]


@pytest.mark.parametrize(("status", "found", "code", "retry"), MEANINGS)
def test_an_answer_has_its_meaning(status: int, found: object, code: str, retry: str) -> None:
    outcome = outcome_of(fault_of(status, msgspec.json.encode(found)))

    assert (catalogue.code(outcome.key), outcome.retry) == (code, retry)


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.note)
def test_a_row_of_the_table_has_words_that_exist(row: object) -> None:
    assert isinstance(row, tuple)
    key, retry, action, deactivate, note = row

    assert catalogue.find(key)
    assert retry in {"no", "free", "unknown", *CLASSES}
    assert (action in {"", "error", "pause", "down"}, deactivate in {"yes", "no"}, bool(note)) == (True, True, True)


def test_what_x_said_is_kept() -> None:
    found = {"title": "Invalid Request", "type": P + "invalid-request", "detail": "One or more parameters.",
             "errors": [{"parameters": {"text": ["x"]}, "message": "text is odd"}]}  # fmt: skip
    fault = fault_of(400, msgspec.json.encode(found))

    assert fault == Fault(400, "", "invalid-request", "One or more parameters. (text is odd)")
    assert fault.native_code == "400 invalid-request"


@given(st.integers(400, 599), st.binary(max_size=200))
def test_any_answer_has_some_meaning(status: int, answer: bytes) -> None:
    assert catalogue.find(outcome_of(fault_of(status, answer)).key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errors", "type", "detail", "code", "message"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_any_json_has_some_meaning(found: object) -> None:
    assert catalogue.find(outcome_of(fault_of(400, msgspec.json.encode(found))).key)


def test_the_page_has_every_row_with_its_code() -> None:
    page = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    missing = [
        native for (_, native), row in TABLE.items()
        if not any(f"`{native}`" in line and f"| {catalogue.code(row.key)} `" in line for line in lines)
    ]  # fmt: skip

    assert missing == []
